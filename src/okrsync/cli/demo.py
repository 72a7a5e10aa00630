"""The verb `demo`. What it tells stands in `tale`, which brings the sandbox: other verbs need not load that."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from .. import logs
from .common import UsageProblem, VerboseOption, WorkspaceOption, invocation, note

_MARK = ".okrsync-demo"


def demo(
    ctx: typer.Context,
    folder: Annotated[Path | None, typer.Option("--dir", help="Where the workspace and the report go.")] = None,
    workspace: WorkspaceOption = None,
    verbose: VerboseOption = False,
) -> int:
    """The whole story on loopback, without account or network.

    Starts a small Jira and GitHub, runs okrsync against them, and tells what it reads, writes and leaves alone.
    """
    env = invocation(ctx).env
    logs.configure(env, verbose=verbose)
    if workspace is not None:
        note("--workspace is not used: the demo has a workspace of its own, and --dir says where")
    target = folder or _default(env)
    _clear(target)
    from .tale import tell  # noqa: PLC0415  # the sandbox is a fifth of the start-up time

    return tell(target, env)


def _clear(target: Path) -> None:
    """An earlier demo is removed, nothing else ever is: the folder might be somebody's workspace."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        if not (target / _MARK).is_file():
            raise UsageProblem(f"--dir: {target} holds something that is no earlier demo; name a new or empty folder")
        for entry in target.iterdir():  # the folder itself may be where somebody stands
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != _MARK:
                entry.unlink()
    target.mkdir(parents=True, exist_ok=True)
    (target / _MARK).write_text("made by `okrsync demo`, which may remove this folder\n", encoding="utf-8")


def _default(env: Mapping[str, str]) -> Path:
    state = env.get("OKRSYNC_STATE")
    return Path(state) / "demo" if state else Path(tempfile.mkdtemp(prefix="okrsync-demo-"))
