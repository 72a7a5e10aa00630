"""Pulling where little or nothing changed: few requests, and never a change overlooked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from conformance import items, states
from github_world import REPO, GitHubPlace, github_place
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from examples import examples
from okrsync.domain.trackers import Batch, SliceState
from okrsync.domain.work import WorkItem

GLANCE = "POST /graphql"
ISSUES = f"GET /repos/{REPO}/issues"


class Altered(httpx.BaseTransport):
    """Hands the data of GraphQL answers through `alter`, which may change it in place and returns errors."""

    def __init__(self, alter: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> None:
        self._inner = httpx.HTTPTransport()
        self._alter = alter

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        if not request.url.path.endswith("/graphql"):
            return answer
        data = json.loads(answer.read())
        errors = self._alter(data["data"])
        headers = {"date": answer.headers["date"]}
        return httpx.Response(200, headers=headers, json={**data, **({"errors": errors} if errors else {})})


def read(place: GitHubPlace, slices: dict[str, SliceState] | None = None, **how: bool) -> list[Batch]:
    place.wire.requests.clear()
    return list(place.tracker.pull(slices or {}, **how))


def organisation(place: GitHubPlace, count: int) -> None:
    place.clock.advance(timedelta(days=-30))
    for n in range(count):
        repo = place.state.add_repo(f"acme/service-{n:03}")
        place.state.add_item(repo, f"item {n}")
    place.clock.advance(timedelta(days=30))
    place.tracker = place.connect(repos=(), org="acme", include=("service-*",))


def idle(place: GitHubPlace) -> dict[str, SliceState]:
    """What is held of a repository with an old pull request and a newer issue, both read."""
    place.add("one", pull=True, branch="b")
    place.later()
    place.add("two")
    place.later()
    held = states(read(place))
    place.later()
    return held


# --- how much is asked


def test_an_idle_repository_costs_one_request(place: GitHubPlace) -> None:
    before = idle(place)
    for _ in range(2):
        batches = read(place, before)
        assert place.asked == [GLANCE]
        assert not items(batches)
        assert states(batches, before) == before
        place.later()


def test_an_idle_organisation_costs_far_less_than_a_request_for_each_repository(place: GitHubPlace) -> None:
    organisation(place, 120)
    before = states(read(place))
    assert len(before) == 120
    place.later()
    assert not items(read(place, before))
    listing, glances = ["GET /orgs/acme/repos"] * 2, [GLANCE] * 3
    assert sorted(place.asked) == listing + glances
    place.retitle("github:acme/service-007#1", "changed")
    changed = items(read(place, before))
    assert [i.title for i in changed.values()] == ["changed"]
    assert sorted(place.asked) == [*listing, "GET /repos/acme/service-007/issues", *glances]


def test_what_changed_costs_two_requests_a_repository_and_is_then_idle(place: GitHubPlace) -> None:
    before = idle(place)
    for number in (1, 2):
        place.retitle(f"github:{REPO}#{number}", f"changed {number}")
    place.later()
    changed = read(place, before)
    assert {i.title: i.branch for i in items(changed).values()} == {"changed 1": "b", "changed 2": ""}
    assert place.asked == [GLANCE, ISSUES]
    place.later()
    read(place, states(changed, before))
    assert place.asked == [GLANCE]


def test_a_hundred_changes_cost_no_more(place: GitHubPlace) -> None:
    place.clock.advance(timedelta(days=-30))
    ids = []
    for n in range(300):
        place.clock.advance(timedelta(minutes=7))
        ids.append(place.add(f"item {n}", pull=n % 2 == 1, branch=f"b-{n}" if n % 2 else ""))
    place.clock.advance(timedelta(days=30))
    held = states(read(place))
    for n, id_ in enumerate(ids[100:200]):
        place.retitle(id_, f"changed {n}")
        place.clock.advance(timedelta(seconds=7))
    place.later()
    found = items(read(place, held))
    assert len(found) == 100
    assert sum(i.branch != "" for i in found.values()) == 50
    assert place.asked == [GLANCE, ISSUES]


def test_a_sweep_asks_by_rest_whatever_is_glanced(place: GitHubPlace) -> None:
    before = idle(place)
    assert read(place, before, sweep=True)[-1].present
    assert place.asked[:2] == [GLANCE, ISSUES]


# --- never overlooked


def test_an_item_that_changes_twice_in_a_second_is_seen_twice(place: GitHubPlace) -> None:
    id_ = place.add("one")
    place.later()
    place.retitle(id_, "first")
    held = read(place)
    place.retitle(id_, "second")
    place.later()
    assert items(read(place, states(held)))[id_].title == "second"


def test_nothing_hides_behind_a_burst_of_changes(place: GitHubPlace) -> None:
    ids = [place.add(f"item {n}") for n in range(120)]
    place.later()
    held = states(read(place))
    for id_ in ids:
        place.retitle(id_, "again")
    place.later()
    batches = read(place, held)
    assert len(items(batches)) == 120
    held = states(batches, held)
    place.state.item(f"{REPO}#1").title = "the server's clock stood still"  # type: ignore[union-attr]  # it is there
    assert len(items(read(place, held))) == 120, "more than a glance shows is asked for"


@pytest.mark.parametrize(
    ("path", "kind"), [(["r0"], "NOT_FOUND"), (["r0", "pullRequests"], "FORBIDDEN"), (["r0", "issues"], "FORBIDDEN")]
)
def test_what_a_glance_does_not_show_is_not_unchanged(place: GitHubPlace, path: list[str], kind: str) -> None:
    before = idle(place)

    def hide(data: dict[str, Any]) -> list[dict[str, Any]]:
        inside = data if len(path) == 1 else data[path[0]]
        inside[path[-1]] = None
        return [{"type": kind, "path": path, "message": "not for you"}]

    place.tracker = place.connect(network=Altered(hide))
    assert not [b for b in read(place, before) if b.problem or b.suspect]
    assert place.asked == ([GLANCE, f"GET /repos/{REPO}", ISSUES] if len(path) == 1 else [GLANCE, ISSUES])


@pytest.mark.parametrize("kind", ["graphql_partial", "graphql_limited", "status", "html"])
def test_where_glances_fail_repositories_are_asked_one_by_one(place: GitHubPlace, kind: str) -> None:
    before = idle(place)
    place.retitle(f"github:{REPO}#2", "changed")
    place.break_(kind, "/graphql", status=502)
    assert items(read(place, before))[f"github:{REPO}#2"].title == "changed"
    assert [r for r in place.asked if r != GLANCE] == [f"GET /repos/{REPO}", ISSUES]


def test_a_repository_archived_meanwhile_is_read_anew_in_that_run(place: GitHubPlace) -> None:
    before = idle(place)
    place.repo.archived = True
    batches = read(place, before)
    assert [i.archived for i in items(batches).values()] == [True, True]
    assert any("is archived" in w for b in batches for w in b.warnings)
    place.later()
    read(place, states(batches, before))
    assert place.asked == [GLANCE]
    assert not place.tracker.writable(REPO)


def test_renamed_and_hidden_repositories_show_in_that_run(place: GitHubPlace) -> None:
    before = idle(place)
    place.state.rename(place.repo, "acme/shop")
    batches = read(place, before)
    assert items(batches).keys() == {"github:acme/shop#1", "github:acme/shop#2"}
    assert any("acme/web is now acme/shop" in w for b in batches for w in b.warnings)
    renamed = {"acme/shop": states(batches)["acme/shop"]}
    place.later()
    assert not items(read(place, renamed))
    assert place.asked == [GLANCE]
    place.repo.visible = False
    assert "grant the token access" in (read(place, renamed)[-1].problem or "")


CHANGES = st.sampled_from(["retitle", "label", "comment", "close", "open", "new", "nothing"])
STEP = st.tuples(CHANGES, st.integers(0, 2), st.integers(0, 3), st.sampled_from([0, 1, 2, 200, 299, 301, 900]))


@examples(40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(STEP, max_size=4), min_size=2, max_size=5))
def test_incremental_pulls_hold_what_a_first_pull_reads(runs: list[list[tuple[str, int, int, int]]]) -> None:
    """Whatever happens before and between pulls, in the same second or minutes apart."""
    with github_place() as place:
        names = [REPO, "acme/api", "acme/ops"]
        for name in names[1:]:
            place.state.add_repo(name)
        place.tracker = place.connect(repos=tuple(names))
        slices: dict[str, SliceState] = {}
        held: dict[str, WorkItem] = {}
        for run in runs:
            for what, repo, number, seconds in run:
                happen(place, names[repo], what, number)
                place.clock.advance(timedelta(seconds=seconds))
            batches = read(place, slices)
            slices = states(batches, slices)
            held |= items(batches)
        assert held == items(read(place))


def happen(place: GitHubPlace, repo: str, what: str, number: int) -> None:
    place.serial += 1
    at = f"github:{repo}#{number}"
    if what == "new":
        found = place.state.repo(repo)
        assert found is not None
        place.state.add_item(found, f"new {place.serial}", pull=number % 2 == 1)
    elif place.state.item(f"{repo}#{number}") is None or what == "nothing":
        return
    elif what == "retitle":
        place.retitle(at, f"title {place.serial}")
    elif what == "label":
        place.world.add_label(at, f"label-{place.serial}", "ada")
    elif what == "comment":
        place.person_comments(at, "hello")
    elif what == "close":
        place.world.close(at, "ada")
    else:
        place.world.reopen(at, "ada")


# --- several repositories at a time


class Busy(httpx.BaseTransport):
    """Counts the requests that are under way together; each waits for a second one to come, once."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()
        self._lock = threading.Lock()
        self._together = threading.Event()
        self.now = self.most = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
            if self.now == 2:
                self._together.set()
        if request.url.path.endswith("/issues"):
            assert self._together.wait(10), "repositories are read one after the other"
        try:
            return self._inner.handle_request(request)
        finally:
            with self._lock:
                self.now -= 1


def test_repositories_are_read_several_at_a_time_and_told_in_order(place: GitHubPlace) -> None:
    organisation(place, 30)
    busy = Busy()
    place.tracker = place.connect(repos=(), org="acme", include=("service-*",), network=busy)
    batches = read(place)
    assert [b.slice for b in batches if b.watermark] == [f"acme/service-{n:03}" for n in range(30)]
    assert 2 <= busy.most <= 8


def test_a_broken_repository_stops_no_other_that_comes_before_it_and_a_refused_one_none(place: GitHubPlace) -> None:
    organisation(place, 12)
    place.break_("status", r"service-003/issues", status=403)
    batches = read(place)
    assert [b.slice for b in batches if b.problem] == ["acme/service-003"]
    assert len(items(batches)) == 11
