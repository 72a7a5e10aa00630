"""The connectors of `connectors/*.yaml`: the file's name is the connector's name."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from ..domain.settings import ConnectorSettings, GitHubSettings, JiraSettings
from ..domain.text import did_you_mean
from .notes import Folder, Notes
from .overlap import shared_place
from .places import is_project
from .plainsecrets import take_out_secrets
from .wording import validate
from .yamlfile import Document, as_text

FOLDER = "connectors"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_MODELS: dict[str, type[JiraSettings] | type[GitHubSettings]] = {"jira": JiraSettings, "github": GitHubSettings}
_GLOB = re.compile(r"[A-Za-z0-9._*?-]+")
_EXAMPLES = {"jira": "https://acme.atlassian.net", "github": "https://api.github.com"}


class LoadedConnectors(Struct, frozen=True):
    """`types` by name, also of connectors whose file is not valid (empty where the type cannot be told)."""

    settings: tuple[ConnectorSettings, ...]
    types: dict[str, str]


def variable_prefix(name: str) -> str:
    """`OKRSYNC_<NAME>`, also for names that no connector may have."""
    return "OKRSYNC_" + re.sub(r"[^A-Z0-9]", "_", name.upper())


def load_connectors(root: Path, notes: Notes) -> LoadedConnectors:
    """Reads all files and checks them against each other."""
    types: dict[str, str] = {}
    found: list[tuple[Document, ConnectorSettings]] = []
    variables: dict[str, str] = {}
    for shown, file in Folder(root, FOLDER, notes).files:
        name = file.stem
        if not _NAME.fullmatch(name):
            notes.at(
                shown, f"the name {name[:60]!r} cannot begin an item's id; use lower-case letters, digits, `-` and `_`"
            )
        elif name in types:
            notes.at(shown, f"there is another file for the connector {name!r}; keep one")
        elif variable_prefix(name) in variables:
            taken = variables[variable_prefix(name)]
            notes.at(
                shown,
                f"its secret would be in {variable_prefix(name)}_TOKEN, as that of {taken} is; rename one of them",
            )
        variables.setdefault(variable_prefix(name), shown)
        types.setdefault(name, "")
        document = notes.read(file, shown)
        if document is None:
            continue
        settings = _connector(document, name, notes)
        kind = document.get(("type",))
        types[name] = kind if isinstance(kind, str) and kind in _MODELS else ""
        if settings is not None:
            found.append((document, settings))
    for i, (document, settings) in enumerate(found):
        for earlier, other in found[:i]:
            shared = shared_place(other, settings)
            if shared:
                place = ("projects",) if settings.type == "jira" else ("repos",) if settings.repos else ("org",)
                notes.add(
                    document,
                    place,
                    f"sees {shared}, as {earlier.path} does; each place belongs to one connector",
                )
    return LoadedConnectors(tuple(s for _, s in found), types)


def _connector(document: Document, name: str, notes: Notes) -> ConnectorSettings | None:
    data, secrets = take_out_secrets(document.data, variable_prefix(name))
    for loc, message in secrets:
        notes.add_last(document, loc, message)
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in _MODELS:
        choices = " or ".join(_MODELS)
        if "type" not in data:
            notes.add(
                document, (), f"the file has no `type`; add `type: {' or `type: '.join(f'{m}`' for m in _MODELS)}"
            )
        else:
            near = did_you_mean(kind, _MODELS) if isinstance(kind, str) else ""
            notes.add(document, ("type",), f"`type` cannot be {str(kind)[:60]!r}; it must be {choices}{near}")
        return None
    if "name" in data:
        notes.add(document, ("name",), f"unknown key `name`; the file's name is the connector's: {name}")
    model = _MODELS[kind]
    before = len(notes.problems)
    usable = {**data, "name": name if _NAME.fullmatch(name) else "x"}
    for key in ("url", "site"):
        if isinstance(usable.get(key), str):
            usable[key] = usable[key].strip().rstrip("/")
    settings, complaints = validate(model, usable)
    notes.add_all(document, complaints)
    judged = Document(path=document.path, data=data, lines=document.lines)
    _url(judged, kind, notes)
    if kind == "jira":
        _url(judged, kind, notes, key="site")
        _jira(judged, notes)
    else:
        _github(judged, notes)
    return settings if len(notes.problems) == before else None


def _url(document: Document, kind: str, notes: Notes, key: str = "url") -> None:
    text = as_text(document.data.get(key))
    if not text:
        return

    def wrong(message: str) -> None:
        # the text is not repeated: it may hold a password
        notes.add(document, (key,), f"`{key}` {message}; write it as {_EXAMPLES[kind]}")

    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        wrong("is no address")
        return
    if url.scheme not in ("http", "https") or not host or re.search(r"\s", text) or not re.fullmatch(r"[\w.:-]+", host):
        wrong("is no address")
    elif url.username is not None or url.password is not None:
        wrong("holds a user or password, and no secret stands in a file")
    elif url.query or url.fragment:
        wrong("may not hold `?` or `#`")
    elif url.scheme == "http" and not _loopback(host):
        wrong("must begin with https://, else anybody between could read the secret")
    elif kind == "github" and host.lower() in ("github.com", "www.github.com"):
        wrong("is GitHub's web site and not its API")
    elif _within(host.lower(), url.path):
        wrong("is a page or call within the site; leave out what follows the host")
    elif kind == "jira" and host.lower() == "api.atlassian.com":
        if key == "site":
            wrong("is Atlassian's gateway, where nobody browses")
        elif not re.fullmatch(r"/ex/jira/[0-9A-Za-z-]+", url.path.rstrip("/")):
            wrong("is Atlassian's gateway without a site; it is https://api.atlassian.com/ex/jira/CLOUD-ID, or")


def _within(host: str, path: str) -> bool:
    """Whether an address leads into a site, as it is copied out of a browser; Data Center may stand below a path."""
    whole = host == "api.github.com" or host.endswith(".atlassian.net")
    return bool(path.strip("/")) if whole else bool(re.search(r"/(rest|browse|secure)(/|$)", path))


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _jira(document: Document, notes: Notes) -> None:
    for loc, key in document.texts(("projects",)):
        if not is_project(key):
            better = f"; did you mean {key.upper()!r}?" if is_project(key.upper()) else ""
            notes.add(
                document, loc, f"{key[:60]!r} is no project key; write it as in an issue's key, such as PAY{better}"
            )
    _aliases(document, notes)
    for key in ("write", "remote_links"):
        _globs(document, (key,), "a project key such as PAY", slash=False, notes=notes)
    jql = document.data.get("jql")
    if isinstance(jql, str):
        # what stands in quotes is a value
        if re.search(r"\border\s+by\b", re.sub(r"\"[^\"]*\"|'[^']*'", "", jql), re.IGNORECASE):
            notes.add(document, ("jql",), "`jql` may not hold ORDER BY, since okrsync sorts by itself; take it out")
        if not jql.strip():
            notes.add(document, ("jql",), "`jql` is empty; leave it out or write null")
    email = document.data.get("email")
    if isinstance(email, str) and not re.fullmatch(r"[^@\s]+@[^@\s]+", email.strip()):
        notes.add(document, ("email",), f"`email` is {email[:60]!r}, no e-mail address; leave it out for Data Center")


def _aliases(document: Document, notes: Notes) -> None:
    """Old keys lead to projects that are read, and are no projects themselves."""
    aliases = document.get(("aliases",))
    projects = [key for _, key in document.texts(("projects",))]
    for old, new in aliases.items() if isinstance(aliases, dict) else ():
        loc = ("aliases", old)
        wrong = next((key for key in (str(old), as_text(new)) if not is_project(key)), None)
        if wrong is not None:
            example = "write old key: present key, such as OPTIQ: CALCITE"
            notes.add(document, loc, f"{wrong[:60]!r} is no project key; {example}")
        elif old in projects:
            notes.add(document, loc, f"{old} is one of `projects`, so it cannot be another one's old key; take one out")
        elif projects and new not in projects:
            near = did_you_mean(as_text(new), projects)
            notes.add(document, loc, f"{new} is not one of `projects`, so nothing of it is read; add it there{near}")


def _github(document: Document, notes: Notes) -> None:
    _globs(document, ("repos",), "owner/name, such as acme/web or acme/service-*", slash=True, notes=notes)
    _globs(document, ("write",), "owner/name, such as acme/web or acme/service-*", slash=True, notes=notes)
    for key in ("include", "exclude"):
        _globs(document, (key,), "a repository's name, such as service-*", slash=None, notes=notes)
        if document.data.get(key) and not document.data.get("org"):
            notes.add(document, (key,), f"`{key}` narrows an `org`; list the repositories under `repos` instead")
    for loc, org in document.texts(("org",)):
        if not re.fullmatch(r"[A-Za-z0-9._-]+", org):
            notes.add(document, loc, f"`org` is {org[:60]!r}; write the organization's login, such as acme")


def _globs(document: Document, key: tuple[str], meant: str, *, slash: bool | None, notes: Notes) -> None:
    """`slash`: whether the glob must hold exactly one, none, or (None) at most one."""
    items: Iterable[tuple[tuple[str | int, ...], str]] = document.texts(key)
    for loc, glob in items:
        parts = glob.split("/")
        allowed = {True: (2,), False: (1,), None: (1, 2)}[slash]
        if not all(_GLOB.fullmatch(part) for part in parts):
            notes.add(document, loc, f"{glob[:80]!r} is no glob of names (only * and ? are special); write {meant}")
        elif len(parts) not in allowed:
            notes.add(document, loc, f"{glob[:80]!r} is not spelled as expected; write {meant}")
