"""The view model: everything a report shows, as frozen values. Renderers only lay it out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from okrsync.domain.findings import Finding, SourceReport, Summary, View
from okrsync.domain.goals import Cycle
from okrsync.domain.links import Alignment
from okrsync.domain.settings import ReportSettings
from okrsync.domain.storage import RunRecord
from okrsync.findings import doubt, in_gap, roots

from .effort import Effort, efforts
from .text import count, percent, plain
from .tree import BetRow, InitiativeRow, ObjectiveRow, goal_tree
from .work import ExemptRow, TeamRow, WorkRow, exempt_rows, team_rows, work_rows

RESTRICTED = "(restricted)"
# Beyond this share of unknown open work the alignment rate says more about access than about alignment.
UNKNOWN_LIMIT = 0.1
# A year: long enough to compare a quarter with the same one a year ago.
DAYS = 366


class RunInfo(Struct, frozen=True, kw_only=True):
    """Which run a report speaks of."""

    id: str
    at: datetime


class TrendPoint(Struct, frozen=True, kw_only=True):
    """The alignment rate of one run; None where it was withheld or there was nothing to judge."""

    run: str
    at: datetime
    cycle: str | None
    complete: bool
    summary: Summary
    rate: float | None


class Report(Struct, frozen=True, kw_only=True):
    """One run, ready to be laid out.

    rate      the alignment rate, None where it is withheld
    withheld  why it is, as a sentence; empty otherwise
    doubt     why missing support is not claimed (see `findings.doubt`); empty otherwise
    awaiting  open items that count as linked only by `cycles.grace`
    loose     objectives that hang on no bet
    teams     open unlinked work by team and root
    history   the last run of each of the last `DAYS` UTC days, oldest first; this run is the last
    """

    run: RunInfo
    cycle: Cycle | None
    gap: bool
    complete: bool
    sources: tuple[SourceReport, ...]
    summary: Summary
    rate: float | None
    withheld: str
    doubt: str
    awaiting: int
    bets: tuple[BetRow, ...]
    loose: tuple[ObjectiveRow, ...]
    initiatives: tuple[InitiativeRow, ...]
    teams: tuple[TeamRow, ...]
    efforts: tuple[Effort, ...]
    exempt: tuple[ExemptRow, ...]
    findings: tuple[Finding, ...]
    history: tuple[TrendPoint, ...]
    work: tuple[WorkRow, ...]


def build(
    view: View,
    findings: Sequence[Finding],
    *,
    run: RunInfo,
    settings: ReportSettings,
    history: Sequence[RunRecord] = (),
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
    withheld = withheld_because(summary)
    open_verdicts = [view.verdicts[r.id] for r in work if r.open]
    return Report(
        run=run,
        cycle=view.goals.cycle,
        gap=in_gap(view.goals),
        complete=view.complete,
        sources=view.sources,
        summary=summary,
        rate=None if withheld else summary.alignment_rate,
        withheld=withheld,
        doubt=doubt(view),
        awaiting=sum(v.alignment is Alignment.LINKED and v.awaiting_renewal for v in open_verdicts),
        bets=bets,
        loose=loose,
        initiatives=initiatives,
        teams=team_rows(work),
        efforts=efforts(view),
        exempt=exempt_rows(work),
        findings=shown_findings(view, findings, restricted=settings.restricted),
        history=_trend(history, run, view, summary),
        work=work,
    )


def withheld_because(summary: Summary) -> str:
    """Why the alignment rate is not shown, as a sentence; empty when it is."""
    if summary.open and summary.unknown / summary.open > UNKNOWN_LIMIT:
        return (
            f"{percent(summary.unknown / summary.open)} of open work ({count(summary.unknown, 'item')} of "
            f"{summary.open:,}) could not be judged in this run, so a rate would mislead."
        )
    if summary.alignment_rate is None:
        return "There is no open work that could be linked to a goal."
    return ""


def shown_findings(view: View, findings: Sequence[Finding], *, restricted: bool) -> tuple[Finding, ...]:
    """Findings with titles fit to be shown; those of restricted items only where the settings ask for them."""

    def title(finding: Finding) -> str:
        stored = view.items.get(finding.subject.id)
        if stored is not None and stored.item.restricted and not restricted:
            return RESTRICTED
        return plain(finding.subject.title)

    return tuple(replace(f, subject=replace(f.subject, title=title(f))) for f in findings)


def _trend(history: Sequence[RunRecord], run: RunInfo, view: View, summary: Summary) -> tuple[TrendPoint, ...]:
    def point(id_: str, at: datetime, cycle: str | None, complete: bool, of: Summary) -> TrendPoint:
        rate = None if withheld_because(of) else of.alignment_rate
        return TrendPoint(run=id_, at=at, cycle=cycle, complete=complete, summary=of, rate=rate)

    points = {r.id: point(r.id, r.at, r.cycle, r.complete, r.summary) for r in history}
    cycle = view.goals.cycle
    points[run.id] = point(run.id, run.at, cycle.id if cycle else None, view.complete, summary)
    daily = {p.at.astimezone(UTC).date(): p for p in sorted(points.values(), key=lambda p: (p.at, p.run))}
    return tuple(daily[d] for d in sorted(daily)[-DAYS:])
