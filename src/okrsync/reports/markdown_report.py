"""The report as Markdown: what a reader needs first, in text that stays readable unrendered."""

from __future__ import annotations

from collections.abc import Iterator

from okrsync.domain.text import iso

from . import move_wording
from .model import Report
from .text import count, markdown, percent, safe_url
from .tree import KrRow, ObjectiveRow
from .wording import (
    ALIGNMENTS,
    COUNTED,
    LEVELS,
    bet_line,
    done,
    groups,
    headline,
    key_results,
    measure,
    moment,
    notices,
    reach,
    suggestion,
    support_of,
    team_count,
    team_name,
    under_headline,
)
from .work import RootRow

# The summary stays short; the csv and json reports hold everything.
ROOTS, FINDINGS = 10, 20


def render_markdown(report: Report) -> str:
    return "\n".join(_lines(report)).rstrip() + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# {markdown(headline(report))}"
    yield ""
    yield markdown(under_headline(report))
    yield ""
    cycle = f"{report.cycle.id}, " if report.cycle else ""
    yield markdown(f"{cycle}as of {iso(report.run.at)}, run {report.run.id}")
    yield ""
    for notice in notices(report):
        yield f"> {markdown(notice)}"
        yield ""
    parts = (report.in_progress, report.backlog, report.summary)
    yield "| open work | in progress | backlog | together | meaning |"
    yield "|---|---:|---:|---:|---|"
    for alignment, meaning in ALIGNMENTS.items():
        counts = " | ".join(f"{getattr(part, alignment.value):,}" for part in parts)
        yield f"| {alignment.value} | {counts} | {markdown(meaning)} |"
    yield f"| all | {' | '.join(f'{part.open:,}' for part in parts)} | |"
    yield ""
    yield from _moves(report)
    yield from _missing(report)
    yield from _goals(report)
    yield from _initiatives(report)
    yield from _unlinked(report)
    yield from _efforts(report)
    yield from _exempt(report)
    yield from _findings(report)
    yield from _unread(report)
    yield "## How this was counted"
    yield ""
    for sentence in COUNTED:
        yield f"- {markdown(sentence)}"


def _moves(report: Report) -> Iterator[str]:
    for move in report.moves:
        compared = f" ({markdown(moment(move.at))})" if move.at else ""
        yield f"**{move_wording.title(move)}**{compared}: {markdown(move_wording.sentence(move))}"
        yield ""
        if move_wording.has_causes(move):
            yield "| because of | points | what happened to work in progress |"
            yield "|---|---:|---|"
            for cause in move.causes:
                name, _ = move_wording.CAUSES[cause.name]
                yield f"| {name} | {move_wording.points(cause.points)} | {markdown(move_wording.effect(cause))} |"
            yield ""


def _unread(report: Report) -> Iterator[str]:
    unread = [s for s in report.sources if not s.complete or s.unreadable]
    if not unread and not report.unread:
        return
    yield "## What could not be read"
    yield ""
    for source in unread:
        yield f"- {markdown(source.name)}: {markdown(source.why or ', '.join(source.unreadable) or 'it ended early')}"
    for row in report.unread[:FINDINGS]:
        yield f"- {count(row.items, 'open item')} unknown: {markdown(row.why)}"
    if len(report.unread) > FINDINGS:
        yield f"- and {count(len(report.unread) - FINDINGS, 'more reason')}, see okrsync.json"
    yield ""


def _missing(report: Report) -> Iterator[str]:
    missing = [k for k in key_results(report) if k.state == "unsupported"]
    if not missing:
        return
    yield "## Key results with no support in Jira and GitHub"
    yield ""
    for kr in missing:
        yield f"- **{markdown(kr.id)}** {markdown(kr.title)} ({markdown(kr.owner or 'no owner')})"
    yield ""


def _goals(report: Report) -> Iterator[str]:
    if not report.bets and not report.loose:
        return
    yield "## Goals and what supports them"
    yield ""
    for bet in report.bets:
        yield f"- **{markdown(bet.id)} {markdown(bet.title)}**: {markdown(bet_line(bet))}"
        for objective in bet.objectives:
            yield from _objective(objective, 1)
    if report.loose:
        if report.bets:
            yield "- **Under no bet**"
        for objective in report.loose:
            yield from _objective(objective, 1 if report.bets else 0)
    yield ""


