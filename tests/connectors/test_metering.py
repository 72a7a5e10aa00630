"""What the transport tells its meter: each attempt by its outcome, why it tried again, how long it waited, what is left."""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from netfakes import GOOD, START, Script, Time, transport

from okrsync.connectors.metering import pacing
from okrsync.connectors.pacing import Pacer
from okrsync.domain.trackers import RateBudget, TrackerError


class Meter:
    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.retries: Counter[str] = Counter()
        self.waited: Counter[str] = Counter()
        self.budgets: list[RateBudget] = []

    def requested(self, outcome: str) -> None:
        self.requests[outcome] += 1

    def retried(self, reason: str) -> None:
        self.retries[reason] += 1

    def waits(self, reason: str, seconds: float) -> None:
        self.waited[reason] += round(seconds)

    def granted(self, budget: RateBudget) -> None:
        self.budgets.append(budget)


def metered(*steps: Any, method: str = "GET", **how: Any) -> tuple[Meter, Script]:
    meter, server = Meter(), Script(*steps)
    with contextlib.suppress(TrackerError):
        transport(server, Time(), meter=meter).request(method, "x/y", type=dict[str, Any], **how)
    return meter, server


LIMIT = httpx.Response(429, headers={"retry-after": "7"})


@pytest.mark.parametrize(
    ("steps", "requests", "retries"),
    [
        ([GOOD], {"done": 1}, {}),
        ([httpx.Response(304)], {"unchanged": 1}, {}),
        (
            [httpx.Response(302, headers={"location": "https://api.example/v3/z"}), GOOD],
            {"redirected": 1, "done": 1},
            {},
        ),
        ([LIMIT, LIMIT, GOOD], {"limited": 2, "done": 1}, {"limited": 2}),
        ([httpx.Response(503), GOOD], {"broken": 1, "done": 1}, {"broken": 1}),
        ([httpx.Response(200, text="{"), GOOD], {"broken": 1, "done": 1}, {"broken": 1}),
        ([httpx.ConnectError("refused"), GOOD], {"broken": 1, "done": 1}, {"broken": 1}),
        ([httpx.ReadError("reset"), GOOD], {"broken": 1, "done": 1}, {"broken": 1}),
        ([httpx.ConnectError("CERTIFICATE_VERIFY_FAILED")], {"broken": 1}, {}),
        ([httpx.Response(401)], {"refused": 1}, {}),
        ([httpx.Response(403)], {"refused": 1}, {}),
        ([httpx.Response(404)], {"refused": 1}, {}),
        ([httpx.Response(422)], {"refused": 1}, {}),
        ([httpx.Response(503)], {"broken": 5}, {"broken": 4}),
    ],
)
def test_each_attempt_is_told_with_its_outcome(
    steps: list[Any], requests: dict[str, int], retries: dict[str, int]
) -> None:
    meter, server = metered(*steps)
    assert meter.requests == requests
    assert meter.requests.total() == len(server.requests)
    assert meter.retries == retries


def test_a_conflict_is_tried_again_and_told() -> None:
    meter, _ = metered(httpx.Response(409), GOOD, method="PUT", json={})
    assert meter.requests == {"refused": 1, "done": 1}
    assert meter.retries == {"conflict": 1}


def test_a_body_beyond_the_cap_is_told() -> None:
    meter = Meter()
    with pytest.raises(TrackerError, match="larger"):
        transport(Script(GOOD), Time(), meter=meter, byte_cap=3).request("GET", "x", type=dict[str, Any])
    assert meter.requests == {"broken": 1}


def test_waits_are_told_by_who_asked_for_them() -> None:
    time = Time()
    last = httpx.Response(
        200, json={}, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(START.timestamp()) + 100)}
    )
    meter = Meter()
    sender = transport(Script(LIMIT, last, GOOD), time, meter=meter)
    for _ in range(2):
        sender.request("GET", "x", type=dict[str, Any])
    assert meter.waited == {"told": round(sum(time.slept))}
    assert meter.waited.total() > 100
    broken, _ = metered(httpx.Response(502), GOOD)
    assert list(broken.waited) == ["backoff"]


def test_pacing_by_points_is_told() -> None:
    time, meter = Time(), Meter()
    github = transport(Script(GOOD), time, url="https://api.github.com", meter=meter)
    for _ in range(181):
        github.request("POST", "x", type=dict[str, Any], json={})
    assert meter.waited == {"pacing": 60}


def test_pacing_of_writes_is_told() -> None:
    time, meter = Time(), Meter()
    pacer = Pacer(per_minute=1, per_hour=100, clock=time.clock, sleep=pacing(time.sleep, meter))
    for _ in range(2):
        pacer.take(START + timedelta(hours=1))
    assert meter.waited == {"pacing": 60}
    assert time.slept == [60]


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"x-ratelimit-resource": "core"}, "core"),
        ({"x-ratelimit-resource": "GraphQL"}, "graphql"),
        ({"x-ratelimit-resource": "a resource of their own"}, "requests"),
        ({}, "requests"),
    ],
)
@pytest.mark.parametrize("status", [200, 304, 404, 429])
def test_what_an_answer_says_of_the_budget_is_passed_on(headers: dict[str, str], name: str, status: int) -> None:
    told = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4321", "x-ratelimit-reset": "1795348800", **headers}
    answer = httpx.Response(status, json={}, headers=told)
    meter, _ = metered(answer, GOOD)
    resets = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    assert meter.budgets == [RateBudget(name=name, limit=5000, remaining=4321, resets=resets)]


@pytest.mark.parametrize("headers", [{}, {"x-ratelimit-remaining": "many"}, {"x-ratelimit-remaining": "5"}])
def test_a_budget_that_is_not_told_is_none(headers: dict[str, str]) -> None:
    meter, _ = metered(httpx.Response(200, json={}, headers=headers))
    assert meter.budgets == []
