"""When the daemon runs next: a cron expression in UTC, or `every 30s`."""

from __future__ import annotations

from datetime import datetime

from cronsim import CronSim

from ..domain.text import parse_duration

# A laptop that slept for a week missed so many runs that their exact number says nothing.
_MOST = 10_000


class Schedule:
    """`text` is as `config` accepts it. Pure: moments in, moments out, aware and UTC."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.every = parse_duration(text[6:]) if text.lower().startswith("every ") else None

    def after(self, moment: datetime) -> datetime:
        """The first scheduled time after the moment; for `every` one pause later."""
        return moment + self.every if self.every else next(CronSim(self.text, moment))

    def following(self, due: datetime, now: datetime) -> tuple[datetime, int]:
        """The first scheduled time after `now`, for a run that was due at `due`; and how many it left out, because
        the run took longer than the pause."""
        if self.every:
            passed = max(0, (now - due) // self.every)
            return due + (passed + 1) * self.every, passed
        left_out = 0
        following = self.after(due)
        while following <= now and left_out < _MOST:
            left_out += 1
            following = self.after(following)
        return max(following, self.after(now)), left_out

    def patience(self, ended: datetime) -> datetime:
        """When two scheduled times have passed since a run ended: by then there should have been another."""
        return self.after(self.after(ended))
