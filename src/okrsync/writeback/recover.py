"""Settles what an earlier run left open, by looking: the first step of every run that writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec import Struct

from ..domain.changes import DASHBOARD_OPS, JournalEntry, JournalState, Op
from ..domain.storage import Store
from ..domain.trackers import Clock, Fetched, Forbidden, Look, NotFound, SourceFailed, Tracker, TrackerError
from ..domain.work import WorkItem
from .dashboard import outcomes as dashboard_outcomes
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
    settled: dict[tuple[bool, str | None], list[JournalEntry]] = defaultdict(list)
    unsettled = _by_uid(store.unsettled())
    readings = _read_together(unsettled, trackers, suspended)
    for entries in unsettled:
        target = entries[0].target
        connector = connector_of(target)
        tracker = trackers.get(connector)
        if tracker is None or connector in suspended:
            left += len(entries)
            continue
        try:
            known = readings.get(connector)
            if known is not None and _only_labels(entries):
                outcomes = _fetched(known, entries)
            elif entries[0].op in DASHBOARD_OPS:
                outcomes = dashboard_outcomes(tracker, entries, clock())
            else:
                outcomes = _outcomes(tracker, entries, items_by_uid)
        except SourceFailed as error:
            suspended[connector] = str(error)
            left += len(entries)
            continue
        except TrackerError:
            left += len(entries)
            continue
        for entry, (found, comment_id) in zip(entries, outcomes, strict=True):
            settled[found, comment_id].append(entry)
    for (found, comment_id), entries in settled.items():
        _settle(store, entries, comment_id, clock, found=found)
        counts[JournalState.CONFIRMED if found else JournalState.FAILED] += len(entries)
    return Recovered(
        confirmed=counts[JournalState.CONFIRMED],
        failed=counts[JournalState.FAILED],
        left=left,
        suspended=suspended,
    )


def _settle(
    store: Store, entries: Sequence[JournalEntry], comment_id: str | None, clock: Clock, *, found: bool
) -> None:
    state = JournalState.CONFIRMED if found else JournalState.FAILED
    detail = "seen by a later run" if found else "not there when a later run looked"
    if comment_id is not None:
        for entry in entries:
            store.settle(entry.seq, state, at=clock(), comment_id=comment_id, detail=detail)
        return
    store.settle_all([entry.seq for entry in entries], state, at=clock(), detail=detail)
    if found:
        noted: dict[str, tuple[list[str], list[str]]] = {}
        for entry in entries:
            added, removed = noted.setdefault(entry.uid, ([], []))
            if entry.op == Op.ADD_LABEL:
                added.append(entry.value)
            elif entry.op == Op.REMOVE_LABEL:
                removed.append(entry.value)
        store.note_all_labels(noted)


def _by_uid(entries: Sequence[JournalEntry]) -> list[list[JournalEntry]]:
    groups: dict[str, list[JournalEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.uid, []).append(entry)
    return list(groups.values())


def _only_labels(entries: Sequence[JournalEntry]) -> bool:
    return all(entry.op in (Op.ADD_LABEL, Op.REMOVE_LABEL) for entry in entries)


def _read_together(
    unsettled: Sequence[Sequence[JournalEntry]], trackers: Mapping[str, Tracker], suspended: dict[str, str]
) -> dict[str, Fetched]:
    """By connector: a batch of labels leaves many entries, for which one look each would take too long."""
    wanted: dict[str, dict[str, None]] = {}
    for entries in unsettled:
        target = entries[0].target
        if _only_labels(entries) and connector_of(target) in trackers:
            wanted.setdefault(connector_of(target), {})[target] = None
    readings: dict[str, Fetched] = {}
    for name, targets in wanted.items():
        if len(targets) > 1:
            try:
                readings[name] = trackers[name].fetch(list(targets))
            except SourceFailed as error:
                suspended[name] = str(error)
            except TrackerError:
                continue  # then each is looked at
    return readings


def _fetched(known: Fetched, entries: Sequence[JournalEntry]) -> list[tuple[bool, str | None]]:
    """Raises Forbidden where nothing can be told."""
    target, uid = entries[0].target, entries[0].uid
    found = known.items.get(target) or known.items.get(known.moved.get(target, ""))
    if found is None and target not in known.missing:
        raise Forbidden(f"{target} may not be read")
    if found is None or found.uid != uid:
        return [(False, None)] * len(entries)
    return [seen(entry.op, entry.value, "", Look(item=found)) for entry in entries]


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
