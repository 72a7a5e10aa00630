"""Takes back every label and comment okrsync ever wrote, and the label definitions it created, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from ..domain.changes import DASHBOARD_OPS, Dismissal, JournalEntry, JournalState, Op
from ..domain.storage import Store
from ..domain.trackers import (
    Clock,
    Forbidden,
    NotFound,
    NotWritable,
    OutcomeUnknown,
    SourceFailed,
    Tracker,
    TrackerError,
)
from ..domain.work import WorkItem
from ..planning.dashboard import posted, retired
from ..planning.labels import folded
from .looking import connector_of, find_item
from .recover import recover


class Removal(Struct, frozen=True, kw_only=True):
    """op: remove_label | delete_comment | delete_label | retire_issue; value: the label, the id of the comment, or
    that of the dashboard issue, whose text is replaced by one line that says so."""

    op: str
    target: str
    value: str

    def json(self) -> dict[str, str]:
        return {"op": self.op, "target": self.target, "value": self.value}


class Undone(Struct, frozen=True, kw_only=True):
    """removed   what was taken back, or would be in a dry run
    skipped   left with a reason that is no error: archived, forbidden, a definition still in use
    failed    not taken back; another `undo` tries again
    by_journal False where the journal is empty, and items were searched instead
    stopped   why it ended early, empty where it did not
    """

    removed: tuple[Removal, ...] = ()
    skipped: tuple[tuple[Removal, str], ...] = ()
    failed: tuple[tuple[Removal, str], ...] = ()
    by_journal: bool = True
    dry_run: bool = False
    stopped: str = ""

    def json(self) -> dict[str, Any]:
        return {
            "removed": [r.json() for r in self.removed],
            "skipped": [{**r.json(), "why": why} for r, why in self.skipped],
            "failed": [{**r.json(), "why": why} for r, why in self.failed],
            "by_journal": self.by_journal,
            "dry_run": self.dry_run,
            "stopped": self.stopped,
        }


class _Task(Struct, kw_only=True):
    """What to take back on one target. The sequence numbers are those of the journal entries behind it.

    gone     entries of labels that a person has taken off already
    unseen   entries of comments whose id is not known
    """

    target: str
    uid: str
    labels: dict[str, list[int]] = {}
    comments: dict[str, list[int]] = {}
    definitions: dict[str, list[int]] = {}
    gone: list[int] = []
    unseen: list[int] = []


def undo(
    *,
    store: Store,
    trackers: Mapping[str, Tracker],
    clock: Clock,
    run: str,
    dry_run: bool,
    prefix: str,
    dashboard: str | None = None,
    alive: Callable[[], bool] = lambda: True,
) -> Undone:
    """Takes back what the journal says is ours, on closed items too; where there is no journal, labels under
    `prefix` and comments by mark and login on open, writable items, and the dashboard issue in the place `dashboard`.

    The journal entry of a write is its own record for taking it back: it becomes `undone` once that has been
    done. All calls are idempotent, so after a crash undo is simply run again. Raises StoreError.
    """
    undoing = _Undoing(store, trackers, clock, run=run, dry_run=dry_run, alive=alive)
    if not store.journal():
        undoing.search(prefix)
        if dashboard:
            undoing.search_dashboard(dashboard)
        return undoing.result(by_journal=False)
    items = {stored.item.uid: stored.item for stored in store.items()}
    if not dry_run:
        recover(store=store, trackers=trackers, items_by_uid=items, clock=clock)
    for place, board in sorted(posted(store.dashboard_entries(), store.dismissals()).items()):
        if board.seqs:
            undoing.dashboard(place, board.ref, board.seqs)
    tasks = _tasks(store.journal(), store.dismissals())
    for task in tasks:
        if not task.definitions:
            undoing.item(task, items)
    for task in tasks:  # definitions last: they go only when no item bears the label any more
        if task.definitions:
            undoing.definitions(task)
    return undoing.result(by_journal=True)


def _tasks(journal: Sequence[JournalEntry], dismissals: Mapping[tuple[str, str], Dismissal]) -> list[_Task]:
    """What is ours by the journal, folded oldest first, by target."""
    tasks: dict[str, _Task] = {}
    confirmed: dict[int, JournalEntry] = {}
    for entry in journal:
        if entry.state in (JournalState.FAILED, JournalState.UNDONE) or entry.op in DASHBOARD_OPS:
            continue
        confirmed[entry.seq] = entry
        task = tasks.setdefault(entry.uid, _Task(target=entry.target, uid=entry.uid))
        task.target = entry.target
        match entry.op:
            case Op.ADD_LABEL:
                task.labels.setdefault(entry.value, []).append(entry.seq)
            case Op.REMOVE_LABEL if entry.state is JournalState.CONFIRMED:
                task.labels.pop(entry.value, None)
            case Op.CREATE_COMMENT | Op.UPDATE_COMMENT if entry.comment_id is not None:
                task.comments.setdefault(entry.comment_id, []).append(entry.seq)
            case Op.CREATE_COMMENT:
                task.unseen.append(entry.seq)
            case Op.CREATE_LABEL:
                task.definitions.setdefault(entry.value, []).append(entry.seq)
    for task in tasks.values():
        for label, seqs in list(task.labels.items()):
            dismissal = dismissals.get((task.uid, label))
            last = confirmed[seqs[-1]]
            if dismissal is not None and dismissal.at >= (last.confirmed_at or last.at):
                # a person took ours off; should the label be there again, it is theirs
                task.gone.extend(task.labels.pop(label))
    return sorted(
        (t for t in tasks.values() if t.labels or t.comments or t.definitions or t.gone or t.unseen),
        key=lambda t: t.target,
    )


class _Undoing:
    """The state of one undo."""

    def __init__(
        self,
        store: Store,
        trackers: Mapping[str, Tracker],
        clock: Clock,
        *,
        run: str,
        dry_run: bool,
        alive: Callable[[], bool],
    ) -> None:
        self._store = store
        self._trackers = trackers
        self._clock = clock
        self._run = run
        self._dry_run = dry_run
        self._alive = alive
        self._suspended: dict[str, str] = {}
        self._removed: list[Removal] = []
        self._skipped: list[tuple[Removal, str]] = []
        self._failed: list[tuple[Removal, str]] = []
        self._stopped = False

    def result(self, *, by_journal: bool) -> Undone:
        return Undone(
            removed=tuple(self._removed),
            skipped=tuple(self._skipped),
            failed=tuple(self._failed),
            by_journal=by_journal,
            dry_run=self._dry_run,
            stopped="the lease was lost" if self._stopped else "",
        )

    def item(self, task: _Task, items: Mapping[str, WorkItem]) -> None:
        """Labels and comment of one item."""
        wanted = [Removal(op="remove_label", target=task.target, value=label) for label in task.labels]
        wanted += [Removal(op="delete_comment", target=task.target, value=id_) for id_ in task.comments]
        tracker = self._tracker(task.target, wanted)
        if tracker is None:
            return
        try:
            item = find_item(task.target, task.uid, items, tracker)
            if item is not None and task.unseen:
                ours = tracker.look(item, comments=True).comments or ()
                if not ours:
                    task.gone.extend(task.unseen)  # never written after all
                for comment in ours:
                    task.comments.setdefault(comment.id, []).extend(task.unseen)
            if item is not None and task.comments and not self._dry_run:
                # a comment's address holds its repository, and no server forwards from the one it was in before
                item = tracker.look(item, comments=False).item
        except NotFound:
            item = None
        except TrackerError as error:
            self._set_aside(connector_of(task.target), wanted, error)
            return
        if item is None or not (task.labels or task.comments):
            # nothing is left there to be taken back
            self._settle((*_seqs(task), *task.unseen))
            return
        self._settle(task.gone)
        self._take_back(tracker, item, task.labels, task.comments)

    def search(self, prefix: str) -> None:
        """Without a journal: what bears the prefix or our mark."""
        for name, tracker in sorted(self._trackers.items()):
            try:
                for look in tracker.find_ours(prefix):
                    item = look.item
                    under = folded(prefix, item.container)
                    labels = [label for label in item.labels if folded(label, item.container).startswith(under)]
                    if item.open and tracker.writable(item.container):
                        comments = [comment.id for comment in look.comments or ()]
                        self._take_back(tracker, item, {n: [] for n in labels}, {i: [] for i in comments})
            except TrackerError as error:
                whole = Removal(op="remove_label", target=name, value=f"{prefix}*")
                self._set_aside(name, [whole], error)

    def search_dashboard(self, place: str) -> None:
        """Without a journal: by mark and login."""
        tracker = self._trackers.get(connector_of(place))
        try:
            found = tracker.find_dashboard(place.partition(":")[2], None) if tracker else None
        except TrackerError as error:
            self._set_aside(connector_of(place), [Removal(op="retire_issue", target=place, value="")], error)
            return
        if found is not None and found.hash != retired().hash:
            self.dashboard(place, found.ref, ())

    def dashboard(self, place: str, ref: str | None, seqs: Sequence[int]) -> None:
        """An issue cannot be deleted with ordinary permissions, and Jira closes it only by its project's own workflow:
        so its text goes, and the line that stands instead says that it can be closed."""
        if ref is None:
            return  # never written, as far as anybody knows
        removal = Removal(op="retire_issue", target=place, value=ref)
        tracker = self._tracker(place, [removal])
        if tracker is None:
            return

        def retire() -> str:
            tracker.update_issue(place.partition(":")[2], ref, retired())
            return ""

        self._call([removal], seqs, retire)

    def definitions(self, task: _Task) -> None:
        """Label definitions of one container."""
        container = task.target.partition(":")[2]
        for label, seqs in task.definitions.items():
            removal = Removal(op="delete_label", target=task.target, value=label)
            tracker = self._tracker(task.target, [removal])
            if tracker is None:
                continue
            if not tracker.writable(container):
                self._skipped.append((removal, "the connector's `write` does not cover it"))
                continue

            def delete(tracker: Tracker = tracker, label: str = label) -> str:
                return "" if tracker.delete_label(container, label) else "still in use"

            self._call([removal], seqs, delete)

    def _take_back(
        self,
        tracker: Tracker,
        item: WorkItem,
        labels: Mapping[str, Sequence[int]],
        comments: Mapping[str, Sequence[int]],
    ) -> None:
        removals = [Removal(op="remove_label", target=item.id, value=label) for label in sorted(labels)]
        deletions = [Removal(op="delete_comment", target=item.id, value=id_) for id_ in sorted(comments)]
        if item.archived or not tracker.writable(item.container):
            why = "archived" if item.archived else "the connector's `write` does not cover it"
            self._skipped.extend((removal, why) for removal in (*removals, *deletions))
            return
        if removals:
            names = [removal.value for removal in removals]

            def remove() -> str:
                tracker.remove_labels(item, names)
                self._store.note_labels(item.uid, added=[], removed=names)
                return ""

            self._call(removals, [seq for name in names for seq in labels[name]], remove)
        for deletion in deletions:

            def delete(comment_id: str = deletion.value) -> str:
                tracker.delete_comment(item, comment_id)
                return ""

            self._call([deletion], comments[deletion.value], delete)

    def _call(self, removals: Sequence[Removal], seqs: Sequence[int], call: Callable[[], str]) -> None:
        """`call` returns why it was left, empty when it is gone."""
        connector = connector_of(removals[0].target)
        if self._dry_run:
            self._removed.extend(removals)
            return
        if connector in self._suspended:
            self._failed.extend((removal, self._suspended[connector]) for removal in removals)
            return
        self._stopped = self._stopped or not self._alive()
        if self._stopped:
            return
        try:
            why = call()
        except NotFound:
            why = ""
        except TrackerError as error:
            self._set_aside(connector, removals, error)
            return
        if why:
            self._skipped.extend((removal, why) for removal in removals)
            return
        self._settle(seqs)
        self._removed.extend(removals)

    def _tracker(self, target: str, wanted: Sequence[Removal]) -> Tracker | None:
        connector = connector_of(target)
        tracker = self._trackers.get(connector)
        if tracker is None:
            self._suspended.setdefault(connector, f"the workspace has no connector named {connector}")
        if connector in self._suspended:
            self._failed.extend((removal, self._suspended[connector]) for removal in wanted)
            return None
        return tracker

    def _set_aside(self, connector: str, removals: Sequence[Removal], error: TrackerError) -> None:
        if isinstance(error, SourceFailed):
            self._suspended[connector] = str(error)
        listed = self._skipped if isinstance(error, NotWritable | Forbidden) else self._failed
        why = f"{error}; run undo again" if isinstance(error, OutcomeUnknown) else str(error)
        listed.extend((removal, why) for removal in removals)

    def _settle(self, seqs: Sequence[int]) -> None:
        if not self._dry_run:
            for seq in seqs:
                self._store.settle(seq, JournalState.UNDONE, at=self._clock(), detail=f"taken back in {self._run}")


def _seqs(task: _Task) -> Iterator[int]:
    yield from task.gone
    for entries in (task.labels, task.comments):
        for seqs in entries.values():
            yield from seqs
