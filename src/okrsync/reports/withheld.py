"""When a rate is not shown, and why."""

from __future__ import annotations

from okrsync.domain.findings import Summary

from .text import count, percent

# Beyond this share of unknown work the alignment rate says more about access than about alignment.
UNKNOWN_LIMIT = 0.1
PROGRESS, BACKLOG = "work in progress", "the backlog"
_NONE = {PROGRESS: "No work is in progress.", BACKLOG: "The backlog is empty."}


def withheld_because(summary: Summary, what: str) -> str:
    """Why the alignment rate of `what` (PROGRESS or BACKLOG) is not shown, as a sentence; empty when it is."""
    if summary.open and summary.unknown / summary.open > UNKNOWN_LIMIT:
        return (
            f"{percent(summary.unknown / summary.open)} of {what} ({count(summary.unknown, 'item')} of "
            f"{summary.open:,}) could not be judged in this run, so a rate would mislead."
        )
    if summary.alignment_rate is None:
        return f"All of {what} is exempt or unknown." if summary.open else _NONE[what]
    return ""
