"""Wanted writes: changes, plans, and what is remembered of earlier writes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from .comments import Comment


class Op(StrEnum):
    CREATE_LABEL = "create_label"
    REMOVE_LABEL = "remove_label"
    ADD_LABEL = "add_label"
    CREATE_COMMENT = "create_comment"
    UPDATE_COMMENT = "update_comment"
    CREATE_ISSUE = "create_issue"
    UPDATE_ISSUE = "update_issue"


DASHBOARD_OPS = frozenset({Op.CREATE_ISSUE, Op.UPDATE_ISSUE})
"""What is done to the one dashboard issue: no item, so it counts for no limit and needs no approval."""

DASHBOARD_UID = "dashboard:"
"""What the uid of a change to it begins with; the place follows."""
BEHIND_DASHBOARDS = "dashboard;"
"""The first text behind all such uids."""


class Change(Struct, frozen=True, kw_only=True):
    """One wanted write.

    target  item id, or for `create_label` and the dashboard issue the container as `<connector>:<container>`
    uid     what the journal hangs on: the item's uid, the target for `create_label`, that behind DASHBOARD_UID for
            the dashboard issue
    value   the label, or the plain text of the comment or issue
    because the code of the finding behind it, or the alignment (`linked`) where none is
    comment what is to be written, for comments and the dashboard issue
    comment_id the tracker's id of our comment, for `update_comment`; of our issue, for `update_issue`
    color, description of a label to create
    state   fingerprint of alignment and wanted labels, for a dismissal found while writing
    """

    op: Op
    target: str
    uid: str
    value: str
    because: str
    comment: Comment | None = None
    comment_id: str | None = None
    color: str = ""
    description: str = ""
    state: str = ""

    @property
    def key(self) -> str:
        """Identifies the change over runs: an approval holds for this."""
        content = self.comment.hash if self.comment else self.value
        return f"{self.op.value} {self.uid} {content}"

    def json(self) -> dict[str, str]:
        return {"op": self.op.value, "target": self.target, "value": self.value, "because": self.because}


class Held(Struct, frozen=True, kw_only=True):
    """A change that is wanted but not made, and why (dismissed by a person, locked, too young, ...)."""

    target: str
    why: str

    def json(self) -> dict[str, str]:
        return {"target": self.target, "why": self.why}


class Dismissal(Struct, frozen=True, kw_only=True):
    """A person undid what okrsync wrote. Holds while alignment and wanted labels stay as they were.

    what  the label, or `comment`
    state fingerprint of alignment and wanted labels at the time it was concluded
    """

    uid: str
    what: str
    state: str
    at: datetime


class Owned(Struct, frozen=True, kw_only=True):
    """What the journal says we have written to one item and not taken back.

    labels    label -> when its adding was confirmed
    comment   id, content hash and time of our confirmed comment; id None where a create was sent and its outcome
              is not known
    pending   labels whose last write has no known outcome
    """

    uid: str
    labels: Mapping[str, datetime] = {}
    comment_id: str | None = None
    comment_hash: str | None = None
    comment_at: datetime | None = None
    comment_unknown: bool = False
    pending: tuple[str, ...] = ()


class Posted(Struct, frozen=True, kw_only=True):
    """What the journal says of the dashboard issue in one place.

    ref      the tracker's own id of the issue; None where none is known to exist
    hash     of the content it bears by our last confirmed write; None where that is not known, or was taken back
    unknown  a create was sent and its outcome is not known
    seqs     the journal entries that `undo` takes back
    """

    ref: str | None = None
    hash: str | None = None
    unknown: bool = False
    seqs: tuple[int, ...] = ()


class Plan(Struct, frozen=True, kw_only=True):
    """All changes of one run, sorted: label definitions, removals, additions, comments; then by target.

    checksum   12 hex digits over the changes: what a person reviews and approves
    dismissals newly concluded in this reading; to be remembered whether or not anything is written
    foreign    labels under the prefix that okrsync could not have written: (item id, label)
    unclaimed  uids of items that bear a label which it could have written, while the journal knows nothing of them
    """

    checksum: str
    changes: tuple[Change, ...] = ()
    held: tuple[Held, ...] = ()
    dismissals: tuple[Dismissal, ...] = ()
    foreign: tuple[tuple[str, str], ...] = ()
    unclaimed: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        n = {op.value: 0 for op in Op}
        for change in self.changes:
            n[change.op.value] += 1
        n["held"] = len(self.held)
        n["items"] = len({c.uid for c in self.changes if c.op is not Op.CREATE_LABEL and c.op not in DASHBOARD_OPS})
        return n

    def json(self) -> dict[str, Any]:
        return {
            "checksum": self.checksum,
            "changes": [c.json() for c in self.changes],
            "held": [h.json() for h in self.held],
            "foreign": [{"target": target, "label": label} for target, label in self.foreign],
            "counts": self.counts,
        }


class Gate(Struct, frozen=True, kw_only=True):
    """The safety gate's decision.

    allowed   what may be written in this run
    pending   approved changes that `limits.changes` left for a later run
    cut       unapproved changes left over by `limits.changes` (exit 3)
    refused   why the unapproved part is refused whole, empty when it is not (exit 3)
    """

    allowed: tuple[Change, ...]
    pending: int = 0
    cut: int = 0
    refused: str = ""


class Postponed(Struct, frozen=True, kw_only=True):
    """Changes left to the next runs, since no more may be written to the connector in this one. `ours`: by our own
    pacing or the run's time, which is no trouble; else the server asked for a longer wait."""

    connector: str
    changes: int
    why: str
    ours: bool

    def json(self) -> dict[str, Any]:
        return {"connector": self.connector, "changes": self.changes, "why": self.why}


