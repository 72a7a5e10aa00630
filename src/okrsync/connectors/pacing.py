"""Pacing of content writes, so that a server's abuse limits are never reached."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from okrsync.domain.trackers import Clock, Throttled

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


class Pacer:
    """A token bucket over content writes: a minute's worth may go at once, then they go at the steady rate;
    never more than `per_hour` in any hour.

    A full bucket and its refill could add up to twice `per_minute` in the first minute, so no minute ever holds
    more than `ceiling` either: GitHub blocks content creation at 80 a minute
    (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits).
    """

    def __init__(
        self, *, per_minute: int, per_hour: int, clock: Clock, sleep: Callable[[float], None], ceiling: int = 80
    ) -> None:
        self._per_minute = per_minute
        self._per_hour = per_hour
        self._ceiling = max(ceiling, per_minute)
        self._clock = clock
        self._sleep = sleep
        self._tokens = float(per_minute)
        self._filled: datetime | None = None
        self._sent: deque[datetime] = deque()

    def take(self, latest: datetime) -> None:
        """Waits for the next write's turn. Raises Throttled at once where that is later than `latest`."""
        delay = self.delay()
        if delay > 0:
            if self._clock() + timedelta(seconds=delay) > latest:
                raise Throttled(f"the next write would have to wait {delay:.0f} s, which is beyond the end of this run")
            self._sleep(delay)
        now = self._clock()
        self._refill(now)
        self._tokens -= 1
        self._sent.append(now)

    def delay(self) -> float:
        """Seconds until the next write may go."""
        now = self._clock()
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
