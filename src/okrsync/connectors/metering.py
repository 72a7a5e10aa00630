"""Telling a meter what requests come to; the meter that nobody reads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from okrsync.domain.trackers import Meter, RateBudget

from .answers import told_budget

# Those that okrsync draws on (https://docs.github.com/rest/rate-limit/rate-limit); a server must not invent series.
_RESOURCES = ("core", "graphql", "search")


class Unmetered:
    """`domain.trackers.Meter` that forgets."""

    def requested(self, outcome: str) -> None:
        pass

    def retried(self, reason: str) -> None:
        pass

    def waits(self, reason: str, seconds: float) -> None:
        pass

    def granted(self, budget: RateBudget) -> None:
        pass


UNMETERED = Unmetered()


def tell_budget(meters: Collection[Meter], headers: Mapping[str, str]) -> None:
    """Passes on what an answer's headers say of the rate budget, where they do, to all who draw on it."""
    if not meters or "x-ratelimit-remaining" not in headers:
        return
    resource = headers.get("x-ratelimit-resource", "").lower()
    budget = told_budget(headers, resource if resource in _RESOURCES else "requests")
    if budget is not None:
        for meter in meters:
            meter.granted(budget)


def pacing(sleep: Callable[[float], None], meter: Meter) -> Callable[[float], None]:
    """A sleep that tells the meter, for waits of our own making."""

    def told(seconds: float) -> None:
        meter.waits("pacing", seconds)
        sleep(seconds)

    return told
