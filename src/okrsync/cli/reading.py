"""Verbs that judge what the store holds and tell it in the terminal: findings, explain, status."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from .. import judging, linking, mappings, rejudging
from ..bootstrap import Session
from ..domain.exits import DONE, FOUND, PARTIAL
from ..domain.findings import Severity, SourceReport, Summary, View
from ..domain.text import iso
from ..findings import in_gap
from ..planning import counted
from ..reading import last_sources
from ..rejudging import Found
from .common import (
    CycleOption,
    FormatOption,
    Output,
    UsageProblem,
    VerboseOption,
    WorkspaceOption,
    invocation,
    note,
    print_json,
    print_pieces,
    say,
)


def say_summary(summary: Summary) -> None:
    nothing = "nothing could be judged" if summary.unknown else "no open work to judge"
    rate = nothing if summary.alignment_rate is None else f"{summary.alignment_rate:.0%} aligned"
    say(
        f"{rate}: {summary.open} open, {summary.linked} linked, {summary.stale} stale, {summary.unlinked} unlinked, "
        f"{summary.exempt} exempt, {summary.unknown} unknown"
    )


def say_incomplete(view: View) -> bool:
    """Notes what was not read, beside the data; whether there is any such."""
    for source in view.sources:
        if source.error or not source.complete:
            note(f"{source.name}: {source.why or 'not read to its end'}")
    if in_gap(view.goals) and view.goals.cycle is not None:
        cycle = view.goals.cycle
        note(f"warning: no cycle contains today; {cycle.id}, which ended on {cycle.ends}, stays active")
    return not view.complete


def findings(
    ctx: typer.Context,
    fail_on: Annotated[
        Severity | None, typer.Option("--fail-on", help="Exit 5 where there are such or graver.")
    ] = None,
    output: FormatOption = Output.TEXT,
    cycle: CycleOption = None,
    workspace: WorkspaceOption = None,
    verbose: VerboseOption = False,
) -> int:
    """Link and judge what the store holds."""
    with judging.uncollected():
        with invocation(ctx).session(workspace, verbose=verbose, cycle=cycle, only_judging=True) as session:
            found = rejudging.findings(session)
        return _tell(found, output, fail_on)


def _tell(found: Found, output: Output, fail_on: Severity | None) -> int:
    incomplete = say_incomplete(found.view)
    if output is Output.JSON:
        print_pieces(found.texts)
    else:
        fixes: dict[str, str] = {}  # by rule: the same for many is said once
        for f in json.loads(b"".join(found.texts))[
            "findings"
        ]:  # the same that programs get: titles of restricted items stay out
            subject = f["subject"]
            title = f" {subject['title']!r}" if subject["title"] else ""
            say(f"{f['severity']:<8} {f['code']} {f['slug']}: {subject['id']}{title}")
            say(f"         {f['message']}")
            if fixes.get(f["code"]) != f["remedy"]:
                fixes[f["code"]] = f["remedy"]
                say(f"         fix: {f['remedy']}")
        say()
        say_summary(found.summary)
        counts = [f"{found.severities[severity]} {severity.value}" for severity in Severity]
        say(f"{found.severities.total()} findings: {', '.join(counts)}")
    if fail_on is not None and any(severity.rank <= fail_on.rank for severity in found.severities):
        return FOUND
    return PARTIAL if incomplete else DONE


def explain(
    ctx: typer.Context,
    id_: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]", help="jira:PAY-12, github:acme/web#34 or the page of either, O1.KR2, INIT-CHECKOUT"
        ),
    ] = None,
    rule: Annotated[str | None, typer.Option("--rule", help="A mapping rule by its name, instead of an ID.")] = None,
    output: FormatOption = Output.TEXT,
    cycle: CycleOption = None,
    workspace: WorkspaceOption = None,
    verbose: VerboseOption = False,
) -> int:
    """Say why an item or goal is what it is, or what a rule catches."""
    if (id_ is None) == (rule is None):
        raise UsageProblem("name what is to be explained: an ID, or --rule NAME")
    with invocation(ctx).session(workspace, verbose=verbose, cycle=cycle) as session:
        judged = judging.judge(session)
        if rule is not None:
            data = judging.explain_rule(session, judged, rule)
        else:
            data = judging.explain(session, judged, (id_ or "").strip())
    if output is Output.JSON:
        print_json(data)
    else:
        say(mappings.rule_text(data) if rule is not None else linking.explain_text(data).rstrip())
    return DONE


def status(
    ctx: typer.Context,
    output: FormatOption = Output.TEXT,
    workspace: WorkspaceOption = None,
    verbose: VerboseOption = False,
) -> int:
    """Say in five lines how things stand."""
    with invocation(ctx).session(workspace, verbose=verbose) as session:
        runs = session.store.runs(limit=1)
        sources = last_sources(session)
        data = _status(session)
    if output is Output.JSON:
        print_json(data)
        return DONE
    switch = "on" if data["writeback"] else "off"
    say(f"workspace: {data['workspace']}, cycle {data['cycle'] or 'none'}, write-back {switch}")
    say(f"sources: {', '.join(map(_source, sources)) or 'none'}")
    if runs:
        say(f"last run: {iso(runs[0].at)}, {'complete' if runs[0].complete else 'incomplete'}")
        say_summary(runs[0].summary)
    else:
        say("last run: none")
        say("nothing judged yet; `okrsync sync` makes the first run")
    waiting = f"{data['approved_pending']} approved changes, {data['unsettled']} writes of unknown outcome"
    say(f"waiting: {waiting}{_refused(data['refused_plan'])}")
    return DONE


def _source(source: SourceReport) -> str:
    told = f"{source.name} {counted(source.items, 'item')}"
    return told if source.complete else f"{told} ({source.why or 'not read to its end'})"


def _refused(plan: Any) -> str:
    if plan is None:
        return ""
    return (
        f"; the safety gate refused plan {plan['checksum']} with {plan['changes']} changes: "
        f"see `okrsync plan`, then `okrsync approve {plan['checksum']}`"
    )


def _status(session: Session) -> dict[str, object]:
    runs = session.store.runs(limit=1)
    cycle = session.goals.cycle
    return {
        "workspace": str(session.workspace.root),
        "cycle": cycle.id if cycle else None,
        "writeback": session.workspace.settings.writeback.enabled,
        "sources": [s.json() for s in last_sources(session)],
        "last_run": {"id": runs[0].id, "at": iso(runs[0].at), "complete": runs[0].complete} if runs else None,
        "approved_pending": len(session.store.approved()),
        # what was approved since waits for the next run, not for a person
        "refused_plan": None
        if session.store.approved()
        else json.loads(session.store.get_meta("refused plan") or "null"),
        "unsettled": len(session.store.unsettled()),
    }
