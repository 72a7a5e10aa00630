"""Refusals: 401, 403, rate limits."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest
from fault_house import House, covers
from msgspec import structs

from okrsync.sandbox import STORY_NOW, Fault

# All together they take minutes; the parts they go through are tested in tests/connectors and tests/story as well.
pytestmark = pytest.mark.soak

SOURCES = ("jira", "github")
DATE = STORY_NOW + timedelta(minutes=40)
LATER = format_datetime(DATE, usegmt=True)
VARIABLE = {"jira": "OKRSYNC_JIRA_TOKEN", "github": "OKRSYNC_GITHUB_TOKEN"}


@covers("401")
@pytest.mark.parametrize("source", SOURCES)
def test_401_suspends_at_once_and_names_the_variable(house: House, source: str) -> None:
    """| 401 | no second request, the other source is right, healed in the next run |"""
    fault = Fault(kind="status", status=401, source=source)
    ran = house.suspended(source, fault, says=VARIABLE[source])
    asked = [r for r in house.sandbox.requests if r.source == source and r.status == 401]
    assert len(asked) == 1, "no retry"
    assert VARIABLE[source] in ran.err + ran.out


@covers("403")
@pytest.mark.parametrize("source", SOURCES)
def test_403_of_a_permission_is_not_retried_and_says_what_is_missing(house: House, source: str) -> None:
    """| 403 permission | no wait, no retry, a clear message |"""
    house.settle()
    house.strike(Fault(kind="status", status=403, source=source))
    began = house.clock.now
    ran = house.sync()
    assert ran.exit == 3, ran
    assert house.clock.now - began == timedelta(minutes=15), "nothing is waited for"
    error = next(s["error"] for s in ran.json["run"]["sources"] if s["name"] == source)
    assert "permission" in error or "grant" in error or "not accessible" in error, error
    house.sandbox.faults.clear()
    assert house.sync().exit == 0
    house.right()


LIMITS = {
    "403 with Retry-After": Fault(kind="status", status=403, headers={"Retry-After": "7"}, times=1),
    "429 without Retry-After": Fault(kind="status", status=429, times=3),
    "429 as HTML": Fault(kind="rate_limit_html", times=2),
    "429 as HTML with Retry-After": Fault(kind="rate_limit_html", headers={"Retry-After": "11"}, times=2),
    "429 as JSON": Fault(kind="status", status=429, body='{"message": "slow down"}', times=2),
    "429 with an empty body": Fault(kind="status", status=429, body="", times=2),
    "Retry-After in seconds": Fault(kind="status", status=429, headers={"Retry-After": "600"}, times=1),
    "Retry-After as a date": Fault(kind="status", status=429, headers={"Retry-After": LATER}, times=1),
    "Retry-After of nonsense": Fault(kind="status", status=429, headers={"Retry-After": "soon"}, times=1),
    "Retry-After of zero": Fault(kind="status", status=429, headers={"Retry-After": "0"}, times=2),
}


@covers("403", "429")
@pytest.mark.parametrize("limit", LIMITS)
def test_a_rate_limit_is_waited_for_within_the_run(house: House, limit: str) -> None:
    """| 429 without Retry-After, as HTML, as JSON; Retry-After as seconds or as a date | waited for in full; nothing
    is suspended, nothing written twice | on both sources at once"""
    began = house.clock.now
    house.survived(*(structs.replace(LIMITS[limit], source=source) for source in SOURCES))
    told = LIMITS[limit].headers.get("Retry-After", "")
    # the sources share the story's clock: what one of them waits passes for the other, too
    waited = house.clock.now - began - timedelta(minutes=3 * 15 + 5)
    assert waited >= timedelta(seconds=max(1, int(told) if told.isdigit() else 1))
    if told == LATER:
        assert house.clock.now >= DATE + timedelta(minutes=15)


@covers("403", "429")
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("limit", ["403 with Retry-After", "Retry-After in seconds", "Retry-After as a date"])
def test_the_source_that_is_limited_waits_in_full(house: House, limit: str, source: str) -> None:
    """| Retry-After as seconds or as a date | the same request goes again, and not before that |"""
    house.settle()
    fault = structs.replace(LIMITS[limit], source=source)
    house.strike(fault)
    assert house.sync().exit == 0
    asked = [r for r in house.sandbox.requests if r.source == source]
    struck = next(n for n, r in enumerate(asked) if r.status in (403, 429))
    again = next(r for r in asked[struck + 1 :] if (r.method, r.path) == (asked[struck].method, asked[struck].path))
    told = fault.headers["Retry-After"]
    moment = asked[struck].at + timedelta(seconds=int(told)) if told.isdigit() else DATE
    assert again.at >= moment


@covers("403", "429")
@pytest.mark.parametrize("source", SOURCES)
def test_a_wait_beyond_the_budget_of_the_run_suspends(house: House, source: str) -> None:
    """| rate limit | never waited beyond the run's budget: suspended, said, healed later |"""
    limit = Fault(kind="status", status=429, headers={"Retry-After": "7200"}, source=source)
    house.suspended(source, limit, says="rate limited")


