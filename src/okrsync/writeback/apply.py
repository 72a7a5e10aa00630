"""Makes changes, one item at a time: journalled before they are sent, settled after, never blindly repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from ..domain.changes import Applied, Change, Dismissal, JournalState, Op
from ..domain.storage import Store
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
from .looking import bears, connector_of, seen, why_not

# A single ticket may be closed to edits where its project is not; after so many refusals in a row it is the place.
REFUSALS = 3
_FAMILY = {
    Op.CREATE_LABEL: "definitions",
    Op.ADD_LABEL: "labels",
    Op.REMOVE_LABEL: "labels",
    Op.CREATE_COMMENT: "comments",
    Op.UPDATE_COMMENT: "comments",
}


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
    writer = _Writer(items, trackers, store, clock, run=run, alive=alive, suspended=dict(suspended or {}))
    for group in _by_target(changes):
        if writer.stopped:
            break
        writer.write(group)
    return writer.applied(len(changes))


def _by_target(changes: Sequence[Change]) -> Iterator[list[Change]]:
    groups: dict[tuple[bool, str], list[Change]] = {}
    for change in changes:
        groups.setdefault((change.op is Op.CREATE_LABEL, change.target), []).append(change)
    yield from groups.values()


class _Writer:
    """The state of one application."""

    def __init__(
        self,
        items: Mapping[str, WorkItem],
        trackers: Mapping[str, Tracker],
        store: Store,
        clock: Clock,
        *,
        run: str,
        alive: Callable[[], bool],
        suspended: dict[str, str],
    ) -> None:
        self._items = items
        self._trackers = trackers
        self._store = store
        self._clock = clock
        self._run = run
        self._alive = alive
        self._suspended = suspended
        self._shut: dict[tuple[str, str, str], str] = {}  # connector, container, family -> why nothing can be written
        self._refusals: Counter[tuple[str, str, str]] = Counter()
        self._undefined: dict[tuple[str, str], Change] = {}  # definitions that were not made
        self._done: list[Change] = []
        self._unneeded: list[Change] = []
        self._skipped: list[tuple[Change, str]] = []
        self._failed: list[tuple[Change, str]] = []
        self._waiting: list[Change] = []
        self.stopped = False

    def applied(self, total: int) -> Applied:
        told = len(self._done) + len(self._unneeded) + len(self._skipped) + len(self._failed) + len(self._waiting)
        return Applied(
            done=tuple(self._done),
            unneeded=tuple(self._unneeded),
            skipped=tuple(self._skipped),
            failed=tuple(self._failed),
            waiting=tuple(self._waiting),
            refused=tuple((f"{c}:{place}", family, why) for (c, place, family), why in sorted(self._shut.items())),
            stopped=f"the lease was lost; {total - told} changes were not made" if self.stopped else "",
        )

    def write(self, group: Sequence[Change]) -> None:
        """All changes of one target: label definitions of a container, or what is to change on an item."""
        target = group[0].target
        connector = connector_of(target)
        tracker = self._trackers.get(connector)
        if tracker is None:
            self._suspended.setdefault(connector, f"no connector named {connector} can be written to")
        if tracker is None or connector in self._suspended:
            self._fail(group, self._suspended[connector])
        elif group[0].op is Op.CREATE_LABEL:
            for change in group:
                self._define(tracker, change)
        elif (item := self._items.get(group[0].uid)) is None:
            self._skip(group, "the item is not held any more")
        else:
            self._write_item(tracker, item, group)

    def _write_item(self, tracker: Tracker, item: WorkItem, group: Sequence[Change]) -> None:
        look = None
        if any(c.op is Op.CREATE_COMMENT and self._open(item, c) for c in group):
            # a second comment must never be written, so the item is looked at first; its labels profit
            look = self._look(tracker, item, group)
            if look is None:
                return
            if why := why_not(item, look):
                self._skip(group, why)
                return
        removals = [c for c in group if c.op is Op.REMOVE_LABEL]
        additions = [c for c in group if c.op is Op.ADD_LABEL and self._defined(item, c)]
        if look is not None and (there := [c for c in additions if bears(look.item, c.value)]):
            # somebody else was faster: the label is theirs, the journal does not claim it
            self._store.note_labels(item.uid, added=[c.value for c in there], removed=[])
            self._unneeded.extend(there)
            additions = [c for c in additions if c not in there]
        if removals:
            self._send(tracker, item, removals, lambda: tracker.remove_labels(item, [c.value for c in removals]))
        if additions:
            self._send(tracker, item, additions, lambda: tracker.add_labels(item, [c.value for c in additions]))
        for change in group:
            if change.op is Op.CREATE_COMMENT:
                self._create_comment(tracker, item, change, look)
            elif change.op is Op.UPDATE_COMMENT:
                self._update_comment(tracker, item, change)

    def _create_comment(self, tracker: Tracker, item: WorkItem, change: Change, look: Look | None) -> None:
        comment = change.comment
        assert comment is not None
        if not self._open(item, change):
            self._skip([change], self._shut[item.connector, item.container, "comments"])
            return
        assert look is not None
        if look.item.locked:
            self._skip([change], "the conversation is locked")
            return
        ours = look.comments or ()
        if not ours:
            self._send(tracker, item, [change], lambda: tracker.create_comment(item, comment))
        elif any(found.hash == comment.hash for found in ours):
            if self._go():
                # the journal did not know of it: now it does
                seq = self._intend([change])[0]
                self._settle(seq, JournalState.CONFIRMED, comment_id=seen(change.op, "", comment.hash, look)[1])
                self._unneeded.append(change)
        else:

            def edit() -> str:
                tracker.update_comment(item, ours[0].id, comment)
                return ours[0].id

            self._send(tracker, item, [change], edit)

    def _update_comment(self, tracker: Tracker, item: WorkItem, change: Change) -> None:
        comment, comment_id = change.comment, change.comment_id
        assert comment is not None
        assert comment_id is not None

        def edit() -> str:
            tracker.update_comment(item, comment_id, comment)
            return comment_id

        self._send(tracker, item, [change], edit)

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

        self._send(tracker, None, [change], create)
        if not any(made is change for made in self._done[-1:]):
            self._undefined[change.target, change.value.casefold()] = change

    def _defined(self, item: WorkItem, change: Change) -> bool:
        """GitHub would define a missing label by itself, in grey, and nobody would know that it was for us. So
        an addition shares the fate of its definition."""
        definition = self._undefined.get((f"{item.connector}:{item.container}", change.value.casefold()))
        if definition is None:
            return True
        skipped = [why for other, why in self._skipped if other is definition]
        if skipped:
            self._skip([change], skipped[0])
        elif any(other is definition for other in self._waiting):
            self._waiting.append(change)
        elif not self.stopped:
            self._fail([change], "the label's definition could not be created")
        return False

    def _send(
        self, tracker: Tracker, item: WorkItem | None, changes: Sequence[Change], call: Callable[[], str | None]
    ) -> None:
        """One call that makes these changes of one target: journal, send, settle by the answer."""
        connector = connector_of(changes[0].target)
        container = item.container if item else changes[0].target.partition(":")[2]
        place = (connector, container, _FAMILY[changes[0].op])
        if place in self._shut:
            self._skip(changes, self._shut[place])
            return
        if connector in self._suspended:
            self._fail(changes, self._suspended[connector])
            return
        if not self._go():
            return
        seqs = self._intend(changes)
        try:
            comment_id = call()
        except OutcomeUnknown as error:
            self._after_lost_answer(tracker, item, changes, seqs, str(error))
        except SourceFailed as error:
            # it may have happened all the same: the next run looks
            self._settle_all(seqs, JournalState.UNKNOWN, str(error))
            self._suspended[connector] = str(error)
            self._fail(changes, str(error))
        except NotFound as error:
            self._settle_all(seqs, JournalState.FAILED, str(error))
            self._after_not_found(tracker, item, changes, str(error))
        except (NotWritable, Forbidden) as error:
            self._settle_all(seqs, JournalState.FAILED, str(error))
            if isinstance(error, NotWritable):
                self._refused(tracker, place, str(error))
            self._skip(changes, str(error))
        except TrackerError as error:
            self._settle_all(seqs, JournalState.FAILED, str(error))
            self._fail(changes, str(error))
        else:
            self._refusals.pop(place, None)
            for change, seq in zip(changes, seqs, strict=True):
                self._confirm(change, seq, comment_id)

    def _refused(self, tracker: Tracker, place: tuple[str, str, str], why: str) -> None:
        self._refusals[place] += 1
        _, container, family = place
        if family == "definitions" or self._refusals[place] >= REFUSALS or not tracker.writable(container):
            self._shut[place] = why

    def _after_lost_answer(
        self, tracker: Tracker, item: WorkItem | None, changes: Sequence[Change], seqs: Sequence[int], why: str
    ) -> None:
        """Looks once. What does not show may still be under way and waits for the next run."""
        look = None
        if item is not None:
            try:
                look = tracker.look(item, comments=any(c.comment for c in changes))
            except SourceFailed as error:
                self._suspended[item.connector] = str(error)
            except TrackerError as error:
                why = f"{why}; {error}"
        for change, seq in zip(changes, seqs, strict=True):
            content_hash = change.comment.hash if change.comment else ""
            found, comment_id = seen(change.op, change.value, content_hash, look) if look else (False, None)
            if found:
                self._confirm(change, seq, comment_id)
            else:
                self._settle(seq, JournalState.UNKNOWN, detail=why)
                self._waiting.append(change)

    def _after_not_found(self, tracker: Tracker, item: WorkItem | None, changes: Sequence[Change], why: str) -> None:
        if item is None:
            self._skip(changes, why)
            return
        look = self._look(tracker, item, changes, comments=False)
        if look is None:
            return
        if changes[0].op is Op.UPDATE_COMMENT and look.item.uid == item.uid:
            dismissal = Dismissal(uid=item.uid, what="comment", state=changes[0].state, at=self._clock())
            self._store.dismiss(dismissal)
            self._skip(changes, "a person deleted the comment")
        else:
            # it is there: GitHub hides with 404 what an account may read, but not write to
            self._skip(changes, why_not(item, look) or why)

    def _look(
        self, tracker: Tracker, item: WorkItem, changes: Sequence[Change], *, comments: bool = True
    ) -> Look | None:
        """None when it cannot be looked at: then the changes are accounted for."""
        if item.connector in self._suspended:
            self._fail(changes, self._suspended[item.connector])
            return None
        try:
            return tracker.look(item, comments=comments)
        except NotFound:
            self._store.tombstone([item.uid])
            self._skip(changes, "the item is gone")
        except Forbidden as error:
            self._skip(changes, str(error))
        except SourceFailed as error:
            self._suspended[item.connector] = str(error)
            self._fail(changes, str(error))
        except TrackerError as error:
            self._fail(changes, str(error))
        return None

    def _open(self, item: WorkItem, change: Change) -> bool:
        return (item.connector, item.container, _FAMILY[change.op]) not in self._shut

    def _go(self) -> bool:
        self.stopped = self.stopped or not self._alive()
        return not self.stopped

    def _intend(self, changes: Sequence[Change]) -> list[int]:
        return self._store.intend(changes, run=self._run, at=self._clock())

    def _confirm(self, change: Change, seq: int, comment_id: str | None) -> None:
        self._settle(seq, JournalState.CONFIRMED, comment_id=comment_id)
        if change.op is Op.ADD_LABEL:
            self._store.note_labels(change.uid, added=[change.value], removed=[])
        elif change.op is Op.REMOVE_LABEL:
            self._store.note_labels(change.uid, added=[], removed=[change.value])
        self._done.append(change)

    def _settle(self, seq: int, state: JournalState, *, comment_id: str | None = None, detail: str = "") -> None:
        self._store.settle(seq, state, at=self._clock(), comment_id=comment_id, detail=detail)

    def _settle_all(self, seqs: Sequence[int], state: JournalState, detail: str) -> None:
        for seq in seqs:
            self._settle(seq, state, detail=detail)

    def _skip(self, changes: Sequence[Change], why: str) -> None:
        self._skipped.extend((change, why) for change in changes)

    def _fail(self, changes: Sequence[Change], why: str) -> None:
        self._failed.extend((change, why) for change in changes)
