"""Writes a commented example workspace."""

from __future__ import annotations

from datetime import date, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from ..domain.workspace import Problem, WorkspaceError

# A folder that holds files already is somebody's own: an example beside them might contradict them.
_EXAMPLES = ("config/okrs", "connectors", "mappings")


def init(target: Path, *, today: date) -> list[Path]:
    """Writes the example workspace into `target` (made if need be) and returns the files written. What exists is
    never overwritten, and a folder with files of its own gets no example, nor `mappings` beside goals of its own:
    compare with `example_files`. `today` is a UTC date; the goals are those of its quarter. Raises WorkspaceError
    where a file cannot be written."""
    busy = {folder for folder in _EXAMPLES if any((target / folder).glob("*.y*ml"))}
    if "config/okrs" in busy:
        busy.add("mappings")  # its rules link to the example's goals
    written: list[Path] = []
    for relative, content in _contents(today).items():
        path = target / relative
        if path.exists() or path.is_symlink() or relative.parent.as_posix() in busy:
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as stream:  # never overwrites, not even in a race
                stream.write(content)
        except OSError as error:
            problem = Problem(
                path=str(relative), line=1, message=f"cannot be written ({error.strerror}); try another folder"
            )
            raise WorkspaceError((problem,)) from None
        written.append(path)
    return written


def example_files(today: date) -> tuple[Path, ...]:
    """The files of the example workspace, relative to it: those `init` did not return were left as they are."""
    return tuple(_contents(today))


def _contents(today: date) -> dict[Path, str]:
    quarter = (today.month - 1) // 3 + 1
    starts = date(today.year, 3 * quarter - 2, 1)
    ends = (starts + timedelta(days=95)).replace(day=1) - timedelta(days=1)
    words = {"cycle": f"{today.year}-Q{quarter}", "starts": starts.isoformat(), "ends": ends.isoformat()}
    here = files("okrsync.config") / "templates"
    goals = f"config/okrs/{words['cycle']}.yaml"
    return {
        Path(goals): Template(_text(here, "config/okrs/cycle.yaml")).substitute(words),
        **{
            Path(".gitignore" if name == "gitignore" else name): _text(here, name)
            for name in (
                "config/okrsync.yaml",
                "connectors/jira.yaml",
                "connectors/github.yaml",
                "mappings/rules.yaml",
                "gitignore",
                "README.md",
            )
        },
    }


def _text(folder: Traversable, name: str) -> str:
    return folder.joinpath(*name.split("/")).read_text(encoding="utf-8")
