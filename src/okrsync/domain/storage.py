"""The protocol of the store: items, watermarks, runs, plans, journal, dismissals, the lease.

Every method is one transaction. Raises StoreError (exit 1) when the database cannot be used; nothing is
half done then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from .changes import Change, Dismissal, JournalEntry, JournalState, Owned, Plan
from .findings import Finding, KrValue, SourceReport, Summary
from .outlines import Outlines
from .text import regex
from .trackers import Batch, SliceState
from .work import StoredItem, WorkItem

_FILE = regex("sqlite:///([A-Za-z0-9_.~+/ -]+)")


def plain_file(url: str) -> str | None:
    """The path in an SQLite URL that holds nothing else, and in it nothing that a URL spells in another way."""
    found = _FILE.fullmatch(url)
    return found and found[1]


class StoreError(Exception):
    """The database is locked, gone, full or newer than this program. The message says which and what to do."""


class LeaseHeld(Exception):
    """Another process holds the lease (exit 4)."""


class RunRecord(Struct, frozen=True, kw_only=True):
    """One finished cycle. `id` sorts by time. `applied` is `Applied.json()` or None where nothing was written.

    `summary` is over all open work, `in_progress` over what somebody works on; None in records of versions that
    did not tell them apart.
    """

    id: str
    at: datetime
    cycle: str | None
    complete: bool
    summary: Summary
    sources: tuple[SourceReport, ...]
    checksum: str = ""
    applied: dict[str, Any] | None = None
    in_progress: Summary | None = None


class Snapshot(Struct, frozen=True, kw_only=True):
    """How the work in progress stood at the end of one run, and under which goals and rules, so that a later run
    can say why the alignment rate moved.

    standing  alignment -> `<connector>:<container>` -> uids of the items in progress, sorted
    places    `<connector>:<container>` of everything that counted, sorted
    basis     goals and mapping rules as JSON, which `comparing` writes and reads
    """

    run: str
    at: datetime
    standing: dict[str, dict[str, tuple[str, ...]]]
    places: tuple[str, ...]
    basis: str


class Saved(Struct, frozen=True, kw_only=True):
    """What `save_batches` did, in rows."""

    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0


def sweep_due(connector: str) -> str:
    """Under which key the small memory holds that something was missed: the next reading sweeps, then, and tells what
    was deleted from what may not be seen. Empty where nothing was."""
    return f"sweep:{connector}"


class Changes(Struct, frozen=True):
    """
    held  items as they are now
    gone  ids under which nothing is held any more
    """

    held: Iterable[Outlines]
    gone: frozenset[str]


class Look(Protocol):
    """One state of the store, whatever others write meanwhile; there may be a million items."""

    def outlines(
        self, fields: frozenset[str], whole: frozenset[str] = frozenset(), ids: Collection[str] | None = None
    ) -> Iterator[Outlines]:
        """Of all items or of those with these `ids`, chased ones included, one connector after the other and some
        thousands at a time. Those that are whole have these fields and their state, no others can be relied on; of the
        connectors named in `whole` all are."""
        ...

    def some(self, ids: Iterable[str], fields: frozenset[str]) -> Iterator[WorkItem]:
        """Those that have one of these ids, with these fields and their state."""
        ...

    def named(self, uids: Iterable[str]) -> set[str]:
        """The ids of those that have one of these uids."""
        ...

    def mark(self) -> str:
        """Stands for this state, for `changed` of a later look."""
        ...

    def changed(
        self, mark: str, most: int, fields: frozenset[str], whole: frozenset[str] = frozenset()
    ) -> Changes | None:
        """What changed since a state, as `outlines` tells it; more may be told of than changed. None where that cannot
        be told, or is more than so much: too much has happened since, or the state was not one of this database's. An
        item that has got another id is told by that, and the old one is an alias now."""
        ...

    def fades(self, mark: str) -> bool:
        """Whether `changed` will soon not tell what changed since that state."""
        ...


class Reading(Protocol):
    """What judging asks of a store."""

    def look(self, connectors: Iterable[str]) -> AbstractContextManager[Look]:
        """At all live items of these connectors. Nothing may be stored before it has ended."""
        ...

    def aliases(self) -> dict[str, str]:
        """Old id -> present id."""
        ...

    def unreachable(self) -> dict[str, str]:
        """Referenced id -> `missing` | `forbidden`."""
        ...

    def get_meta(self, key: str) -> str | None: ...

    def since(self) -> dict[tuple[str, str, str], str]:
        """Open findings: Finding.key -> id of the run that first saw it."""
        ...

    def dashboard_entries(self) -> list[JournalEntry]:
        """Those of the journal's that are about the dashboard issue, oldest first."""
        ...

    @property
    def file(self) -> Path | None:
        """Of an SQLite database; None where a server holds it."""
        ...

    def close(self) -> None: ...


