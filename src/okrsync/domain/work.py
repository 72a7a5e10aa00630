"""Work items: epics, issues, sub-tasks and pull requests, and how they point at each other."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    EPIC = "epic"
    ISSUE = "issue"
    SUBTASK = "subtask"
    PULL_REQUEST = "pull_request"


class Via(StrEnum):
    """How one thing is tied to the next; spelled the same in JSON, `explain` and the report."""

    # explicit evidence, in the order in which it is shown
    FIELD = "field"
    LABEL = "label"
    TRAILER = "trailer"
    COMMAND = "command"
    PINNED = "pinned"
    # inherited evidence
    PARENT = "parent"
    CLOSES = "closes"
    KEY = "key"
    IMPLEMENTS = "implements"
    MILESTONE = "milestone"
    # the rest
    RULE = "rule"
    SUPPORTS = "supports"


HIDDEN = "hidden"
"""The key in the target of a reference to something that the server does not show us: `github:hidden`."""


class Reference(Struct, frozen=True, kw_only=True, gc=False):
    """One work item points at another.

    `target` is a work item id (`jira:PAY-1`). `structural` references are stated by the server
    (parent, sub-issue, closing reference) and may be chased anywhere; the others stand in text only,
    and a 404 makes them void. `detail` says where it was found, for `explain`: `title`, `branch`,
    `description: Fixes PAY-1`. The store packs the fields in this order: others come behind them.
    """

    via: Via
    target: str
    structural: bool
    detail: str = ""


class Trailer(Struct, frozen=True, kw_only=True, gc=False):
    """A candidate trailer line, `OKR: O1.KR1, INIT-2`: `kind` is okr | initiative | kr | objective, `ids`
    as written. Whether the ids are ids at all is told when goals are known (DESIGN section 5, 3)."""

    kind: str
    ids: tuple[str, ...]


class Command(Struct, frozen=True, kw_only=True, gc=False):
    """A comment with an `/okr` command in it, as a tracker shows it now: an edited one with its present text, a deleted
    one not at all. Connectors leave out comments without `/okr` and okrsync's own.

    entitled  whether the author may give commands here (DESIGN section 5, `command`); the tracker's side tells
    why_not   why it does not count, as a clause, where it is not simply that the author may not write here
    text      the whole comment; which of its lines are commands is told by `linking.commands`
    at        when it was written (not edited), aware and UTC: the order of commands
    comment   the server's id of the comment
    """

    author: str
    entitled: bool
    text: str
    at: datetime
    comment: str
    why_not: str = ""


class WorkItem(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One piece of work as last read. All times are aware and UTC; absent text is the empty string.

    id         `<connector>:<key>`, what people see: `jira:PAY-12`, `github:acme/web#34`
    uid        `<connector>:<server's immutable id>`: survives moves and renames
    container  the Jira project key or the `owner/repo` the item lives in
    type       the tracker's own type name: `Epic`, `Story`; GitHub: the issue type, else `Issue`, `Pull Request`
    status     the tracker's own status name; GitHub: open | closed | merged
    state      open | closed | merged, the same words for both trackers
    started    Jira: status category In Progress; GitHub: a non-draft pull request or an assigned open issue
    dropped    ended without being done: unmerged pull request, "not planned", "Won't do", "Duplicate"
    okr        the values of the configured OKR field
    epic       key of the epic it belongs to, where the server says so
    status_changed  when the Jira status category last changed, else None
    commands   comments with `/okr` commands, in any order
    remote_links  pull requests that the remote links of a Jira issue point at, as `github.com/acme/web#12`, sorted
    references structural ones as the connector states them, then those found in text (`linking.references`)
    archived, public, service_desk  properties of the container that writing depends on
    restricted the item has a Jira security level: its title is not shown in reports
    """

    id: str
    uid: str
    connector: str
    key: str
    container: str
    kind: Kind
    title: str
    url: str
    created: datetime
    updated: datetime
    body: str = ""
    type: str = ""
    status: str = ""
    state: str = "open"
    started: bool = False
    dropped: bool = False
    draft: bool = False
    labels: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    milestone: str = ""
    milestone_body: str = ""
    author: str = ""
    author_type: str = "user"  # user | bot | app
    assignee: str = ""
    priority: str = ""
    branch: str = ""
    epic: str = ""
    team: str = ""
    okr: tuple[str, ...] = ()
    estimate: float | None = None
    closed_at: datetime | None = None
    status_changed: datetime | None = None
    locked: bool = False
    archived: bool = False
    public: bool = False
    restricted: bool = False
    service_desk: bool = False
    references: tuple[Reference, ...] = ()
    trailers: tuple[Trailer, ...] = ()
    commands: tuple[Command, ...] = ()
    remote_links: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        return self.state == "open"

    @property
    def in_progress(self) -> bool:
        """Open and started; what is open and not started is the backlog."""
        return self.open and self.started


class StoredItem(Struct, frozen=True, kw_only=True):
    """A work item with what only the store knows of it.

    read_at   when it was last read from the server (our clock)
    moved_at  created, closed, status changed, or updated other than by our own writes (DESIGN section 2)
    chased    read only because another item points at it: evidence, never counted, listed or written to
    aliases   ids under which it was known before a move or rename
    """

    item: WorkItem
    read_at: datetime
    moved_at: datetime
    chased: bool = False
    aliases: tuple[str, ...] = ()


class Glimpse(Struct, frozen=True, gc=False):
    """An item of which only some fields were read from the store, for a look at all of them; it has no others.

    `aliases` are left out: who asks for glimpses takes them from the store's table.
    """

    item: WorkItem
    chased: bool = False
    aliases: tuple[str, ...] = ()
