"""`check --online`: who we are, what we may read and write, what is missing by its official name and where to grant it,
how much of the rate budget is left, and what a first pull will bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from okrsync.connectors.parallel import AT_A_TIME, in_order
from okrsync.connectors.transport import Params
from okrsync.domain.settings import ProjectFields
from okrsync.domain.text import iso
from okrsync.domain.trackers import (
    Access,
    FirstPull,
    Forbidden,
    NotFound,
    Probe,
    RateBudget,
    SignInFailed,
    SourceFailed,
)

from .api import PAGE, Api
from .payloads import Repo, Uid
from .projects import changes
from .repositories import Covered, Repositories

_READ = ("Metadata: Read", "Issues: Read", "Pull requests: Read")
_WRITE = ("Issues: Read and write", "Pull requests: Read and write")
_NAMES = {"metadata": "Metadata", "issues": "Issues", "pull_requests": "Pull requests"}
# Only an attempt to write would tell, and a check writes nothing.
_UNTOLD = (
    "what a fine-grained token itself may do GitHub does not tell, only what its owner may; "
    "writing needs " + " and ".join(_WRITE)
)
_SECONDS = 1.0  # what a page of a hundred items and the details of its pull requests take, about
_POINTS = 900  # requests that GitHub allows in a minute


class _Rate(Struct):
    limit: int = 0
    remaining: int = 0
    reset: int | None = None


class _Resources(Struct):
    core: _Rate | None = None
    graphql: _Rate | None = None


class _RateLimit(Struct):
    resources: _Resources


class _Found(Struct):
    """What was found of one repository; `closed` within the configured time, None where it is not told."""

    access: Access
    open: int = 0
    closed: int | None = 0


def probe(api: Api, repositories: Repositories, fields: ProjectFields, cutoff: datetime) -> Probe:
    """`cutoff`: closed items are read back to then. Raises SourceFailed where the server cannot be asked at all; a
    failing sign-in is a problem of the probe."""
    try:
        identity = api.login()
    except (SignInFailed, Forbidden) as error:
        return Probe(identity="", server=api.url, problems=(str(error),))
    problems: list[str] = []
    notes: list[str] = []
    covered = repositories.covered()
    for one in covered:
        notes += one.warnings
    asks = ((lambda c=one: _look(api, repositories, c, cutoff)) for one in covered)
    found = list(in_order(asks, AT_A_TIME))
    for one, seen in zip(covered, found, strict=True):
        if one.repo is None:
            problems.append(one.problem)
        problems += [f"{one.name}: missing {what}" for what in seen.access.missing if one.repo is not None]
    if not api.is_app and not api.scopes and any(seen.access.writable for seen in found):
        notes.append(_UNTOLD)
    told, trouble = _project_fields(api, fields, covered)
    problems += trouble
    budget = _budget(api)
    if budget is None:
        notes.append("this server limits no rates")
    first = _first_pull(found)
    notes += _too_much(first, budget or ())
    return Probe(
        identity=identity,
        server=api.url,
        access=tuple(f.access for f in found),
        fields=told,
        problems=tuple(problems),
        notes=tuple(notes),
        budget=budget or (),
        first_pull=first,
    )


def _project_fields(
    api: Api, fields: ProjectFields, covered: Sequence[Covered]
) -> tuple[Mapping[str, str], Sequence[str]]:
    """The fields of Projects that were found, and what is wrong with the others."""
    if not api.fields:
        return {}, ()
    try:
        told = changes(api, fields, sorted({c.name.partition("/")[0] for c in covered if c.repo}))
    except SourceFailed as error:
        return {}, (str(error),)
    return dict(told.found), told.warnings


def _look(api: Api, repositories: Repositories, covered: Covered, cutoff: datetime) -> _Found:
    repo = covered.repo
    if repo is None:
        return _Found(Access(container=covered.name, readable=False, writable=False, missing=_grant(api, _READ)))
    # one item to a page: the number of the last page is their count
    filters: Params = {"state": "closed", "since": iso(cutoff) or "", "per_page": 1}
    try:
        page = api.page(f"repos/{covered.name}/issues", Uid, filters)
    except (Forbidden, NotFound):
        return _Found(
            Access(container=covered.name, readable=False, writable=False, missing=_grant(api, _lacking(api, "read")))
        )
    assert page is not None, "asked without an etag"
    closed = len(page.items) if page.next is None else page.last if page.last > 1 else None
    return _Found(_access(api, repositories, covered.name, repo), open=repo.open_issues_count, closed=closed)


def _access(api: Api, repositories: Repositories, name: str, repo: Repo) -> Access:
    if repo.archived or not repositories.asked_to_write(name):
        return Access(container=name, readable=True, writable=False)
    lacking = _lacking(api, "write") if api.granted is not None else ()
    writable = repositories.writable(name) and not lacking and _scoped(api, repo)
    return Access(
        container=name, readable=True, writable=writable, missing=() if writable else _grant(api, lacking or _WRITE)
    )


def _scoped(api: Api, repo: Repo) -> bool:
    """Whether a classic token's scopes allow writing; other tokens have none."""
    return not api.scopes or "repo" in api.scopes or (repo.public and "public_repo" in api.scopes)


