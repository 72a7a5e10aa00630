"""What all verbs share: options, the invocation, output."""

from __future__ import annotations

import codecs
import io
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import logs
from ..bootstrap import Session, open_session, utc_now
from ..domain.text import pretty_json
from ..domain.trackers import Clock

WorkspaceOption = Annotated[
    Path | None,
    typer.Option("--workspace", "-w", help="The workspace; else OKRSYNC_WORKSPACE, else the current folder."),
]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Say more on stderr.")]
CycleOption = Annotated[
    str | None, typer.Option("--cycle", help="The cycle to judge by; else the one that contains today.")
]

_AT_ONCE = 128  # pieces


class Output(StrEnum):
    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[Output, typer.Option("--format", help="text for people, json for programs.")]


class Invocation:
    """One call of the program: its environment, its clock, and where it prints."""

    def __init__(
        self,
        *,
        env: Mapping[str, str],
        clock: Clock = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.env = env
        self.clock = clock
        self.sleep = sleep

    def named(self, workspace: Path | None) -> Path | None:
        """The workspace by `--workspace`, else OKRSYNC_WORKSPACE, else None: the current folder is meant."""
        variable = self.env.get("OKRSYNC_WORKSPACE")
        return workspace or (Path(variable) if variable else None)

    def root(self, workspace: Path | None) -> Path:
        return (self.named(workspace) or Path()).resolve()

    @contextmanager
    def session(
        self,
        workspace: Path | None,
        *,
        verbose: bool = False,
        cycle: str | None = None,
        overrides: Mapping[str, Any] | None = None,
        only_judging: bool = False,
    ) -> Iterator[Session]:
        """Configures logging and opens the session (`open_session`). Raises UsageProblem for an unknown cycle."""
        logs.configure(self.env, verbose=verbose)
        with open_session(
            self.root(workspace),
            env=self.env,
            overrides=overrides,
            cycle=cycle,
            clock=self.clock,
            sleep=self.sleep,
            only_judging=only_judging,
        ) as session:
            if cycle is not None and not session.goals.active_cycles:
                known = ", ".join(c.id for c in session.workspace.cycles) or "none"
                raise UsageProblem(f"--cycle: there is no cycle {cycle!r}; the workspace has: {known}")
            yield session


class UsageProblem(Exception):
    """Exit 2: the call cannot mean anything; the message says what would."""


def invocation(ctx: typer.Context) -> Invocation:
    found = ctx.obj
    assert isinstance(found, Invocation)
    return found


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """For people, beside the data."""
    sys.stderr.write(text + "\n")


def print_json(data: object) -> None:
    print_pieces([pretty_json(data)])


def print_pieces(pieces: Iterable[bytes | memoryview]) -> None:
    """Of UTF-8, with a line's end behind them. There may be much: where the output is UTF-8, they go as they are."""
    out = sys.stdout
    if isinstance(out, io.TextIOWrapper) and codecs.lookup(out.encoding).name == "utf-8":
        out.flush()
        remaining = iter(pieces)
        while some := tuple(
            islice(remaining, _AT_ONCE)
        ):  # each piece by itself would be written with a call of its own
            out.buffer.write(b"".join(some))
    else:
        out.writelines(str(piece, "utf-8") for piece in pieces)
    say()


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int], None] | None]:
    """Progress on a terminal; None elsewhere, where logs speak."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415  # for people alone, and slow to load
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f} items"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def step(source: str, items: int) -> None:
            if source not in tasks:
                tasks[source] = bars.add_task(f"reading {source}", total=None)
            bars.advance(tasks[source], items)

        yield step
