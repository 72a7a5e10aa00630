"""What the pretended servers hold: plain mutable records. Times are aware and UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

CATEGORIES = {  # Jira's status categories: key -> (id, name, colour)
    "new": (2, "To Do", "blue-gray"),
    "indeterminate": (4, "In Progress", "yellow"),
    "done": (3, "Done", "green"),
}


@dataclass(slots=True)
class Person:
    """One human or bot, known to both servers. `member`: belongs to the GitHub organisation."""

    login: str
    name: str
    id: int
    bot: bool = False
    member: bool = True

    @property
    def account_id(self) -> str:
        return f"712020:{self.id:08d}-{self.login}"

    @property
    def email(self) -> str:
        return f"{self.login}@acme.example"


@dataclass(slots=True)
class Comment:
    """`adf` is kept as it came where the comment was written through API v3."""

    id: int
    author: str
    body: str
    created: datetime
    updated: datetime
    adf: dict[str, Any] | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    internal: bool = False


# --- Jira ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Project:
    """`visible`, `writable`, `admin`: what the token may do; `admin` allows `notifyUsers=false`."""

    id: int
    key: str
    name: str
    type_key: str = "software"  # or service_desk
    visible: bool = True
    writable: bool = True
    admin: bool = True
    archived: bool = False
    last: int = 0  # number of the newest issue


@dataclass(slots=True)
class Issue:
    """A Jira issue. `parent` is an issue id: it survives moves. `values` holds custom fields by name, as
    JSON; `links` are (link type, "outward" | "inward", issue id); `remote_links` hold by id what was given of each."""

    id: int
    key: str
    project: str
    title: str
    created: datetime
    updated: datetime
    type: str = "Story"
    status: str = "To Do"
    body: str = ""
    adf: dict[str, Any] | None = None
    labels: list[str] = field(default_factory=list)
    components: list[str] = field(default_factory=list)
    parent: int | None = None
    reporter: str = ""
    assignee: str | None = None
    priority: str = "Medium"
    resolution: str | None = None
    resolved: datetime | None = None
    category_changed: datetime | None = None
    security: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    links: list[tuple[str, str, int]] = field(default_factory=list)
    properties: dict[str, Any] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)
    remote_links: dict[int, dict[str, Any]] = field(default_factory=dict)


# --- GitHub --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class LabelDef:
    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass(slots=True)
class Milestone:
    id: int
    number: int
    title: str
    body: str
    created: datetime
    state: str = "open"


@dataclass(slots=True)
class Repo:
    """`permissions`: login -> admin | maintain | write | triage | read. `visible`: to the token."""

    id: int
    full_name: str
    private: bool = True
    archived: bool = False
    visible: bool = True
    permissions: dict[str, str] = field(default_factory=dict)
    labels: dict[str, LabelDef] = field(default_factory=dict)  # by lower-case name
    milestones: dict[int, Milestone] = field(default_factory=dict)
    items: dict[int, Item] = field(default_factory=dict)
    gone: dict[int, str] = field(default_factory=dict)  # number -> "deleted", or the node id after a transfer
    last: int = 0


@dataclass(slots=True)
class Item:
    """A GitHub issue or pull request (`pull` true). `parent` and `closes` hold node ids."""

    id: int
    node_id: str
    repo: int
    number: int
    title: str
    created: datetime
    updated: datetime
    pull: bool = False
    body: str | None = None
    author: str = ""
    assignees: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    state: str = "open"
    state_reason: str | None = None
    closed: datetime | None = None
    merged: datetime | None = None
    draft: bool = False
    branch: str = ""
    locked: bool = False
    milestone: int | None = None
    type: str | None = None
    parent: str | None = None
    closes: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)


@dataclass(slots=True)
class BulkTask:
    """A bulk edit of labels that goes on behind the answer. `steps` are what it does to each issue of `waiting`;
    `polls`: how often it will still say that it is not done."""

    id: str
    asked: int
    waiting: list[int]
    steps: list[dict[str, Any]]
    quiet: bool
    submitted: datetime
    updated: datetime
    polls: int = 0
    invalid: int = 0
    done: list[int] = field(default_factory=list)
    failed: dict[int, list[str]] = field(default_factory=dict)
    ended: str = ""  # FAILED | CANCELLED | DEAD, where it stopped before its end
