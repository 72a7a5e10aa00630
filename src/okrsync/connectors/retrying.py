"""The one retry policy: which failures another attempt may mend, how long to wait, when to give up.

tenacity is loaded with the first failure: most runs have none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from okrsync.domain.trackers import Clock, Meter, Throttled, TrackerError
from okrsync.logs import get_logger

from .limits import EVERYTHING, Holds
from .metering import UNMETERED

if TYPE_CHECKING:
    import tenacity

T = TypeVar("T")

_log = get_logger()


class Again(Exception):
    """An attempt failed in a way that another may mend.

    given_up  what to raise when none is left
    wait      seconds to wait before; None: exponential backoff with jitter
    told      whether the server asked for them
    most      attempts that may fail in this way (`kind`) on one request
    scope     what has to wait besides this request (see limits.py); empty: nothing
    """

    def __init__(
        self,
        given_up: TrackerError,
        *,
        wait: float | None = None,
        told: bool = False,
        most: int,
        kind: str,
        scope: str = "",
    ) -> None:
        super().__init__(str(given_up))
        self.given_up = given_up
        self.wait = wait
        self.told = told
        self.most = most
        self.kind = kind
        self.scope = scope


class Policy:
    """No wait goes beyond `deadline()`. When the server tells one request to wait, those of other threads that fall
    under the same limit wait too, and with common `holds` those of other connectors."""

    def __init__(
        self,
        *,
        clock: Clock,
        sleep: Callable[[float], None],
        deadline: Callable[[], datetime],
        meter: Meter = UNMETERED,
        holds: Holds | None = None,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._deadline = deadline
        self._meter = meter
        self._holds = holds if holds is not None else Holds(clock)
        self.hold = self._holds.hold

    def run(
        self,
        attempt: Callable[[], T],
        failures: dict[str, int],
        *,
        source: str,
        request: str,
        scopes: Callable[[], Collection[str]] = lambda: (EVERYTHING,),
    ) -> T:
        """Calls `attempt` until it no longer raises Again, and counts `failures` by kind. `scopes` tells the limits
        that the request falls under."""

        def held_back() -> T:
            if self._holds:
                self._wait_for_others(scopes(), f"{source}: {request}")
            return attempt()

        try:
            try:
                return held_back()
            except Again as first:
                return self._again(held_back, first, failures, source=source, request=request)
        except Again as again:
            if again.told and again.wait is not None:  # too long for this request: others still have to keep to it
                self._holds.refuse(again.scope, again.wait)
            raise again.given_up from again.__cause__

    def _again(
        self, attempt: Callable[[], T], first: Again, failures: dict[str, int], *, source: str, request: str
    ) -> T:
        """Goes on after the first failure. Raises the last one."""
        import tenacity  # noqa: PLC0415  # see above

        backoff = tenacity.wait_exponential_jitter(initial=1, max=60, jitter=1)
        failed = [first]

        def wait(state: tenacity.RetryCallState) -> float:
            again = _failure(state)
            return backoff(state) if again.wait is None else again.wait

        def stop(state: tenacity.RetryCallState) -> bool:
            again = _failure(state)
            failures[again.kind] = failures.get(again.kind, 0) + 1
            too_late = self._clock() + timedelta(seconds=state.upcoming_sleep) > self._deadline()
            return failures[again.kind] >= again.most or too_late

        def before_sleep(state: tenacity.RetryCallState) -> None:
            _log.debug("http.again", source=source, request=request, wait=round(state.upcoming_sleep, 1))
            again = _failure(state)
            self._meter.retried(again.kind)
            self._meter.waits("backoff" if again.wait is None else "told", state.upcoming_sleep)
            if again.scope:
                self.hold(again.scope, state.upcoming_sleep)

        def next_attempt() -> T:
            if failed:
                raise failed.pop()
            return attempt()

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Again),
            wait=wait,
            stop=stop,
            sleep=self._sleep,
            before_sleep=before_sleep,
            reraise=True,
        )
        return retrying(next_attempt)

    def _wait_for_others(self, scopes: Collection[str], what: str) -> None:
        now, deadline = self._clock(), self._deadline()
        until = self._holds.until(scopes, now)
        if now <= deadline < until and self._holds.refused(scopes, deadline):
            said = f"rate limited, so not sent: waiting until {until:%H:%M:%S} UTC does not fit into this run"
            raise Throttled(f"{what}: {said}")
        # what nothing but a count of what is left would hold so long is sent: its own answer says what to do
        if now < until <= deadline:
            self._meter.waits("told", (until - now).total_seconds())
            self._sleep((until - now).total_seconds())


def _failure(state: tenacity.RetryCallState) -> Again:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, Again)
    return error
