"""The application: verbs registered, options before the verb moved behind it, errors turned into exit codes."""

from __future__ import annotations

import importlib
import io
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NoReturn

import typer
import typer.core
import typer.main

from .. import __version__, logs
from ..bootstrap import utc_now
from ..config import SecretMissing
from ..domain.exits import BUSY, DONE, FAILED, USAGE
from ..domain.storage import LeaseHeld, StoreError
from ..domain.trackers import Clock, TrackerError
from ..domain.workspace import WorkspaceError
from ..linking import UnknownSubject
from .common import Invocation, UsageProblem, note

# Verb -> the module beside this one that has the function of that name. Only the verb that is called gets loaded:
# what `report` needs is no part of how fast `pull` starts.
VERBS = {
    "demo": "demo",
    "init": "setup",
    "bootstrap": "proposing",
    "check": "setup",
    "pull": "pulling",
    "findings": "reading",
    "explain": "reading",
    "plan": "changing",
    "approve": "changing",
    "apply": "changing",
    "report": "reporting",
    "sync": "changing",
    "daemon": "daemon",
    "undo": "changing",
    "rule": "setup",
    "schema": "setup",
    "status": "reading",
}


def _leave(code: int | None, **_options: object) -> None:
    """What a verb returns is the exit code."""
    raise typer.Exit(code or 0)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"okrsync {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """A linter for strategy."""


def _group(verbs: Iterable[str]) -> typer.core.TyperGroup:
    app = typer.Typer(
        name="okrsync",
        help="A linter for strategy: which work has no strategic parent, and which key results nobody supports.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
        result_callback=_leave,
    )
    app.callback()(_root)
    for verb in verbs:
        app.command(verb)(getattr(importlib.import_module(f"{__package__}.{VERBS[verb]}"), verb))
    command = typer.main.get_command(app)
    assert isinstance(command, typer.core.TyperGroup)
    return command


def _parser(args: Sequence[str]) -> tuple[typer.core.TyperGroup, list[str]]:
    """What parses `args`, and these with the options behind the verb. It knows the verb that is called and those that
    only stand there as the value of an option, or all, to list them or to tell which one may be meant."""
    named = args[:1] if args and args[0] in VERBS else [verb for verb in VERBS if verb in args]
    if named:
        command = _group(named)
        behind = options_behind(args, _options(command))
        if behind and behind[0] in named:
            return command, behind
    command = _group(VERBS)
    return command, options_behind(args, _options(command))


def options_behind(args: Sequence[str], takes_value: Mapping[str, bool]) -> list[str]:
    """Options may stand before the verb or behind it; the parser wants them behind. `takes_value` tells of each
    option of any verb whether a value follows it."""
    leading: list[str] = []
    rest = list(args)
    while rest and rest[0].startswith("-") and rest[0] not in ("-h", "--help", "--version", "--"):
        option = rest.pop(0)
        if option.partition("=")[0] not in takes_value and option[:2] not in takes_value:
            return list(args)  # what follows may be its value; the parser says that there is no such option
        leading.append(option)
        if takes_value.get(option) and rest:
            leading.append(rest.pop(0))
    if not rest or rest[0].startswith("-"):
        return rest
    return [rest[0], *leading, *rest[1:]]


def _options(command: typer.core.TyperGroup) -> dict[str, bool]:
    return {
        name: not getattr(option, "is_flag", False)
        for verb in command.commands.values()
        for option in verb.params
        for name in option.opts
        if name.startswith("-")
    }


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
    command, arranged = _parser(args)
    listener = sys.stdout
    try:
        command(arranged, prog_name="okrsync", obj=call)
    except SystemExit as end:
        if sys.stdout is not listener:
            # the parser puts another stream there when a pipe breaks: `okrsync findings | head` is no failure
            return DONE
        return end.code if isinstance(end.code, int) else FAILED
    except KeyboardInterrupt:
        note("stopped")
        return 130
    except WorkspaceError as problem:
        note(logs.redacted(str(problem)))
        return USAGE
    except (UsageProblem, SecretMissing, UnknownSubject) as problem:
        for line in str(problem).splitlines():
            note(logs.redacted(f"okrsync: {line}"))
        return USAGE
    except LeaseHeld as problem:
        note(f"okrsync: {problem}")
        return BUSY
    except (StoreError, TrackerError) as problem:
        note(logs.redacted(f"okrsync: {problem}"))
        return FAILED
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        note(logs.redacted(f"okrsync: {where}{problem.strerror or problem}"))
        return FAILED
    except Exception as problem:  # noqa: BLE001  the last line of defence: no traceback for users
        if verbose:
            logs.get_logger().exception("unexpected")
        note(logs.redacted(f"okrsync: unexpected {type(problem).__name__}: {problem} (-v shows where)"))
        return FAILED
    return DONE


def main() -> None:
    """Console script."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # started with a closed stream, as some schedulers do
            setattr(sys, name, io.StringIO())
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # titles hold what a terminal's encoding may lack
    end(run(sys.argv[1:]))


def end(code: int) -> NoReturn:
    """Ends the process at once. Threads of a run that was stopped may still wait for an answer: nobody waits for them.
    Everything is closed by now; taking modules and objects apart one by one, as the interpreter does at its end, would
    take a twentieth of a short run."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # nobody reads on: no failure
    except OSError as problem:
        note(f"okrsync: {problem.strerror or problem}")
        code = FAILED
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code)
