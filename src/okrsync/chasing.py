"""Following references out of what is pulled (DESIGN section 5, "Chasing")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from . import linking
from .bootstrap import Session
from .domain.trackers import Tracker, TrackerError

# A key sweep finds deleted, moved and transferred items, and asks again for ids that could not be reached; once a day
# is often enough and cheap.
SWEEP_EVERY = timedelta(days=1)


def chase(
    session: Session, trackers: Mapping[str, Tracker], projects: Mapping[str, str], failed: dict[str, str]
) -> int:
    """Follows references until none is left. Chased items lie outside what is pulled, so they are read again in
    each run; ids that could not be reached are asked for again with the daily sweep."""
    store = session.store
    asked = set() if _due(session, "unreachable_asked_at", SWEEP_EVERY) else set(store.unreachable())
    count = 0
    known: set[str] = set()
    targets: set[str] = set()
    for held in store.held():
        if not held.chased:
            known.add(held.id)
        targets.update(held.targets)
    while True:
        wanted = linking.dangling(
            targets, known=known, aliases=store.aliases(), connectors=frozenset(trackers), skip=asked
        )
        targets = set()
        by_source: dict[str, list[str]] = {}
        for id_ in wanted:
            by_source.setdefault(id_.partition(":")[0], []).append(id_)
        asked.update(wanted)
        session.check_stop()
        for name, ids in by_source.items():
            tracker = trackers.get(name)
            if tracker is None or name in failed:
                continue
            try:
                answer = tracker.fetch(ids)
            except TrackerError as problem:
                failed[name] = f"references could not be followed: {problem}"
                continue
            fresh = [linking.read_text(item, projects) for item in answer.items.values()]
            store.save_chased(fresh, read_at=session.clock(), moved=answer.moved)
            store.save_unreachable(missing=answer.missing, forbidden=answer.forbidden, found=list(answer.items))
            count += len(fresh)
            targets.update(r.target for item in fresh for r in item.references)
        if not targets:
            return count


def _due(session: Session, key: str, every: timedelta) -> bool:
    """Whether something periodic is due; remembers the time when it is."""
    last = session.store.get_meta(key)
    if last is not None and session.clock() - datetime.fromisoformat(last) < every:
        return False
    session.store.set_meta(key, session.clock().isoformat())
    return True
