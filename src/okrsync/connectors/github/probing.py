"""`check --online`: who we are, what we may read and write, and what is missing by its official name."""

from __future__ import annotations

from msgspec import Struct

from okrsync.domain.settings import ProjectFields
from okrsync.domain.trackers import Access, Forbidden, NotFound, Probe, SignInFailed, SourceFailed

from .api import Api
from .payloads import Repo, Uid
from .projects import changes
from .repositories import Covered, Repositories

_READ = ("Metadata: Read", "Issues: Read", "Pull requests: Read")
_WRITE = ("Issues: Read and write", "Pull requests: Read and write")


class _Rate(Struct):
    limit: int = 0
    remaining: int = 0


class _RateLimit(Struct):
    rate: _Rate


def probe(api: Api, repositories: Repositories, fields: ProjectFields) -> Probe:
    """Raises SourceFailed where the server cannot be asked at all; a failing sign-in is a problem of the probe."""
    try:
        identity = api.login()
    except (SignInFailed, Forbidden) as error:
        return Probe(identity="", server=api.url, problems=(str(error),))
    problems: list[str] = []
    notes: list[str] = []
    access: list[Access] = []
    covered_now = repositories.covered()
    for covered in covered_now:
        notes += covered.warnings
        if covered.repo is None:
            problems.append(covered.problem)
            access.append(Access(container=covered.name, readable=False, writable=False, missing=_grant(api, _READ)))
        else:
            one = _access(api, repositories, covered, covered.repo)
            access.append(one)
            problems += [f"{one.container}: missing {what}" for what in one.missing]
    found: dict[str, str] = {}
    if api.fields:
        try:
            told = changes(api, fields, sorted({c.name.partition("/")[0] for c in covered_now if c.repo}))
        except SourceFailed as error:
            problems.append(str(error))
        else:
            problems += told.warnings
            found = dict(told.found)
    try:
        rate = api.get("rate_limit", _RateLimit).rate
        notes.append(f"{rate.remaining} of {rate.limit} requests are left in this hour")
    except NotFound:
        notes.append("this server limits no rates")  # Enterprise Server answers 404 where limits are off
    return Probe(
        identity=identity,
        server=api.url,
        access=tuple(access),
        fields=found,
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _access(api: Api, repositories: Repositories, covered: Covered, repo: Repo) -> Access:
    try:
        api.get(f"repos/{covered.name}/issues", list[Uid], {"state": "all", "per_page": 1})
    except (Forbidden, NotFound):
        return Access(container=covered.name, readable=False, writable=False, missing=_grant(api, _READ))
    if repo.archived or not repositories.asked_to_write(covered.name):
        return Access(container=covered.name, readable=True, writable=False)
    # a fine-grained token or an App shows its owner's role, not its own permissions; a classic one has scopes
    scopes = api.scopes
    scoped = scopes is None or not scopes or "repo" in scopes or (repo.public and "public_repo" in scopes)
    writable = repositories.writable(covered.name) and scoped
    return Access(
        container=covered.name, readable=True, writable=writable, missing=() if writable else _grant(api, _WRITE)
    )


def _grant(api: Api, permissions: tuple[str, ...]) -> tuple[str, ...]:
    if api.is_app:
        return tuple(f"{p} (the App's settings, Permissions & events, Repository permissions)" for p in permissions)
    if api.scopes:
        return ("the scope `repo` (the token's settings), and at least the role Triage in the repository",)
    return tuple(f"{p} (the token's settings, Repository permissions)" for p in permissions)
