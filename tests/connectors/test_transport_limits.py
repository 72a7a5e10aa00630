"""The transport within each server's limits: waiting as told, for what is told, and pacing by itself."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from netfakes import GOOD, START, Script, Time, ask, transport

from okrsync.connectors.limits import Points
from okrsync.connectors.pacing import Pacer
from okrsync.domain.trackers import Forbidden, Throttled


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("limit", "wait"),
    [
        (httpx.Response(429, headers={"retry-after": "7"}), 7),
        (httpx.Response(429, headers={"retry-after": format_datetime(START + timedelta(seconds=40), usegmt=True)}), 40),
        (httpx.Response(403, headers={"retry-after": "0"}), 1),
        (
            httpx.Response(
                403,
                json={"message": "API rate limit exceeded for user ID 1."},
                headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(START.timestamp()) + 90)},
            ),
            91,
        ),
        (
            httpx.Response(
                403, json={"message": "You have exceeded a secondary rate limit. Please wait a few minutes"}
            ),
            60,
        ),
        (
            httpx.Response(
                403,
                json={
                    "message": "You have exceeded a secondary rate limit and have been temporarily blocked from content creation."
                },
                headers={"x-ratelimit-remaining": "4290", "x-ratelimit-reset": str(int(START.timestamp()) + 900)},
            ),
            60,
        ),
        (httpx.Response(429, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-11-20T12:02Z"}), 121),
        (httpx.Response(429, headers={"ratelimit": '"jira-burst-based";r=0;t=5'}), 5),
        (httpx.Response(429, headers={"x-ratelimit-remaining": "1", "x-ratelimit-interval-seconds": "3"}), 3),
    ],
)
def test_a_rate_limit_is_waited_for_in_full_even_for_a_create(limit: httpx.Response, wait: float, method: str) -> None:
    time = Time()
    assert ask(Script(limit, GOOD), method, time=time, json={}).value == {"a": 1}
    assert time.slept == [wait]


@pytest.mark.parametrize(
    "limit",
    [
        httpx.Response(429),
        httpx.Response(429, html="<!doctype html><html><title>HTTP Status 429 – Too Many Requests</title>"),
        httpx.Response(429, json={"errorMessages": ["The request has been rate-limited."], "errors": {}}),
        httpx.Response(429, headers={"retry-after": "soon"}),
        httpx.Response(429, headers={"retry-after": "inf"}),
        httpx.Response(429, headers={"retry-after": "nan"}),
        httpx.Response(429, headers={"retry-after": "-3", "x-ratelimit-reset": "9" * 30}),
    ],
)
def test_a_rate_limit_without_a_usable_time_is_backed_off(limit: httpx.Response) -> None:
    time = Time()
    assert ask(Script(limit, limit, GOOD), time=time).value == {"a": 1}
    assert all(1 <= s <= 4 for s in time.slept)


def test_waits_are_measured_by_the_servers_own_clock() -> None:
    time = Time()
    fast = START + timedelta(hours=1)
    headers = {
        "date": format_datetime(fast, usegmt=True),
        "retry-after": format_datetime(fast + timedelta(seconds=9), usegmt=True),
    }
    ask(Script(httpx.Response(429, headers=headers), GOOD), time=time)
    assert time.slept == [9]


def test_a_wait_beyond_the_run_is_not_begun() -> None:
    time = Time()
    with pytest.raises(Throttled):
        ask(Script(httpx.Response(429, headers={"retry-after": "3600"})), time=time)
    assert time.slept == []


def test_a_server_that_limits_for_ever_does_not_hold_us() -> None:
    server = Script(httpx.Response(429, headers={"retry-after": "0"}))
    with pytest.raises(Throttled):
        ask(server)
    assert len(server.requests) == 10


def test_lack_of_permission_is_no_rate_limit() -> None:
    time = Time()
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}
    body = {"message": "Resource not accessible by personal access token"}
    with pytest.raises(Forbidden, match="Resource not accessible"):
        ask(Script(httpx.Response(403, json=body, headers=headers)), time=time)
    assert time.slept == []


# --- what a limit covers


def told(reason: str) -> httpx.Response:
    return httpx.Response(429, headers={"retry-after": "30", "ratelimit-reason": reason})


def sent_after(limit: httpx.Response, path: str, other: tuple[str, str]) -> float:
    """Seconds after which another thread's request goes out, while `PUT path` waits as `limit` told it."""
    time = Time()
    sent: list[float] = []

    def meanwhile(seconds: float) -> None:
        time.slept.append(seconds)
        if len(time.slept) == 1:
            way.request(other[0], other[1], type=dict[str, Any], idempotent=True)
        time.now = START + timedelta(seconds=61)

    def answer(_: httpx.Request) -> httpx.Response:
        sent.append((time.now - START).total_seconds())
        return httpx.Response(200, json={})

    way = transport(Script(limit, answer), time, sleep=meanwhile)
    way.request("PUT", path, type=dict[str, Any])
    return sent[0]


