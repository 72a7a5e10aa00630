"""Verbs about changes: plan, approve, apply, sync, undo."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from enum import StrEnum
from typing import Annotated

import typer

from .. import planning, writeback
from .. import sync as story
from ..domain.changes import Applied
from ..domain.exits import DONE, FOUND, PARTIAL
from ..sync import SyncResult
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
    progress_bars,
    say,
)
from .pulling import say_pulled
from .reading import say_incomplete, say_summary

ApproveOption = Annotated[
    str | None, typer.Option("--approve", help="Let this reviewed plan through the gate; else OKRSYNC_APPROVE.")
]


class PlanFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    MD = "md"


def plan(
    ctx: typer.Context,
    detailed: Annotated[bool, typer.Option("--detailed-exitcode", help="Exit 5 when there are changes.")] = False,
    output: Annotated[PlanFormat, typer.Option("--format", help="text, json or md")] = PlanFormat.TEXT,
    cycle: CycleOption = None,
    workspace: WorkspaceOption = None,
    verbose: VerboseOption = False,
) -> int:
    """Show the changes that would be made, under a checksum.

    The plan is stored: `approve CHECKSUM` lets its changes through the safety gate.
    """
    with invocation(ctx).session(workspace, verbose=verbose, cycle=cycle) as session:
        judged, made = story.plan_run(session, online=False)
        made = story.with_dashboard(session, judged, made, online=False)
        gate = story.gate_for(session, judged, made)
    if output is PlanFormat.JSON:
        print_json({**made.json(), "gate": {"refused": gate.refused, "cut": gate.cut, "pending": gate.pending}})
    else:
        render = planning.render_markdown if output is PlanFormat.MD else planning.render_text
        sys.stdout.write(render(made))
        if gate.refused:
            say(f"\nThe safety gate would refuse this: {gate.refused}.")
    incomplete = say_incomplete(judged.view)
    if detailed and made.changes:
        return FOUND
    return PARTIAL if incomplete else DONE


def approve(
    ctx: typer.Context,
    checksum: Annotated[str, typer.Argument(metavar="CHECKSUM", help="As `plan` and `sync` print it.")],
    output: FormatOption = Output.TEXT,
    workspace: WorkspaceOption = None,
    verbose: VerboseOption = False,
) -> int:
    """Let the changes of a stored plan through the safety gate."""
    with invocation(ctx).session(workspace, verbose=verbose) as session:
        try:
            count = session.store.approve(checksum, at=session.clock())
        except KeyError:
            raise UsageProblem(
                f"no stored plan has the checksum {checksum!r}; `okrsync plan` shows the present one"
            ) from None
    if output is Output.JSON:
        print_json({"checksum": checksum, "approved": count})
    else:
        changes = planning.counted(count, "change")
        say(f"approved: {changes} of plan {checksum}; the next `sync` or `apply` makes those still wanted")
    return DONE


def apply(
    ctx: typer.Context,
    approve: ApproveOption = None,
    output: FormatOption = Output.TEXT,
    cycle: CycleOption = None,
    workspace: WorkspaceOption = None,
    verbose: VerboseOption = False,
) -> int:
    """Make the changes that what the store holds asks for."""
    call = invocation(ctx)
    with call.session(workspace, verbose=verbose, cycle=cycle) as session:
        if not session.workspace.settings.writeback.enabled:
            raise UsageProblem("`writeback.enabled` is false, so nothing may be written; set it in config/okrsync.yaml")
        result = story.apply(session, approve=approve or call.env.get("OKRSYNC_APPROVE"))
    return _say_result(result, output)


def sync(
    ctx: typer.Context,
    full: Annotated[bool, typer.Option("--full", help="List everything again, not only what changed.")] = False,
    accept_shrink: Annotated[
        bool, typer.Option("--accept-shrink", help="Believe a source that holds much less than before.")
    ] = False,
    approve: ApproveOption = None,
    output: FormatOption = Output.TEXT,
    cycle: CycleOption = None,
    workspace: WorkspaceOption = None,
    verbose: VerboseOption = False,
) -> int:
    """One cycle: pull, findings, plan, apply (if enabled), reports."""
    call = invocation(ctx)
    with call.session(workspace, verbose=verbose, cycle=cycle) as session, progress_bars() as progress:
        result = story.sync(
            session,
            full=full,
            accept_shrink=accept_shrink,
            approve=approve or call.env.get("OKRSYNC_APPROVE"),
            progress=progress,
        )
    return _say_result(result, output)


def _say_result(result: SyncResult, output: Output) -> int:
    if output is Output.JSON:
        print_json(result.json())
    else:
        say_result(result)
    return result.exit


def say_result(result: SyncResult, *, reports: bool = True) -> None:
    """The outcome of one run, for people."""
    if result.pulled is not None:
        say_pulled(result.pulled)
    say_summary(result.judged.summary)
    say(planning.headline(result.plan))
    if result.gate is not None and result.gate.refused:
        say(f"REFUSED by the safety gate: {result.gate.refused}")
    if result.gate is not None and result.gate.cut:
        say(f"cut: {result.gate.cut} changes are over `limits.changes` and wait")
    if result.applied is not None and not (result.gate and result.gate.refused and not result.applied.done):
        # what stands on the dashboard issue goes through no gate
        say_applied(result.applied, gated=bool(result.gate and result.gate.refused))
    elif result.plan.changes and result.gate is None:
        unread = result.pulled is not None and result.pulled.nothing_read
        say(f"nothing written: {'nothing could be read' if unread else '`writeback.enabled` is false'}")
    for path in result.reports if reports else ():
        say(f"report: {path}")


def say_applied(applied: Applied, *, gated: bool = False) -> None:
    done = "the dashboard issue alone" if gated else planning.counted(len(applied.done), "change")
    say(f"written: {done}" + (f", {applied.pending} pending" if applied.pending else ""))
    for postponed in applied.postponed:
        say(f"  {planning.counted(postponed.changes, 'change')} left to the next runs: {postponed.why}")
    for change, why in applied.skipped:
        say(f"  skipped {change.op.value} {change.target}: {why}")
    for change, why in applied.failed:
        say(f"  FAILED {change.op.value} {change.target} {change.value!r:.60}: {why}")
    if applied.waiting:
        say(f"  {len(applied.waiting)} writes of unknown outcome; the next run looks first")
    if applied.stopped:
        say(f"  STOPPED: {applied.stopped}")


def undo(
    ctx: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    output: FormatOption = Output.TEXT,
    workspace: WorkspaceOption = None,
    verbose: VerboseOption = False,
) -> int:
    """Remove what okrsync wrote on tickets, and nothing else.

    Every label and comment it ever wrote, and the label definitions it created if they are unused.
    """
    call = invocation(ctx)
    with call.session(workspace, verbose=verbose) as session:
        if not dry_run and not yes:
            if not sys.stdin.isatty():
                raise UsageProblem("undo asks before it removes; say --yes where nobody can answer, or --dry-run")
            typer.confirm("Remove every label and comment okrsync wrote?", abort=True)
        # a dry run only reads, and so needs no lease
        with nullcontext(lambda: True) if dry_run else session.store.lease(wait=60.0) as alive:
            session.start_budget()
            result = writeback.undo(
                store=session.store,
                trackers=session.trackers(),
                clock=session.clock,
                run=f"{session.clock():%Y%m%dT%H%M%S%f}Z",
                dry_run=dry_run,
                prefix=session.workspace.settings.writeback.label_prefix,
                dashboard=session.workspace.settings.writeback.dashboard,
                alive=alive,
            )
            if not dry_run:
                story.forget_definitions(session, {r.target for r in result.removed if r.op == "delete_label"})
    if output is Output.JSON:
        print_json(result.json())
    else:
        _say_undone(result)
        if session.workspace.settings.writeback.enabled and not dry_run:
            note("write-back is still enabled: the next sync would label again")
    return PARTIAL if result.failed or result.stopped else DONE


def _say_undone(result: writeback.Undone) -> None:
    words = {"remove_label": "label", "delete_comment": "comment", "delete_label": "label definition"}
    words["retire_issue"] = "the text of dashboard issue"
    if not result.by_journal:
        say("the journal is empty: open items were searched for the prefix and our mark")
    done, total = ("would remove", "to remove") if result.dry_run else ("removed", "removed")
    for removal in result.removed:
        say(f"{done} {words[removal.op]} {removal.value} from {removal.target}")
    for removal, why in result.skipped:
        say(f"left {words[removal.op]} {removal.value} on {removal.target}: {why}")
    for removal, why in result.failed:
        say(f"FAILED {words[removal.op]} {removal.value} on {removal.target}: {why}")
    if result.stopped:
        say(f"STOPPED: {result.stopped}")
    say(f"{len(result.removed)} {total}, {len(result.skipped)} left, {len(result.failed)} failed")
