"""Takes what is ours into a journal that does not know it, so that comments are kept up to date and `undo` finds
everything."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping

from ..domain.changes import Change, JournalState, Op
from ..domain.comments import Comment
from ..domain.storage import Store
from ..domain.trackers import Clock, Look, Tracker, TrackerError
from ..domain.work import WorkItem

AT_ONCE = 50
"""Looks at unclaimed items in one run: a store from an old backup may not know thousands."""

_CLAIMED_BY_NOBODY = "labels that are not ours"


class Known(Comment, frozen=True):
    """A comment or dashboard of ours of which only the content's hash is known."""

    content: str = ""

    @property
    def hash(self) -> str:
        return self.content


def adopt(
    *,
    store: Store,
    trackers: Mapping[str, Tracker],
    prefix: str,
    could_be_ours: Callable[[str, str], bool],
    clock: Clock,
    run: str,
) -> int:
    """Journals, as written now, our comments on open, writable items, and labels under `prefix` that we could have
    written (asked with the label and its container). Returns how many. Our comments are the proof that we were here
    before: where there is none, labels are people's. A connector that fails is left out. Raises StoreError.
    """
    looks: list[Look] = []
    for tracker in trackers.values():
        try:
            looks.extend(look for look in tracker.find_ours(prefix) if look.item.open)
        except TrackerError:
            continue  # what it bears is adopted piece by piece, where something is to be written
    if not any(look.comments for look in looks):
        return 0
    return _claim(looks, store=store, could_be_ours=could_be_ours, clock=clock, run=run)


def adopt_unclaimed(
    items: Collection[WorkItem],
    *,
    store: Store,
    trackers: Mapping[str, Tracker],
    could_be_ours: Callable[[str, str], bool],
    clock: Clock,
    run: str,
) -> int:
    """As `adopt`, for single items that bear a label of ours and are unknown to the journal: transferred ones, which
    another repository knows by another uid, come with the comment. Each is looked at once; what bears no comment of
    ours has its label from people, and is left alone for as long as it stays so. Raises StoreError."""
    known = set(json.loads(store.get_meta(_CLAIMED_BY_NOBODY) or "[]"))
    looks: list[Look] = []
    theirs = known.intersection(item.uid for item in items)
    for item in [item for item in items if item.uid not in known][:AT_ONCE]:
        try:
            look = trackers[item.connector].look(item, comments=True)
        except (TrackerError, KeyError):
            continue  # the next run looks
        if look.comments and look.item.uid == item.uid:
            looks.append(look)
        else:
            theirs.add(item.uid)
    if theirs != known:
        store.set_meta(_CLAIMED_BY_NOBODY, json.dumps(sorted(theirs)))
    return _claim(looks, store=store, could_be_ours=could_be_ours, clock=clock, run=run)


def _claim(
    looks: Iterable[Look], *, store: Store, could_be_ours: Callable[[str, str], bool], clock: Clock, run: str
) -> int:
    count = 0
    for look in looks:
        item = look.item
        labels = [label for label in item.labels if could_be_ours(label, item.container)]
        changes = [Change(op=Op.ADD_LABEL, target=item.id, uid=item.uid, value=x, because="adopted") for x in labels]
        # as edits, since no notification was sent that `comments.per_day` should count
        changes += [
            Change(
                op=Op.UPDATE_COMMENT,
                target=item.id,
                uid=item.uid,
                value="",
                because="adopted",
                comment=Known((), content=comment.hash),
                comment_id=comment.id,
            )
            for comment in (look.comments or ())[:1]
        ]
        for change, seq in zip(changes, store.intend(changes, run=run, at=clock()), strict=True):
            store.settle(seq, JournalState.CONFIRMED, at=clock(), comment_id=change.comment_id)
        count += len(changes)
    return count
