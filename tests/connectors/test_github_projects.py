"""Fields of GitHub Projects as OKR, estimate and team."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from conformance import items, states
from github_world import REPO, GitHubPlace, github_place

from okrsync.domain.trackers import Batch, SliceState, SourceFailed
from okrsync.domain.work import WorkItem
from okrsync.sandbox.github_projects import Project, add_project

FIELDS = {"okr": "OKR", "estimate": "Points", "team": "Team"}
TYPES = {"OKR": "TEXT", "Points": "NUMBER", "Team": "SINGLE_SELECT"}


@pytest.fixture
def place() -> Iterator[GitHubPlace]:
    with github_place() as place:
        place.tracker = place.connect(fields=FIELDS)
        yield place


@pytest.fixture
def board(place: GitHubPlace) -> Project:
    return add_project(place.state, "acme", "Roadmap", TYPES)


def read(place: GitHubPlace, slices: dict[str, SliceState] | None = None, **how: bool) -> list[Batch]:
    place.wire.requests.clear()
    return list(place.tracker.pull(slices or {}, **how))


def put(place: GitHubPlace, board: Project, id_: str, name: str, value: Any) -> None:
    board.set(place.item(id_), name, value, place.clock())


def values(item: WorkItem) -> tuple[tuple[str, ...], float | None, str]:
    return item.okr, item.estimate, item.team


def test_values_of_all_projects_count(place: GitHubPlace, board: Project) -> None:
    other = add_project(place.state, "acme", "Bets", {"OKR": "SINGLE_SELECT"})
    issue, pull, bare = place.add("issue"), place.add("pull", pull=True, branch="b"), place.add("bare")
    put(place, board, issue, "OKR", "O1.KR1, INIT-2")
    put(place, board, issue, "Points", 3.0)
    put(place, board, issue, "Team", "Payments")
    put(place, other, issue, "OKR", "O3")
    put(place, other, pull, "OKR", "O2: grow")
    batches = read(place)
    found = items(batches)
    assert values(found[issue]) == (("O1.KR1", "INIT-2", "O3"), 3.0, "Payments")
    assert values(found[pull]) == (("O2: grow",), None, "")
    assert found[pull].branch == "b"
    assert values(found[bare]) == ((), None, "")
    assert place.tracker.fetch([issue, pull]).items == {issue: found[issue], pull: found[pull]}
    assert place.tracker.look(found[issue], comments=False).item == found[issue]
    assert not [w for b in batches for w in b.warnings]


def test_a_value_that_moves_no_updated_at_is_read_in_the_next_run(place: GitHubPlace, board: Project) -> None:
    issue, pull = place.add("issue"), place.add("pull", pull=True)
    put(place, board, pull, "OKR", "O1")
    place.later()
    held = states(read(place))
    for value in ("O2", "O3"):
        place.later()
        before = place.item(issue).updated
        put(place, board, issue, "OKR", value)
        place.later()
        batches = read(place, held)
        assert place.item(issue).updated == before
        assert {i.id: i.okr for i in items(batches).values()} == {issue: (value,)}
        held = states(batches, held)
        place.later()
        idle = read(place, held)
        assert not items(idle)
        assert states(idle, held) == held, "nothing is written where nothing changed"
        assert place.asked == ["POST /graphql"] * 3  # the glance, the projects, the entries of one


def test_an_item_taken_out_of_a_project_is_seen_with_the_daily_sweep(place: GitHubPlace, board: Project) -> None:
    issue = place.add("issue")
    put(place, board, issue, "OKR", "O1")
    place.later()
    held = states(read(place))
    board.entries.clear()
    place.later()
    assert items(read(place, held, sweep=True))[issue].okr == ()


def test_what_is_read_is_kept_when_something_else_changes(place: GitHubPlace, board: Project) -> None:
    issue, pull = place.add("issue"), place.add("pull", pull=True)
    for id_ in (issue, pull):
        put(place, board, id_, "OKR", "O1")
    place.later()
    held = states(read(place))
    for id_ in (issue, pull):
        place.retitle(id_, "changed")
    place.later()
    assert {i.okr for i in items(read(place, held)).values()} == {("O1",)}


def test_a_field_that_no_project_has_is_told_with_what_there_is(place: GitHubPlace) -> None:
    place.add("issue")
    add_project(place.state, "acme", "Roadmap", {"OKRs": "TEXT", "Points": "NUMBER"})
    warnings = [w for b in read(place) for w in b.warnings]
    assert any("`fields.okr`: no project of acme has a field 'OKR' (open projects: Roadmap)" in w for w in warnings)
    probe = place.tracker.probe()
    assert probe.fields == {"estimate": "Points (in Roadmap)"}
    assert any("`fields.okr`" in p for p in probe.problems)


class Refuses(httpx.BaseTransport):
    """A token without the scope: every query that names projects fails whole."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if b"project" not in request.content:
            return httpx.HTTPTransport().handle_request(request)
        error = {"type": "INSUFFICIENT_SCOPES", "message": "Your token has not been granted the required scopes."}
        return httpx.Response(200, json={"data": None, "errors": [error]})


def test_a_missing_scope_is_named_and_nothing_is_taken_for_unlinked(place: GitHubPlace) -> None:
    place.add("issue")
    place.tracker = place.connect(network=Refuses(), fields=FIELDS)
    with pytest.raises(SourceFailed, match="read:project"):
        read(place)
    assert any("read:project" in p for p in place.tracker.probe().problems)
    assert not place.slept, "no use in asking again"


def test_a_server_without_graphql_cannot_have_fields(place: GitHubPlace) -> None:
    place.add("issue")
    place.break_("status", "/graphql", status=404)
    with pytest.raises(SourceFailed, match="needs GraphQL"):
        read(place)


def test_nothing_more_is_asked_where_no_field_is_configured(place: GitHubPlace, board: Project) -> None:
    issue = place.add("issue")
    put(place, board, issue, "OKR", "O1")
    place.clock.advance(timedelta(hours=1))
    place.tracker = place.connect()
    assert items(read(place))[issue].okr == ()
    assert place.asked == [f"GET /repos/{REPO}", f"GET /repos/{REPO}/issues"]
