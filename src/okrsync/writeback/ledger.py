"""The books of one application: what came of each change, for the journal and the report; where nothing more goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from ..domain.changes import Applied, Change, JournalState, Op, Postponed
from ..domain.storage import Store
from ..domain.trackers import Clock, NoTimeLeft, SourceFailed, Throttled, Tracker
from .looking import connector_of

# A single ticket may be closed to edits where its project is not; after so many refusals in a row it is the place.
REFUSALS = 3
_FAMILY = {
    Op.CREATE_LABEL: "definitions",
    Op.ADD_LABEL: "labels",
    Op.REMOVE_LABEL: "labels",
    Op.CREATE_COMMENT: "comments",
    Op.UPDATE_COMMENT: "comments",
    Op.CREATE_ISSUE: "issues",
    Op.UPDATE_ISSUE: "issues",
}
Place = tuple[str, str, str]
"""Connector, container, family of ops."""


class Ledger:
    def __init__(
        self, store: Store, clock: Clock, *, run: str, alive: Callable[[], bool], suspended: Mapping[str, str]
    ) -> None:
        self.store = store
        self.clock = clock
        self.stopped = False
        self._run = run
        self._alive = alive
        self._suspended = dict(suspended)
        self._throttled: dict[str, Throttled] = {}
        self._shut: dict[Place, str] = {}
        self._refusals: Counter[Place] = Counter()
        self._shut_items: dict[tuple[str, Place], str] = {}  # by uid
        self._done: list[Change] = []
        self._unneeded: list[Change] = []
        self._skipped: list[tuple[Change, str]] = []
        self._failed: list[tuple[Change, str]] = []
        self._waiting: list[Change] = []
        self._postponed: Counter[str] = Counter()

    def applied(self, total: int) -> Applied:
        told = len(self._done) + len(self._unneeded) + len(self._skipped) + len(self._failed) + len(self._waiting)
        told += self._postponed.total()
        postponed = tuple(
            Postponed(connector=name, changes=count, why=str(why), ours=isinstance(why, NoTimeLeft))
            for name, count in sorted(self._postponed.items())
            for why in [self._throttled[name]]
        )
        return Applied(
            done=tuple(self._done),
            unneeded=tuple(self._unneeded),
            skipped=tuple(self._skipped),
            failed=tuple(self._failed),
            waiting=tuple(self._waiting),
            postponed=postponed,
            pending=self._postponed.total(),
            refused=(
                *((f"{c}:{place}", family, why) for (c, place, family), why in sorted(self._shut.items())),
                *((u, p[2], why) for (u, p), why in sorted(self._shut_items.items()) if p not in self._shut),
            ),
            stopped=f"the lease was lost; {total - told} changes were not made" if self.stopped else "",
        )

    # --- may it go

    def go(self) -> bool:
        self.stopped = self.stopped or not self._alive()
        return not self.stopped

    def barred(self, changes: Sequence[Change], container: str) -> bool:
        """Whether nothing more is written there; then these changes are accounted for."""
        connector = connector_of(changes[0].target)
        why = self.shut(connector, container, changes[0].op)
        if why:
            self.skip(changes, why)
            return True
        return self.suspended(changes)

    def suspended(self, changes: Sequence[Change]) -> bool:
        """As `barred`, for the whole source."""
        connector = connector_of(changes[0].target)
        if connector in self._throttled:
            self._postponed[connector] += len(changes)
        elif connector in self._suspended:
            self.fail(changes, self._suspended[connector])
        else:
            return False
        return True

    def shut(self, connector: str, container: str, op: Op) -> str:
        """Why nothing of this kind can be written there, empty where it can."""
        return self._shut.get((connector, container, _FAMILY[op]), "")

    def suspend(self, connector: str, why: str) -> None:
        self._suspended.setdefault(connector, why)

    def source_failed(self, connector: str, error: SourceFailed, changes: Sequence[Change]) -> None:
        """Nothing more goes there in this run, these changes included."""
        if isinstance(error, Throttled):
            self._throttled.setdefault(connector, error)
        self._suspended.setdefault(connector, str(error))
        if changes:
            self.suspended(changes)

    def refused(self, tracker: Tracker, container: str, op: Op, why: str, uid: str | None = None) -> None:
        """`uid`: of the item that was to be written to."""
        place = (tracker.name, container, _FAMILY[op])
        if uid is not None:
            self._shut_items[uid, place] = why
        self._refusals[place] += 1
        if place[2] == "definitions" or self._refusals[place] >= REFUSALS or not tracker.writable(container):
            self._shut[place] = why

    def accepted(self, connector: str, container: str, op: Op) -> None:
        self._refusals.pop((connector, container, _FAMILY[op]), None)

    # --- what came of it

    def intend(self, changes: Sequence[Change]) -> list[int]:
        return self.store.intend(changes, run=self._run, at=self.clock())

    def confirm(self, changes: Sequence[Change], seqs: Sequence[int], comment_id: str | None = None) -> None:
        if comment_id is None:
            self.settle(seqs, JournalState.CONFIRMED)
        else:
            for seq in seqs:
                self.store.settle(seq, JournalState.CONFIRMED, at=self.clock(), comment_id=comment_id)
        noted: dict[str, tuple[list[str], list[str]]] = {}
        for change in changes:
            if change.op is Op.ADD_LABEL:
                noted.setdefault(change.uid, ([], []))[0].append(change.value)
            elif change.op is Op.REMOVE_LABEL:
                noted.setdefault(change.uid, ([], []))[1].append(change.value)
        if noted:
            self.store.note_all_labels(noted)
        self._done.extend(changes)

    def settle(self, seqs: Sequence[int], state: JournalState, detail: str = "") -> None:
        if seqs:
            self.store.settle_all(seqs, state, at=self.clock(), detail=detail)

    def unneeded(self, changes: Sequence[Change]) -> None:
        self._unneeded.extend(changes)

    def skip(self, changes: Sequence[Change], why: str) -> None:
        self._skipped.extend((change, why) for change in changes)

    def fail(self, changes: Sequence[Change], why: str) -> None:
        self._failed.extend((change, why) for change in changes)

    def wait(self, changes: Sequence[Change]) -> None:
        """The next run looks."""
        self._waiting.extend(changes)

    # --- label definitions

    def done_last(self, change: Change) -> bool:
        return any(made is change for made in self._done[-1:])

    def share_fate(self, change: Change, definition: Change) -> None:
        """An addition whose label could not be defined."""
        skipped = [why for other, why in self._skipped if other is definition]
        if skipped:
            self.skip([change], skipped[0])
        elif any(other is definition for other in self._waiting):
            self.wait([change])
        elif not self.stopped:
            self.fail([change], "the label's definition could not be created")