def _objective(row: ObjectiveRow, depth: int) -> Iterator[str]:
    indent = "  " * depth
    whose = ", ".join(filter(None, (row.level, row.team, row.owner or "no owner")))
    yield (
        f"{indent}- **{markdown(row.id)}** {markdown(row.title)} ({markdown(whose)}): "
        f"{markdown(reach(row.open, row.closed))}"
    )
    for kr in row.key_results:
        yield f"{indent}  - {_key_result(kr)}"
    for below in row.below:
        yield from _objective(below, depth + 1)


def _key_result(kr: KrRow) -> str:
    through = f" through {', '.join(kr.initiatives)}" if kr.initiatives and kr.state == "supported" else ""
    way = f" ({percent(done(kr))} of the way)" if kr.progress is not None else ""
    whose = markdown(kr.owner or "no owner")
    return (
        f"{markdown(kr.id)} {markdown(kr.title)}, {whose}: {markdown(', '.join(measure(kr)) + way)}. "
        f"{markdown(support_of(kr) + through)}"
    )


def _initiatives(report: Report) -> Iterator[str]:
    if not report.initiatives:
        return
    yield "## Initiatives"
    yield ""
    yield "| initiative | status | supports | open | closed in the cycle |"
    yield "|---|---|---|---:|---:|"
    for row in report.initiatives:
        supports = ", ".join(row.supports) or "nothing"
        yield (
            f"| {markdown(row.id)} {markdown(row.title)} | {row.status} | {markdown(supports)} "
            f"| {row.open:,} | {row.closed:,} |"
        )
    yield ""


def _efforts(report: Report) -> Iterator[str]:
    if not report.efforts:
        return
    yield "## Where open work goes"
    yield ""
    for effort in report.efforts:
        yield f"| {LEVELS[effort.level]} | share of {count(effort.total, 'linked open item')} | intended |"
        yield "|---|---:|---:|"
        for row in effort.rows:
            intended = percent(row.intended) if row.intended is not None else ""
            yield f"| {markdown(row.id)} {markdown(row.title)} | {markdown(percent(row.share))} | {intended} |"
        if effort.rest:
            yield f"| none of these | {markdown(percent(effort.rest))} | |"
        yield ""


def _unlinked(report: Report) -> Iterator[str]:
    if not report.teams:
        return
    yield "## Open work with no strategic parent"
    yield ""
    for team in report.teams:
        yield f"### {markdown(team_name(team))}: {team_count(team)}"
        yield ""
        for root in team.roots[:ROOTS]:
            yield f"- {_root(root)}"
            for one in root.suggestions:
                yield f"  - {markdown(suggestion(one))}"
        if len(team.roots) > ROOTS:
            yield f"- and {count(len(team.roots) - ROOTS, 'more root')}, see okrsync.csv"
        yield ""


def _root(root: RootRow) -> str:
    items = f" ({count(root.items, 'item')})" if root.items > 1 else ""
    return f"{_link(root.row.id, root.row.url)} {markdown(root.row.title)}{items}"


def _link(text: str, url: str) -> str:
    return f"[{markdown(text)}]({safe_url(url)})" if safe_url(url) else markdown(text)


def _exempt(report: Report) -> Iterator[str]:
    if not report.exempt:
        return
    yield "## Exempt work"
    yield ""
    for row in report.exempt:
        yield f"- {markdown(row.name)}: {count(row.items, 'open item')}, {markdown(percent(row.share))} of open work"
    yield ""


def _findings(report: Report) -> Iterator[str]:
    yield "## Findings"
    yield ""
    if not report.findings:
        yield "None."
        yield ""
    for group in groups(report):
        yield f"### {group.code} {group.slug}: {count(group.total, group.severity.value)}"
        yield ""
        yield f"{markdown(group.title)}.{' ' + markdown(group.remedy) if group.remedy else ''}"
        yield ""
        for finding in group.shown[:FINDINGS]:
            subject = finding.subject
            yield (
                f"- {_link(subject.id, subject.url)} {markdown(subject.title)}: {markdown(finding.message)}"
                f"{'' if group.remedy else ' ' + markdown(finding.remedy)}"
            )
        rest = group.total - min(len(group.shown), FINDINGS)
        if rest:
            yield f"- and {rest:,} more, see okrsync.json"
        yield ""