class Applied(Struct, frozen=True, kw_only=True):
    """What writing came to. `failed` and `skipped` hold (change, reason); `skipped` is no error (forbidden,
    locked, archived, gone, dismissed meanwhile); `waiting` are writes of unknown outcome left to the next run;
    `pending` counts those left to later runs, `postponed` says why where it was not `limits.changes`;
    `refused` are places where nothing (more) can be written: (`<connector>:<container>`, or an item's uid, labels |
    definitions | comments | issues, reason)."""

    done: tuple[Change, ...] = ()
    unneeded: tuple[Change, ...] = ()
    skipped: tuple[tuple[Change, str], ...] = ()
    failed: tuple[tuple[Change, str], ...] = ()
    waiting: tuple[Change, ...] = ()
    pending: int = 0
    postponed: tuple[Postponed, ...] = ()
    stopped: str = ""
    refused: tuple[tuple[str, str, str], ...] = ()

    def json(self) -> dict[str, Any]:
        return {
            "done": len(self.done),
            "unneeded": len(self.unneeded),
            "skipped": [{**c.json(), "why": why} for c, why in self.skipped],
            "failed": [{**c.json(), "why": why} for c, why in self.failed],
            "waiting": len(self.waiting),
            "pending": self.pending,
            "postponed": [p.json() for p in self.postponed],
            "stopped": self.stopped,
        }


class JournalState(StrEnum):
    """intended: written down, nothing sent yet, or sent with unknown outcome after a crash; confirmed: the server
    said so or we saw it; unknown: sent, the answer was lost; failed: the server refused; undone: taken back."""

    INTENDED = "intended"
    CONFIRMED = "confirmed"
    UNKNOWN = "unknown"
    FAILED = "failed"
    UNDONE = "undone"


class JournalEntry(Struct, frozen=True, kw_only=True):
    """One write, journalled before it is sent. `op` is a `Change` op, or `delete_comment` / `delete_label`."""

    seq: int
    run: str
    op: str
    target: str
    uid: str
    value: str
    content_hash: str = ""
    comment_id: str | None = None
    state: JournalState
    at: datetime
    confirmed_at: datetime | None = None
    detail: str = ""
