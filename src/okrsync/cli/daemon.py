"""The verb `daemon`: signals and the HTTP server around the loop."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import typer

from .. import config, logs
from ..daemon import Daemon, Metrics, Once, Server, Stop, application
from ..domain.workspace import Settings
from .common import Invocation, UsageProblem, VerboseOption, WorkspaceOption, invocation

log = logs.get_logger()

# Orchestrators kill after 10 seconds. A request that is still unanswered then is left to the next run, which looks
# first, as after any crash.
PATIENCE = 7.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def daemon(ctx: typer.Context, workspace: WorkspaceOption = None, verbose: VerboseOption = False) -> int:
    """Run `sync` on the schedule, with health and metrics.

    SIGTERM and SIGINT stop it within 10 seconds, also in the middle of a run; a second one ends it at once.
    """
    call = invocation(ctx)
    once = Once()
    logs.configure(call.env, verbose=verbose, first=[once])
    root = call.root(workspace)
    settings = _startable(call, root)
    stop = Stop(call.sleep)
    metrics = Metrics()
    loop = Daemon(root, settings, env=call.env, clock=call.clock, stop=stop, metrics=metrics, once=once)
    with _signals(stop), _served(settings.listen, loop, metrics, call) as url:
        log.info("started", schedule=settings.schedule, listening=url)
        loop.run()
    return 0


def _startable(call: Invocation, root: Path) -> Settings:
    """What a run would refuse later is better told now, while somebody looks. Raises WorkspaceError, SecretMissing."""
    workspace = config.load(root, env=call.env)
    config.secrets(workspace.connectors, call.env)
    return workspace.settings


@contextmanager
def _served(listen: str | None, loop: Daemon, metrics: Metrics, call: Invocation) -> Iterator[str | None]:
    if listen is None:
        yield None
        return
    server = Server(application(loop, metrics, call.clock), listen)
    try:
        server.start()
    except OSError as problem:
        raise UsageProblem(
            f"`listen`: {listen} cannot be had ({problem.strerror or problem}); set another address, or null"
        ) from None
    try:
        yield server.url
    finally:
        server.stop()


@contextmanager
def _signals(stop: Stop) -> Iterator[None]:
    """The first signal asks for the stop, and sees to it that it comes; the second ends the process."""
    cut: list[threading.Timer] = []

    def asked(number: int, _frame: FrameType | None) -> None:
        if stop.asked():
            os._exit(128 + number)
        stop.ask()
        timer = threading.Timer(PATIENCE, _cut_off)
        timer.daemon = True
        timer.start()
        cut.append(timer)

    before = {number: signal.signal(number, asked) for number in _SIGNALS}
    try:
        yield
    finally:
        for timer in cut:
            timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def _cut_off() -> None:
    log.warning("stopped while a request was unanswered; the journal has it, the next run looks first")
    os._exit(0)
