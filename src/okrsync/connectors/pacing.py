"""Pacing of content writes, so that a server's abuse limits are never reached."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from okrsync.domain.trackers import Clock, Memory, NoTimeLeft

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_SENT = "writes sent"
_PATIENCE = 120.0  # seconds; who would wait longer had better read again and write in a later run


class Pacer:
    """A token bucket over content writes: a minute's worth may go at once, then they go at the steady rate;
    never more than `per_hour` in any hour.

    A full bucket and its refill could add up to twice `per_minute` in the first minute, so no minute ever holds
    more than `ceiling` either: GitHub blocks content creation at 80 a minute
    (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits).

    The server counts over all our runs: with a `memory`, those of the last hour are remembered, to the minute.
    """

    def __init__(
        self,
        *,
        per_minute: int,
        per_hour: int,
        clock: Clock,
        sleep: Callable[[float], None],
        ceiling: int = 80,
        memory: Memory | None = None,
    ) -> None:
        self._per_minute = per_minute
        self._per_hour = per_hour
        self._ceiling = max(ceiling, per_minute)
        self._clock = clock
        self._sleep = sleep
        self._tokens = float(per_minute)
        self._filled: datetime | None = None
        self._sent: deque[datetime] = deque()
        self._memory = memory
        self._recalled = memory is None
        self._by_minute: dict[int, int] = {}

    def take(self, latest: datetime) -> None:
        """Waits for the next write's turn. Raises NoTimeLeft at once where that is later than `latest`, or minutes
        away: a run that only waits would keep the next one from reading."""
        delay = self.delay()
        if delay > 0:
            if delay > _PATIENCE or self._clock() + timedelta(seconds=delay) > latest:
                limits = f"{self._per_minute} writes a minute and {self._per_hour} an hour may go"
                raise NoTimeLeft(f"{limits}, so the next one has to wait {delay:.0f} s; the next run goes on")
            self._sleep(delay)
        now = self._clock()
        self._refill(now)
        self._tokens -= 1
        self._sent.append(now)
        self._remember(now)

    def delay(self) -> float:
        """Seconds until the next write may go."""
        now = self._clock()
        self._recall(now)
        self._refill(now)
        while self._sent and self._sent[0] <= now - _HOUR:
            self._sent.popleft()
        waits = [0.0]
        if self._tokens < 1:
            waits.append((1 - self._tokens) * 60 / self._per_minute)
        for count, span in ((self._ceiling, _MINUTE), (self._per_hour, _HOUR)):
            if len(self._sent) >= count:
                waits.append((self._sent[-count] + span - now).total_seconds())
        return max(waits)

    def _refill(self, now: datetime) -> None:
        if self._filled is not None and now > self._filled:
            gained = (now - self._filled).total_seconds() * self._per_minute / 60
            self._tokens = min(float(self._per_minute), self._tokens + gained)
        self._filled = now

    def _recall(self, now: datetime) -> None:
        """Once. What an earlier process sent counts as sent at the end of its minute, and against this bucket."""
        if self._recalled or self._memory is None:
            return
        self._recalled = True
        known: dict[str, int] = json.loads(self._memory.recall(_SENT) or "{}")
        self._by_minute = {int(minute): count for minute, count in known.items()}
        for minute, count in sorted(self._by_minute.items()):
            at = min(now, datetime.fromtimestamp((minute + 1) * 60, UTC))
            if at > now - _HOUR:
                self._sent.extend([at] * count)
        recent = sum(at > now - _MINUTE for at in self._sent)
        self._tokens = max(0.0, self._tokens - recent)

    def _remember(self, now: datetime) -> None:
        if self._memory is not None:
            minute = int(now.timestamp() // 60)
            self._by_minute = {m: n for m, n in self._by_minute.items() if m >= minute - 60}
            self._by_minute[minute] = self._by_minute.get(minute, 0) + 1
            self._memory.remember(_SENT, json.dumps(self._by_minute))
