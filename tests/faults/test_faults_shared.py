"""Two connectors of one server: what the server counts together waits together, and nothing else does."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fault_house import House, HouseClock, covers, small_company
from msgspec import structs

from okrsync.sandbox import Fault, Sandbox

ANOTHER = "another-token"
GITHUB = "type: github\nurl: {url}\nrepos: [{place}]\n"
JIRA = "type: jira\nurl: {url}\nemail: {email}\nprojects: [{place}]\n"


class Meeting(HouseClock):
    """Puts the waits of two connectors in order by their lengths. The first one (3 s) goes on once the second waits
    (5 s); that one once the first was told to wait (90 s), which ends when the second came to wait again (7 s). Nobody
    has a request under way while the long one passes."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []
        self._began = {seconds: threading.Event() for seconds in (5, 7, 90)}
        self._passed = threading.Event()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if seconds in self._began:
            self._began[seconds].set()
        if seconds in (3, 5, 90):
            assert self._began[{3: 5, 5: 90, 90: 7}[round(seconds)]].wait(30), "the other one never came there"
        if seconds == 7:
            assert self._passed.wait(30)
        super().sleep(seconds)
        if seconds == 90:
            self._passed.set()


@pytest.fixture
def clock() -> Meeting:
    return Meeting()


@pytest.fixture
def house(tmp_path: Path, clock: Meeting) -> Iterator[House]:
    with Sandbox(small_company(clock), clock=clock) as sandbox:
        sandbox.world.more_tokens.add(ANOTHER)
        yield House(tmp_path / "workspace", sandbox, clock)


def split(house: House, source: str, *, common: bool, first: str = "", second: str = "") -> None:
    """Connectors `one` and `two` in place of all others, with one token or with two of the same account."""
    for path in (house.root / "connectors").glob("*.yaml"):
        path.unlink()
    places = ("PAY", "OPS") if source == "jira" else ("acme/web", "acme/api")
    text, url = (JIRA, house.sandbox.jira_url) if source == "jira" else (GITHUB, house.sandbox.github_url)
    for name, place, more in zip(("one", "two"), places, (first, second), strict=True):
        house.write(f"connectors/{name}.yaml", text.format(url=url, place=place, email=house.sandbox.email) + more)
    house.env["OKRSYNC_ONE_TOKEN"] = house.sandbox.token
    house.env["OKRSYNC_TWO_TOKEN"] = house.sandbox.token if common else ANOTHER


def broken(seconds: int) -> Fault:
    return Fault(kind="status", status=503, headers={"Retry-After": str(seconds)}, times=1)


LIMITS = {
    "github": Fault(kind="secondary_limit", headers={"Retry-After": "90"}, times=1),
    "jira": Fault(
        kind="status",
        status=429,
        headers={"Retry-After": "90", "RateLimit-Reason": "jira-quota-tenant-based"},
        times=1,
    ),
}
AT = {"github": ({"path": "acme/web"}, {"path": "acme/api"}), "jira": ({"sent": "PAY"}, {"sent": "OPS"})}


@covers("403", "github limits")
@pytest.mark.parametrize("common", [True, False], ids=["one token", "two tokens"])
@pytest.mark.parametrize("source", ["github", "jira"])
def test_what_one_is_told_to_wait_the_other_waits_with_the_same_token(
    house: House, clock: Meeting, source: str, common: bool
) -> None:
    """| 403 or 429 rate limit, two connectors of one host | both wait with one token, one of them with two |"""
    split(house, source, common=common)
    one, two = AT[source]
    house.strike(*(structs.replace(fault, source=source, **one) for fault in (broken(3), LIMITS[source])))
    house.strike(*(structs.replace(broken(seconds), source=source, **two) for seconds in (5, 7)))
    ran = house.run("pull")
    assert ran.exit == 0, (ran.out, ran.err)
    assert sorted(clock.slept) == ([3, 5, 7, 85, 90] if common else [3, 5, 7, 90])


def written(house: House) -> Counter[str]:
    return Counter("api" if "acme/api" in w.path else "web" for w in house.sandbox.writes if w.source == "github")


@pytest.mark.parametrize("common", [True, False], ids=["one token", "two tokens"])
def test_writes_of_both_count_against_the_smaller_hour_over_runs(house: House, common: bool) -> None:
    split(house, "github", common=common, first="writes_per_hour: 4\n", second="writes_per_hour: 450\n")
    house.sync()
    first = written(house)
    house.sync()
    assert written(house) == first, "the hour is not over, and the sum was remembered"
    assert first["api"] > 0
    assert first["web"] > 0
    assert (first.total() == 4) is common, first
    house.clock.advance(hours=1)
    house.sync()
    assert first.total() < written(house).total() <= first.total() + (4 if common else 8)


@pytest.mark.parametrize("common", [True, False], ids=["one token", "two tokens"])
def test_writes_of_both_keep_to_the_smaller_minute(house: House, common: bool) -> None:
    split(house, "github", common=common, first="writes_per_minute: 2\n", second="writes_per_minute: 60\n")
    began = house.clock.now
    house.sync()
    sent = written(house)
    paced = sent.total() if common else sent["web"]
    waited = house.clock.now - began - timedelta(minutes=15)
    assert sent["api"] > 1 < sent["web"]
    assert waited == timedelta(seconds=30) * (paced - 2)
