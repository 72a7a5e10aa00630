"""The one dashboard issue: looked for before it is created, edited in place, found again after a crash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from ..domain.changes import Change, Dismissal, JournalEntry, JournalState, Op
from ..domain.storage import Store
from ..domain.trackers import (
    Clock,
    Dashboard,
    Forbidden,
    NotFound,
    NotWritable,
    OutcomeUnknown,
    SourceFailed,
    Tracker,
    TrackerError,
)
from ..planning.dashboard import TITLE, WHAT, uid_of
from .adopt import Known
from .ledger import Ledger

CERTAIN_AFTER = timedelta(minutes=5)
"""An issue just created may not show in a search yet: before, its absence says nothing."""


class DashboardWriter:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def write(self, tracker: Tracker, change: Change) -> None:
        container = _container(change.target)
        ref, comment = change.comment_id, change.comment
        assert comment is not None
        if self._ledger.barred([change], container):
            return
        if ref is None:
            self._create(tracker, container, change)
            return

        def edit() -> str:
            tracker.update_issue(container, ref, comment)
            return ref

        self._send(tracker, container, change, edit)

    def _create(self, tracker: Tracker, container: str, change: Change) -> None:
        """A second issue must never be written, so the place is searched first."""
        comment = change.comment
        assert comment is not None
        try:
            found = tracker.find_dashboard(container, None)
        except SourceFailed as error:
            self._ledger.source_failed(tracker.name, error, [change])
            return
        except NotFound as error:
            self._ledger.fail([change], f"{error}; correct `writeback.dashboard`, or let the account see that place")
            return
        except TrackerError as error:
            self._ledger.skip([change], str(error))
            return
        if found is None:
            self._send(tracker, container, change, lambda: tracker.create_issue(container, TITLE, comment))
            return
        ref = found.ref
        if not found.open or found.hash == comment.hash:
            if self._ledger.go():
                _note(self._ledger.store, change.target, found, self._ledger.intend, self._ledger.clock)
                if found.open:
                    self._ledger.unneeded([change])
                else:
                    self._ledger.skip([change], "a person closed the issue")
            return

        def edit() -> str:
            tracker.update_issue(container, ref, comment)
            return ref

        self._send(tracker, container, change, edit)

    def _send(self, tracker: Tracker, container: str, change: Change, call: Callable[[], str]) -> None:
        """Journal, send, settle by the answer."""
        ledger = self._ledger
        if not ledger.go():
            return
        seqs = ledger.intend([change])
        try:
            ref = call()
        except OutcomeUnknown as error:
            self._after_lost_answer(tracker, container, change, seqs, str(error))
        except SourceFailed as error:
            # it may have happened all the same: the next run looks
            ledger.settle(seqs, JournalState.UNKNOWN, str(error))
            ledger.source_failed(tracker.name, error, [change])
        except TrackerError as error:
            ledger.settle(seqs, JournalState.FAILED, str(error))
            if isinstance(error, NotFound) and change.comment_id is not None:
                self._after_not_found(tracker, container, change, error)
            elif isinstance(error, NotWritable | Forbidden):
                ledger.refused(tracker, container, change.op, str(error), change.uid)
                ledger.skip([change], str(error))
            else:
                ledger.fail([change], str(error))
        else:
            ledger.accepted(tracker.name, container, change.op)
            ledger.confirm([change], seqs, ref)

    def _after_lost_answer(
        self, tracker: Tracker, container: str, change: Change, seqs: Sequence[int], why: str
    ) -> None:
        found = None
        try:
            found = tracker.find_dashboard(container, change.comment_id)
        except SourceFailed as error:
            self._ledger.source_failed(tracker.name, error, ())
        except TrackerError as error:
            why = f"{why}; {error}"
        if found is not None and change.comment is not None and found.hash == change.comment.hash:
            self._ledger.confirm([change], seqs, found.ref)
        else:
            self._ledger.settle(seqs, JournalState.UNKNOWN, why)
            self._ledger.wait([change])

    def _after_not_found(self, tracker: Tracker, container: str, change: Change, error: NotFound) -> None:
        """A server may hide with 404 what an account may read, but not write to: only a reading tells."""
        try:
            tracker.find_dashboard(container, change.comment_id)
        except NotFound:
            self._ledger.store.dismiss(dismissal(change.target, self._ledger.clock()))
            self._ledger.skip([change], "a person deleted the issue")
        except SourceFailed as failed:
            self._ledger.source_failed(tracker.name, failed, [change])
        except TrackerError as unclear:
            self._ledger.skip([change], str(unclear))
        else:
            self._ledger.skip([change], str(error))


def dismissal(place: str, at: datetime) -> Dismissal:
    """That a person took the dashboard away; it holds while the setting stays."""
    return Dismissal(uid=uid_of(place), what=WHAT, state="", at=at)


def outcomes(tracker: Tracker, entries: Sequence[JournalEntry], now: datetime) -> list[tuple[bool, str | None]]:
    """For `recover`: whether each write of unknown outcome shows, and the issue's id. Raises OutcomeUnknown where it
    is too early to tell."""
    container = _container(entries[0].target)
    ref = next((entry.comment_id for entry in entries if entry.comment_id is not None), None)
    try:
        found = tracker.find_dashboard(container, ref)
    except NotFound:
        found = None
    young = any(entry.op == Op.CREATE_ISSUE and now - entry.at < CERTAIN_AFTER for entry in entries)
    if found is None and young:
        raise OutcomeUnknown(f"{entries[0].target}: an issue that was just created may not show yet")
    seen = [found is not None and entry.content_hash == found.hash for entry in entries]
    return [(shows, found.ref if shows and found is not None else None) for shows in seen]


def adopt_dashboard(*, store: Store, trackers: dict[str, Tracker], place: str, clock: Clock, run: str) -> bool:
    """Takes the dashboard of an earlier life, found by mark and login, into a journal that knows of none in that place.
    A connector that fails is left out. Raises StoreError."""
    tracker = trackers.get(place.partition(":")[0])
    if tracker is None:
        return False
    try:
        found = tracker.find_dashboard(_container(place), None)
    except TrackerError:
        return False  # told where it is to be written
    if found is None:
        return False
    _note(store, place, found, lambda changes: store.intend(changes, run=run, at=clock()), clock)
    return True


def _note(
    store: Store, place: str, found: Dashboard, intend: Callable[[Sequence[Change]], Sequence[int]], clock: Clock
) -> None:
    change = Change(
        op=Op.UPDATE_ISSUE,
        target=place,
        uid=uid_of(place),
        value="",
        because="adopted",
        comment=Known((), content=found.hash),
        comment_id=found.ref,
    )
    for seq in intend([change]):
        store.settle(seq, JournalState.CONFIRMED, at=clock(), comment_id=found.ref)


def _container(place: str) -> str:
    return place.partition(":")[2]
