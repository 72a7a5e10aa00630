"""A workspace as a value: what an operator keeps in git, validated."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from msgspec import Struct

from .goals import Cycle, Goals, Node
from .rules import Mappings
from .settings import ConnectorSettings, CyclesSettings, ReportSettings, RulesSettings, WritebackSettings


class Problem(Struct, frozen=True, kw_only=True, order=True):
    """One thing wrong in the workspace. `path` is relative to it."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class WorkspaceError(Exception):
    """Exit 2: all problems at once, sorted by path and line."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(p) for p in self.problems))


class Settings(Struct, frozen=True, kw_only=True):
    """`config/okrsync.yaml` with environment and command line laid over it. `store` is a URL whose relative
    SQLite path has been resolved; `run_timeout` bounds the reading of one source."""

    store: str
    cycles: CyclesSettings
    run_timeout: timedelta = timedelta(minutes=30)
    schedule: str = "*/15 * * * *"
    listen: str | None = "127.0.0.1:9464"
    writeback: WritebackSettings
    rules: RulesSettings
    reports: ReportSettings


class Workspace(Struct, frozen=True, kw_only=True):
    """`nodes` and `cycles` make `Goals` once today is known."""

    root: Path
    settings: Settings
    connectors: tuple[ConnectorSettings, ...]
    mappings: Mappings
    nodes: tuple[Node, ...]
    cycles: tuple[Cycle, ...]
    warnings: tuple[str, ...] = ()

    def goals(self, today: date, chosen: str | None = None) -> Goals:
        """The goals as they stand on a UTC day; `chosen` is `--cycle`."""
        return Goals(self.nodes, self.cycles, today=today, grace=self.settings.cycles.grace, chosen=chosen)

    def connector(self, name: str) -> ConnectorSettings | None:
        return next((c for c in self.connectors if c.name == name), None)
