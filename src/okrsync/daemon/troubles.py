"""What is wrong after a run, by what it concerns; and what of it is new, and what has healed. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from ..sync import SyncResult

RUN = "run"
GATE = "safety gate"
WRITING = "writing"

Troubles = Mapping[str, str]
"""A connector's name, `run`, `safety gate` or `writing`, and one sentence on it."""


class Difference(Struct, frozen=True):
    """What is to be said: each trouble once when it starts, and once when it heals."""

    started: Troubles
    healed: tuple[str, ...]


def of_result(result: SyncResult) -> dict[str, str]:
    """The troubles of a run that went through."""
    found = {s.name: s.error or "not read to its end" for s in result.judged.view.sources if s.error or not s.complete}
    if result.gate is not None and result.gate.refused:
        found[GATE] = result.gate.refused
    elif result.gate is not None and result.gate.cut:
        found[GATE] = f"{result.gate.cut} changes are over `limits.changes` and wait"
    if result.applied is not None:
        applied = result.applied
        if applied.stopped:
            found[WRITING] = applied.stopped
        elif applied.failed:
            change, why = applied.failed[0]
            found[WRITING] = f"{len(applied.failed)} changes failed, the first on {change.target}: {why}"
        elif applied.waiting:
            found[WRITING] = f"the outcome of {len(applied.waiting)} writes is unknown; the next run looks first"
    return found


def of_failure(before: Troubles, problem: str) -> dict[str, str]:
    """The troubles after a run that did not go through: it says nothing about the sources, theirs stand."""
    return {**before, RUN: problem}


def difference(before: Troubles, now: Troubles) -> Difference:
    """By what they concern: another sentence about the same source starts nothing new."""
    return Difference(
        started={what: said for what, said in now.items() if what not in before},
        healed=tuple(what for what in before if what not in now),
    )
