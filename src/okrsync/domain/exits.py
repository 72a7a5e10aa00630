"""How a verb ends, for whoever started it (DESIGN section 9)."""

from __future__ import annotations

from collections.abc import Iterable

from .changes import Applied, Gate
from .findings import SourceReport

DONE, FAILED, USAGE, PARTIAL, BUSY, FOUND = 0, 1, 2, 3, 4, 5
"""Exit codes."""


def exit_code(
    sources: Iterable[SourceReport], *, loud: bool, gate: Gate | None = None, applied: Applied | None = None
) -> int:
    """1 where nothing could be read; 3 where something was suspended, refused, cut or failed, or where `loud` things
    were said; else 0."""
    sources = tuple(sources)
    if sources and not any(s.complete for s in sources):
        return FAILED
    partial = loud or any(not s.complete or s.unreadable for s in sources)
    refused = gate is not None and bool(gate.refused or gate.cut)
    failed = applied is not None and bool(
        applied.failed or applied.stopped or applied.waiting or any(not p.ours for p in applied.postponed)
    )
    return PARTIAL if partial or refused or failed else DONE
