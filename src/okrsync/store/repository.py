"""The store as `domain.storage.Store` describes it: each method is one transaction over the functions beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path

from okrsync.domain.changes import Change, Dismissal, JournalEntry, JournalState, Owned, Plan
from okrsync.domain.findings import Finding, KrValue
from okrsync.domain.storage import Look, RunRecord, Saved, Snapshot, Store
from okrsync.domain.trackers import Batch, Clock, SliceState
from okrsync.domain.work import StoredItem, WorkItem

from . import history, items, journal, plans, queries, snapshots
from .database import Database, parse_url
from .file_look import FileLook
from .lease import Sleep, file_lease, server_lease
from .migrate import migrate
from .server_look import ServerLook


def opened(url: str, *, label_prefix: str, clock: Clock, sleep: Sleep) -> Store:
    """As `open_store` says."""
    database = Database(parse_url(url))
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return SqlStore(database, label_prefix=label_prefix, clock=clock, sleep=sleep)


class SqlStore:
    """What every method does and raises stands in `domain.storage.Store`."""

    def __init__(self, database: Database, *, label_prefix: str, clock: Clock, sleep: Sleep) -> None:
        self._db = database
        self._prefix = label_prefix
        self._clock = clock
        self._sleep = sleep

    def close(self) -> None:
        self._db.close()

    @property
    def file(self) -> Path | None:
        return self._db.path

    def lease(self, *, wait: float = 0.0) -> AbstractContextManager[Callable[[], bool]]:
        if self._db.path is not None:
            return file_lease(self._db.path, wait=wait, sleep=self._sleep)
        return server_lease(self._db.url, wait=wait, sleep=self._sleep)

    # --- items

    def slices(self, connector: str) -> dict[str, SliceState]:
        with self._db.read() as c:
            return queries.slice_states(c, connector)

    def save_batches(self, connector: str, batches: Sequence[Batch], *, read_at: datetime) -> Saved:
        with self._db.write() as c:
            return items.save_batches(c, connector, batches, read_at=read_at, prefix=self._prefix)

    def save_chased(self, found: Iterable[WorkItem], *, read_at: datetime, moved: Mapping[str, str]) -> None:
        with self._db.write() as c:
            items.save_chased(c, found, read_at=read_at, moved=moved, prefix=self._prefix)

    def refresh(self, read: Iterable[WorkItem], *, read_at: datetime) -> None:
        with self._db.write() as c:
            items.refresh(c, read, read_at=read_at, prefix=self._prefix)

    def note_labels(self, uid: str, *, added: Sequence[str], removed: Sequence[str]) -> None:
        with self._db.write() as c:
            items.note_labels(c, {uid: (added, removed)})

    def note_all_labels(self, changes: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> None:
        with self._db.write() as c:
            items.note_labels(c, changes)

    def tombstone(self, uids: Sequence[str]) -> None:
        with self._db.write() as c:
            items.tombstone(c, uids, at=self._clock())

    def items(self) -> list[StoredItem]:
        with self._db.read() as c:
            return queries.all_items(c)

    @contextmanager
    def look(self, connectors: Iterable[str]) -> Iterator[Look]:
        with self._db.snapshot() as c:
            driver = c.connection.driver_connection
            yield FileLook(driver, connectors) if isinstance(driver, sqlite3.Connection) else ServerLook(c, connectors)

    def targets(self) -> Iterator[str]:
        with self._db.read() as c:
            yield from queries.all_targets(c)

    def read_before(self, ids: Iterable[str], moment: datetime) -> frozenset[str]:
        with self._db.read() as c:
            return queries.read_before(c, ids, moment)

    def counted_among(self, ids: Iterable[str]) -> frozenset[str]:
        with self._db.read() as c:
            return queries.counted_among(c, ids)

    def aliases(self) -> dict[str, str]:
        with self._db.read() as c:
            return queries.all_aliases(c)

    def save_unreachable(self, *, missing: Iterable[str], forbidden: Iterable[str], found: Iterable[str]) -> None:
        with self._db.write() as c:
            queries.save_unreachable(c, missing=missing, forbidden=forbidden, found=found)

    def unreachable(self) -> dict[str, str]:
        with self._db.read() as c:
            return queries.all_unreachable(c)

    def counted(self, connector: str) -> int:
        with self._db.read() as c:
            return queries.counted(c, connector)

    def held_uids(self, connector: str, slice_: str) -> Iterator[str]:
        with self._db.read() as c:
            yield from items.held_uids(c, connector, slice_)

    def forget_scope(self, connector: str, slices: Sequence[str]) -> None:
        with self._db.write() as c:
            items.forget_scope(c, connector, slices, at=self._clock())

    # --- small memory

    def get_meta(self, key: str) -> str | None:
        with self._db.read() as c:
            return queries.get_meta(c, key)

    def set_meta(self, key: str, value: str) -> None:
        with self._db.write() as c:
            queries.set_meta(c, key, value)

    # --- runs and history

    def record_run(
        self,
        run: RunRecord,
        findings: Sequence[Finding],
        kr_values: Sequence[KrValue],
        snapshot: Snapshot | None = None,
    ) -> None:
        with self._db.write() as c:
            history.record_run(c, run, findings, kr_values)
            if snapshot is not None:
                snapshots.save(c, snapshot)

    def snapshot(self, *, until: datetime, other_than: str = "") -> Snapshot | None:
        with self._db.read() as c:
            return snapshots.load(c, until, other_than)

    def runs(self, limit: int = 100) -> list[RunRecord]:
        with self._db.read() as c:
            return history.all_runs(c, limit)

    def since(self) -> dict[tuple[str, str, str], str]:
        with self._db.read() as c:
            return history.since(c)

    def kr_values(self, since: datetime) -> list[KrValue]:
        with self._db.read() as c:
            return history.values_since(c, since)

    # --- plans and approvals

    def save_plan(self, plan: Plan, *, run: str, at: datetime) -> None:
        with self._db.write() as c:
            plans.save_plan(c, plan, run=run, at=at)

    def plan(self, checksum: str) -> Plan | None:
        with self._db.read() as c:
            return plans.load_plan(c, checksum)

    def approve(self, checksum: str, *, at: datetime) -> int:
        with self._db.write() as c:
            return plans.approve(c, checksum, at=at)

    def approved(self) -> frozenset[str]:
        with self._db.read() as c:
            return plans.approved(c)

    # --- journal

    def intend(self, changes: Sequence[Change], *, run: str, at: datetime) -> list[int]:
        with self._db.write() as c:
            return journal.intend(c, changes, run=run, at=at)

    def settle(
        self,
        seq: int,
        state: JournalState,
        *,
        at: datetime,
        comment_id: str | None = None,
        detail: str = "",
    ) -> None:
        with self._db.write() as c:
            journal.settle(c, [seq], state, at=at, comment_id=comment_id, detail=detail)

    def settle_all(self, seqs: Sequence[int], state: JournalState, *, at: datetime, detail: str = "") -> None:
        with self._db.write() as c:
            journal.settle(c, seqs, state, at=at, detail=detail)

    def owned(self) -> dict[str, Owned]:
        with self._db.read() as c:
            return journal.owned(c)

    def unsettled(self) -> list[JournalEntry]:
        with self._db.read() as c:
            return journal.entries(c, unsettled=True)

    def journal(self) -> list[JournalEntry]:
        with self._db.read() as c:
            return journal.entries(c)

    def dashboard_entries(self) -> list[JournalEntry]:
        with self._db.read() as c:
            return journal.entries(c, dashboard=True)

    def comments_created(self, since: datetime) -> int:
        with self._db.read() as c:
            return journal.comments_created(c, since)

    # --- dismissals

    def dismissals(self) -> dict[tuple[str, str], Dismissal]:
        with self._db.read() as c:
            return journal.all_dismissals(c)

    def dismiss(self, dismissal: Dismissal) -> None:
        with self._db.write() as c:
            journal.save_dismissals(c, [dismissal])
