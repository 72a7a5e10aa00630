"""Pulling from a GitHub that misbehaves, or lacks something that others have."""

from __future__ import annotations

import json

import httpx
import pytest
from conformance import items, states
from github_world import REPO, GitHubPlace, many, read

from okrsync.domain.trackers import SignInFailed, SourceFailed, Throttled


@pytest.mark.parametrize(
    "kind",
    ["reset", "truncated", "invalid_json", "html", "status", "secondary_limit", "primary_limit", "rate_limit_html"],
)
def test_a_fault_on_a_page_is_outlasted(place: GitHubPlace, kind: str) -> None:
    ids = many(place, 150)
    place.break_(kind, r"/issues\?", after=1, times=2)
    assert items(read(place)).keys() == set(ids)
    assert len(place.slept) == 2


@pytest.mark.parametrize("kind", ["graphql_limited", "graphql_partial", "status", "reset", "html"])
def test_a_fault_in_graphql_is_outlasted(place: GitHubPlace, kind: str) -> None:
    ids = many(place, 5, pull=True, branch="pay-1")
    place.break_(kind, "/graphql", times=2)
    found = items(read(place))
    assert found.keys() == set(ids)
    assert all(i.branch == "pay-1" for i in found.values())
    assert place.slept


@pytest.mark.parametrize(("kind", "error"), [("graphql_partial", SourceFailed), ("graphql_limited", Throttled)])
def test_half_of_the_data_is_never_taken_for_all(place: GitHubPlace, kind: str, error: type[Exception]) -> None:
    many(place, 5, pull=True)
    place.break_(kind, "/graphql")
    with pytest.raises(error):
        read(place)


def test_a_repeated_page_ends_the_reading(place: GitHubPlace) -> None:
    many(place, 250)
    place.break_("repeat_page", r"/issues\?")
    with pytest.raises(SourceFailed, match="circle"):
        read(place)


def test_a_wrong_token_suspends_at_once(place: GitHubPlace) -> None:
    place.break_("status", status=401)
    with pytest.raises(SignInFailed, match="OKRSYNC_GITHUB_TOKEN"):
        read(place)
    assert len(place.wire.requests) == 1


@pytest.mark.parametrize("status", [404, 410, 501])
def test_without_graphql_branches_come_from_rest(place: GitHubPlace, status: int) -> None:
    place.break_("status", "/graphql", status=status)
    pulls = many(place, 120, pull=True, branch="pay-1")
    batches = read(place)
    found = items(batches)
    assert found.keys() == set(pulls)
    assert all(i.branch == "pay-1" for i in found.values())
    assert sum("answers no GraphQL" in w for b in batches for w in b.warnings) == 1
    before = states(batches)
    place.later()
    fresh = place.add("fresh", pull=True, branch="pay-2")
    place.wire.requests.clear()
    assert items(read(place, before))[fresh].branch == "pay-2"
    assert place.asked == [f"GET /repos/{REPO}", f"GET /repos/{REPO}/issues", f"GET /repos/{REPO}/pulls"]


@pytest.mark.parametrize("known", [True, False])
def test_node_ids_may_come_back_in_a_newer_format_or_not_at_all(place: GitHubPlace, known: bool) -> None:
    """https://docs.github.com/graphql/guides/migrating-graphql-global-node-ids; older servers send numbers alone."""
    pulls = many(place, 3, pull=True, branch="pay-1")

    class Newer(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = httpx.HTTPTransport().handle_request(request)
            data = json.loads(answer.read())
            if request.url.path.endswith("/graphql") and known:
                for node in filter(None, data["data"]["nodes"]):
                    node["id"] = "new_" + node["id"]
            elif request.url.path.endswith("/issues") and not known:
                for issue in data:
                    del issue["node_id"]
            return httpx.Response(answer.status_code, headers={"link": answer.headers.get("link", "")}, json=data)

    found = items(place.connect(network=Newer()).pull({}))
    assert found.keys() == set(pulls)
    assert len({i.uid for i in found.values()}) == 3
    assert known != any("/pulls/" in line for line in place.asked), "asked again only where there is no other way"
    assert all(i.branch == "pay-1" for i in found.values())
