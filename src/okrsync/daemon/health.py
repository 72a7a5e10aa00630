"""Is the loop alive, and is what it shows fresh. Pure: a pulse and the time in, a reason out."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from .schedule import Schedule

_LATE = timedelta(minutes=1)  # a loop that waits looks at the clock far more often
# Reading, following references and writing have a budget each; judging and reports need some time as well.
_BUDGETS = 3
_REST = timedelta(minutes=15)


class Pulse(Struct, frozen=True, kw_only=True):
    """Where the loop is. All moments are aware and UTC.

    beat         when the loop last said so
    running      since when a run is under way; None between two
    ended        when the last cycle ended that read something and went through (exit 0 or 3)
    run_timeout  the setting: what reading may take
    """

    beat: datetime
    running: datetime | None = None
    ended: datetime | None = None
    schedule: str
    run_timeout: timedelta


def unwell(pulse: Pulse, now: datetime) -> str:
    """Why the loop is not alive; empty when it is."""
    if pulse.running is not None:
        longest = _BUDGETS * pulse.run_timeout + _REST
        return f"a run hangs since {pulse.running:%Y-%m-%d %H:%M:%S}Z" if now - pulse.running > longest else ""
    return f"the loop stands still since {pulse.beat:%Y-%m-%d %H:%M:%S}Z" if now - pulse.beat > _LATE else ""


def unready(pulse: Pulse, now: datetime) -> str:
    """Why what is shown is not fresh; empty when it is."""
    if pulse.ended is None:
        return "no cycle has ended yet"
    if now > Schedule(pulse.schedule).patience(pulse.ended) + pulse.run_timeout:
        return f"the last cycle ended {pulse.ended:%Y-%m-%d %H:%M:%S}Z; two should have ended since"
    return ""
