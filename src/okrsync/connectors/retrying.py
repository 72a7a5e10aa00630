"""The one retry policy: which failures another attempt may mend, how long to wait, when to give up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import tenacity

from okrsync.domain.trackers import Clock, TrackerError
from okrsync.logs import get_logger

T = TypeVar("T")

_log = get_logger()


class Again(Exception):
    """An attempt failed in a way that another may mend.

    given_up  what to raise when none is left
    wait      seconds the server asked for; None: exponential backoff with jitter
    most      attempts that may fail in this way (`kind`) on one request
    for_all   not only this request has to wait
    """

    def __init__(
        self, given_up: TrackerError, *, wait: float | None = None, most: int, kind: str, for_all: bool = False
    ) -> None:
        super().__init__(str(given_up))
        self.given_up = given_up
        self.wait = wait
        self.most = most
        self.kind = kind
        self.for_all = for_all


class Policy:
    """No wait goes beyond `deadline()`. When the server tells one request to wait, those of other threads wait too."""

    def __init__(self, *, clock: Clock, sleep: Callable[[float], None], deadline: Callable[[], datetime]) -> None:
        self._clock = clock
        self._sleep = sleep
        self._deadline = deadline
        self._not_before: datetime | None = None
        self._lock = threading.Lock()
        self._backoff = tenacity.wait_exponential_jitter(initial=1, max=60, jitter=1)

    def run(self, attempt: Callable[[], T], failures: dict[str, int], *, source: str, request: str) -> T:
        """Calls `attempt` until it no longer raises Again, and counts `failures` by kind."""

        def wait(state: tenacity.RetryCallState) -> float:
            again = _again(state)
            return self._backoff(state) if again.wait is None else again.wait

        def stop(state: tenacity.RetryCallState) -> bool:
            again = _again(state)
            failures[again.kind] = failures.get(again.kind, 0) + 1
            too_late = self._clock() + timedelta(seconds=state.upcoming_sleep) > self._deadline()
            return failures[again.kind] >= again.most or too_late

        def before_sleep(state: tenacity.RetryCallState) -> None:
            _log.debug("http.again", source=source, request=request, wait=round(state.upcoming_sleep, 1))
            if _again(state).for_all:
                self._hold(state.upcoming_sleep)

        def held_back() -> T:
            self._wait_for_others()
            return attempt()

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Again),
            wait=wait,
            stop=stop,
            sleep=self._sleep,
            before_sleep=before_sleep,
            reraise=True,
        )
        try:
            return retrying(held_back)
        except Again as again:
            raise again.given_up from again.__cause__

    def _hold(self, seconds: float) -> None:
        until = self._clock() + timedelta(seconds=seconds)
        with self._lock:
            self._not_before = max(self._not_before or until, until)

    def _wait_for_others(self) -> None:
        with self._lock:
            until = self._not_before
        left = (until - self._clock()).total_seconds() if until else 0.0
        # what would wait beyond the deadline is sent: its own answer says what to do
        if until and left > 0 and until <= self._deadline():
            self._sleep(left)


def _again(state: tenacity.RetryCallState) -> Again:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, Again)
    return error
