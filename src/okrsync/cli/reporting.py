"""The verb `report`: apart from those that judge, as it loads what pages and their history need."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .. import judging, reports
from .. import sync as story
from ..domain.exits import DONE, PARTIAL
from .common import CycleOption, VerboseOption, WorkspaceOption, invocation, note
from .reading import say_incomplete


class ReportFormat(StrEnum):
    HTML = "html"
    MD = "md"
    CSV = "csv"
    JSON = "json"


def report(
    ctx: typer.Context,
    output: Annotated[
        ReportFormat | None,
        typer.Option("--format", help="html, md, csv or json; else what FILE's name says, else md."),
    ] = None,
    target: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="A file; else, and for `-`, the terminal.")
    ] = None,
    cycle: CycleOption = None,
    workspace: WorkspaceOption = None,
    verbose: VerboseOption = False,
) -> int:
    """Render the report of what the store holds."""
    target = None if target == Path("-") else target
    suffix = target.suffix[1:].lower() if target else ""
    wanted = output or (ReportFormat(suffix) if suffix in set(ReportFormat) else ReportFormat.MD)
    with invocation(ctx).session(workspace, verbose=verbose, cycle=cycle) as session:
        judged = judging.judge(session)
        text = reports.render(story.report_for(session, judged), wanted.value)
    incomplete = say_incomplete(judged.view)
    if target is None:
        sys.stdout.write(text)
    else:
        target.write_text(text, encoding="utf-8", newline="")
        note(f"wrote {target}")
    return PARTIAL if incomplete else DONE
