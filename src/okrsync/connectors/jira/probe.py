"""`check --online` for Jira: who am I, what may I do where, which fields exist, asked through the `jira` library; and,
over our own transport, how much a first pull will bring and what the server still grants."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
from jira import JIRA
from jira.exceptions import JIRAError
from msgspec import Struct, structs

from okrsync.connectors.answers import cut, one_line, redact, secrets_in, told_budget
from okrsync.connectors.decoding import convert
from okrsync.connectors.parallel import AT_A_TIME
from okrsync.domain.settings import JiraSettings
from okrsync.domain.trackers import Access, FirstPull, Probe, RateBudget, SignInFailed, SourceFailed

from . import queries
from .client import JiraClient
from .fields import FieldDefinition, resolve
from .payloads import Person

T = TypeVar("T")

_TIMEOUT = 30.0  # seconds; the library has none by itself
_READ = "BROWSE_PROJECTS"
_WRITE = ("EDIT_ISSUES", "ADD_COMMENTS", "EDIT_OWN_COMMENTS", "DELETE_OWN_COMMENTS")
_GRANT = "Project settings > Permissions"
_WISHED = {  # where to grant it, and why
    "ADMINISTER_PROJECTS": (_GRANT, "without it Jira mails watchers about our edits"),
    "BULK_CHANGE": ("Settings > System > Global permissions", "without it labels are written issue by issue"),
}
_SECONDS = 1.0  # what a page of a hundred issues takes, about
_LINKS_SECONDS = 0.2  # what the remote links of one issue take


class _Sdk(JIRA):
    """The library with its retries off and its requests kept on the configured host."""

    def __init__(self, settings: JiraSettings, token: str) -> None:
        super().__init__(
            options={"server": settings.url.rstrip("/"), "rest_api_version": "3" if settings.cloud else "2"},
            basic_auth=(settings.email, token) if settings.email else None,
            token_auth=None if settings.email else token,
            get_server_info=False,
            max_retries=0,
            timeout=_TIMEOUT,
            logging=False,
        )
        self._session.max_redirects = 0
        self._session.trust_env = not _loopback(settings.url)


class _Count(Struct):
    """Cloud's approximate count, or a page of Data Center's search that shows no issue."""

    count: int | None = None
    total: int | None = None


def probe(settings: JiraSettings, token: str, client: JiraClient) -> Probe:
    """Raises SignInFailed; SourceFailed where the server cannot be asked at all."""
    asked = _probe(settings, token)
    first, linked, budget = _first_pull(client, settings, [a.container for a in asked.access if a.readable])
    notes = asked.notes
    if linked:
        notes += (
            f"`remote_links` costs a request for each issue: about {linked} in a first pull, then one for each change",
        )
    return structs.replace(asked, first_pull=first, budget=budget, notes=notes)


def _probe(settings: JiraSettings, token: str) -> Probe:
    pair = base64.b64encode(f"{settings.email}:{token}".encode()).decode()
    secrets = secrets_in({"bearer": f"Bearer {token}", "basic": f"Basic {pair}"})
    variable = f"{settings.variable}_TOKEN"
    try:
        sdk = _Sdk(settings, token)
        try:
            return _ask(sdk, settings)
        finally:
            sdk.close()  # type: ignore[no-untyped-call]  # the library ships no type for it
    except JIRAError as error:
        said = cut(redact(one_line(str(error.text or "")), secrets))
        text = f"{settings.name}: Jira answered {error.status_code}" + (f": {said}" if said else "")
        if error.status_code in (401, 403):
            raise SignInFailed(f"{text}; check the email and the secret in {variable}") from None
        raise SourceFailed(f"{text}; check the url") from None
    except (requests.RequestException, ValueError, TypeError, KeyError, msgspec.ValidationError) as error:
        # chained errors could quote headers: only their kind is told
        what = f"{settings.name}: {urlsplit(settings.url).hostname} cannot be asked ({type(error).__name__})"
        raise SourceFailed(f"{what}; check the url, and whether this machine reaches it") from None


def _ask(sdk: JIRA, settings: JiraSettings) -> Probe:
    me = convert(sdk.myself(), Person)
    if not me.id:
        raise SignInFailed(f"{settings.name}: Jira takes this account for anonymous; check {settings.variable}_TOKEN")
    server = _optional(sdk.server_info) or {}
    fields, problems = resolve(settings.fields, convert(_optional(sdk.fields) or [], list[FieldDefinition]))
    listed = tuple(dict.fromkeys(key.strip().upper() for key in settings.projects))
    containers = listed or tuple(sorted(project.key for project in sdk.projects()))
    notes: list[str] = []
    access: list[Access] = []
    for key in containers:
        one, wished = _access(sdk, settings, key)
        notes += wished
        if one is None:
            notes.append(f"{key} can be seen; what the account may do there, this server does not tell")
            one = Access(container=key, readable=True, writable=settings.may_write(key))
        access.append(one)
        if not one.readable:
            problems = (*problems, f"project {key} does not exist, or this account may not see it")
    if not containers:
        problems = (*problems, "the account sees no project")
    if not settings.cloud and str(server.get("deploymentType", "")).casefold() == "cloud":
        problems = (*problems, "this is a Cloud site: give the account's `email`")
    return Probe(
        identity=" ".join(filter(None, (me.display_name, f"({me.id})"))),
        server=f"Jira {server.get('deploymentType') or 'Server'} {server.get('version') or '(unknown version)'}",
        access=tuple(access),
        fields=_found(fields),
        problems=problems,
        notes=tuple(notes),
    )


def _optional(ask: Callable[[], T]) -> T | None:
    """None where the server has no such thing."""
    try:
        return ask()
    except JIRAError as error:
        if error.status_code not in (404, 405):
            raise
        return None


def _access(sdk: JIRA, settings: JiraSettings, key: str) -> tuple[Access | None, list[str]]:
    """And what is good to have and is not there. None where the server shows the project, but not the permissions."""
    wanted = (_READ, *_WRITE)
    write = settings.may_write(key)
    asked = (*wanted, *(_WISHED if write and settings.cloud else ()))
    try:
        told: Mapping[str, Any] = sdk.my_permissions(projectKey=key, permissions=",".join(asked))["permissions"]
    except JIRAError as error:
        if error.status_code not in (400, 404):
            raise
        if error.status_code == 404 and _optional(lambda: sdk.project(key)) is not None:
            return None, []
        told = {}
    have = {name for name in asked if told.get(name, {}).get("havePermission")}
    if _READ not in have:
        return Access(container=key, readable=False, writable=False, missing=(_missing(_READ, key),)), []
    missing = tuple(_missing(name, key) for name in _WRITE if name not in have) if write else ()
    wished = [
        f"{name} in {key} is missing: grant it in {where}; {why}"
        for name, (where, why) in _WISHED.items()
        if name in asked and name not in have
    ]
    return Access(container=key, readable=True, writable=write and have >= set(_WRITE), missing=missing), wished


def _missing(permission: str, key: str) -> str:
    return f"{permission}: grant it in {key}, {_GRANT}"


def _first_pull(
    client: JiraClient, settings: JiraSettings, projects: Sequence[str]
) -> tuple[FirstPull | None, int, tuple[RateBudget, ...]]:
    """Counted, not read; and how many issues will be asked for remote links. A page shows a hundred issues; on Cloud
    all ids come first, 5,000 at a time. The budget is what the answers say of it, where they do."""
    items = requests = linked = 0
    budget: RateBudget | None = None
    more = False
    for project in projects:
        jql = queries.in_scope([project], settings).removesuffix(queries.ORDER)
        path = "search/approximate-count" if client.cloud else "search"
        body: dict[str, Any] = {"jql": jql} if client.cloud else {"jql": jql, "maxResults": 0, "fields": ["id"]}
        answer = client.call("POST", path, type=_Count, json=body, reads=True, statuses=(400, 403, 404, 405, 410))
        budget = told_budget(answer.headers, "requests") or budget
        count = (answer.value.count if client.cloud else answer.value.total) if answer.value else None
        more = more or count is None
        items += count or 0
        requests += max(1, -(-(count or 0) // 100)) + (-(-(count or 0) // 5000) if client.cloud else 1)
        linked += (count or 0) if settings.may_link(project) else 0
    budgets = (budget,) if budget else ()
    if not projects or (more and not items):
        return None, linked, budgets
    seconds = max(1, round((requests * _SECONDS + linked * _LINKS_SECONDS) / AT_A_TIME))
    return FirstPull(items=items, requests=requests + linked, seconds=seconds, more=more), linked, budgets


def _found(fields: Any) -> dict[str, str]:
    return {name: value for name in ("okr", "estimate", "team", "epic_link") if (value := getattr(fields, name))}


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
