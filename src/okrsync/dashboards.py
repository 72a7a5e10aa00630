"""The dashboard issue of a run: what is known of it, and the look at it before its text is replaced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from datetime import datetime

from msgspec import structs

from . import findings as rules
from . import writeback
from .bootstrap import Session
from .domain.changes import Gate, Plan, Posted
from .domain.links import Alignment
from .domain.trackers import NotFound, TrackerError
from .judging import Judged
from .logs import get_logger
from .planning import dashboard

log = get_logger()

_SETTING = "dashboard"  # meta: the place as the last writing run had it, and since when
_CLOSED = "dashboard closed"  # meta: place and ref of our issue as last seen closed
_UNSUPPORTED = {"okr201", "unsupported-key-result"}


def with_dashboard(
    session: Session, judged: Judged, plan: Plan, gate: Gate, refused: Set[tuple[str, str]], *, online: bool
) -> Plan:
    """The plan with what is to be done to the dashboard issue. `refused`: where the server refused us of late. Online
    our issue is looked at where its text would be replaced: people may have closed or deleted it."""
    place = _place(session)
    known = {at: one for at, one in _posted(session).items() if session.workspace.connector(at.partition(":")[0])}
    if place is None:
        return dashboard.without_setting(plan, known)
    board = _board(session, judged, place, known, refused, online=online)
    ref = dashboard.wants_look(plan, gate, board)
    if online and ref is not None and judged.view.complete:
        _look(session, place, ref)
        board = structs.replace(
            board, posted=_posted(session), closed=_closed(session, place), dismissed=_dismissed(session, place)
        )
    return dashboard.decide(plan, gate, board)


def recover(session: Session) -> None:
    """At the start of a run that writes: since when the setting stands, and a dashboard that the journal lost."""
    place = _place(session)
    if (session.store.get_meta(_SETTING) or "").partition(" ")[0] != (place or ""):
        session.store.set_meta(_SETTING, f"{place or ''} {session.clock().isoformat()}")
    if place is None or any(entry.target == place for entry in session.store.dashboard_entries()):
        return
    run = f"{session.clock():%Y%m%dT%H%M%S%f}Z"
    if writeback.adopt_dashboard(
        store=session.store, trackers=session.trackers(), place=place, clock=session.clock, run=run
    ):
        log.warning("the journal did not know the dashboard issue; it was taken into it", place=place)


def _place(session: Session) -> str | None:
    setting = session.workspace.settings.writeback.dashboard
    return setting.strip() if setting else None


def _posted(session: Session) -> dict[str, Posted]:
    return dashboard.posted(session.store.dashboard_entries(), session.store.dismissals())


def _board(
    session: Session,
    judged: Judged,
    place: str,
    known: dict[str, Posted],
    refused: Set[tuple[str, str]],
    *,
    online: bool,
) -> dashboard.Board:
    ignored = {rule.casefold() for rule in session.workspace.settings.rules.ignore}
    unsupported = [f for f in judged.findings if f.code == "OKR201"]
    return dashboard.Board(
        place=place,
        public=_public(session, place, online=online),
        unsupported=None if _UNSUPPORTED & ignored else unsupported,
        teams=_teams(judged),
        posted=known,
        closed=_closed(session, place),
        dismissed=_dismissed(session, place),
        refused=_refused(session, place, refused),
        complete=judged.view.complete,
    )


def _teams(judged: Judged) -> dict[str, int]:
    """Roots of open unlinked work by team; where no team is known, by project or repository."""
    view = judged.view
    counts: Counter[str] = Counter()
    for id_, root in rules.roots(view).items():
        verdict, item = view.verdicts[id_], view.items[id_].item
        if id_ == root and verdict.alignment is Alignment.UNLINKED:
            counts[verdict.team or item.team or item.container] += 1
    return dict(counts)


def _public(session: Session, place: str, *, online: bool) -> bool:
    """Whether strangers may read there; taken for so until the server has said otherwise."""
    key = f"dashboard public:{place}"
    if online:
        connector, _, container = place.partition(":")
        try:
            session.store.set_meta(key, "no" if not session.trackers()[connector].is_public(container) else "yes")
        except TrackerError as problem:
            log.warning("the dashboard's place cannot be read", place=place, error=str(problem))
            session.store.set_meta(key, "yes")
    return session.store.get_meta(key) != "no"


def _look(session: Session, place: str, ref: str) -> None:
    connector, _, container = place.partition(":")
    try:
        found = session.trackers()[connector].find_dashboard(container, ref)
    except NotFound:
        session.store.dismiss(writeback.dashboard_dismissal(place, session.clock()))
        log.warning("the dashboard issue was deleted; it is not created again", place=place)
    except TrackerError as problem:
        log.warning("the dashboard issue cannot be read", place=place, error=str(problem))
    else:
        closed = found is not None and not found.open
        if closed:
            log.warning("the dashboard issue is closed and left alone", place=place)
        session.store.set_meta(_CLOSED, f"{place} {ref}" if closed else "")


def _closed(session: Session, place: str) -> str:
    there, _, ref = (session.store.get_meta(_CLOSED) or "").rpartition(" ")
    return ref if there == place else ""


def _dismissed(session: Session, place: str) -> bool:
    """A dismissal holds for as long as the setting names that place."""
    found = session.store.dismissals().get((dashboard.uid_of(place), dashboard.WHAT))
    there, _, since = (session.store.get_meta(_SETTING) or "").partition(" ")
    return found is not None and there == place and found.at >= datetime.fromisoformat(since)


def _refused(session: Session, place: str, refused: Set[tuple[str, str]]) -> str:
    settings = session.workspace.connector(place.partition(":")[0])
    if settings is not None and settings.write is False:
        return "the connector's `write` is false"
    if not refused.isdisjoint({(place, "issues"), (dashboard.uid_of(place), "issues")}):
        return "the server refuses issues there"
    return ""
