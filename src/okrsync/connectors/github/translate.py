"""From GitHub's payloads to work items. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from msgspec import Struct

from okrsync.domain.work import HIDDEN, Command, Kind, Reference, Via, WorkItem

from .payloads import Issue, Label, Repo, User, uid

_ISSUE_URL = re.compile(r"/repos/([^/]+/[^/]+)/issues/(\d+)$")
_REPO_URL = re.compile(r"/repos/([^/]+/[^/]+)$")
"""The key that stands for an item of which the server says that it is there, but not which one."""
_NOT_DONE = ("not_planned", "duplicate")


class PullDetails(Struct, frozen=True, kw_only=True):
    """What `/issues` does not say of a pull request. `closes`: (owner/repo, number) of the issues it closes; `hidden`:
    it closes one that we may not see. `okr`, `estimate`, `team`: the fields of its projects, of issues too."""

    branch: str = ""
    draft: bool = False
    merged: bool = False
    closes: tuple[tuple[str, int], ...] = ()
    hidden: bool = False
    okr: tuple[str, ...] = ()
    estimate: float | None = None
    team: str = ""


def item_id(connector: str, repo: str, number: int) -> str:
    return f"{connector}:{repo}#{number}"


def work_item(
    connector: str,
    issue: Issue,
    repo: Repo,
    details: PullDetails | None = None,
    commands: tuple[Command, ...] = (),
) -> WorkItem:
    """`repo` is the repository it was asked of; where the payload names another one (transferred), that one counts."""
    container = container_of(issue) or repo.full_name
    pull = issue.is_pull
    merged_at = issue.merged_at or (issue.pull_request.merged_at if issue.pull_request else None)
    merged = merged_at is not None or (details is not None and details.merged)
    open_ = issue.state == "open"
    state = "open" if open_ else "merged" if merged else "closed"
    draft = bool(issue.draft) or (details is not None and details.draft)
    assignees = [u.login for u in (issue.assignees or []) if u.login]
    assignee = assignees[0] if assignees else (issue.assignee.login if issue.assignee else "")
    named = (label.name if isinstance(label, Label) else label for label in issue.labels or [])
    return WorkItem(
        id=item_id(connector, container, issue.number),
        uid=uid(connector, issue),
        connector=connector,
        key=f"{container}#{issue.number}",
        container=container,
        kind=Kind.PULL_REQUEST if pull else Kind.ISSUE,
        title=issue.title or "",
        url=issue.html_url,
        created=utc(issue.created_at),
        updated=utc(issue.updated_at),
        body=issue.body or "",
        type=issue.type.name if issue.type and issue.type.name else "Pull Request" if pull else "Issue",
        status=state,
        state=state,
        started=not draft if pull else open_ and bool(assignee),
        dropped=not open_ and (not merged if pull else issue.state_reason in _NOT_DONE),
        draft=draft,
        labels=tuple(named),
        milestone=issue.milestone.title if issue.milestone else "",
        milestone_body=(issue.milestone.description or "") if issue.milestone else "",
        author=issue.user.login if issue.user else "",
        author_type=_author_type(issue.user),
        assignee=assignee,
        branch=details.branch if details else issue.head.ref if issue.head else "",
        okr=details.okr if details else (),
        estimate=details.estimate if details else None,
        team=details.team if details else "",
        closed_at=utc(issue.closed_at) if issue.closed_at and not open_ else None,
        locked=bool(issue.locked),
        archived=repo.archived,
        public=repo.public,
        references=_references(connector, issue, details),
        commands=commands,
    )


def container_of(issue: Issue) -> str:
    """The `owner/repo` that the payload itself names, or an empty string."""
    found = _REPO_URL.search(issue.repository_url)
    return found[1] if found else ""


def number_in(issue_url: str) -> int | None:
    """34 for https://api.github.com/repos/acme/web/issues/34."""
    found = _ISSUE_URL.search(issue_url)
    return int(found[2]) if found else None


def _references(connector: str, issue: Issue, details: PullDetails | None) -> tuple[Reference, ...]:
    found: list[Reference] = []
    parent = _ISSUE_URL.search(issue.parent_issue_url or "")
    if parent:
        target = item_id(connector, parent[1], int(parent[2]))
        found.append(Reference(via=Via.PARENT, target=target, structural=True, detail="sub-issue"))
    for repo, number in details.closes if details else ():
        target = item_id(connector, repo, number)
        found.append(Reference(via=Via.CLOSES, target=target, structural=True, detail="closing reference"))
    if details is not None and details.hidden:
        target = f"{connector}:{HIDDEN}"
        found.append(Reference(via=Via.CLOSES, target=target, structural=True, detail="closing reference"))
    return tuple(dict.fromkeys(found))


def _author_type(user: User | None) -> str:
    if user is None:
        return "user"
    return "bot" if user.type == "Bot" or user.login.endswith("[bot]") else "user"


def utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
