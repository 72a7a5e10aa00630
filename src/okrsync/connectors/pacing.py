"""Pacing of content writes, so that a server's abuse limits are never reached."""

from __future__ import annotations

import json
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from okrsync.domain.trackers import Clock, Memory, NoTimeLeft

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_SENT = "writes sent"
_PATIENCE = 120.0  # seconds; who would wait longer had better read again and write in a later run


class Writes:
    """A token bucket over content writes: a minute's worth may go at once, then they go at the steady rate; never more
    than `per_hour` in any hour. Of several pacers that share it the smallest limits hold. `lock` is held by whoever
    waits for a turn, so that turns come one after the other.

    A full bucket and its refill could add up to twice `per_minute` in the first minute, so no minute ever holds
    more than `ceiling` either.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.per_minute = self.per_hour = self._ceiling = sys.maxsize
        self._tokens = 0.0
        self._filled: datetime | None = None
        self._sent: deque[datetime] = deque()
        self._unrecalled: list[Callable[[], Mapping[int, int]]] = []

    def join(self, per_minute: int, per_hour: int, ceiling: int, recall: Callable[[], Mapping[int, int]]) -> None:
        """`recall` tells what was sent in earlier runs, by the minute; asked before the first write."""
        with self.lock:
            self.per_minute = min(self.per_minute, per_minute)
            self.per_hour = min(self.per_hour, per_hour)
            self._ceiling = min(self._ceiling, ceiling)
            self._unrecalled.append(recall)

    def delay(self, now: datetime) -> float:
        """Seconds until the next write may go."""
        with self.lock:
            self._refill(now)
            self._recall(now)
            while self._sent and self._sent[0] <= now - _HOUR:
                self._sent.popleft()
            waits = [0.0]
            if self._tokens < 1:
                waits.append((1 - self._tokens) * 60 / self.per_minute)
            for count, span in ((self._ceiling, _MINUTE), (self.per_hour, _HOUR)):
                if len(self._sent) >= count:
                    waits.append((self._sent[-count] + span - now).total_seconds())
            return max(waits)

    def spend(self, now: datetime) -> None:
        with self.lock:
            self._refill(now)
            self._tokens -= 1
            self._sent.append(now)

    def _refill(self, now: datetime) -> None:
        full = float(self.per_minute)
        if self._filled is None:
            self._tokens = full
        elif now > self._filled:
            gained = (now - self._filled).total_seconds() * self.per_minute / 60
            self._tokens = min(full, self._tokens + gained)
        self._filled = now

    def _recall(self, now: datetime) -> None:
        """What an earlier process sent counts as sent at the end of its minute, and against this bucket."""
        while self._unrecalled:
            earlier = self._unrecalled.pop()()
            ends = ((min(now, datetime.fromtimestamp((minute + 1) * 60, UTC)), n) for minute, n in earlier.items())
            known = [at for at, count in ends if at > now - _HOUR for _ in range(count)]
            self._sent = deque(sorted([*self._sent, *known]))
            self._tokens = max(0.0, self._tokens - sum(at > now - _MINUTE for at in known))


class Pacer:
    """Paces one connector's content writes, together with those of all who share its `writes`.

    ceiling  of any minute: GitHub blocks content creation at 80
             (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits)
    memory   the server counts over all our runs: those of the last hour are remembered, to the minute
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
        writes: Writes | None = None,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._memory = memory
        self._by_minute: dict[int, int] = {}
        self._writes = writes or Writes()
        self._writes.join(per_minute, per_hour, max(ceiling, per_minute), self._recall)

    def take(self, latest: datetime) -> None:
        """Waits for the next write's turn. Raises NoTimeLeft at once where that is later than `latest`, or minutes
        away: a run that only waits would keep the next one from reading."""
        with self._writes.lock:
            delay = self.delay()
            if delay > 0:
                if delay > _PATIENCE or self._clock() + timedelta(seconds=delay) > latest:
                    limits = f"{self._writes.per_minute} writes a minute and {self._writes.per_hour} an hour may go"
                    raise NoTimeLeft(f"{limits}, so the next one has to wait {delay:.0f} s; the next run goes on")
                self._sleep(delay)
            now = self._clock()
            self._writes.spend(now)
            self._remember(now)

    def delay(self) -> float:
        """Seconds until the next write may go."""
        return self._writes.delay(self._clock())

    def _recall(self) -> Mapping[int, int]:
        if self._memory is not None:
            known: dict[str, int] = json.loads(self._memory.recall(_SENT) or "{}")
            self._by_minute = {int(minute): count for minute, count in known.items()}
        return self._by_minute

    def _remember(self, now: datetime) -> None:
        if self._memory is not None:
            minute = int(now.timestamp() // 60)
            self._by_minute = {m: n for m, n in self._by_minute.items() if m >= minute - 60}
            self._by_minute[minute] = self._by_minute.get(minute, 0) + 1
            self._memory.remember(_SENT, json.dumps(self._by_minute))
