"""The composition root: from a folder and an environment to a session that verbs run in.

Everything that touches the world (clock, sleep, environment, store, trackers) is wired here, once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from . import config, connectors, store
from .domain.goals import Goals, day
from .domain.storage import Reading, Store
from .domain.trackers import Clock, Meter, Tracker
from .domain.workspace import Workspace
from .logs import get_logger, redact

log = get_logger()


def utc_now() -> datetime:
    """The default clock."""
    return datetime.now(UTC)


_LONG_PAST = datetime.min.replace(tzinfo=UTC)


class Stopped(Exception):
    """The run was asked to stop and ends where it is: what was read and written so far is kept, nothing is judged
    from it, and the next run goes on."""


class _Remembered:
    """`domain.trackers.Memory` in the store, apart for each connector."""

    def __init__(self, opened: Store, connector: str) -> None:
        self._store = opened
        self._connector = connector

    def recall(self, key: str) -> str | None:
        return self._store.get_meta(f"{self._connector}: {key}")

    def remember(self, key: str, value: str) -> None:
        self._store.set_meta(f"{self._connector}: {key}", value)


class Session:
    """One process's view of one workspace. Trackers are connected on first use, one per connector; the store is opened
    on first use, too, where `reading` stands for it until then.

    `deadline` is when reading a source counts as failed; reading, following references and writing have a budget each.
    `stopping` turns True when the run shall end: every deadline has passed then, so that no request is sent any more.
    `meter` gives what is told of a connector's requests, by its name.
    """

    def __init__(
        self,
        workspace: Workspace,
        open_: Callable[[], Store],
        *,
        reading: Reading | None = None,
        env: Mapping[str, str],
        clock: Clock,
        sleep: Callable[[float], None],
        cycle: str | None,
        stack: ExitStack,
        stopping: Callable[[], bool] = lambda: False,
        meter: Callable[[str], Meter | None] = lambda _: None,
    ) -> None:
        self.workspace = workspace
        self._reading = reading
        self._open = open_
        self.env = env
        self.clock = clock
        self.sleep = sleep
        self.cycle = cycle
        self.stopping = stopping
        self._meter = meter
        self._deadline = clock() + workspace.settings.run_timeout
        self._stack = stack
        self._trackers: dict[str, Tracker] | None = None

    @cached_property
    def store(self) -> Store:
        """Raises StoreError."""
        self._reading = opened = self._open()
        self._stack.callback(opened.close)
        return opened

    @property
    def reading(self) -> Reading:
        """What the store holds, as far as judging asks for it."""
        return self._reading or self.store

    @property
    def goals(self) -> Goals:
        return self.workspace.goals(day(self.clock()), self.cycle)

    @property
    def deadline(self) -> datetime:
        return _LONG_PAST if self.stopping() else self._deadline

    def check_stop(self) -> None:
        """Raises Stopped. Stands wherever a run that goes on would take a cut-off reading for a result."""
        if self.stopping():
            raise Stopped("the run was asked to stop")

    def start_budget(self) -> None:
        self._deadline = self.clock() + self.workspace.settings.run_timeout

    def trackers(self) -> dict[str, Tracker]:
        """By connector name. Raises SecretMissing (exit 2), which names all that are missing, before anything is
        connected."""
        if self._trackers is None:
            secrets = config.secrets(self.workspace.connectors, self.env)
            for secret in secrets.values():
                for value in (secret.token, secret.private_key):
                    if value is not None:
                        redact(value.get_secret_value())
            self._trackers = {}
            governors = connectors.governors(clock=self.clock)
            for settings in self.workspace.connectors:
                tracker = connectors.connect(
                    settings,
                    secrets[settings.name],
                    clock=self.clock,
                    sleep=self.sleep,
                    deadline=lambda: self.deadline,
                    memory=_Remembered(self.store, settings.name),
                    meter=self._meter(settings.name),
                    governors=governors,
                )
                self._stack.callback(tracker.close)
                self._trackers[settings.name] = tracker
        return self._trackers


@contextmanager
def open_session(
    root: Path,
    *,
    env: Mapping[str, str],
    overrides: Mapping[str, Any] | None = None,
    cycle: str | None = None,
    clock: Clock = utc_now,
    sleep: Callable[[float], None] = time.sleep,
    stopping: Callable[[], bool] = lambda: False,
    meter: Callable[[str], Meter | None] = lambda _: None,
    only_judging: bool = False,
) -> Iterator[Session]:
    """Loads the workspace and opens its store; `only_judging`: that may be put off until something else is asked of it.
    Raises WorkspaceError, StoreError."""
    workspace = config.load(root, env=env, overrides=overrides or {})
    for warning in workspace.warnings:
        log.warning("workspace", warning=warning)
    with ExitStack() as stack:
        open_ = partial(
            store.open_store,
            workspace.settings.store,
            label_prefix=workspace.settings.writeback.label_prefix,
            clock=clock,
            sleep=sleep,
        )
        reading = store.open_reading(workspace.settings.store) if only_judging else None
        if reading is not None:
            stack.callback(reading.close)
        session = Session(
            workspace,
            open_,
            reading=reading,
            env=env,
            clock=clock,
            sleep=sleep,
            cycle=cycle,
            stack=stack,
            stopping=stopping,
            meter=meter,
        )
        if reading is None:
            _ = session.store  # what is wrong with it is told before anything is done
        yield session
