"""Loads and validates a whole workspace; tells every problem of every file at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..domain.text import regex
from ..domain.workspace import Problem, Workspace, WorkspaceError
from .connectors import load_connectors, variable_prefix
from .environment import unknown_variables
from .goals import load_goals
from .labels import lookalikes
from .mappings import load_mappings
from .notes import Notes
from .settings import SettingsFile, load_settings

_CONTROL = regex("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
FOLDERS = ("config", "connectors", "mappings")
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def load(root: Path, *, env: Mapping[str, str], overrides: Mapping[str, Any] = _NOTHING) -> Workspace:
    """The workspace in the folder `root`. `env` is the environment; `overrides` come from the command line and are
    nested as in `config/okrsync.yaml`. Raises WorkspaceError with all problems."""
    root = root.absolute()
    _require_workspace(root)
    notes = Notes()
    connectors = load_connectors(root, notes)
    goals = load_goals(root, connectors.types, notes)
    mappings = load_mappings(root, goals, connectors.types, notes)
    settings = load_settings(root, env=env, overrides=overrides, types=connectors.types, notes=notes)
    if settings is not None:
        for node, message in lookalikes(goals.nodes, settings.writeback):
            notes.problems.append(Problem(path=node.path, line=node.line, message=message))
    if notes.problems or settings is None:
        raise WorkspaceError(tuple(dict.fromkeys(_in_one_line(problem) for problem in notes.problems)))
    secrets = {variable_prefix(name): kind or None for name, kind in connectors.types.items()}
    notes.warnings += unknown_variables(SettingsFile, env, secrets)
    if not goals.nodes:
        notes.warnings.append("no goal is defined, so no work can be linked; add config/okrs/<cycle>.yaml")
    if not connectors.settings:
        notes.warnings.append("no connector is configured, so no work is read; add connectors/<name>.yaml")
    return Workspace(
        root=root,
        settings=settings,
        connectors=connectors.settings,
        mappings=mappings,
        nodes=goals.nodes,
        cycles=goals.cycles,
        warnings=tuple(notes.warnings),
    )


def _in_one_line(problem: Problem) -> Problem:
    """Keys and file names are quoted in messages, and may hold line breaks or what a terminal would obey."""
    path, message = (_CONTROL.sub(" ", text) for text in (problem.path, problem.message))
    return Problem(path=path, line=problem.line, message=message)


def _require_workspace(root: Path) -> None:
    hint = "`okrsync init` writes one; or name another folder with --workspace"
    try:
        found = root.is_dir() and any((root / folder).is_dir() for folder in FOLDERS)
        wrong = "" if found else "holds no config/, connectors/ or mappings/" if root.is_dir() else "is no folder"
    except OSError as error:
        wrong = f"cannot be read ({error.strerror})"
    if wrong:
        raise WorkspaceError((Problem(path=".", line=1, message=f"{root} {wrong}; {hint}"),))
