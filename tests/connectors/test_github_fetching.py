"""Items of GitHub by id."""

from __future__ import annotations

from conformance import items
from github_world import GitHubPlace, many, read


def test_fetch_follows_moves_and_tells_missing_from_forbidden(place: GitHubPlace) -> None:
    other = place.state.add_repo("acme/api")
    stays, moves = place.add("stays", pull=True, branch="b"), place.add("moves")
    deleted = place.add("deleted")
    to = "github:" + place.state.name(place.state.transfer(place.item(moves), other))
    place.delete(deleted)
    place.break_("status", "/repos/acme/secret", status=403)
    asked = [stays, moves, deleted, "github:acme/secret#1", "github:nonsense", "github:../x#1", "github:acme/..#1"]
    fetched = place.tracker.fetch(asked)
    assert fetched.items[stays].branch == "b"
    assert fetched.items[moves].id == to
    assert fetched.moved == {moves: to}
    assert set(fetched.missing) == {deleted, "github:nonsense", "github:../x#1", "github:acme/..#1"}
    assert fetched.forbidden == ("github:acme/secret#1",)
    assert not [line for line in place.asked if ".." in line]


def test_fetch_reads_fifty_at_a_time_and_the_same_as_a_pull(place: GitHubPlace) -> None:
    milestone = place.state.add_milestone(place.repo, "v1", "OKR: O1.KR1")
    ids = many(place, 30, milestone=milestone.number, labels=("bug",), assignees=["ada"], author="ada", body="text")
    ids += many(place, 30, pull=True, branch="b")
    parent = place.item(ids[0])
    place.item(ids[1]).parent = parent.node_id
    place.world.close(ids[2], "ada", "not_planned")
    place.world.close(ids[40], "ada", "merged")
    pulled = items(read(place))
    place.wire.requests.clear()
    assert place.tracker.fetch(ids).items == pulled
    assert place.asked == ["POST /graphql"] * 2


def test_fetch_without_graphql(place: GitHubPlace) -> None:
    place.break_("status", "/graphql", status=404)
    ids = [place.add("issue"), place.add("pull", pull=True, branch="b")]
    pulled = items(read(place))
    assert place.connect().fetch(ids).items == pulled
