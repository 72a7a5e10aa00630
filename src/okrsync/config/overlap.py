"""Do two connectors see the same project or repository."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..domain.settings import ConnectorSettings, GitHubSettings, JiraSettings
from ..mappings.patterns import folded, glob, is_literal

_PORTS = {"http": 80, "https": 443}


def shared_place(one: ConnectorSettings, other: ConnectorSettings) -> str:
    """What both see, in words; empty where nothing can be told to be shared. Two globs are compared as they are
    written, for what they match is known to the server only."""
    if isinstance(one, JiraSettings) and isinstance(other, JiraSettings):
        return _shared_project(one, other) if _site(one) == _site(other) else ""
    if _server(one.url) != _server(other.url):
        return ""
    if isinstance(one, GitHubSettings) and isinstance(other, GitHubSettings):
        return _shared_repository(one, other)
    return ""


def _server(url: str) -> tuple[str | None, int | None]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _site(settings: JiraSettings) -> tuple[object, ...]:
    """Several sites live behind Atlassian's gateway, and several servers may behind one host."""
    url = settings.site or settings.url
    return (*_server(url), urlsplit(url).path.rstrip("/"))


def _shared_project(one: JiraSettings, other: JiraSettings) -> str:
    both = [p for p in one.projects if p in other.projects]
    if both:
        return f"project {both[0]}"
    if not one.projects or not other.projects:
        return "every project its token may read (one of the two lists no `projects`)"
    return ""


def _shared_repository(one: GitHubSettings, other: GitHubSettings) -> str:
    for mine in _globs(one):
        for theirs in _globs(other):
            literal, pattern = (mine, theirs) if is_literal(mine) else (theirs, mine)
            if is_literal(literal):
                if _matches(pattern, literal) and not (_excludes(one, literal) or _excludes(other, literal)):
                    return f"repository {literal}"
            elif folded(literal) == folded(pattern):
                return f"repositories {literal}"
    return ""


def _globs(settings: GitHubSettings) -> tuple[str, ...]:
    if settings.org is None:
        return settings.repos
    return tuple(_full(settings.org, given) for given in settings.include or ("*",))


def _full(org: str, given: str) -> str:
    return given if "/" in given else f"{org}/{given}"


def _excludes(settings: GitHubSettings, repository: str) -> bool:
    return any(_matches(_full(settings.org or "*", given), repository) for given in settings.exclude)


def _matches(pattern: str, repository: str) -> bool:
    return glob(pattern)(folded(repository))
