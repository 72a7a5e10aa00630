"""The parts of GitHub's payloads that okrsync reads, typed; everything else is skipped while decoding.

REST: https://docs.github.com/rest/issues/issues#list-repository-issues and .../rest/pulls/pulls#list-pull-requests.
Whatever a real payload leaves out or sends as null has a default. `gc=False` where there are thousands: nothing that
was decoded lies in a cycle.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field


class User(Struct, gc=False):
    login: str = ""
    type: str = "User"


class Label(Struct, gc=False):
    name: str = ""


class Milestone(Struct, gc=False):
    title: str = ""
    description: str | None = None


class IssueType(Struct, gc=False):
    name: str = ""


class PullMark(Struct, gc=False):
    """`pull_request` of an issue: there when the issue is a pull request."""

    merged_at: datetime | None = None


class Head(Struct, gc=False):
    ref: str = ""


class Issue(Struct, kw_only=True, gc=False):
    """An issue, or a pull request as `/issues` lists it; `/pulls` adds `head` and `merged_at` and leaves out
    `pull_request`."""

    id: int | None = None
    node_id: str = ""
    number: int
    title: str | None = ""
    html_url: str = ""
    state: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    body: str | None = None
    state_reason: str | None = None
    draft: bool | None = False
    locked: bool | None = False
    labels: list[Label | str] | None = field(default_factory=list)
    milestone: Milestone | None = None
    user: User | None = None
    assignee: User | None = None
    assignees: list[User] | None = field(default_factory=list)
    type: IssueType | None = None
    pull_request: PullMark | None = None
    parent_issue_url: str | None = None
    repository_url: str = ""
    head: Head | None = None
    merged_at: datetime | None = None
    comments: int | None = 0

    def __post_init__(self) -> None:
        self.node_id = immutable_id(self)

    @property
    def is_pull(self) -> bool:
        return self.pull_request is not None or self.head is not None


class Uid(Struct, kw_only=True, gc=False):
    """An issue in a sweep: only that it exists."""

    id: int | None = None
    node_id: str = ""

    def __post_init__(self) -> None:
        self.node_id = immutable_id(self)


def immutable_id(one: Issue | Uid) -> str:
    """The `node_id`, or the number that older servers know an item by. Raises ValueError where there is neither: items
    would be taken for each other."""
    if not (one.node_id or one.id):
        raise ValueError("neither `node_id` nor `id`")
    return one.node_id or str(one.id)


def uid(source: str, one: Issue | Uid) -> str:
    """As in `WorkItem.uid`."""
    return f"{source}:{one.node_id}"


class PullHead(Struct, kw_only=True):
    """A pull request as `/pulls` lists it, where only the branch is wanted."""

    number: int
    updated_at: datetime
    draft: bool | None = False
    merged_at: datetime | None = None
    head: Head | None = None


class Permissions(Struct):
    admin: bool = False
    maintain: bool = False
    push: bool = False
    triage: bool = False
    pull: bool = False

    @property
    def can_write(self) -> bool:
        """May label and comment: triage and above."""
        return self.admin or self.maintain or self.push or self.triage


class Repo(Struct, kw_only=True):
    full_name: str
    created_at: datetime | None = None
    archived: bool = False
    private: bool = False
    visibility: str = ""
    open_issues_count: int = 0  # pull requests among them
    permissions: Permissions | None = None

    @property
    def public(self) -> bool:
        return self.visibility == "public" if self.visibility else not self.private


class Comment(Struct, kw_only=True):
    id: int
    body: str | None = ""
    user: User | None = None
    issue_url: str = ""
    author_association: str = ""
    created_at: datetime | None = None


class Permission(Struct):
    """What somebody may do in a repository: admin | write | read | none; `maintain` is told as write, `triage` as
    read."""

    permission: str = ""
