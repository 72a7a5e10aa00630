"""Sentences that the html and the markdown report share. Plain text: each renderer escapes it for itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from msgspec import Struct

from okrsync.domain.findings import Finding, Severity, Summary
from okrsync.domain.links import Alignment, Suggestion
from okrsync.findings import rule

from .effort import Effort
from .model import Report
from .text import count, number, percent
from .tree import BetRow, KrRow, ObjectiveRow
from .work import TeamRow

ALIGNMENTS = {
    Alignment.LINKED: "reaches an active initiative, key result or objective",
    Alignment.STALE: "reaches only goals that have ended",
    Alignment.UNLINKED: "no strategic parent was found",
    Alignment.EXEMPT: "valid work that serves no goal, with a class",
    Alignment.UNKNOWN: "cannot be told: something it depends on could not be read",
}

LEVELS = {"bet": "Bets", "company": "Company objectives", "function": "Function objectives", "team": "Team objectives"}

COUNTED = (
    "Work is every epic, issue, sub-task and pull request that the sources hold. Open: any Jira status outside the "
    "category Done; an open GitHub issue or pull request.",
    "In progress: open, and in Jira's status category In Progress, an assigned GitHub issue, or a pull request that is "
    "no draft. The backlog is the rest of open work.",
    "The alignment rate is linked / (linked + stale + unlinked). Exempt and unknown work stands beside it, never in "
    "it. It is withheld when more than 10% of the work it speaks of is unknown.",
    "Why the rate moved is found by recounting in steps: first what could be read in one run only (coverage), then "
    "today's work under the goals and rules of then (work), then under today's goals (goals), then under today's rules "
    "(mapping). What a change does is counted at its step, so the points add up.",
    "A root is the topmost open item of a tree of work with the same verdict: linking it links everything below it.",
    "An item inherits what its parents, the issues a pull request closes, and mapping rules say. The nearest explicit "
    "evidence decides. Links to goals that ended a short while ago (`cycles.grace`) still count, as awaiting renewal.",
    "A key result is supported by open work that reaches it, and by work finished within the cycle; work tied to its "
    "objective alone does not count. Dropped work (unmerged, not planned, won't do, duplicate) supports nothing.",
    "No support in Jira and GitHub means just that. It is claimed only when every source was read completely; the few "
    "items that hang on a single unreadable ticket are shown as unknown beside it.",
    "Effort counts items, not hours. An item that serves several goals of one level is divided evenly among them.",
    "No person is counted, compared or ranked.",
)


class RuleGroup(Struct, frozen=True, kw_only=True):
    """The findings of one rule and severity. `shown` leaves out work whose root stands in the list already;
    `title` and `why` come from the rule's own documentation; `remedy` is the one that all shown
    share, be it with ID in the place of their own, else empty."""

    code: str
    slug: str
    severity: Severity
    title: str
    why: str
    total: int
    remedy: str
    shown: tuple[Finding, ...]


def groups(report: Report) -> tuple[RuleGroup, ...]:
    """Findings by rule, gravest first."""
    by_rule: dict[tuple[Severity, str, str], list[Finding]] = {}
    for finding in report.findings:
        by_rule.setdefault((finding.severity, finding.code, finding.slug), []).append(finding)
    return tuple(_group(key, found) for key, found in sorted(by_rule.items(), key=lambda g: (g[0][0].rank, g[0][1])))


def _group(key: tuple[Severity, str, str], found: list[Finding]) -> RuleGroup:
    severity, code, slug = key
    spec = rule(code)
    paragraphs = [" ".join(p.split()) for p in spec.doc.split("\n\n")] if spec else [slug]
    why = next((p.removeprefix("Why it matters: ") for p in paragraphs if p.startswith("Why it matters: ")), "")
    subjects = {f.subject.id for f in found}
    shown = tuple(f for f in found if f.evidence.get("root") == f.subject.id or f.evidence.get("root") not in subjects)
    remedies = {f.remedy for f in shown}
    if len(remedies) > 1:
        remedies = {_for_any(f) for f in shown}
    return RuleGroup(
        code=code,
        slug=slug,
        severity=severity,
        title=paragraphs[0].rstrip("."),
        why=why[:1].upper() + why[1:],
        total=len(found),
        remedy=remedies.pop() if len(shown) > 1 and len(remedies) == 1 else "",
        shown=shown,
    )


def _for_any(finding: Finding) -> str:
    own = re.escape(finding.subject.id)
    return re.sub(rf"(?<![\w.-]){own}(?![\w-]|\.\w)", "ID", finding.remedy)


def since(run: str) -> str:
    """`since 16 November 2026`, as the id of the run that first saw a finding tells."""
    try:
        at = datetime.strptime(run, "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
    except ValueError:
        return f"since run {run}"
    return f"since {at.day} {at:%B %Y}"


def moment(at: datetime) -> str:
    """`20 November 2026, 08:15 UTC`."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y, %H:%M} UTC"


def headline(report: Report) -> str:
    if report.rate is not None:
        return f"{percent(report.rate)} of work in progress serves a goal"
    return "Alignment cannot be told in this run" if report.in_progress.unknown else "No work in progress to judge"


def under_headline(report: Report) -> str:
    """What the headline rests on, the backlog beside it, and the other half of the truth."""
    return f"{progress_sentence(report)} {backlog_sentence(report)} {key_result_sentence(report)}"


def progress_sentence(report: Report) -> str:
    return report.withheld or f"{_linked_of(report.in_progress)} in progress {_are(report.in_progress.linked)} linked."


