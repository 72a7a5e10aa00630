"""What connectors share that a server counts as one: holds, points, budgets, requests at a time; and who is one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from netfakes import GOOD, START, TOKEN, Script, Time, transport
from pydantic import SecretStr
from test_metering import Meter

from okrsync.connectors.governing import Governor, Governors
from okrsync.connectors.pacing import Pacer
from okrsync.connectors.parallel import AT_A_TIME
from okrsync.connectors.remembering import Forgetful
from okrsync.connectors.transport import Transport
from okrsync.domain.settings import GitHubApp, GitHubSettings, JiraSettings
from okrsync.domain.trackers import NoTimeLeft, Throttled

HOST = "api.github.com"
ISSUES = "https://acme.atlassian.net"


def two(server: httpx.BaseTransport, time: Time, **more: Any) -> tuple[Transport, Transport]:
    """Transports of two connectors under one governor."""
    governor = Governor(HOST, clock=time.clock)
    url = f"https://{HOST}"
    return transport(server, time, url, governor=governor, **more), transport(server, time, url, governor=governor)


def ask(way: Transport, method: str = "GET", path: str = "repos/a/b") -> None:
    way.request(method, path, type=dict[str, Any], json={} if method != "GET" else None)


def test_the_last_request_of_a_window_holds_the_others_too() -> None:
    told = {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-resource": "core",
        "x-ratelimit-reset": str(int(START.timestamp()) + 60),
    }
    time = Time()
    one, other = two(Script(httpx.Response(200, json={}, headers=told), GOOD), time)
    ask(one)
    assert time.slept == []
    ask(other)
    assert time.slept == [61]


def test_a_wait_too_long_for_one_run_is_kept_to_in_what_follows() -> None:
    time = Time()
    one, other = two(Script(httpx.Response(429, headers={"retry-after": "1200"}), GOOD), time)
    time.ends = START + timedelta(minutes=10)
    with pytest.raises(Throttled):
        ask(one)
    assert time.slept == []
    time.ends = START + timedelta(minutes=30)  # writing has a budget of its own
    ask(other)
    assert time.slept == [1200]


def test_what_would_only_be_refused_is_not_sent() -> None:
    time = Time()
    server = Script(httpx.Response(429, headers={"retry-after": "4000"}), GOOD)
    one, other = two(server, time)
    for way in (one, other, one):
        with pytest.raises(Throttled, match="does not fit into this run"):
            ask(way)
    assert len(server.requests) == 1
    time.sleep(4000)
    time.ends = time.now + timedelta(minutes=30)
    ask(other)
    assert len(server.requests) == 2


def test_points_of_a_minute_are_counted_together() -> None:
    time, meter = Time(), Meter()
    one, other = two(Script(GOOD), time, meter=meter)
    for _ in range(450):
        ask(one)
        ask(other)
    assert time.slept == []
    ask(other)
    assert time.slept == [60]
    ask(one)
    assert meter.waited == {}, "waits are told to the one that waits"


def test_a_budget_is_told_to_all_who_draw_on_it() -> None:
    time, meter = Time(), Meter()
    headers = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4321"}
    _, other = two(Script(httpx.Response(200, json={}, headers=headers)), time, meter=meter)
    ask(other)
    assert [budget.remaining for budget in meter.budgets] == [4321]
    assert meter.requests.total() == 0


def test_requests_under_way_are_counted_together() -> None:
    lock, group = threading.Lock(), threading.Barrier(AT_A_TIME)
    inside: list[int] = []

    class Slow(httpx.BaseTransport):
        under_way = 0

        def handle_request(self, _: httpx.Request) -> httpx.Response:
            with lock:
                self.under_way += 1
                inside.append(self.under_way)
            group.wait(30)
            with lock:
                self.under_way -= 1
            return httpx.Response(200, json={})

    ways = two(Slow(), Time())
    with ThreadPoolExecutor(4 * AT_A_TIME) as pool:
        list(pool.map(ask, ways * 2 * AT_A_TIME))
    assert max(inside) == AT_A_TIME


def test_the_smaller_limits_hold_for_writes_and_what_both_sent_before_counts() -> None:
    time, memories = Time(), (Forgetful(), Forgetful())

    def pacers() -> tuple[Pacer, Pacer]:
        """A new process."""
        writes = Governor(HOST, clock=time.clock).writes
        limits = ((3, 450), (60, 8))
        many, few = (
            Pacer(per_minute=m, per_hour=h, clock=time.clock, sleep=time.sleep, memory=memory, writes=writes)
            for (m, h), memory in zip(limits, memories, strict=True)
        )
        return many, few

    one, other = pacers()
    for pacer in (one, other, one, other):
        pacer.take(time.ends)
    assert time.slept == [20]
    one, other = pacers()
    for pacer in (other, other, other, one):
        pacer.take(time.ends)
    with pytest.raises(NoTimeLeft, match="3 writes a minute and 8 an hour"):
        other.take(START + timedelta(days=1))


# --- who is one


def jira(**more: Any) -> JiraSettings:
    given = {"name": "jira", "url": ISSUES, "email": "bot@acme.example", **more}
    return JiraSettings(type="jira", **given)


def github(**more: Any) -> GitHubSettings:
    given = {"name": "github", "url": f"https://{HOST}", "repos": ("acme/web",), **more}
    return GitHubSettings(type="github", **given)


def app(installation: int) -> dict[str, Any]:
    return {"app": GitHubApp(id=1, installation=installation)}


SAME = [
    (github(), github(name="data", repos=("acme/data",))),
    (github(), github(url=f"https://{HOST.upper()}/")),
    (jira(), jira(name="other", projects=("OPS",), email="Bot@acme.example")),
    (github(**app(7)), github(name="data", **app(7))),
]
OTHER = [
    (github(), github(url="https://github.acme.example/api/v3")),
    (jira(), jira(email="else@acme.example")),
    (jira(), jira(email=None)),
    (jira(url="https://api.atlassian.com/ex/jira/1"), jira(url="https://api.atlassian.com/ex/jira/2")),
    (github(**app(7)), github(**app(8))),
    (github(), github(**app(7))),
]


@pytest.mark.parametrize(("pair", "same"), [(p, True) for p in SAME] + [(p, False) for p in OTHER])
def test_who_shares_an_account_shares_its_limits(pair: tuple[Any, Any], same: bool) -> None:
    governors = Governors(clock=Time().clock)
    one, other = (governors.of(settings, SecretStr(TOKEN)) for settings in pair)
    assert (one is other) is same


def test_another_token_is_another_account_and_no_secret_is_kept() -> None:
    governors = Governors(clock=Time().clock)
    one, other = (governors.of(github(), SecretStr(token)) for token in (TOKEN, TOKEN + "x"))
    assert one is not other
    assert TOKEN not in repr(vars(governors))