@covers("429")
@pytest.mark.parametrize("reason", ["jira-burst-based", "jira-quota-tenant-based", "jira-per-issue-on-write"])
def test_jiras_reasons_are_waited_for_on_reading_and_writing(house: House, reason: str) -> None:
    """| 429 with RateLimit-Reason | waited for, whether it covers an endpoint, the tenant or an issue |"""
    headers = {"Retry-After": "5", "RateLimit-Reason": reason}
    limit = Fault(kind="status", status=429, headers=headers, source="jira", times=1)
    writes = Fault(kind="status", status=429, headers=headers, source="jira", method="PUT", times=2)
    house.survived(limit, writes)


@covers("github limits")
@pytest.mark.parametrize(
    "limit",
    [
        Fault(kind="primary_limit", seconds=600, times=1),
        Fault(kind="primary_limit", seconds=600, path="/graphql", times=1),
        Fault(kind="secondary_limit", times=1),
        Fault(kind="secondary_limit", times=1, method="POST", path="/labels"),
        Fault(kind="secondary_limit", times=2, headers={"Retry-After": "60"}),
        Fault(kind="graphql_limited", path="/graphql", times=1),
    ],
    ids=["primary", "primary of GraphQL", "secondary", "secondary on a write", "secondary, told", "GraphQL in a 200"],
)
def test_githubs_limits_are_waited_for(house: House, limit: Fault) -> None:
    """| GitHub primary and secondary limit; GraphQL 200 with RATE_LIMITED | waited for, nothing lost |"""
    house.settle()
    # a pull request that changed makes the run ask GraphQL
    house.world.edit_title("github:acme/web#3", "PAY-2: one page, really", "lin")
    house.people_work()
    began = house.clock.now
    house.strike(limit)
    ran = house.sync()
    assert ran.exit == 0, (ran.out, ran.err)
    assert all(f.hits for f in house.sandbox.faults.list())
    assert house.clock.now - began >= timedelta(minutes=15, seconds=60)
    house.sandbox.faults.clear()
    house.right()


@covers("github limits")
@pytest.mark.parametrize("kind", ["graphql_partial", "graphql_limited"])
def test_half_an_answer_of_graphql_is_never_taken_for_a_whole(house: House, kind: str) -> None:
    """| GraphQL 200 with partial data and errors | that page again; where it stays so, suspended |"""
    house.world.edit_title("github:acme/web#3", "PAY-2: one page, really", "lin")
    house.settle()
    house.world.edit_title("github:acme/web#3", "PAY-2: one page", "lin")
    house.people_work()
    house.strike(Fault(kind=kind, path="/graphql"))
    house.is_suspended(house.sync(), "github")
    house.sandbox.faults.clear()
    assert house.sync().exit == 0
    house.right()
