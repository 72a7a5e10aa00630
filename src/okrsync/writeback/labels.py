"""Labels of many items, by the batches their tracker makes of them: each is journalled whole, sent, and settled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from ..domain.changes import Change, JournalState, Op
from ..domain.trackers import (
    Forbidden,
    LabelEdit,
    Look,
    NotFound,
    NotSent,
    NotWritable,
    OutcomeUnknown,
    SourceFailed,
    Tracker,
    TrackerError,
)
from ..domain.work import WorkItem
from .ledger import Ledger
from .looking import look_at, seen

ROUNDS = 3
"""So often an edit is given to the tracker: in a batch of many, then surely by itself."""

NotThere = Callable[[Tracker, WorkItem, Sequence[Change], str], None]
"""Accounts for changes of an item that the server says is not there."""


class _Sent(Struct):
    """One edit of a batch on its way."""

    edit: LabelEdit
    changes: list[Change]
    seqs: Sequence[int] = ()
    error: TrackerError | None = None


class LabelWriter:
    def __init__(self, ledger: Ledger, not_there: NotThere) -> None:
        self._ledger = ledger
        self._not_there = not_there

    def write(self, tracker: Tracker, wanted: Sequence[tuple[WorkItem, Sequence[Change]]]) -> None:
        """Makes the additions and removals of these items, each item once. Accounts for all of them unless the lease
        is lost."""
        changes = {item.uid: {(c.op, c.value): c for c in group} for item, group in wanted if group}
        items = {item.uid: item for item, _ in wanted}
        edits = [_edit(items[uid], group.values()) for uid, group in changes.items()]
        for left in reversed(range(ROUNDS)):
            again: dict[str, tuple[WorkItem, list[Change]]] = {}
            for batch in tracker.label_batches(edits):
                for sent in self._send(tracker, batch, changes):
                    if left:
                        again.setdefault(sent.edit.item.uid, (sent.edit.item, []))[1].extend(sent.changes)
                    else:
                        self._ledger.fail(sent.changes, str(sent.error))
                if self._ledger.stopped:
                    return
            edits = [_edit(item, group) for item, group in again.values()]
            if not edits:
                return

    def _send(
        self, tracker: Tracker, batch: Sequence[LabelEdit], changes: Mapping[str, Mapping[tuple[Op, str], Change]]
    ) -> list[_Sent]:
        """One batch; returns what was not sent."""
        ledger = self._ledger
        going = [sent for sent in (_Sent(edit, _of(edit, changes)) for edit in batch) if not self._barred(sent)]
        if not going or not ledger.go():
            return []
        seqs = iter(ledger.intend([change for sent in going for change in sent.changes]))
        for sent in going:
            sent.seqs = [next(seqs) for _ in sent.changes]
        outcomes = tracker.change_labels([sent.edit for sent in going])
        for sent, error in zip(going, outcomes, strict=True):
            sent.error = error
        self._confirm([sent for sent in going if sent.error is None])
        lost = [sent for sent in going if isinstance(sent.error, OutcomeUnknown)]
        if lost:
            self._after_lost_answer(tracker, lost)
        not_sent = [sent for sent in going if isinstance(sent.error, NotSent)]
        ledger.settle([seq for sent in not_sent for seq in sent.seqs], JournalState.FAILED, "sent again by itself")
        self._failed(tracker, [s for s in going if s.error and not isinstance(s.error, OutcomeUnknown | NotSent)])
        return not_sent

    def _barred(self, sent: _Sent) -> bool:
        return self._ledger.barred(sent.changes, sent.edit.item.container)

    def _confirm(self, made: Sequence[_Sent]) -> None:
        self._ledger.confirm([c for sent in made for c in sent.changes], [n for sent in made for n in sent.seqs])
        for connector, container in {(sent.edit.item.connector, sent.edit.item.container) for sent in made}:
            self._ledger.accepted(connector, container, Op.ADD_LABEL)

    def _failed(self, tracker: Tracker, sents: Sequence[_Sent]) -> None:
        """Those that fail alike are settled together: a failing source may leave thousands."""
        ledger = self._ledger
        alike: dict[tuple[bool, str], list[int]] = {}
        for sent in sents:
            alike.setdefault((isinstance(sent.error, SourceFailed), str(sent.error)), []).extend(sent.seqs)
        for (source, why), seqs in alike.items():
            # where the source failed, it may have happened all the same: the next run looks
            ledger.settle(seqs, JournalState.UNKNOWN if source else JournalState.FAILED, why)
        for sent in sents:
            item, error = sent.edit.item, sent.error
            if isinstance(error, SourceFailed):
                ledger.source_failed(item.connector, error, sent.changes)
            elif isinstance(error, NotFound):
                self._not_there(tracker, item, sent.changes, str(error))
            elif isinstance(error, NotWritable | Forbidden):
                if isinstance(error, NotWritable):
                    ledger.refused(tracker, item.container, Op.ADD_LABEL, str(error), item.uid)
                ledger.skip(sent.changes, str(error))
            else:
                ledger.fail(sent.changes, str(error))

    def _after_lost_answer(self, tracker: Tracker, lost: Sequence[_Sent]) -> None:
        """Looks once. What does not show may still be under way and waits for the next run."""
        ledger = self._ledger
        looks: Mapping[str, Look] = {}
        why = str(lost[0].error)
        try:
            looks = look_at(tracker, [sent.edit.item for sent in lost])
        except SourceFailed as error:
            ledger.source_failed(tracker.name, error, ())
        except TrackerError as error:
            why = f"{why}; {error}"
        there: list[tuple[Change, int]] = []
        unknown: list[tuple[Change, int]] = []
        for sent in lost:
            look = looks.get(sent.edit.item.uid)
            for change, seq in zip(sent.changes, sent.seqs, strict=True):
                shows = look is not None and seen(change.op, change.value, "", look)[0]
                (there if shows else unknown).append((change, seq))
        if there:
            ledger.confirm([change for change, _ in there], [seq for _, seq in there])
        ledger.settle([seq for _, seq in unknown], JournalState.UNKNOWN, why)
        ledger.wait([change for change, _ in unknown])


def _edit(item: WorkItem, changes: Iterable[Change]) -> LabelEdit:
    values: dict[Op, list[str]] = {Op.ADD_LABEL: [], Op.REMOVE_LABEL: []}
    for change in changes:
        values[change.op].append(change.value)
    return LabelEdit(item=item, add=tuple(values[Op.ADD_LABEL]), remove=tuple(values[Op.REMOVE_LABEL]))


def _of(edit: LabelEdit, changes: Mapping[str, Mapping[tuple[Op, str], Change]]) -> list[Change]:
    known = changes[edit.item.uid]
    removals = [known[Op.REMOVE_LABEL, label] for label in edit.remove]
    return removals + [known[Op.ADD_LABEL, label] for label in edit.add]
