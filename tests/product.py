"""The product as its users meet it: the command line, pointed at the example company on loopback.

`Product` runs verbs in this process with a clock that only moves when told; `tests/run_cli.py` is the same
for tests that need a process of its own to kill.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from okrsync.cli import run
from okrsync.sandbox import STORY_NOW, Sandbox, company, copy_workspace

ENABLED: dict[str, Any] = {"writeback": {"enabled": True}}


class StoryClock:
    """Starts on the story's Monday; sleeping moves it, nothing else does but `advance`."""

    def __init__(self, start: datetime = STORY_NOW) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


class Ran(msgspec.Struct):
    """What a verb did: exit code and both streams."""

    exit: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Product:
    """One workspace over one sandbox."""

    def __init__(
        self,
        folder: Path,
        sandbox: Sandbox,
        clock: StoryClock,
        *,
        overrides: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.root = folder
        self.sandbox = sandbox
        self.clock = clock
        copy_workspace(folder, sandbox, overrides=ENABLED if overrides is None else overrides)
        self.env = {
            "OKRSYNC_JIRA_TOKEN": sandbox.token,
            "OKRSYNC_GITHUB_TOKEN": sandbox.token,
            **(env or {}),
        }

    def run(self, *args: str) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([*args, "--workspace", str(self.root)], env=self.env, clock=self.clock, sleep=self.clock.sleep)
        return Ran(code, out.getvalue(), err.getvalue())

    def sync(self, *args: str) -> Ran:
        """A quarter of an hour later, one `sync --format json`."""
        self.clock.advance(minutes=15)
        return self.run("sync", "--format", "json", *args)

    def first_cycle(self) -> Ran:
        """The first sync, which the gate refuses, its approval, and the sync that writes."""
        refused = self.sync()
        assert refused.exit == 3, refused
        return self.sync("--approve", refused.json["plan"]["checksum"])

    def explain(self, id_: str) -> Any:
        return self.run("explain", id_, "--format", "json").json

    def alignments(self) -> dict[str, str]:
        """Item id -> alignment, as the work CSV says (open ones, and those closed in the active cycle)."""
        import csv

        text = self.run("report", "--format", "csv").out
        return {row["id"]: row["alignment"] for row in csv.DictReader(io.StringIO(text))}


def story() -> tuple[StoryClock, Sandbox]:
    """A clock and a sandbox (not yet started) of the example company."""
    clock = StoryClock()
    return clock, Sandbox(company(STORY_NOW), clock=clock)