class Store(Reading, Protocol):
    # --- lease
    def lease(self, *, wait: float = 0.0) -> AbstractContextManager[Callable[[], bool]]:
        """Held by one process over one store; dies with the process. `wait` in seconds. Raises LeaseHeld.
        The value is a probe: False once the lease is lost (writing must stop at once)."""
        ...

    # --- items
    def slices(self, connector: str) -> dict[str, SliceState]: ...

    def save_batches(self, connector: str, batches: Sequence[Batch], *, read_at: datetime) -> Saved:
        """Each in this order, in one transaction, all of them or none: upserts by uid, moves `watermark`/`resume`,
        tombstones `gone` and what `present` leaves out. An id that now belongs to another uid (moved, recreated)
        becomes an alias or is taken over. `moved_at` follows StoredItem: kept where nothing but labels under the
        prefix or our comment changed since our own write."""
        ...

    def save_chased(self, items: Iterable[WorkItem], *, read_at: datetime, moved: Mapping[str, str]) -> None:
        """Chased items (never downgrades a counted one to chased); `moved`: asked id -> present id."""
        ...

    def refresh(self, items: Iterable[WorkItem], *, read_at: datetime) -> None:
        """Counted items read directly (a look, a confirmation)."""
        ...

    def note_labels(self, uid: str, *, added: Sequence[str], removed: Sequence[str]) -> None:
        """Our own confirmed write, so that the next plan sees it before the next pull does."""
        ...

    def note_all_labels(self, changes: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> None:
        """As `note_labels`, for many items at once: uid -> (added, removed)."""
        ...

    def tombstone(self, uids: Sequence[str]) -> None: ...

    def items(self) -> list[StoredItem]:
        """All live items, chased ones included, ordered by id."""
        ...

    def targets(self) -> Iterator[str]:
        """The ids that live items point at, chased ones included, one at a time: there may be a million. Nothing may be
        stored before it has ended."""
        ...

    def read_before(self, ids: Iterable[str], moment: datetime) -> frozenset[str]:
        """Those of the ids that live items bear which were last read before then."""
        ...

    def counted_among(self, ids: Iterable[str]) -> frozenset[str]:
        """Those of the ids that live items bear which are not only chased."""
        ...

    def save_unreachable(self, *, missing: Iterable[str], forbidden: Iterable[str], found: Iterable[str]) -> None:
        """Remembers which referenced ids answered 404/410 or would not be shown; `found` ones are cleared."""
        ...

    def counted(self, connector: str) -> int: ...

    def held_uids(self, connector: str, slice_: str) -> Iterator[str]:
        """Uids of live, not chased items whose last reading came through this slice, one at a time. Nothing may be
        stored before it has ended."""
        ...

    def forget_scope(self, connector: str, slices: Sequence[str]) -> None:
        """The workspace no longer names these slices: their items leave silently (no shrink)."""
        ...

    # --- small memory
    def set_meta(self, key: str, value: str) -> None: ...

    # --- runs and history
    def record_run(
        self,
        run: RunRecord,
        findings: Sequence[Finding],
        kr_values: Sequence[KrValue],
        snapshot: Snapshot | None = None,
    ) -> None:
        """Stores the summary, opens and closes findings, keeps key result values and the snapshot. One transaction.
        Of snapshots the two newest are kept, and the last of each UTC day of the last 15."""
        ...

    def snapshot(self, *, until: datetime, other_than: str = "") -> Snapshot | None:
        """The newest one taken at or before `until`, that of the run `other_than` left out; None without one."""
        ...

    def runs(self, limit: int = 100) -> list[RunRecord]:
        """Newest first."""
        ...

    def kr_values(self, since: datetime) -> list[KrValue]: ...

    # --- plans and approvals
    def save_plan(self, plan: Plan, *, run: str, at: datetime) -> None:
        """Stores the plan, without duplicates by checksum, and its new dismissals."""
        ...

    def plan(self, checksum: str) -> Plan | None: ...

    def approve(self, checksum: str, *, at: datetime) -> int:
        """Remembers the approval; returns the number of its changes. Raises KeyError for an unknown plan."""
        ...

    def approved(self) -> frozenset[str]:
        """Change keys of approved plans that are not done yet."""
        ...

    # --- journal
    def intend(self, changes: Sequence[Change], *, run: str, at: datetime) -> list[int]:
        """Journals writes before they are sent; returns their sequence numbers."""
        ...

    def settle(
        self,
        seq: int,
        state: JournalState,
        *,
        at: datetime,
        comment_id: str | None = None,
        detail: str = "",
    ) -> None: ...

    def settle_all(self, seqs: Sequence[int], state: JournalState, *, at: datetime, detail: str = "") -> None:
        """As `settle`, for many entries that end alike."""
        ...

    def owned(self) -> dict[str, Owned]:
        """By uid (and `<connector>:<container>` for label definitions): what is ours now, folded from the journal."""
        ...

    def unsettled(self) -> list[JournalEntry]:
        """Entries left `intended` (a crash) or `unknown` (a lost answer)."""
        ...

    def journal(self) -> list[JournalEntry]:
        """Everything, oldest first."""
        ...

    def comments_created(self, since: datetime) -> int: ...

    # --- dismissals
    def dismissals(self) -> dict[tuple[str, str], Dismissal]:
        """By (uid, what)."""
        ...

    def dismiss(self, dismissal: Dismissal) -> None: ...
