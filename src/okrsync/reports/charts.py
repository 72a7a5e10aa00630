"""Geometry of the page's charts: from values to numbers that an SVG is drawn with. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from math import ceil

from msgspec import Struct

from okrsync.domain.findings import Summary

from . import text
from .effort import Effort, EffortRow
from .model import Report, TrendPoint

TONES = ("linked", "stale", "unlinked", "exempt", "unknown")


class Trend(Struct, frozen=True, kw_only=True):
    """A line from 0 to 100 in both directions (percent; y grows downwards). Gaps split it into `lines`; a lone
    point between two gaps is only a dot. `rows` are the same as text, newest first."""

    lines: tuple[str, ...]
    dots: tuple[tuple[float, float, str], ...]
    first: str
    last: str
    range: str
    rows: tuple[tuple[str, str, str], ...]


# What the table beside the line holds; okrsync.json has all.
ROWS = 14


def trend(report: Report) -> Trend | None:
    """One point a day; while runs of fewer than two days are recorded, one a run. None for fewer than two rates."""
    rated_days = sum(p.rate is not None for p in report.history)
    return _trend(report.history, "%Y-%m-%d") if rated_days > 1 else _trend(report.recent, "%Y-%m-%d %H:%M")


def _trend(points: Sequence[TrendPoint], form: str) -> Trend | None:
    # what an older version recorded, without telling work in progress apart, comes before anything shown
    start = next((n for n, p in enumerate(points) if p.in_progress is not None), len(points))
    points = points[start:]
    rates = [p.rate for p in points if p.rate is not None]
    if len(rates) < 2:
        return None
    first, last = points[0].at, points[-1].at
    span = max((last - first).total_seconds(), 1.0)
    lines: list[list[str]] = [[]]
    dots = []
    for point in points:
        if point.rate is None:  # withheld: the line breaks rather than guesses
            lines.append([])
            continue
        x, y = round((point.at - first).total_seconds() / span * 100, 2), round(100 - point.rate * 100, 2)
        lines[-1].append(f"{x},{y}")
        dots.append((x, y, f"{point.at.astimezone(UTC):{form}}: {text.percent(point.rate)}"))
    return Trend(
        lines=tuple(" ".join(line) for line in lines if len(line) > 1),
        dots=tuple(dots),
        first=f"{first.astimezone(UTC):{form}}",
        last=f"{last.astimezone(UTC):{form}}",
        range=_range(min(rates), max(rates)),
        rows=tuple(_row(p, form) for p in reversed(points[-ROWS:])),
    )


def _range(low: float, high: float) -> str:
    ends = text.percent(low), text.percent(high)
    return f"steady at {ends[0]}" if ends[0] == ends[1] else f"between {ends[0]} and {ends[1]}"


def _row(point: TrendPoint, form: str) -> tuple[str, str, str]:
    started = point.in_progress
    judged = started.linked + started.stale + started.unlinked if started else 0
    told = text.percent(point.rate) if point.rate is not None else "withheld"
    return f"{point.at.astimezone(UTC):{form}}", told, f"{started.linked:,} of {judged:,}" if started else ""


def parts(summary: Summary) -> tuple[tuple[str, int, float, float], ...]:
    """A bar from 0 to 100: alignment, items, where its part begins and how wide it is; empty parts left out."""
    found = []
    x = 0.0
    for tone in TONES:
        items: int = getattr(summary, tone)
        if items:
            width = items / summary.open * 100
            found.append((tone, items, round(x, 3), round(width, 3)))
            x += width
    return tuple(found)


def scale(effort: Effort) -> float:
    """Where the axis of one level ends: the largest share, actual or intended, rounded up to a tenth."""
    shares = [effort.rest, *(r.share for r in effort.rows), *(r.intended or 0 for r in effort.rows)]
    return min(max(ceil(round(max(shares) * 10, 6)) / 10, 0.1), 1.0)


def drift(row: EffortRow) -> str:
    """`7 points more than intended`; empty where no share was."""
    if row.intended is None:
        return ""
    points = round((row.share - row.intended) * 100)
    if not points:
        return "as intended"
    return f"{text.count(abs(points), 'point')} {'more' if points > 0 else 'less'} than intended"
