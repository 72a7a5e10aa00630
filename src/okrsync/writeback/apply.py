"""Makes changes: journalled before they are sent, settled after, never blindly repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..domain.changes import DASHBOARD_OPS, Applied, Change, Dismissal, JournalState, Op
from ..domain.storage import Store, sweep_due
from ..domain.trackers import (
    Clock,
    Forbidden,
    Look,
    NotFound,
    NotWritable,
    OutcomeUnknown,
    SourceFailed,
    Tracker,
    TrackerError,
)
from ..domain.work import WorkItem
from .dashboard import DashboardWriter
from .labels import LabelWriter
from .ledger import Ledger
from .looking import bears, connector_of, seen, why_not


def apply(
    changes: Sequence[Change],
    *,
    items: Mapping[str, WorkItem],
    trackers: Mapping[str, Tracker],
    store: Store,
    clock: Clock,
    run: str,
    alive: Callable[[], bool],
    suspended: Mapping[str, str] | None = None,
) -> Applied:
    """Makes the changes that the gate let through.

    items      by uid, as the plan saw them
    trackers   by connector name
    alive      the lease's probe: writing stops at once when it says False
    suspended  connectors not to write to, and why (`Recovered.suspended`); their changes fail

    Raises StoreError. Whatever interrupts this leaves a journal from which `recover` and the next plan go on.
    """
    writer = _Writer(items, trackers, Ledger(store, clock, run=run, alive=alive, suspended=suspended or {}))
    writer.write(changes)
    return writer.ledger.applied(len(changes))


class _Writer:
    """The state of one application."""

    def __init__(self, items: Mapping[str, WorkItem], trackers: Mapping[str, Tracker], ledger: Ledger) -> None:
        self._items = items
        self._trackers = trackers
        self.ledger = ledger
        self._labels = LabelWriter(ledger, self._after_not_found)
        self._dashboard = DashboardWriter(ledger)
        self._undefined: dict[tuple[str, str], Change] = {}  # definitions that were not made

    def write(self, changes: Sequence[Change]) -> None:
        """Label definitions first, as labels hang on them. Then the items that get a comment, one by one: they are
        few, and the labels of thousands may take hours. Then all other labels, as their tracker takes them best."""
        groups: dict[tuple[bool, str], list[Change]] = {}
        for change in changes:
            groups.setdefault((change.op is Op.CREATE_LABEL, change.target), []).append(change)
        labels: dict[str, list[tuple[WorkItem, list[Change]]]] = {}
        for (definition, target), group in sorted(groups.items(), key=lambda entry: not entry[0][0]):
            if self.ledger.stopped:
                return
            tracker = self._tracker(target)
            if tracker is None:
                self.ledger.suspended(group)
            elif definition:
                for change in group:
                    self._define(tracker, change)
            elif group[0].op in DASHBOARD_OPS:
                for change in group:
                    self._dashboard.write(tracker, change)
            elif (item := self._items.get(group[0].uid)) is None:
                self.ledger.skip(group, "the item is not held any more")
            elif any(change.comment for change in group):
                self._write_item(tracker, item, group)
            else:
                labels.setdefault(tracker.name, []).append((item, group))
        for name, wanted in labels.items():
            if not self.ledger.stopped:
                self._write_labels(self._trackers[name], wanted)

    def _tracker(self, target: str) -> Tracker | None:
        connector = connector_of(target)
        if connector not in self._trackers:
            self.ledger.suspend(connector, f"no connector named {connector} can be written to")
        return self._trackers.get(connector)

    def _write_labels(self, tracker: Tracker, wanted: Sequence[tuple[WorkItem, list[Change]]]) -> None:
        ready = []
        for item, group in wanted:
            if not self.ledger.suspended(group):
                ready.append((item, [c for c in group if c.op is Op.REMOVE_LABEL or self._defined(item, c)]))
        self._labels.write(tracker, ready)

    def _write_item(self, tracker: Tracker, item: WorkItem, group: Sequence[Change]) -> None:
        """The labels and the comment of one item."""
        if self.ledger.suspended(group):
            return
        look = None
        if any(c.op is Op.CREATE_COMMENT and self._open(item, c) for c in group):
            # a second comment must never be written, so the item is looked at first; its labels profit
            look = self._look(tracker, item, group)
            if look is None:
                return
            if why := why_not(item, look):
                self.ledger.skip(group, why)
                return
        removals = [c for c in group if c.op is Op.REMOVE_LABEL]
        additions = [c for c in group if c.op is Op.ADD_LABEL and self._defined(item, c)]
        if look is not None and (there := [c for c in additions if bears(look.item, c.value)]):
            # somebody else was faster: the label is theirs, the journal does not claim it
            self.ledger.store.note_labels(item.uid, added=[c.value for c in there], removed=[])
            self.ledger.unneeded(there)
            additions = [c for c in additions if c not in there]
        self._labels.write(tracker, [(item, [*removals, *additions])])
        for change in group:
            if change.op is Op.CREATE_COMMENT:
                self._create_comment(tracker, item, change, look)
            elif change.op is Op.UPDATE_COMMENT:
                self._update_comment(tracker, item, change)

    def _create_comment(self, tracker: Tracker, item: WorkItem, change: Change, look: Look | None) -> None:
        comment = change.comment
        assert comment is not None
        if not self._open(item, change):
            self.ledger.skip([change], self.ledger.shut(item.connector, item.container, change.op))
            return
        assert look is not None
        if look.item.locked:
            self.ledger.skip([change], "the conversation is locked")
            return
        ours = look.comments or ()
        if not ours:
            self._send(tracker, item, change, lambda: tracker.create_comment(item, comment))
        elif any(found.hash == comment.hash for found in ours):
            if self.ledger.go():
                # the journal did not know of it: now it does
                seq = self.ledger.intend([change])[0]
                known = seen(change.op, "", comment.hash, look)[1]
                self.ledger.store.settle(seq, JournalState.CONFIRMED, at=self.ledger.clock(), comment_id=known)
                self.ledger.unneeded([change])
        else:

            def edit() -> str:
                tracker.update_comment(item, ours[0].id, comment)
                return ours[0].id

            self._send(tracker, item, change, edit)

    def _update_comment(self, tracker: Tracker, item: WorkItem, change: Change) -> None:
        comment, comment_id = change.comment, change.comment_id
        assert comment is not None
        assert comment_id is not None

        def edit() -> str:
            tracker.update_comment(item, comment_id, comment)
            return comment_id

        self._send(tracker, item, change, edit)

    def _define(self, tracker: Tracker, change: Change) -> None:
        container = change.target.partition(":")[2]

        def there() -> bool:
            have = tracker.container_labels(container) or frozenset()
            return change.value.casefold() in {label.casefold() for label in have}

        def create() -> None:
            try:
                tracker.create_label(container, change.value, change.color, change.description)
            except OutcomeUnknown:
                if not there():
                    raise

        self._send(tracker, None, change, create)
        if not self.ledger.done_last(change):
            self._undefined[change.target, change.value.casefold()] = change

    def _defined(self, item: WorkItem, change: Change) -> bool:
        """GitHub would define a missing label by itself, in grey, and nobody would know that it was for us. So
        an addition shares the fate of its definition."""
        definition = self._undefined.get((f"{item.connector}:{item.container}", change.value.casefold()))
        if definition is None:
            return True
        self.ledger.share_fate(change, definition)
        return False

    def _send(self, tracker: Tracker, item: WorkItem | None, change: Change, call: Callable[[], str | None]) -> None:
        """One call that makes one change: journal, send, settle by the answer."""
        ledger, op = self.ledger, change.op
        container = item.container if item else change.target.partition(":")[2]
        if ledger.barred([change], container) or not ledger.go():
            return
        seqs = ledger.intend([change])
        try:
            comment_id = call()
        except OutcomeUnknown as error:
            self._after_lost_answer(tracker, item, change, seqs, str(error))
        except SourceFailed as error:
            # it may have happened all the same: the next run looks
            ledger.settle(seqs, JournalState.UNKNOWN, str(error))
            ledger.source_failed(tracker.name, error, [change])
        except TrackerError as error:
            ledger.settle(seqs, JournalState.FAILED, str(error))
            if isinstance(error, NotFound) and item is not None:
                self._after_not_found(tracker, item, [change], str(error))
            elif isinstance(error, NotFound | NotWritable | Forbidden):
                if isinstance(error, NotWritable):
                    ledger.refused(tracker, container, op, str(error), item.uid if item else None)
                ledger.skip([change], str(error))
            else:
                ledger.fail([change], str(error))
        else:
            ledger.accepted(tracker.name, container, op)
            ledger.confirm([change], seqs, comment_id)

    def _after_lost_answer(
        self, tracker: Tracker, item: WorkItem | None, change: Change, seqs: Sequence[int], why: str
    ) -> None:
        """Looks once. What does not show may still be under way and waits for the next run."""
        look = None
        if item is not None:
            try:
                look = tracker.look(item, comments=True)
            except SourceFailed as error:
                self.ledger.source_failed(tracker.name, error, ())
            except TrackerError as error:
                why = f"{why}; {error}"
        content_hash = change.comment.hash if change.comment else ""
        found, comment_id = seen(change.op, change.value, content_hash, look) if look else (False, None)
        if found:
            self.ledger.confirm([change], seqs, comment_id)
        else:
            self.ledger.settle(seqs, JournalState.UNKNOWN, why)
            self.ledger.wait([change])

    def _after_not_found(self, tracker: Tracker, item: WorkItem, changes: Sequence[Change], why: str) -> None:
        look = self._look(tracker, item, changes, comments=False)
        if look is None:
            return
        if changes[0].op is Op.UPDATE_COMMENT and look.item.uid == item.uid:
            dismissal = Dismissal(uid=item.uid, what="comment", state=changes[0].state, at=self.ledger.clock())
            self.ledger.store.dismiss(dismissal)
            self.ledger.skip(changes, "a person deleted the comment")
        else:
            # it is there: GitHub hides with 404 what an account may read, but not write to
            self.ledger.skip(changes, why_not(item, look) or why)

    def _look(
        self, tracker: Tracker, item: WorkItem, changes: Sequence[Change], *, comments: bool = True
    ) -> Look | None:
        """None when it cannot be looked at: then the changes are accounted for."""
        if self.ledger.suspended(changes):
            return None
        try:
            return tracker.look(item, comments=comments)
        except NotFound:
            # deleted, or in a place that is no longer shown to us: which of the two, a sweep tells
            self.ledger.store.set_meta(sweep_due(item.connector), "due")
            self.ledger.skip(changes, "the item is gone, or may not be seen any more")
        except Forbidden as error:
            self.ledger.skip(changes, str(error))
        except SourceFailed as error:
            self.ledger.source_failed(tracker.name, error, changes)
        except TrackerError as error:
            self.ledger.fail(changes, str(error))
        return None

    def _open(self, item: WorkItem, change: Change) -> bool:
        return not self.ledger.shut(item.connector, item.container, change.op)
