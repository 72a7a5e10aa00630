"""Where things are: addresses of the API, repositories and issues that move, parents in other repositories."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest
from conformance import items, states
from github_world import REPO, GitHubPlace
from netfakes import START, Script, Time
from pydantic import SecretStr

from contracts import SHARED
from okrsync.connectors.github import GitHubTracker
from okrsync.connectors.github.payloads import Issue, Repo
from okrsync.connectors.github.translate import work_item
from okrsync.domain.settings import GitHubSettings
from okrsync.domain.text import iso
from okrsync.domain.work import Via


@pytest.mark.parametrize(
    ("url", "rest", "graphql"),
    [
        ("https://api.github.com", "https://api.github.com", "https://api.github.com/graphql"),
        ("https://api.acme.ghe.com/", "https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql"),
        ("https://ghe.acme/api/v3", "https://ghe.acme/api/v3", "https://ghe.acme/api/graphql"),
    ],
)
def test_rest_and_graphql_of_each_kind_of_server(url: str, rest: str, graphql: str) -> None:
    """https://docs.github.com/enterprise-cloud@latest/admin/data-residency: the API is at api.SUBDOMAIN.ghe.com."""
    moment = iso(START)
    pull = {"node_id": "PR_1", "number": 1, "state": "open", "created_at": moment, "updated_at": moment}
    server = Script(
        httpx.Response(200, json={"full_name": "acme/web"}),
        httpx.Response(200, json=[{**pull, "pull_request": {}, "repository_url": f"{rest}/repos/acme/web"}]),
        httpx.Response(200, json={"data": {"nodes": [{"id": "PR_1", "headRefName": "b"}]}}),
    )
    time = Time()
    settings = GitHubSettings(name="github", type="github", url=url, repos=("acme/web",))
    secret: Any = SimpleNamespace(token=SecretStr("ghp_1"), private_key=None)
    client = httpx.Client(transport=server)
    github = GitHubTracker(settings, secret, clock=time.clock, sleep=time.sleep, deadline=time.deadline, client=client)
    found = items(github.pull({}))
    assert {i.id: i.branch for i in found.values()} == {"github:acme/web#1": "b"}
    asked = [str(r.url).partition("?")[0] for r in server.requests]
    assert asked == [f"{rest}/repos/acme/web", f"{rest}/repos/acme/web/issues", graphql]


def test_a_repository_that_moves_to_another_owner_keeps_its_items(place: GitHubPlace) -> None:
    place.add("one")
    place.later()
    held = items(read := list(place.tracker.pull({})))
    place.state.rename(place.repo, "umbrella/web")
    moved = list(place.tracker.pull(states(read)))
    now = items(moved)
    assert [i.uid for i in now.values()] == [i.uid for i in held.values()]
    assert now.keys() == {"github:umbrella/web#1"}
    assert place.tracker.owns("github:umbrella/web#1")
    assert any("is now umbrella/web" in w for b in moved for w in b.warnings)


def test_a_transferred_issue_leaves_with_the_sweep_and_is_found_by_its_old_id(place: GitHubPlace) -> None:
    other = place.state.add_repo("acme/api")
    place.tracker = place.connect(repos=(REPO, "acme/api"))
    stays, goes = place.add("stays"), place.add("goes", labels=("okr/O1",))
    place.later()
    first = list(place.tracker.pull({}))
    held, known = states(first), items(first)
    to = "github:" + place.state.name(place.state.transfer(place.item(goes), other))
    place.later()
    batches = list(place.tracker.pull(held, sweep=True))
    assert items(batches)[to].title == "goes"
    present = {b.slice: b.present for b in batches if b.present is not None}
    assert set(present[REPO]) == {known[stays].uid}
    assert place.tracker.fetch([goes]).moved == {goes: to}


@pytest.mark.parametrize("by", ["pull", "fetch"])
def test_a_parent_in_another_repository_is_named_also_where_it_is_not_covered(place: GitHubPlace, by: str) -> None:
    other = place.state.add_repo("acme/plans")
    above = place.state.add_item(other, "the plan", type="Epic")
    milestone = place.state.add_milestone(place.repo, "v1", "OKR: O1.KR1")
    child = place.add("the work", type="Task", milestone=milestone.number)
    place.item(child).parent = above.node_id
    found = items(place.tracker.pull({})) if by == "pull" else place.tracker.fetch([child]).items
    item = found[child]
    assert [(r.via, r.target, r.structural) for r in item.references] == [(Via.PARENT, "github:acme/plans#1", True)]
    assert (item.type, item.milestone, item.milestone_body) == ("Task", "v1", "OKR: O1.KR1")
    assert place.tracker.fetch(["github:acme/plans#1"]).items["github:acme/plans#1"].type == "Epic"


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SHARED / "data/github" / name).read_text().splitlines()]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is absent")
def test_recorded_milestones_and_repositories() -> None:
    carried = 0
    for row in rows("webhook_issues.jsonl") + rows("ants_issues.jsonl"):
        payload = row.get("issue", row)
        told = payload.get("milestone")
        item = work_item("github", msgspec.convert(payload, Issue), Repo(full_name="a/b"))
        assert item.milestone == (told["title"] if told else "")
        assert item.milestone_body == ((told["description"] or "") if told else "")
        carried += bool(item.milestone_body)
    assert carried
    for row in rows("webhook_repository.jsonl"):
        payload = row["repository"]
        if isinstance(payload["created_at"], int):
            continue  # a webhook's push event, which the API never sends
        repo = msgspec.convert(payload, Repo)
        assert repo.full_name == payload["full_name"]
        assert repo.public is (payload["visibility"] == "public" if "visibility" in payload else not payload["private"])
        assert repo.archived is payload["archived"]
