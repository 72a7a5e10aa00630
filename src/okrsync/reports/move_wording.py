"""Sentences about why the alignment rate moved, shared by the html and the markdown report. Plain text."""

from __future__ import annotations

from .moves import Cause, Move
from .text import count, percent

CAUSES = {
    "work": ("Work", "tickets started, finished, linked or no longer linked"),
    "goals": ("Goals", "goals added, ended or tied to others"),
    "mapping": ("Mapping rules", "rules added, changed or run out"),
    "coverage": ("Coverage", "sources and places that only one of the runs could read"),
}


def title(move: Move) -> str:
    return f"Since {'the ' if move.since == 'last run' else ''}{move.since}"


def sentence(move: Move) -> str:
    """`From 45% to 59%, up 13.9 points.`; where it is not compared, why."""
    if move.before is None or move.after is None:
        return move.why
    told = f" {move.why}" if move.why else ""
    if not move.points:
        nothing = "" if has_causes(move) or move.why else " Nothing that could move it has changed."
        return f"Unchanged at {percent(move.after)}.{nothing}{told}"
    direction = "up" if move.points > 0 else "down"
    # a small move may round to the same whole percent
    same = percent(move.before) == percent(move.after)
    between = f"Still {percent(move.after)}" if same else f"From {percent(move.before)} to {percent(move.after)}"
    return f"{between}, {direction} {_points(abs(move.points))}.{told}"


def has_causes(move: Move) -> bool:
    """Whether anything happened that is worth a table."""
    return any(c.points or c.entered or c.left or c.gained or c.lost or c.other or c.details for c in move.causes)


def points(value: float) -> str:
    """`+3.2`, `−1.0` with a true minus, `0`."""
    if not value:
        return "0"
    return f"{'+' if value > 0 else '−'}{abs(value):.1f}"


def effect(cause: Cause) -> str:
    """What was changed, and `3 items came in, 2 left, 4 became linked`."""
    counts = (
        (cause.entered, "came in"),
        (cause.left, "left"),
        (cause.gained, "became linked"),
        (cause.lost, "no longer linked"),
        (cause.other, "changed otherwise"),
    )
    happened = [(n, what) for n, what in counts if n]
    told = ", ".join(f"{n:,} {what}" if at else f"{count(n, 'item')} {what}" for at, (n, what) in enumerate(happened))
    changed = "; ".join(cause.details)
    if not told:
        return f"{_capital(changed)}. No effect on work in progress." if changed else "No change."
    return f"{_capital(changed)}. {told}." if changed else f"{told}."


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _points(value: float) -> str:
    return count(1, "point") if value == 1 else f"{value:.1f} points"
