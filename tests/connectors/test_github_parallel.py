"""Reading GitHub several pages at a time: everything, in order, whatever moves or breaks meanwhile."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from conformance import items, states
from github_world import REPO, GitHubPlace, many
from netfakes import Time

from okrsync.connectors.retrying import Again, Policy
from okrsync.domain.trackers import Batch, SliceState, SourceFailed, Throttled


class Between(httpx.BaseTransport):
    """Lets `happen` come about once page 2 has been answered and before page 3 is asked for, both by number."""

    def __init__(self, happen: Callable[[], None]) -> None:
        self._inner = httpx.HTTPTransport()
        self._happen = happen
        self._second = threading.Event()
        self.happened = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        number = request.url.params.get("page") if "after" not in request.url.params else None
        if number == "3" and not self.happened:
            assert self._second.wait(10), "page 2 is asked for at the same time"
            self._happen()
            self.happened = True
        response = self._inner.handle_request(request)
        if number == "2":
            response.read()
            self._second.set()
        return response


def until_it_fails(place: GitHubPlace, slices: dict[str, SliceState]) -> list[Batch]:
    batches: list[Batch] = []
    with pytest.raises(SourceFailed):
        batches.extend(place.tracker.pull(slices))
    return batches


def titles(batches: list[Batch]) -> list[str]:
    return [item.title for batch in batches for item in batch.items]


# --- how much is asked


def test_pages_come_in_order_and_share_queries(place: GitHubPlace) -> None:
    place.clock.advance(timedelta(days=-100))
    for n in range(800):
        place.clock.advance(timedelta(minutes=1))
        place.add(f"item {n}", pull=n % 2 == 1, branch=f"b-{n}" if n % 2 else "")
    place.clock.advance(timedelta(days=100))
    batches = list(place.tracker.pull({}))
    assert titles(batches) == [f"item {n}" for n in range(800)]
    assert [len(b.items) for b in batches] == [100] * 8 + [0, 0]
    assert all(i.branch == i.title.replace("item ", "b-") for b in batches for i in b.items if i.branch)
    # repository, eight pages, the closing pass; 400 pull requests in queries of 100
    assert len(place.asked) == 1 + 8 + 1 + 4


def test_a_page_s_pull_requests_may_lie_in_two_queries(place: GitHubPlace) -> None:
    many(place, 330, pull=True, branch="b")
    for n in range(5):
        place.add(f"issue {n}")
    found = items(place.tracker.pull({}))
    assert len(found) == 335
    assert all((i.branch == "b") == i.title.startswith("item") for i in found.values())


def test_closed_items_of_long_ago_are_not_paged_through(place: GitHubPlace) -> None:
    place.tracker = place.connect(since="30d")
    for id_ in many(place, 450):
        place.state.item(id_.partition(":")[2]).state = "closed"  # type: ignore[union-attr]  # it is there
    open_ = many(place, 50)
    assert items(place.tracker.pull({})).keys() == set(open_)
    # the repository; a look at how many there are; what is open; what was closed lately
    assert place.asked == [f"GET /repos/{REPO}"] + [f"GET /repos/{REPO}/issues"] * 3


def test_what_has_not_changed_is_not_read_again(place: GitHubPlace) -> None:
    ids = many(place, 250, pull=True)
    before = states(place.tracker.pull({}))
    for _ in range(2):
        place.later()
        place.wire.requests.clear()
        batches = list(place.tracker.pull(before))
        assert not items(batches)
        assert place.asked == ["POST /graphql"]
        assert batches[-1].watermark == before[REPO].watermark
    place.retitle(ids[7], "changed")
    after = list(place.tracker.pull(before))
    assert items(after)[ids[7]].title == "changed"
    assert states(after)[REPO].watermark != before[REPO].watermark


# --- while it is read, things happen


@pytest.mark.parametrize("how", ["closed", "not at all"])
def test_an_item_that_leaves_the_open_ones_hides_none(place: GitHubPlace, how: str) -> None:
    place.tracker = place.connect(since="30d")
    for id_ in many(place, 350):
        place.state.item(id_.partition(":")[2]).state = "closed"  # type: ignore[union-attr]  # it is there
    ids = many(place, 350, days=100)
    network = Between(lambda: place.world.close(ids[0], "ada") if how == "closed" else None)
    batches = list(place.connect(network=network, since="30d").pull({}))
    assert network.happened
    found = items(batches)
    assert found.keys() == set(ids)
    assert found[ids[0]].state == ("closed" if how == "closed" else "open")
    listed = sum("state=open" in line for line in place.wire.lines)
    assert listed == (8 if how == "closed" else 4), "read again only where something left"


@pytest.mark.parametrize("how", [{"full": True}, {"sweep": True}])
def test_a_deletion_meanwhile_lets_nothing_else_seem_gone(place: GitHubPlace, how: dict[str, bool]) -> None:
    ids = many(place, 350)
    uids = {id_: item.uid for id_, item in items(place.tracker.pull({})).items()}
    before = {REPO: SliceState(watermark="2026-11-16T09:00:00Z", held=350)}
    network = Between(lambda: place.delete(ids[0]))
    batches = list(place.connect(network=network).pull(before, **how))
    assert network.happened
    assert set(batches[-1].present or ()) == {uids[i] for i in ids[1:]}


def test_a_first_pull_is_as_good_as_a_sweep_unless_something_was_held(place: GitHubPlace) -> None:
    ids = many(place, 150)
    batches = list(place.tracker.pull({}))
    assert len(batches[-1].present or ()) == len(ids)
    for state in (SliceState(held=3), SliceState(resume=batches[0].resume)):
        assert list(place.tracker.pull({REPO: state}))[-1].present is None


# --- faults


def test_a_fault_in_the_middle_is_outlasted(place: GitHubPlace) -> None:
    ids = many(place, 450)
    place.break_("status", r"[?&]page=3\b", status=502, times=2)
    batches = list(place.tracker.pull({}))
    assert titles(batches) == [f"item {n}" for n in range(len(ids))]
    assert len(place.slept) == 2


def test_a_broken_page_fails_the_source_and_the_next_pull_goes_on_there(place: GitHubPlace) -> None:
    ids = many(place, 450, pull=True)
    place.break_("status", r"[?&]page=4\b", status=502)
    batches = until_it_fails(place, {})
    assert titles(batches) == [f"item {n}" for n in range(300)]
    assert not any(b.watermark or b.present for b in batches)
    place.faults.clear()
    rest = list(place.tracker.pull(states(batches)))
    assert titles(rest)[:150] == [f"item {n}" for n in range(300, 450)]
    assert rest[-1].watermark
    assert items(batches + rest).keys() == set(ids)


def test_broken_details_in_the_middle_move_nothing(place: GitHubPlace) -> None:
    many(place, 450, pull=True)
    place.break_("graphql_partial", "/graphql", after=2)
    batches = until_it_fails(place, {})
    assert not any(b.watermark for b in batches)
    assert titles(batches) == [f"item {n}" for n in range(len(titles(batches)))]
    place.faults.clear()
    rest = list(place.tracker.pull(states(batches)))
    assert items(batches + rest).keys() == {f"github:{REPO}#{n}" for n in range(1, 451)}


def test_where_page_numbers_end_links_go_on(place: GitHubPlace) -> None:
    many(place, 650)
    place.break_("status", r"[?&]page=[4-9]\b(?!.*after=)", status=422)
    batches = list(place.tracker.pull({}))
    assert titles(batches) == [f"item {n}" for n in range(650)]
    assert sum(bool(re.search(r"[?&]after=", line)) for line in place.wire.lines) == 4  # pages 4 to 7


def test_what_one_request_is_told_all_heed() -> None:
    time = Time()
    policy: Policy
    sent: list[tuple[str, float]] = []

    def limited_once() -> str:
        sent.append(("first", (time.now - began).total_seconds()))
        if len(sent) == 1:
            raise Again(Throttled("slow down"), wait=30, most=5, kind="limited", scope="everything")
        return "done"

    def another() -> str:
        sent.append(("another", (time.now - began).total_seconds()))
        return "done"

    def sleep(seconds: float) -> None:
        if not time.slept:  # while the first waits, another thread wants to send
            time.slept.append(0)
            policy.run(another, {}, source="github", request="GET /b")
        time.sleep((began + timedelta(seconds=30) - time.now).total_seconds())

    began = time.now
    policy = Policy(clock=time.clock, sleep=sleep, deadline=time.deadline)
    assert policy.run(limited_once, {}, source="github", request="GET /a") == "done"
    assert sent == [("first", 0), ("another", 30), ("first", 30)]
