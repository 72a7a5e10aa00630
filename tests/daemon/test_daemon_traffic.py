"""Requests, retries, waits and rate budgets on `/metrics`, in the middle of a run as well."""

from __future__ import annotations

import pytest
from watched import Watched

from okrsync.sandbox import Fault
from product import Product


def total(watched: Watched, name: str, **labels: str) -> float:
    wanted = set(labels.items())
    return sum(value for (found, given), value in watched.metrics().items() if found == name and wanted <= given)


@pytest.fixture
def watched(product: Product) -> Watched:
    return Watched(product)


def test_the_metrics_tell_what_the_servers_saw(product: Product, watched: Watched) -> None:
    seen: list[tuple[float, int]] = []

    def look() -> None:
        seen.append((total(watched, "okrsync_requests_total"), len(product.sandbox.requests)))
        assert total(watched, "okrsync_requests_total", outcome="broken") == 0
        limit = watched.metric("okrsync_rate_limit", source="github", resource="core")
        assert limit - watched.metric("okrsync_rate_limit_remaining", source="github", resource="core") == 1
        resets = watched.metric("okrsync_rate_limit_reset_timestamp_seconds", source="github", resource="core")
        assert resets > product.clock().timestamp()

    assert watched.run((1, look), (16, look)).exit == 0
    assert seen[0][0] > 10
    assert seen[0][0] < seen[1][0]
    assert [metered for metered, _ in seen] == [sent for _, sent in seen]


def test_a_limit_is_seen_while_it_is_waited_for(product: Product, watched: Watched) -> None:
    product.sandbox.faults.add(Fault(kind="status", status=429, source="jira", headers={"Retry-After": "90"}, times=1))
    waiting: list[tuple[float, float]] = []

    def look(seconds: float) -> None:
        told = total(watched, "okrsync_request_wait_seconds_total", source="jira", reason="told")
        if told and not waiting:
            waiting.append((told, watched.metric("okrsync_run_in_progress")))

    watched.before_sleep = look

    def after() -> None:
        assert watched.metric("okrsync_requests_total", source="jira", outcome="limited") == 1
        assert watched.metric("okrsync_request_retries_total", source="jira", reason="limited") == 1
        assert total(watched, "okrsync_request_wait_seconds_total", source="github") == 0

    assert watched.run((5, after)).exit == 0
    assert waiting == [(90, 1)]


def test_a_run_that_fails_counts_too(product: Product, watched: Watched) -> None:
    product.sandbox.faults.add(Fault(kind="status", status=401))

    def look() -> None:
        assert total(watched, "okrsync_requests_total", outcome="refused") >= 2
        assert total(watched, "okrsync_requests_total", outcome="done") == 0

    assert watched.run((1, look)).exit == 0
