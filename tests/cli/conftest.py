"""A verb run in this process, against small workspaces that need no server."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from okrsync.cli import run
from product import Ran

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
Cli = Callable[..., Ran]


@pytest.fixture
def cli() -> Cli:
    """`cli("check", "-w", folder, env={...})`; the clock stands on a Monday in 2026-Q4."""

    def call(*args: str | Path, env: Mapping[str, str] | None = None) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([str(a) for a in args], env=env or {}, clock=lambda: NOW, sleep=lambda _seconds: None)
        return Ran(code, out.getvalue(), err.getvalue())

    return call


@pytest.fixture
def workspace(tmp_path: Path, cli: Cli) -> Path:
    """What `init` writes."""
    assert cli("init", tmp_path / "ws").exit == 0
    return tmp_path / "ws"
