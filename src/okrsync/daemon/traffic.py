"""Requests, retries, waits and rate budgets of each source, for `/metrics`: counted while they go, also in a run that
is stopped or fails."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge

from ..domain.trackers import RateBudget

_OUTCOMES = ("done", "unchanged", "redirected", "limited", "refused", "broken")
_RETRIES = ("limited", "broken", "conflict")
_WAITS = ("told", "backoff", "pacing")


class Traffic:
    """The families, and the meter of each source."""

    def __init__(self, registry: CollectorRegistry) -> None:
        source = ["source"]
        self.requests = Counter(
            "okrsync_requests", "Requests sent, by what came of each attempt.", [*source, "outcome"], registry=registry
        )
        self.retries = Counter(
            "okrsync_request_retries", "Requests sent again, by why.", [*source, "reason"], registry=registry
        )
        self.waited = Counter(
            "okrsync_request_wait_seconds",
            "Seconds that requests waited before they were sent, by who asked for it.",
            [*source, "reason"],
            registry=registry,
        )
        resource = [*source, "resource"]
        self.limit = Gauge(
            "okrsync_rate_limit", "Requests or points of a whole rate budget.", resource, registry=registry
        )
        self.remaining = Gauge(
            "okrsync_rate_limit_remaining", "What is left of it, as the last answer said.", resource, registry=registry
        )
        self.resets = Gauge(
            "okrsync_rate_limit_reset_timestamp_seconds", "When it is whole again.", resource, registry=registry
        )

    def of(self, source: str) -> _Meter:
        return _Meter(self, source)


class _Meter:
    """`domain.trackers.Meter` of one source. Its series are there from the start, as 0."""

    def __init__(self, traffic: Traffic, source: str) -> None:
        self._traffic = traffic
        self._source = source
        self._requests = _series(traffic.requests, source, _OUTCOMES)
        self._retries = _series(traffic.retries, source, _RETRIES)
        self._waited = _series(traffic.waited, source, _WAITS)

    def requested(self, outcome: str) -> None:
        self._requests[outcome].inc()

    def retried(self, reason: str) -> None:
        self._retries[reason].inc()

    def waits(self, reason: str, seconds: float) -> None:
        self._waited[reason].inc(max(0.0, seconds))

    def granted(self, budget: RateBudget) -> None:
        key = (self._source, budget.name)
        self._traffic.limit.labels(*key).set(budget.limit)
        self._traffic.remaining.labels(*key).set(budget.remaining)
        if budget.resets is not None:
            self._traffic.resets.labels(*key).set(budget.resets.timestamp())


def _series(counter: Counter, source: str, values: Iterable[str]) -> dict[str, Counter]:
    return {value: counter.labels(source, value) for value in values}
