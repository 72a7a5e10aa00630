"""Following references out of what is pulled (DESIGN section 5, "Chasing")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import structs

from . import linking
from .bootstrap import Session
from .domain.goals import Initiative
from .domain.settings import JiraSettings
from .domain.trackers import Fetched, Tracker, TrackerError
from .domain.work import WorkItem

# A key sweep finds deleted, moved and transferred items, and asks again for ids that could not be reached; once a day
# is often enough and cheap.
SWEEP_EVERY = timedelta(days=1)
_LINKS = frozenset(("id", "connector", "remote_links"))


def chase(
    session: Session,
    trackers: Mapping[str, Tracker],
    projects: Mapping[str, str],
    failed: dict[str, str],
    *,
    begun: datetime,
) -> int:
    """Follows references and pins until none is left. Chased items lie outside what is pulled, so they are read again
    in each run; ids that could not be reached are asked for again with the daily sweep. A server that deletes a parent
    does not touch its children: what was read before this run has `begun` and names a missing item is read again."""
    store = session.store
    asked = set() if _due(session, "unreachable_asked_at", SWEEP_EVERY) else set(store.unreachable())
    count = 0
    targets = _pinned(session).union(store.targets())
    while True:
        aliases = store.aliases()
        known = store.counted_among(targets.union(aliases[target] for target in targets if target in aliases))
        wanted = linking.dangling(targets, known=known, aliases=aliases, connectors=frozenset(trackers), skip=asked)
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
            fresh = as_read(session, answer, projects)
            store.save_chased(fresh, read_at=session.clock(), moved=answer.moved)
            naming = linking.naming(store.items(), answer.missing, before=begun) if answer.missing else ()
            again = _read_again(session, trackers, projects, failed, naming)
            # what could not be read again is asked for once more in the next run
            missing = answer.missing if len(again) == len(naming) else ()
            store.save_unreachable(missing=missing, forbidden=answer.forbidden, found=list(answer.items))
            count += len(fresh)
            targets.update(r.target for item in (*fresh, *again) for r in item.references)
        if not targets:
            return count


def as_read(session: Session, answer: Fetched, projects: Mapping[str, str]) -> list[WorkItem]:
    """What was read directly, as it is stored: with the references in its text, and with the remote links that are
    held. Only a pull asks for these; one that changed comes with the next."""
    items = {asked: linking.read_text(item, projects) for asked, item in answer.items.items()}
    linked = [c.name for c in session.workspace.connectors if isinstance(c, JiraSettings) and c.remote_links]
    ids = {id_ for asked, item in items.items() if item.connector in linked for id_ in (asked, item.id)}
    if not ids:
        return list(items.values())
    with session.store.look(linked) as look:
        held = {item.id: item.remote_links for item in look.some(ids, _LINKS)}
    return [
        structs.replace(item, remote_links=links) if (links := held.get(item.id) or held.get(asked)) else item
        for asked, item in items.items()
    ]


def _pinned(session: Session) -> set[str]:
    """What initiatives pin by hand: an item may have been renamed or moved since it was written down, or lie outside of
    what is pulled, where others may point at it."""
    values = (node.value for node in session.goals.current("initiative"))
    return {id_ for value in values if isinstance(value, Initiative) for id_ in value.work}


def _read_again(
    session: Session,
    trackers: Mapping[str, Tracker],
    projects: Mapping[str, str],
    failed: Mapping[str, str],
    ids: Sequence[str],
) -> list[WorkItem]:
    """Those of the held items that could be read again."""
    again: list[WorkItem] = []
    for name, tracker in trackers.items():
        mine = [id_ for id_ in ids if id_.partition(":")[0] == name]
        if not mine or name in failed:
            continue
        try:
            answer = tracker.fetch(mine)
        except TrackerError:
            continue
        again += as_read(session, answer, projects)
    session.store.refresh(again, read_at=session.clock())
    return again


def _due(session: Session, key: str, every: timedelta) -> bool:
    """Whether something periodic is due; remembers the time when it is."""
    last = session.store.get_meta(key)
    if last is not None and session.clock() - datetime.fromisoformat(last) < every:
        return False
    session.store.set_meta(key, session.clock().isoformat())
    return True