@pytest.mark.parametrize(
    ("limit", "waits", "goes"),
    [
        (told("jira-quota-tenant-based"), [("GET", "myself"), ("PUT", "issue/8")], []),
        (told("jira-quota-global-based"), [("GET", "myself")], []),
        (told("something-new"), [("GET", "myself")], []),
        (told("jira-burst-based"), [("PUT", "issue/8")], [("GET", "issue/7"), ("PUT", "comment/7"), ("GET", "myself")]),
        (
            told("jira-per-issue-on-write"),
            [("POST", "issue/7/comment"), ("PUT", "issue/7")],
            [("PUT", "issue/8"), ("GET", "issue/7"), ("POST", "search")],
        ),
        (
            httpx.Response(
                403,
                json={"message": "API rate limit exceeded"},
                headers={
                    "x-ratelimit-remaining": "0",
                    "x-ratelimit-resource": "core",
                    "x-ratelimit-reset": str(int(START.timestamp()) + 29),
                },
            ),
            [("GET", "repos/a/b")],
            [("POST", "graphql"), ("GET", "search/issues")],
        ),
        (httpx.Response(403, json={"message": "secondary rate limit"}), [("POST", "graphql"), ("GET", "repos")], []),
    ],
)
def test_others_wait_for_a_limit_only_where_it_covers_them(
    limit: httpx.Response, waits: list[tuple[str, str]], goes: list[tuple[str, str]]
) -> None:
    path = "issue/7" if "ratelimit-reason" in limit.headers else "repos/a/b"
    assert {other: sent_after(limit, path, other) for other in waits} == dict.fromkeys(waits, 61)
    assert {other: sent_after(limit, path, other) for other in goes} == dict.fromkeys(goes, 0)


def test_the_last_request_of_a_window_is_followed_by_none_before_its_reset() -> None:
    last = httpx.Response(
        200,
        json={},
        headers={
            "x-ratelimit-remaining": "0",
            "x-ratelimit-resource": "core",
            "x-ratelimit-reset": str(int(START.timestamp()) + 60),
        },
    )
    time = Time()
    way = transport(Script(last, GOOD), time)
    way.request("GET", "repos/a/b", type=dict[str, Any])
    way.request("POST", "graphql", type=dict[str, Any], idempotent=True)
    assert time.slept == []
    way.request("GET", "repos/a/c", type=dict[str, Any])
    assert time.slept == [61]


def test_which_limit_it_was_is_told() -> None:
    limit = httpx.Response(429, headers={"retry-after": "3600", "ratelimit-reason": "jira-quota-tenant-based"})
    with pytest.raises(Throttled, match=r"rate limited \(jira-quota-tenant-based\); waiting another 3600 s"):
        ask(Script(limit))


@pytest.mark.parametrize(
    ("url", "path", "method", "at_once"),
    [
        ("https://api.github.com", "repos/a/b/issues", "GET", 900),
        ("https://api.acme.ghe.com", "repos/a/b/issues", "GET", 900),
        ("https://api.github.com", "repos/a/b/labels", "POST", 180),
        ("https://api.github.com", "graphql", "POST", 2000),
        ("https://github.acme.example/api/v3", "repos/a/b/issues", "GET", None),
        ("https://acme.atlassian.net", "rest/api/3/search/jql", "POST", None),
    ],
)
def test_no_minute_holds_more_requests_than_github_allows(
    url: str, path: str, method: str, at_once: int | None
) -> None:
    time = Time()
    way = transport(Script(GOOD), time, url)
    for _ in range(at_once or 2100):
        way.request(method, path, type=dict[str, Any], idempotent=True)
    assert time.slept == []
    way.request(method, path, type=dict[str, Any], idempotent=True)
    assert time.slept == ([60] if at_once else [])


def test_points_come_back_as_they_were_spent_and_never_beyond_the_run() -> None:
    time = Time()
    points = Points(time.clock)
    sent: list[int] = []
    for turn in range(2000):
        points.take("GET" if turn % 3 else "PATCH", "/repos/a/b", START + timedelta(hours=1), time.sleep)
        sent.append((time.now - START) // timedelta(milliseconds=1))
        time.now += timedelta(milliseconds=10)
    cost = [1 if turn % 3 else 5 for turn in range(2000)]
    for index, at in enumerate(sent):
        assert sum(c for c, other in zip(cost[index:], sent[index:], strict=True) if other < at + 60_000) <= 900
    for _ in range(900):
        points.take("GET", "/repos/a/b", START + timedelta(hours=1), time.sleep)
    with pytest.raises(Throttled, match="beyond the end of this run"):
        points.take("GET", "/repos/a/b", time.now, time.sleep)


# --- pacing


def test_a_minutes_worth_goes_at_once_then_steadily_and_never_more_than_the_ceiling() -> None:
    time = Time()
    pacer = Pacer(per_minute=60, per_hour=450, clock=time.clock, sleep=time.sleep)
    sent = []
    for _ in range(200):
        pacer.take(START + timedelta(days=1))
        sent.append((time.now - START).total_seconds())
    assert sent[59] == 0
    assert sent[60] == pytest.approx(1)
    for at in sent:
        assert sum(at <= other < at + 60 for other in sent) <= 80


def test_an_hour_holds_no_more_than_its_share() -> None:
    time = Time()
    pacer = Pacer(per_minute=60, per_hour=450, clock=time.clock, sleep=time.sleep)
    for _ in range(450):
        pacer.take(START + timedelta(days=1))
    assert time.now < START + timedelta(minutes=10)
    with pytest.raises(Throttled, match="450 an hour may go"):
        pacer.take(START + timedelta(minutes=30))
    time.sleep(pacer.delay())
    pacer.take(START + timedelta(days=1))
    assert time.now >= START + timedelta(hours=1)


def test_only_writes_are_paced() -> None:
    time = Time()
    pacer = Pacer(per_minute=1, per_hour=100, clock=time.clock, sleep=time.sleep, ceiling=1)
    way = transport(Script(GOOD), time, pace_writes=pacer)
    for _ in range(5):
        way.request("GET", "x", type=dict[str, Any])
        way.request("POST", "search", type=dict[str, Any], json={}, idempotent=True, write=False)
    assert time.slept == []
    way.request("PUT", "x", type=dict[str, Any])
    way.request("PUT", "x", type=dict[str, Any])
    assert time.slept == [60]
