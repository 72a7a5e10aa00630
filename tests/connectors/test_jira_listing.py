"""A whole project of Jira: all ids, then the issues in bulk (Cloud), or pages beside each other (Data Center)."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest
from jira_world import Held, JiraHouse, fill

from okrsync.domain.trackers import Batch, SourceFailed
from okrsync.sandbox.world import STORY_NOW


def bulk(request: httpx.Request) -> list[str]:
    """The ids asked for, where it is a bulk fetch."""
    return json.loads(request.content)["issueIdsOrKeys"] if request.url.path.endswith("/bulkfetch") else []


def fetched(it: JiraHouse) -> list[list[str]]:
    return [ids for request in it.wire.requests if (ids := bulk(request))]


def number(it: JiraHouse, key: str) -> str:
    found = it.jira.find(key)
    assert found
    return str(found.id)


def keys(count: int, *without: int) -> set[str]:
    return {f"jira:PAY-{n}" for n in range(1, count + 1) if n not in without}


def watermark(held: Held) -> str | None:
    return held.states["PAY"].watermark


def changed(response: httpx.Response, **members: Any) -> httpx.Response:
    return httpx.Response(response.status_code, json={**response.json(), **members})


def start_at(request: httpx.Request) -> int | None:
    if not request.url.path.endswith("/search"):
        return None
    body = json.loads(request.content)
    return body["startAt"] if "summary" in body["fields"] else None


# --- Cloud ----------------------------------------------------------------------------------------------------


def test_few_requests(cloud: JiraHouse) -> None:
    fill(cloud, 450)
    tracker = cloud.tracker(projects=("PAY",))
    held = Held().take(tracker.pull({}))
    assert held.ids == keys(450)
    paths = [line.rpartition("/")[2] for line in cloud.wire.lines]
    assert paths[:3] == ["myself", "jql", "jql"]
    assert json.loads(cloud.wire.requests[2].content).items() >= {"fields": ["id"], "maxResults": 5000}.items()
    assert sorted(map(len, fetched(cloud))) == [50, 100, 100, 100]
    assert len(paths) == 7

    cloud.wire.requests.clear()
    list(tracker.pull(held.states))
    assert len(cloud.wire.requests) == 1  # nothing changed


def test_a_small_project_is_one_page(cloud: JiraHouse) -> None:
    fill(cloud, 100)
    held = Held().take(cloud.tracker(projects=("PAY",)).pull({}))
    assert held.ids == keys(100)
    assert watermark(held)
    assert len(cloud.wire.requests) == 2


def test_the_projects_of_a_run_are_asked_for_once(cloud: JiraHouse) -> None:
    fill(cloud, 2)
    tracker = cloud.tracker(projects=())
    assert tracker.projects() == ("PAY", "WEB")
    for runs in (1, 2):
        list(tracker.pull({}))
        assert sum("/project/search" in line for line in cloud.wire.lines) == runs


def test_several_at_a_time_and_in_order(cloud: JiraHouse) -> None:
    fill(cloud, 1000)
    together = threading.Barrier(8, timeout=10)  # passes only where eight are under way at once
    late = {number(cloud, "PAY-101")}
    others_done = threading.Event()

    def before(request: httpx.Request) -> None:
        ids = bulk(request)
        if ids and int(ids[0]) < int(number(cloud, "PAY-901")):
            together.wait()
        if late.intersection(ids):
            others_done.wait(10)

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if number(cloud, "PAY-801") in bulk(request):
            others_done.set()
        return response

    cloud.before, cloud.after = before, after
    batches = list(cloud.tracker(projects=("PAY",)).pull({}))
    got = [int(item.uid.partition(":")[2]) for batch in batches for item in batch.items]
    assert len(got) == 1000
    assert got == sorted(got)
    assert all(len(batch.items) <= 100 for batch in batches)


def test_what_changes_comes_or_goes_during_the_scan(cloud: JiraHouse) -> None:
    fill(cloud, 450)
    scanned, ready = iter([True]), threading.Event()

    def before(request: httpx.Request) -> None:
        if not bulk(request):
            return
        if next(scanned, False):
            cloud.clock.advance(timedelta(minutes=40))
            cloud.world.delete("jira:PAY-300", "okrsync-bot")
            cloud.world.delete("jira:PAY-5", "okrsync-bot")
            cloud.world.move_issue("jira:PAY-350", "WEB", "okrsync-bot")
            cloud.world.edit_title("jira:PAY-7", "changed behind us", "okrsync-bot")
            cloud.world.edit_title("jira:PAY-440", "changed ahead of us", "okrsync-bot")
            cloud.jira.add_issue("PAY", "new", created=cloud.clock())
            ready.set()
        ready.wait(10)

    cloud.before = before
    tracker = cloud.tracker(projects=("PAY",))
    batches: list[Batch] = list(tracker.pull({}))
    held = Held().take(iter(batches))
    present = set(batches[-1].present or ())
    assert {item.container for batch in batches for item in batch.items} == {"PAY"}
    assert batches[-1].watermark == "2026-11-16T09:00:00Z"  # the start, by the server's clock
    # PAY-5 was read before it went: a sweep finds that, as ever
    assert held.ids == keys(450, 300, 350)
    assert f"jira:{number(cloud, 'WEB-1')}" not in present
    assert present == set(held.items["PAY"])

    held.take(tracker.pull(held.states))
    titles = {item.key: item.title for item in held.items["PAY"].values()}
    assert (titles["PAY-7"], titles["PAY-440"]) == ("changed behind us", "changed ahead of us")
    assert titles["PAY-451"] == "new"
    held.take(tracker.pull(held.states, sweep=True))
    assert held.ids == keys(451, 5, 300, 350)


def test_nothing_is_gone_on_the_word_of_one_scan(cloud: JiraHouse) -> None:
    fill(cloud, 250)
    tracker = cloud.tracker(projects=("PAY",))
    held = Held().take(tracker.pull({}))
    scans = iter([True])

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if b'"fields":["id"]' in request.content and next(scans, False):
            return changed(response, issues=response.json()["issues"][:180])
        return response

    cloud.after = after
    assert held.take(tracker.pull(held.states, full=True)).ids == keys(250)


def test_an_issue_that_bulk_fetch_leaves_out_is_asked_for(cloud: JiraHouse) -> None:
    fill(cloud, 250)
    left_out = {number(cloud, "PAY-150"), number(cloud, "PAY-151"), number(cloud, "PAY-152")}

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if bulk(request):
            return changed(response, issues=[i for i in response.json()["issues"] if i["id"] not in left_out])
        return response

    cloud.after = after
    cloud.break_("status", f"/issue/{number(cloud, 'PAY-151')}", status=404)
    cloud.break_("status", f"/issue/{number(cloud, 'PAY-152')}", status=403)
    batches = list(cloud.tracker(projects=("PAY",)).pull({}))
    assert Held().take(iter(batches)).ids == keys(250, 151, 152)
    present = batches[-1].present or ()
    assert f"jira:{number(cloud, 'PAY-151')}" not in present
    assert f"jira:{number(cloud, 'PAY-152')}" in present  # forbidden is not gone


def test_a_passing_fault_in_the_middle_is_overcome(cloud: JiraHouse) -> None:
    fill(cloud, 650)
    fault = cloud.break_("reset", "/bulkfetch", after=2, times=3)
    held = Held().take(cloud.tracker(projects=("PAY",)).pull({}))
    assert held.ids == keys(650)
    assert fault.hits == 3


def test_a_lasting_fault_in_the_middle_fails_the_source_and_the_next_pull_goes_on(cloud: JiraHouse) -> None:
    fill(cloud, 650)
    tracker = cloud.tracker(projects=("PAY",))
    bad = number(cloud, "PAY-350")

    def before(request: httpx.Request) -> None:
        if bad in bulk(request):
            raise httpx.ReadError("connection lost")

    cloud.before = before
    held = Held()
    with pytest.raises(SourceFailed, match="connection lost"):
        held.take(tracker.pull({}))
    assert held.ids == keys(300)
    assert watermark(held) is None
    assert held.states["PAY"].resume
    assert cloud.naps

    cloud.before = lambda request: None
    cloud.clock.advance(timedelta(minutes=20))
    cloud.world.edit_title("jira:PAY-3", "changed in between", "okrsync-bot")
    cloud.world.edit_title("jira:PAY-640", "changed in between, too", "okrsync-bot")
    cloud.world.delete("jira:PAY-300", "okrsync-bot")  # where it goes on
    cloud.wire.requests.clear()
    held.take(tracker.pull(held.states))
    assert sorted(map(len, fetched(cloud))) == [50, 100, 100, 100]
    assert held.ids == keys(650, 300)
    assert watermark(held) == "2026-11-16T09:00:00Z"  # the first start
    held.take(tracker.pull(held.states))
    assert "changed in between" in {item.title for item in held.items["PAY"].values()}


@pytest.mark.parametrize("status", [400, 403, 404, 405])
@pytest.mark.parametrize("after", [0, 2])
def test_without_bulk_fetch_it_goes_page_by_page(cloud: JiraHouse, status: int, after: int) -> None:
    fill(cloud, 450)
    cloud.break_("status", "/issue/bulkfetch", status=status, after=after)
    tracker = cloud.tracker(projects=("PAY",))
    batches = list(tracker.pull({}))
    held = Held().take(iter(batches))
    assert held.ids == keys(450)
    assert watermark(held)
    assert len(batches[-1].present or ()) == 450
    cloud.wire.requests.clear()
    list(tracker.pull({}))
    assert not fetched(cloud)  # once is enough to know


def test_without_bulk_fetch_a_killed_pull_goes_on_at_its_page(cloud: JiraHouse) -> None:
    fill(cloud, 450)
    cloud.break_("status", "/issue/bulkfetch", status=404)
    held = Held().take(cloud.tracker(projects=("PAY",)).pull({}), stop_after=4)
    assert held.ids == keys(300)
    tracker = cloud.tracker(projects=("PAY",))
    assert held.take(tracker.pull(held.states)).ids == keys(450)
    assert sum(b'"summary"' in r.content for r in cloud.wire.requests) == 2


# --- Data Center ----------------------------------------------------------------------------------------------


def test_data_center_reads_pages_beside_each_other_and_in_order(center: JiraHouse) -> None:
    fill(center, 450)
    together = threading.Barrier(4, timeout=10)

    def before(request: httpx.Request) -> None:
        if start_at(request):
            together.wait()

    center.before = before
    batches = list(center.tracker(projects=("PAY",)).pull({}))
    got = [int(item.key.partition("-")[2]) for batch in batches for item in batch.items]
    assert got == list(range(1, 451))
    assert len(batches[-1].present or ()) == 450


def test_data_center_with_issues_coming_and_going(center: JiraHouse) -> None:
    fill(center, 450)
    once, ready = iter([True]), threading.Event()

    def before(request: httpx.Request) -> None:
        if start_at(request) and next(once, False):
            center.world.delete("jira:PAY-1", "okrsync-bot")
            for n in range(120):
                center.jira.add_issue("PAY", f"new {n}", created=STORY_NOW)
            ready.set()
        elif start_at(request):
            ready.wait(10)

    center.before = before
    batches = list(center.tracker(projects=("PAY",)).pull({}))
    assert {item.id for batch in batches for item in batch.items} == keys(570)
    assert len(batches[-1].present or ()) >= 569


def test_data_center_with_a_page_that_is_not_full(center: JiraHouse) -> None:
    fill(center, 450)

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if start_at(request) == 200:
            return changed(response, issues=response.json()["issues"][:40])
        return response

    center.after = after
    tracker = center.tracker(projects=("PAY",))
    assert Held().take(tracker.pull({})).ids == keys(450)
    assert 240 in {start_at(request) for request in center.wire.requests}


def test_data_center_with_a_lasting_fault_in_the_middle(center: JiraHouse) -> None:
    fill(center, 450)

    def before(request: httpx.Request) -> None:
        if start_at(request) == 200:
            raise httpx.ReadError("connection lost")

    center.before = before
    tracker, held = center.tracker(projects=("PAY",)), Held()
    with pytest.raises(SourceFailed, match="connection lost"):
        held.take(tracker.pull({}))
    assert held.ids == keys(200)
    assert watermark(held) is None
    center.before = lambda request: None
    center.wire.requests.clear()
    held.take(tracker.pull(held.states))
    assert held.ids == keys(450)
    assert sorted(at for r in center.wire.requests if (at := start_at(r)) is not None) == [200, 300, 400]
