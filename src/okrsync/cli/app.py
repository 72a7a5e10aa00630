"""The application: verbs registered, options before the verb moved behind it, errors turned into exit codes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import structlog
import typer

from .. import __version__, logs
from ..bootstrap import utc_now
from ..config import SecretMissing
from ..domain.storage import LeaseHeld, StoreError
from ..domain.trackers import Clock, TrackerError
from ..domain.workspace import WorkspaceError
from ..linking import UnknownSubject
from ..sync import BUSY, FAILED, USAGE
from . import changing, demo, reading, setup
from .common import Invocation, UsageProblem, note


def _leave(code: int | None, **_options: object) -> None:
    """What a verb returns is the exit code."""
    raise typer.Exit(code or 0)


app = typer.Typer(
    name="okrsync",
    help="A linter for strategy: which work has no strategic parent, and which key results nobody supports.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    result_callback=_leave,
)

app.command("demo")(demo.demo)
app.command("init")(setup.init)
app.command("check")(setup.check)
app.command("pull")(reading.pull)
app.command("findings")(reading.findings)
app.command("explain")(reading.explain)
app.command("plan")(changing.plan)
app.command("approve")(changing.approve)
app.command("apply")(changing.apply)
app.command("report")(reading.report)
app.command("sync")(changing.sync)
app.command("undo")(changing.undo)
app.command("rule")(setup.rule)
app.command("schema")(setup.schema)
app.command("status")(reading.status)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"okrsync {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """A linter for strategy."""


VERBS = tuple(c.name for c in app.registered_commands if c.name)
_TAKES_VALUE = {"--workspace", "-w", "--format", "--cycle", "--fail-on", "-o", "--output", "--approve"}


def options_behind(args: Sequence[str]) -> list[str]:
    """Options may stand before the verb or behind it; the parser wants them behind."""
    leading: list[str] = []
    rest = list(args)
    while rest and rest[0].startswith("-") and rest[0] not in ("--help", "--version", "--"):
        option = rest.pop(0)
        leading.append(option)
        if option in _TAKES_VALUE and rest:
            leading.append(rest.pop(0))
    if leading and rest and rest[0] in VERBS:
        return [rest[0], *leading, *rest[1:]]
    return list(args)


def run(
    args: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    clock: Clock = utc_now,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Runs one verb and returns its exit code. Prints to sys.stdout and sys.stderr."""
    call = Invocation(env=dict(os.environ) if env is None else env, clock=clock, sleep=sleep)
    logs.configure(call.env, verbose=False)
    verbose = "-v" in args or "--verbose" in args
    try:
        app(options_behind(args), prog_name="okrsync", obj=call)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except KeyboardInterrupt:
        note("stopped")
        return 130
    except BrokenPipeError:
        # `okrsync findings | head`: nobody listens any more, and that is fine
        sys.stderr.close()
        return 0
    except WorkspaceError as problem:
        note(logs.redacted(str(problem)))
        return USAGE
    except (UsageProblem, SecretMissing, UnknownSubject) as problem:
        note(logs.redacted(f"okrsync: {problem}"))
        return USAGE
    except LeaseHeld as problem:
        note(f"okrsync: {problem}")
        return BUSY
    except (StoreError, TrackerError, OSError) as problem:
        note(logs.redacted(f"okrsync: {problem}"))
        return FAILED
    except Exception as problem:  # noqa: BLE001  the last line of defence: no traceback for users
        if verbose:
            structlog.get_logger().exception("unexpected")
        note(logs.redacted(f"okrsync: unexpected {type(problem).__name__}: {problem} (-v shows where)"))
        return FAILED
    return 0


def main() -> None:
    """Console script."""
    sys.exit(run(sys.argv[1:]))
