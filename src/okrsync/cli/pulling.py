"""The verb `pull`."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import reading
from ..domain.exits import exit_code
from ..planning import counted
from ..reading import Pulled
from .common import FormatOption, Output, VerboseOption, WorkspaceOption, invocation, print_json, progress_bars, say


def pull(
    ctx: typer.Context,
    full: Annotated[bool, typer.Option("--full", help="List everything again, not only what changed.")] = False,
    accept_shrink: Annotated[
        bool, typer.Option("--accept-shrink", help="Believe a source that holds much less than before.")
    ] = False,
    output: FormatOption = Output.TEXT,
    workspace: WorkspaceOption = None,
    verbose: VerboseOption = False,
) -> int:
    """Read the sources into the store."""
    with (
        invocation(ctx).session(workspace, verbose=verbose) as session,
        session.store.lease(),
        progress_bars() as progress,
    ):
        pulled = reading.pull(session, full=full, accept_shrink=accept_shrink, progress=progress)
    code = exit_code(pulled.sources, loud=bool(pulled.loud))
    if output is Output.JSON:
        print_json({**pulled.json(), "exit": code})
    else:
        say_pulled(pulled)
    return code


def say_pulled(pulled: Pulled) -> None:
    for source in pulled.sources:
        state = "" if source.complete else "  NOT READ"
        say(f"{source.name}: {counted(source.items, 'item')}{state}")
        if source.error:
            say(f"  {source.error}")
    say(f"{pulled.new} new, {pulled.changed} changed, {pulled.gone} gone, {pulled.chased} followed by reference")
    for warning in pulled.warnings:
        say(f"warning: {warning}")