def backlog_sentence(report: Report) -> str:
    if report.backlog_withheld:
        return report.backlog_withheld
    return f"In the backlog it is {percent(report.backlog_rate or 0)}, {_linked_of(report.backlog)}."


def _linked_of(s: Summary) -> str:
    return f"{s.linked:,} of {count(s.linked + s.stale + s.unlinked, 'judged item')}"


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def key_result_sentence(report: Report) -> str:
    rows = key_results(report)
    if not rows:
        return "No key results are active."
    missing = sum(k.state == "unsupported" for k in rows)
    untold = sum(k.state == "unknown" for k in rows)
    if untold:
        return f"Whether {count(untold, 'key result')} {'has' if untold == 1 else 'have'} support cannot be told."
    if missing:
        of = f"{missing:,} of {count(len(rows), 'key result')}"
        return f"{of} {'has' if missing == 1 else 'have'} no support in Jira and GitHub."
    return "Every key result has support."


def notices(report: Report) -> tuple[str, ...]:
    """What a reader must know before trusting the numbers."""
    found = []
    for source in report.sources:
        if not source.complete:
            found.append(f"{source.name} could not be read completely: {source.why or 'it ended early'}")
        elif source.unreadable:
            found.append(f"{source.name}: {', '.join(source.unreadable)} could not be read.")
    if report.gap and report.cycle:
        found.append(
            f"No cycle contains today: {report.cycle.id} ended on {report.cycle.ends.isoformat()} and stays active "
            "until the next one starts."
        )
    if report.awaiting:
        found.append(
            f"{count(report.awaiting, 'open item')} {'counts' if report.awaiting == 1 else 'count'} as linked only "
            "until the grace period ends: awaiting renewal."
        )
    if report.doubt and not any(n.startswith(report.doubt.split()[0]) for n in found):
        found.append(f"Missing support is not claimed in this run: {report.doubt}.")
    return tuple(found)


def key_results(report: Report) -> tuple[KrRow, ...]:
    """All key results in the order of the tree."""
    return tuple(k for o in objectives(report) for k in o.key_results)


def objectives(report: Report) -> tuple[ObjectiveRow, ...]:
    found: list[ObjectiveRow] = []
    waiting = list(reversed((*(o for b in report.bets for o in b.objectives), *report.loose)))
    while waiting:
        row = waiting.pop()
        found.append(row)
        waiting.extend(reversed(row.below))
    return tuple(found)


def measure(kr: KrRow) -> tuple[str, ...]:
    """`63.5% now`, `from 61% to 68%`, `as of 2026-11-15`, `confidence 60%`."""
    unit = kr.unit if kr.unit in ("", "%", "‰", "°") else f" {kr.unit}"
    parts = [f"{number(kr.current)}{unit} now" if kr.current is not None else "no current value"]
    if kr.target is None:
        parts.append("no target")
    elif kr.baseline is None:
        parts.append(f"target {number(kr.target)}{unit}")
    else:
        parts.append(f"from {number(kr.baseline)}{unit} to {number(kr.target)}{unit}")
    if kr.as_of is not None:
        parts.append(f"as of {kr.as_of.isoformat()}")
    if kr.confidence is not None:
        parts.append(f"confidence {percent(kr.confidence)}")
    return tuple(parts)


def done(kr: KrRow) -> float:
    """Progress between 0 and 1, for a bar."""
    return min(max(kr.progress or 0.0, 0.0), 1.0) + 0.0  # no minus before a zero


def support_of(kr: KrRow) -> str:
    if kr.state == "supported":
        return reach(kr.open, kr.closed)
    if kr.state == "elsewhere":
        return f"Supported elsewhere: {kr.elsewhere}"
    if kr.state == "unknown":
        return "Support cannot be told in this run"
    past = f" (elsewhere: {kr.elsewhere}; that day has passed)" if kr.elsewhere else ""
    return f"No support in Jira and GitHub{past}"


def has_bare_key_results(report: Report) -> bool:
    return any(k.state == "unsupported" for k in key_results(report))


def through(kr: KrRow) -> str:
    """What stands before the initiatives of a key result."""
    if kr.state == "supported":
        return "through"
    return "its initiatives have no work:" if kr.state == "unsupported" else "its initiatives:"


def reach(open_: int, closed: int) -> str:
    return f"{open_:,} open, {closed:,} closed in the cycle"


def work_of(open_: int, closed: int) -> str:
    return f"{count(open_, 'open item')}, {closed:,} closed in the cycle"


def bet_line(bet: BetRow) -> str:
    weight = f", intended {number(bet.weight)}% of effort" if bet.weight is not None else ""
    return f"{bet.owner or 'no owner'}{weight}, {work_of(bet.open, bet.closed)}"


def team_name(team: TeamRow) -> str:
    return team.name if team.known else f"{team.name} (no team known)"


def team_count(team: TeamRow) -> str:
    return f"{count(len(team.roots), 'root')}, {count(team.items, 'item')}"


def suggestion(one: Suggestion) -> str:
    return f"perhaps {one.initiative}: {one.why}" if one.why else f"perhaps {one.initiative}"


def team_totals(report: Report) -> str:
    roots = sum(len(t.roots) for t in report.teams)
    return f"{count(roots, 'root')}, {count(sum(t.items for t in report.teams), 'item')}"


def reaches_none(effort: Effort) -> str:
    return "reaches no bet" if effort.level == "bet" else f"reaches no {effort.level} objective"


def finding_sentence(report: Report) -> str:
    """`3 errors, 12 warnings, 4 notes`."""
    names = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    counts = {s: sum(f.severity is s for f in report.findings) for s in Severity}
    return ", ".join(count(n, names[s]) for s, n in counts.items() if n) + ", gravest first."
