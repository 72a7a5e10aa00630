"""All that a judgement hangs on besides items."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from okrsync import __version__, domain, findings, linking, mappings
from okrsync.bootstrap import Session
from okrsync.judging import Judging

# What a judgement is made by; and what it is written down in.
_ROOMS = (domain, findings, linking, mappings)


def basis(session: Session, judging: Judging) -> str:
    """A digest of it: where it differs, all items have to be judged anew."""
    workspace = session.workspace
    told = (
        __version__,
        _code(),
        repr((workspace.nodes, workspace.cycles, session.cycle, workspace.mappings)),
        repr((workspace.settings.cycles, workspace.settings.rules, workspace.settings.reports)),
        [(connector.name, connector.type) for connector in workspace.connectors],
        judging.context,
        judging.boards,
    )
    return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()


def _code() -> list[tuple[str, int, int]]:
    """The code that judges, by its files: a checkout may change without a new version."""
    here = Path(__file__).parent
    folders = [here, here.parent / "reports", *(Path(path) for room in _ROOMS for path in room.__path__)]
    files = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    return [
        (path.name, (stat := path.stat()).st_size, stat.st_mtime_ns) for path in (*files, here.parent / "judging.py")
    ]
