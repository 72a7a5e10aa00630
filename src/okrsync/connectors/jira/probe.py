"""`check --online` for Jira: who am I, what may I do where, which fields exist. Asked through the `jira` library."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
from jira import JIRA
from jira.exceptions import JIRAError

from okrsync.connectors.answers import cut, one_line, redact, secrets_in
from okrsync.domain.settings import JiraSettings
from okrsync.domain.trackers import Access, Probe, SignInFailed, SourceFailed

from .fields import FieldDefinition, resolve
from .payloads import Person

T = TypeVar("T")

_TIMEOUT = 30.0  # seconds; the library has none by itself
_READ = "BROWSE_PROJECTS"
_WRITE = ("EDIT_ISSUES", "ADD_COMMENTS", "EDIT_OWN_COMMENTS", "DELETE_OWN_COMMENTS")
_GRANT = "Project settings > Permissions"


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


def probe(settings: JiraSettings, token: str) -> Probe:
    """Raises SignInFailed; SourceFailed where the server cannot be asked at all."""
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
    me = msgspec.convert(sdk.myself(), Person)
    if not me.id:
        raise SignInFailed(f"{settings.name}: Jira takes this account for anonymous; check {settings.variable}_TOKEN")
    server = _optional(sdk.server_info) or {}
    fields, problems = resolve(settings.fields, msgspec.convert(_optional(sdk.fields) or [], list[FieldDefinition]))
    listed = tuple(dict.fromkeys(key.strip().upper() for key in settings.projects))
    containers = listed or tuple(sorted(project.key for project in sdk.projects()))
    notes: list[str] = []
    access: list[Access] = []
    for key in containers:
        one = _access(sdk, settings, key)
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


def _access(sdk: JIRA, settings: JiraSettings, key: str) -> Access | None:
    """None where the server shows the project, but not the permissions."""
    wanted = (_READ, *_WRITE)
    try:
        told: Mapping[str, Any] = sdk.my_permissions(projectKey=key, permissions=",".join(wanted))["permissions"]
    except JIRAError as error:
        if error.status_code not in (400, 404):
            raise
        if error.status_code == 404 and _optional(lambda: sdk.project(key)) is not None:
            return None
        told = {}
    have = {name for name in wanted if told.get(name, {}).get("havePermission")}
    if _READ not in have:
        return Access(container=key, readable=False, writable=False, missing=(_missing(_READ, key),))
    write = settings.write is not False
    missing = tuple(_missing(name, key) for name in _WRITE if name not in have) if write else ()
    return Access(container=key, readable=True, writable=have >= set(_WRITE), missing=missing)


def _missing(permission: str, key: str) -> str:
    return f"{permission}: grant it in {key}, {_GRANT}"


def _found(fields: Any) -> dict[str, str]:
    return {name: value for name in ("okr", "estimate", "team", "epic_link") if (value := getattr(fields, name))}


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
