"""The story of one run: pull, link, find, plan, write, record, report.

Read `sync` from top to bottom; every step is a function of another room.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Set
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct, structs

from . import comparing, dashboards, planning, reading, reports, writeback
from .bootstrap import Session
from .domain.changes import Applied, Change, Gate, Op, Plan
from .domain.exits import exit_code
from .domain.findings import KrValue, Summary, View
from .domain.goals import KeyResult
from .domain.settings import GitHubSettings
from .domain.storage import RunRecord
from .domain.trackers import TrackerError
from .domain.work import WorkItem
from .judging import Judged, judge, suggestions
from .logs import get_logger
from .reading import Progress, Pulled

log = get_logger()

REFUSED_FOR = timedelta(days=1)
"""A place where we may not write is not tried again for so long."""

HISTORY = 40_000
"""Runs that the trend looks back on: about a year at the default schedule; the report thins them to a run a day."""


class SyncResult(Struct, kw_only=True):
    judged: Judged
    pulled: Pulled | None
    plan: Plan
    gate: Gate | None
    applied: Applied | None
    reports: tuple[Path, ...]
    exit: int

    def json(self) -> dict[str, object]:
        return {
            "run": self.judged.run_json,
            "summary": structs.asdict(self.judged.summary),
            "pulled": self.pulled.json() if self.pulled else None,
            "plan": {"checksum": self.plan.checksum, "counts": self.plan.counts},
            "applied": self.applied.json() if self.applied else None,
            "gate": {"refused": self.gate.refused, "cut": self.gate.cut, "pending": self.gate.pending}
            if self.gate
            else None,
            "reports": [str(p) for p in self.reports],
            "exit": self.exit,
        }


def sync(
    session: Session,
    *,
    full: bool = False,
    accept_shrink: bool = False,
    approve: str | None = None,
    wait: float = 0.0,
    progress: Progress | None = None,
) -> SyncResult:
    """One whole cycle under the lease. Raises LeaseHeld (exit 4), StoreError (exit 1), and Stopped where the session
    was asked to stop."""
    with session.store.lease(wait=wait) as alive:
        pulled = reading.pull(session, full=full, accept_shrink=accept_shrink, progress=progress)
        enabled = session.workspace.settings.writeback.enabled
        suspended = recover(session) if enabled else {}
        judged, plan = plan_run(session, online=True, adopting=enabled)
        approve_plan(session, approve)
        plan = with_dashboard(session, judged, plan, online=not pulled.nothing_read)
        gate, applied = None, None
        if enabled and not pulled.nothing_read:
            gate = gate_for(session, judged, plan)
            applied = write(session, judged, gate, alive, suspended)
        return finish(session, judged, plan, pulled=pulled, gate=gate, applied=applied)


def apply(session: Session, *, approve: str | None = None, wait: float = 60.0) -> SyncResult:
    """Makes the changes that what the store holds asks for; reads only what writing needs."""
    with session.store.lease(wait=wait) as alive:
        suspended = recover(session)
        judged, plan = plan_run(session, online=True, stored=True, adopting=True)
        approve_plan(session, approve)
        plan = with_dashboard(session, judged, plan, online=True)
        gate = gate_for(session, judged, plan)
        applied = write(session, judged, gate, alive, suspended)
        return finish(session, judged, plan, pulled=None, gate=gate, applied=applied)


# --- planning -------------------------------------------------------------------------------------------------


def plan_run(session: Session, *, online: bool, stored: bool = False, adopting: bool = False) -> tuple[Judged, Plan]:
    """Judges, plans and stores the plan. Online, two things are looked at before the plan stands: items from
    which a person seems to have removed our label (a search index may lag), and the label definitions of
    repositories that seem to lack one. Where nothing was pulled before (`stored`), all items to be written to are
    looked at: since the last pull people may have closed them, moved them or tied them to a goal. `adopting`: so are,
    once, items whose labels seem to be ours while the journal does not know them."""
    judged = judge(session)
    plan = make_plan(session, judged)
    if online:
        suspects = {d.uid for d in plan.dismissals}
        if stored:
            suspects |= {c.uid for c in plan.changes if c.op is not Op.CREATE_LABEL}
        lacking = {c.target for c in plan.changes if c.op is Op.CREATE_LABEL}
        if suspects:
            ids = [judged.everything[uid].id for uid in suspects if uid in judged.everything]
            reading.direct(session, ids, at=session.clock())
        for place in sorted(lacking):
            refresh_definitions(session, place)
        if suspects or lacking:
            session.check_stop()  # a reading that was cut off concludes nothing
            judged = judge(session)
            plan = make_plan(session, judged)
    if adopting and plan.unclaimed and adopt_unclaimed(session, judged, plan):
        plan = make_plan(session, judged)
    session.store.save_plan(plan, run=judged.run, at=session.clock())
    return judged, plan


def make_plan(session: Session, judged: Judged) -> Plan:
    """The plan for the judged state; pure but for what it gathers from the store."""
    store = session.store
    now = session.clock()
    enabled = store.get_meta("writeback_enabled_at")
    refused = refusals(session)
    return planning.plan(
        judged.view,
        judged.findings,
        planning.Inputs(
            settings=session.workspace.settings.writeback,
            owned=store.owned(),
            dismissals=store.dismissals(),
            writable=lambda item: writable(session, item, refused),
            container_labels=definitions(session, judged.view),
            silent=frozenset(place for place, family in refused if family == "comments"),
            deaf=frozenset(c.name for c in session.workspace.connectors if c.commands is False),
            enabled_at=datetime.fromisoformat(enabled) if enabled else None,
            suggest=suggestions(judged),
            comments_today=store.comments_created(now - timedelta(days=1)),
        ),
    )


def with_dashboard(session: Session, judged: Judged, plan: Plan, *, online: bool) -> Plan:
    """The plan with the dashboard issue, which says what the gate holds back of the rest."""
    return dashboards.with_dashboard(
        session, judged, plan, gate_for(session, judged, plan), refusals(session), online=online
    )


def writable(session: Session, item: WorkItem, refused: Set[tuple[str, str]]) -> bool:
    """By the configuration, and by what the server refused of late; other permissions show when writing."""
    settings = session.workspace.connector(item.connector)
    place = f"{item.connector}:{item.container}"
    shut = not refused.isdisjoint({(place, "labels"), (place, "definitions"), (item.uid, "labels")})
    return settings is not None and settings.may_write(item.container) and not item.archived and not shut


def refusals(session: Session) -> set[tuple[str, str]]:
    """Where the server refused us within the last day: (`<connector>:<container>` or an item's uid, family). After that
    it is asked again, since somebody may have granted the permission."""
    known: dict[str, str] = json.loads(session.store.get_meta("refused") or "{}")
    now = session.clock()
    fresh = (key for key, at in known.items() if now - datetime.fromisoformat(at) < REFUSED_FOR)
    return {(key.rpartition(" ")[0], key.rpartition(" ")[2]) for key in fresh}


def remember_refusals(session: Session, applied: Applied) -> None:
    if applied.refused:
        known: dict[str, str] = json.loads(session.store.get_meta("refused") or "{}")
        known |= {f"{place} {family}": session.clock().isoformat() for place, family, _ in applied.refused}
        session.store.set_meta("refused", json.dumps(known))
        for place, family, why in applied.refused:
            log.warning("left alone for a day: the server refuses writing", place=place, what=family, why=why)


def definitions(session: Session, view: View) -> dict[str, frozenset[str] | None]:
    """Label definitions last seen, by `<connector>:<container>`; None where labels need none (Jira)."""
    known: dict[str, frozenset[str] | None] = {}
    for stored in view.items.values():
        place = f"{stored.item.connector}:{stored.item.container}"
        if place not in known:
            if isinstance(session.workspace.connector(stored.item.connector), GitHubSettings):
                known[place] = frozenset(json.loads(session.store.get_meta(f"labels:{place}") or "[]"))
            else:
                known[place] = None
    return known


def refresh_definitions(session: Session, place: str) -> None:
    name, _, container = place.partition(":")
    try:
        labels = session.trackers()[name].container_labels(container)
    except TrackerError as problem:
        log.warning("label definitions not read", container=place, error=str(problem))
        return
    if labels is not None:
        session.store.set_meta(f"labels:{place}", json.dumps(sorted(labels)))


# --- writing --------------------------------------------------------------------------------------------------


def recover(session: Session) -> Mapping[str, str]:
    """First of all, what an earlier run left open is looked at and settled. Returns the connectors that failed
    meanwhile, and why: nothing is to be written to them."""
    remember_enabled(session)
    adopt_ours(session)
    dashboards.recover(session)
    if not session.store.unsettled():
        return {}
    items = {s.item.uid: s.item for s in session.store.items()}
    return writeback.recover(
        store=session.store, trackers=session.trackers(), items_by_uid=items, clock=session.clock
    ).suspended


def adopt_ours(session: Session) -> None:
    """An empty journal where items bear our labels was lost, with the database; what is ours is searched for, once."""
    writeback_settings = session.workspace.settings.writeback
    could_be_ours = planning.Labels(writeback_settings, session.goals).could_be_ours
    if session.store.journal():
        return
    held = (s.item for s in session.store.items() if s.item.open)
    if not any(could_be_ours(label, item.container) for item in held for label in item.labels):
        return
    now = session.clock()
    count = writeback.adopt(
        store=session.store,
        trackers=session.trackers(),
        prefix=writeback_settings.label_prefix,
        could_be_ours=could_be_ours,
        clock=session.clock,
        run=f"{now:%Y%m%dT%H%M%S%f}Z",
    )
    if count:
        log.warning("the journal was empty; labels and comments of an earlier life were taken into it", count=count)


def adopt_unclaimed(session: Session, judged: Judged, plan: Plan) -> int:
    return writeback.adopt_unclaimed(
        [judged.everything[uid] for uid in plan.unclaimed],
        store=session.store,
        trackers=session.trackers(),
        could_be_ours=planning.Labels(session.workspace.settings.writeback, session.goals).could_be_ours,
        clock=session.clock,
        run=judged.run,
    )


def remember_enabled(session: Session) -> None:
    """Comments spare items that nobody touched since this moment (`comments.backlog: false`)."""
    if session.store.get_meta("writeback_enabled_at") is None:
        session.store.set_meta("writeback_enabled_at", session.clock().isoformat())


def approve_plan(session: Session, checksum: str | None) -> None:
    """`--approve` and OKRSYNC_APPROVE. A checksum that no stored plan bears lets nothing through, and is said."""
    if checksum:
        try:
            session.store.approve(checksum, at=session.clock())
        except KeyError:
            log.warning("no stored plan has this checksum; nothing is approved by it", checksum=checksum)


def gate_for(session: Session, judged: Judged, plan: Plan) -> Gate:
    refused = refusals(session)
    known_open = planning.known_open(judged.view, lambda item: writable(session, item, refused))
    return planning.gate(plan, session.store.approved(), session.workspace.settings.writeback.limits, known_open)


def write(
    session: Session, judged: Judged, gate: Gate, alive: Callable[[], bool], suspended: Mapping[str, str]
) -> Applied:
    """Makes what the gate allows, while the lease is held. Raises Stopped once what is under way is settled."""
    applied = writeback.apply(
        gate.allowed,
        items=judged.everything,
        trackers=session.trackers(),
        store=session.store,
        clock=session.clock,
        run=judged.run,
        alive=lambda: alive() and not session.stopping(),
        suspended=suspended,
    )
    remember_definitions(session, applied.done)
    remember_refusals(session, applied)
    session.check_stop()
    return structs.replace(applied, pending=applied.pending + gate.pending)


def remember_definitions(session: Session, done: Iterable[Change]) -> None:
    for change in done:
        if change.op is Op.CREATE_LABEL:
            key = f"labels:{change.target}"
            known = set(json.loads(session.store.get_meta(key) or "[]"))
            session.store.set_meta(key, json.dumps(sorted(known | {change.value})))


def forget_definitions(session: Session, places: Iterable[str]) -> None:
    """After definitions were deleted: the next plan asks what there is."""
    for place in places:
        session.store.set_meta(f"labels:{place}", "[]")


def remember_gate(session: Session, plan: Plan, gate: Gate | None) -> None:
    """For `status`: the plan that waits for an approval, if one does."""
    waits = {"checksum": plan.checksum, "changes": len(plan.changes)} if gate is not None and gate.refused else None
    session.store.set_meta("refused plan", json.dumps(waits))


# --- the end of a run -----------------------------------------------------------------------------------------


def finish(
    session: Session,
    judged: Judged,
    plan: Plan,
    *,
    pulled: Pulled | None,
    gate: Gate | None,
    applied: Applied | None,
) -> SyncResult:
    """Writes history and reports, and says how it ended."""
    remember_gate(session, plan, gate)
    cycle = judged.view.goals.cycle
    record = RunRecord(
        id=judged.run,
        at=judged.at,
        cycle=cycle.id if cycle else None,
        complete=judged.view.complete,
        summary=judged.summary,
        sources=judged.view.sources,
        checksum=plan.checksum,
        applied=applied.json() if applied else None,
        in_progress=Summary.in_progress(judged.view),
    )
    session.store.record_run(record, judged.findings, kr_values(judged), comparing.snapshot(session, judged))
    since = session.store.since()
    judged.findings = tuple(structs.replace(f, since=since.get(f.key)) for f in judged.findings)
    code = exit_code(judged.view.sources, loud=bool(pulled and pulled.loud), gate=gate, applied=applied)
    return SyncResult(
        judged=judged,
        pulled=pulled,
        plan=plan,
        gate=gate,
        applied=applied,
        reports=write_reports(session, judged),
        exit=code,
    )


def kr_values(judged: Judged) -> list[KrValue]:
    """What each current key result stands at, for the trends."""
    values = []
    for node in judged.view.goals.current("key_result"):
        kr = node.value
        assert isinstance(kr, KeyResult)
        cycle = node.cycle.id if node.cycle else ""
        values.append(KrValue(run=judged.run, kr=node.id, cycle=cycle, current=kr.current, as_of=kr.as_of))
    return values


def report_for(session: Session, judged: Judged) -> reports.Report:
    """The view model all report formats are rendered from."""
    return reports.build(
        judged.view,
        judged.findings,
        run=reports.RunInfo(id=judged.run, at=judged.at),
        history=session.store.runs(limit=HISTORY),
        moves=comparing.moves(session, judged),
        settings=session.workspace.settings.reports,
        suggest=suggestions(judged),
    )


def write_reports(session: Session, judged: Judged) -> tuple[Path, ...]:
    settings = session.workspace.settings.reports
    folder = reports_dir(session)
    return tuple(reports.write(report_for(session, judged), folder, settings.formats))


def reports_dir(session: Session) -> Path:
    """Relative: under OKRSYNC_STATE, else the workspace."""
    base = session.env.get("OKRSYNC_STATE")
    return (Path(base) if base else session.workspace.root) / session.workspace.settings.reports.dir