def _lacking(api: Api, level: str) -> tuple[str, ...]:
    """What an App's installation was not granted; all that is needed where it is not told."""
    wanted = {"metadata": "read", "issues": level, "pull_requests": level}
    words = {"read": "Read", "write": "Read and write"}
    named = {key: f"{_NAMES[key]}: {words[need]}" for key, need in wanted.items()}
    if api.granted is None:
        return _READ if level == "read" else _WRITE
    enough = {"read": ("read", "write", "admin"), "write": ("write", "admin")}
    return tuple(named[key] for key, need in wanted.items() if api.granted.get(key) not in enough[need])


def _grant(api: Api, permissions: tuple[str, ...]) -> tuple[str, ...]:
    if api.is_app:
        return tuple(f"{p} (the App's settings, Permissions & events, Repository permissions)" for p in permissions)
    if api.scopes:
        return ("the scope `repo` (the token's settings), and at least the role Triage in the repository",)
    return tuple(f"{p} (the token's settings, Repository permissions)" for p in permissions)


def _budget(api: Api) -> tuple[RateBudget, ...] | None:
    """None where the server limits nothing: Enterprise Server then answers 404."""
    try:
        told = api.get("rate_limit", _RateLimit).resources
    except NotFound:
        return None
    rates = (("REST requests", told.core), ("GraphQL points", told.graphql))
    return tuple(
        RateBudget(
            name=name,
            limit=rate.limit,
            remaining=rate.remaining,
            resets=datetime.fromtimestamp(rate.reset, UTC) if rate.reset else None,
        )
        for name, rate in rates
        if rate is not None
    )


def _first_pull(found: list[_Found]) -> FirstPull:
    """A page for a hundred items, a query for the details of a hundred pull requests (say every second item is one),
    and a closing pass where there was more than one page."""
    items = requests = 0
    for one in found:
        if one.access.readable:
            held = one.open + (one.closed or 0)
            pages = max(1, -(-held // PAGE))
            items += held
            requests += 1 + pages + (pages > 1) + -(-held // (2 * PAGE))
    seconds = max(requests * _SECONDS / AT_A_TIME, (requests // _POINTS) * 60)
    more = any(one.closed is None for one in found)
    return FirstPull(items=items, requests=requests, seconds=max(1, round(seconds)), more=more)


def _too_much(first: FirstPull, budget: tuple[RateBudget, ...]) -> list[str]:
    return [
        f"a first pull needs more {b.name} than are left; it waits for the reset, or goes on in the next run"
        for b in budget
        if b.limit and first.requests > b.remaining
    ]
