"""Settles what an earlier run left open, by looking: the first step of every run that writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from ..domain.changes import JournalEntry, JournalState, Op
from ..domain.storage import Store
from ..domain.trackers import Clock, NotFound, SourceFailed, Tracker, TrackerError
from ..domain.work import WorkItem
from .looking import connector_of, find_item, seen


class Recovered(Struct, frozen=True, kw_only=True):
    """confirmed, failed: entries settled so; left: still open, as nothing could be seen;
    suspended: connectors that failed meanwhile, and why (nothing is to be written to them in this run)."""

    confirmed: int = 0
    failed: int = 0
    left: int = 0
    suspended: Mapping[str, str] = {}


def recover(
    *, store: Store, trackers: Mapping[str, Tracker], items_by_uid: Mapping[str, WorkItem], clock: Clock
) -> Recovered:
    """Looks at every item with a write of unknown outcome: what shows was done, what does not was not and may
    be wanted again. A comment sent in one run is thus looked for in the next before it may be created anew.
    Raises StoreError."""
    counts = dict.fromkeys(JournalState, 0)
    suspended: dict[str, str] = {}
    left = 0
    for entries in _by_uid(store.unsettled()):
        target = entries[0].target
        connector = connector_of(target)
        tracker = trackers.get(connector)
        if tracker is None or connector in suspended:
            left += len(entries)
            continue
        try:
            outcomes = _outcomes(tracker, entries, items_by_uid)
        except SourceFailed as error:
            suspended[connector] = str(error)
            left += len(entries)
            continue
        except TrackerError:
            left += len(entries)
            continue
        for entry, (found, comment_id) in zip(entries, outcomes, strict=True):
            state = JournalState.CONFIRMED if found else JournalState.FAILED
            counts[state] += 1
            detail = "seen by a later run" if found else "not there when a later run looked"
            store.settle(entry.seq, state, at=clock(), comment_id=comment_id, detail=detail)
            if found and entry.op == Op.ADD_LABEL:
                store.note_labels(entry.uid, added=[entry.value], removed=[])
            elif found and entry.op == Op.REMOVE_LABEL:
                store.note_labels(entry.uid, added=[], removed=[entry.value])
    return Recovered(
        confirmed=counts[JournalState.CONFIRMED],
        failed=counts[JournalState.FAILED],
        left=left,
        suspended=suspended,
    )


def _by_uid(entries: Sequence[JournalEntry]) -> list[list[JournalEntry]]:
    groups: dict[str, list[JournalEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.uid, []).append(entry)
    return list(groups.values())


def _outcomes(
    tracker: Tracker, entries: Sequence[JournalEntry], items: Mapping[str, WorkItem]
) -> list[tuple[bool, str | None]]:
    first = entries[0]
    if first.op == Op.CREATE_LABEL:
        have = {label.casefold() for label in tracker.container_labels(first.target.partition(":")[2]) or ()}
        return [(entry.value.casefold() in have, None) for entry in entries]
    gone: list[tuple[bool, str | None]] = [(False, None)] * len(entries)
    try:
        item = find_item(first.target, first.uid, items, tracker)
        if item is None:
            return gone
        comments = any(entry.op in (Op.CREATE_COMMENT, Op.UPDATE_COMMENT) for entry in entries)
        look = tracker.look(item, comments=comments)
    except NotFound:
        return gone
    if look.item.uid != first.uid:
        return gone
    return [seen(entry.op, entry.value, entry.content_hash, look) for entry in entries]
