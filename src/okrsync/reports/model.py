"""The view model: everything a report shows, as frozen values. Renderers only lay it out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from okrsync.domain.findings import Finding, SourceReport, Summary, View
from okrsync.domain.goals import Cycle
from okrsync.domain.links import Alignment, Suggestion
from okrsync.domain.settings import ReportSettings
from okrsync.domain.storage import RunRecord
from okrsync.domain.work import WorkItem
from okrsync.findings import doubt, in_gap, roots

from .effort import Effort, efforts
from .moves import Move
from .text import plain
from .tree import BetRow, InitiativeRow, ObjectiveRow, goal_tree
from .withheld import BACKLOG, PROGRESS, withheld_because
from .work import ExemptRow, TeamRow, UnreadRow, WorkRow, exempt_rows, suggested, team_rows, unread_rows, work_rows

RESTRICTED = "(restricted)"
# A year: long enough to compare a quarter with the same one a year ago.
DAYS = 366
# Until runs of two days are recorded the trend shows single runs: a day's worth at the default schedule.
RECENT = 96


class RunInfo(Struct, frozen=True, kw_only=True):
    """Which run a report speaks of."""

    id: str
    at: datetime


class TrendPoint(Struct, frozen=True, kw_only=True):
    """The alignment rate of work in progress in one run; None where it was withheld, there was nothing to judge, or
    a version recorded the run that did not tell work in progress apart. `summary` is over all open work."""

    run: str
    at: datetime
    cycle: str | None
    complete: bool
    summary: Summary
    in_progress: Summary | None
    rate: float | None


class Report(Struct, frozen=True, kw_only=True):
    """One run, ready to be laid out.

    summary   over all open work; in_progress and backlog over its two parts
    rate      the alignment rate of work in progress, None where it is withheld
    withheld  why it is, as a sentence; empty otherwise; backlog_rate and backlog_withheld the same of the backlog
    moves     why the rate moved since the last run and since last week
    doubt     why missing support is not claimed (see `findings.doubt`); empty otherwise
    awaiting  open items that count as linked only by `cycles.grace`
    loose     objectives that hang on no bet
    teams     open unlinked work by team and root
    unread    open work that could not be judged, by reason
    history   the last run of each of the last `DAYS` UTC days, oldest first; this run is the last
    recent    the last `RECENT` runs one by one, likewise
    """

    run: RunInfo
    cycle: Cycle | None
    gap: bool
    complete: bool
    sources: tuple[SourceReport, ...]
    summary: Summary
    in_progress: Summary
    backlog: Summary
    rate: float | None
    withheld: str
    backlog_rate: float | None
    backlog_withheld: str
    moves: tuple[Move, ...]
    doubt: str
    awaiting: int
    bets: tuple[BetRow, ...]
    loose: tuple[ObjectiveRow, ...]
    initiatives: tuple[InitiativeRow, ...]
    teams: tuple[TeamRow, ...]
    efforts: tuple[Effort, ...]
    exempt: tuple[ExemptRow, ...]
    unread: tuple[UnreadRow, ...]
    findings: tuple[Finding, ...]
    history: tuple[TrendPoint, ...]
    recent: tuple[TrendPoint, ...]
    work: tuple[WorkRow, ...]


def build(
    view: View,
    findings: Sequence[Finding],
    *,
    run: RunInfo,
    settings: ReportSettings,
    history: Sequence[RunRecord] = (),
    moves: Sequence[Move] = (),
    suggest: Callable[[WorkItem], Sequence[Suggestion]] = lambda _: (),
) -> Report:
    """The report of one run. `history` holds recorded runs in any order, with or without this one; give all of
    the last year, it is thinned to one run a day.

    Titles of restricted items and names of assignees are left out here, not in the renderers, unless the
    settings ask for them.
    """
    summary = Summary.of(view)
    top = roots(view)
    work = work_rows(view, top, people=settings.people, restricted=settings.restricted, hidden=RESTRICTED)
    bets, loose, initiatives = goal_tree(view)
    in_progress, backlog = Summary.in_progress(view), Summary.backlog(view)
    withheld, backlog_withheld = withheld_because(in_progress, PROGRESS), withheld_because(backlog, BACKLOG)
    points = _points(history, run, view, summary, in_progress)
    open_verdicts = [view.verdicts[r.id] for r in work if r.open]
    return Report(
        run=run,
        cycle=view.goals.cycle,
        gap=in_gap(view.goals),
        complete=view.complete,
        sources=view.sources,
        summary=summary,
        in_progress=in_progress,
        backlog=backlog,
        rate=None if withheld else in_progress.alignment_rate,
        withheld=withheld,
        backlog_rate=None if backlog_withheld else backlog.alignment_rate,
        backlog_withheld=backlog_withheld,
        moves=tuple(moves),
        doubt=doubt(view),
        awaiting=sum(v.alignment is Alignment.LINKED and v.awaiting_renewal for v in open_verdicts),
        bets=bets,
        loose=loose,
        initiatives=initiatives,
        teams=suggested(team_rows(work), view, suggest),
        efforts=efforts(view),
        exempt=exempt_rows(work),
        unread=unread_rows(view),
        findings=shown_findings(view, findings, restricted=settings.restricted),
        history=_daily(points),
        recent=points[-RECENT:],
        work=work,
    )


def shown_findings(view: View, findings: Sequence[Finding], *, restricted: bool) -> tuple[Finding, ...]:
    """Findings with titles fit to be shown; those of restricted items only where the settings ask for them."""

    def title(finding: Finding) -> str:
        item = view.item(finding.subject.id)
        if item is not None and item.restricted and not restricted:
            return RESTRICTED
        return plain(finding.subject.title)

    return tuple(replace(f, subject=replace(f.subject, title=title(f))) for f in findings)


def _points(
    history: Sequence[RunRecord], run: RunInfo, view: View, summary: Summary, in_progress: Summary
) -> tuple[TrendPoint, ...]:
    """All runs, oldest first; this one, recorded already or not, is the last."""

    def point(
        id_: str, at: datetime, cycle: str | None, complete: bool, of: Summary, started: Summary | None
    ) -> TrendPoint:
        rate = None if started is None or withheld_because(started, PROGRESS) else started.alignment_rate
        return TrendPoint(run=id_, at=at, cycle=cycle, complete=complete, summary=of, in_progress=started, rate=rate)

    points = {r.id: point(r.id, r.at, r.cycle, r.complete, r.summary, r.in_progress) for r in history}
    cycle = view.goals.cycle
    points[run.id] = point(run.id, run.at, cycle.id if cycle else None, view.complete, summary, in_progress)
    return tuple(sorted(points.values(), key=lambda p: (p.at, p.run)))


def _daily(points: Sequence[TrendPoint]) -> tuple[TrendPoint, ...]:
    daily = {p.at.astimezone(UTC).date(): p for p in points}
    return tuple(daily[d] for d in sorted(daily)[-DAYS:])
