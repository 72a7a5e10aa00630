"""Reading from a Jira that misbehaves, or lacks something that others have."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from jira_world import SEARCH, SECRET, Held, JiraHouse, fill
from pydantic import SecretStr

from okrsync.connectors.jira import JiraTracker
from okrsync.domain.settings import JiraSettings
from okrsync.domain.trackers import SignInFailed, SliceState, SourceFailed
from okrsync.sandbox.world import STORY_NOW

# --- faults ---------------------------------------------------------------------------------------------------


def test_a_wrong_token_fails_the_source_at_once(jira: JiraHouse) -> None:
    tracker = jira.tracker(secret=SimpleNamespace(token=SecretStr("wrong-secret-token")))
    with pytest.raises(SignInFailed, match="OKRSYNC_JIRA_TOKEN") as caught:
        list(tracker.pull({}))
    assert "wrong-secret-token" not in str(caught.value)
    assert jira.naps == []


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={}),
        httpx.Response(200, json={"accountId": "1"}, headers={"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}),
        httpx.Response(403, json={"message": "Basic authentication is not allowed"}),
    ],
)
def test_an_account_that_is_nobody_is_no_sign_in(answer: httpx.Response) -> None:
    tracker = scripted(lambda request: answer)
    with pytest.raises(SignInFailed, match="OKRSYNC_JIRA_TOKEN"):
        list(tracker.pull({}))


def test_suddenly_nothing_is_suspect_but_a_quiet_project_is_not(jira: JiraHouse) -> None:
    fill(jira, 3)
    tracker = jira.tracker(projects=("PAY",))
    held = Held().take(tracker.pull({}))
    jira.clock.advance(timedelta(days=3))
    state = {"PAY": SliceState(watermark="2026-11-19T08:00:00Z", held=3)}
    held.take(tracker.pull(state))
    assert held.suspect == set()
    jira.break_("empty", SEARCH)
    batches = list(tracker.pull(state))
    assert [b.suspect for b in batches] == [True]
    assert batches[0].watermark is None


def test_after_a_pull_that_was_shown_nothing_everything_is_listed(jira: JiraHouse) -> None:
    fill(jira, 3)
    tracker = jira.tracker(projects=("PAY",))
    jira.break_("empty", SEARCH)
    held = Held().take(tracker.pull({}))
    assert held.ids == set()
    jira.faults.clear()
    jira.clock.advance(timedelta(days=1))
    assert len(held.take(tracker.pull(held.states)).ids) == 3


@pytest.mark.parametrize("kind", ["html", "truncated", "invalid_json", "reset", "rate_limit_html", "status"])
def test_a_passing_fault_is_overcome(jira: JiraHouse, kind: str) -> None:
    fill(jira, 150)
    fault = jira.break_(kind, SEARCH + r"(/jql)?$", times=2)
    held = Held().take(jira.tracker(projects=("PAY",)).pull({}))
    assert len(held.ids) == 150
    assert fault.hits == 2
    assert jira.naps


def test_a_lasting_fault_fails_the_source(jira: JiraHouse) -> None:
    fill(jira, 3)
    jira.break_("status", SEARCH, status=503)
    with pytest.raises(SourceFailed, match="503"):
        list(jira.tracker().pull({}))


def test_repeated_pages_never_pass_for_the_whole(jira: JiraHouse) -> None:
    fill(jira)
    jira.break_("status", "/issue/bulkfetch", status=404)
    jira.break_("repeat_page", SEARCH)
    with pytest.raises(SourceFailed):
        list(jira.tracker(projects=("PAY",)).pull({}))


def test_a_page_repeated_once_is_harmless_on_cloud(cloud: JiraHouse) -> None:
    fill(cloud)
    cloud.break_("status", "/issue/bulkfetch", status=404)
    cloud.break_("repeat_page", "/search/jql", after=2, times=1)
    assert len(Held().take(cloud.tracker(projects=("PAY",)).pull({})).ids) == 250


def test_the_old_search_is_gone_is_told(jira: JiraHouse) -> None:
    fill(jira, 1)
    jira.break_("status", SEARCH, status=410)
    with pytest.raises(SourceFailed, match="check the url"):
        list(jira.tracker().pull({}))


def scripted(handle: Callable[[httpx.Request], httpx.Response]) -> JiraTracker:
    return JiraTracker(
        JiraSettings(name="jira", type="jira", url="https://acme.example", email="a@b.example", projects=("PAY",)),
        SECRET,
        clock=lambda: STORY_NOW,
        sleep=lambda seconds: None,
        deadline=lambda: STORY_NOW + timedelta(minutes=30),
        client=httpx.Client(transport=httpx.MockTransport(handle)),
    )


def answering(pages: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[httpx.Request], httpx.Response]:
    """A Cloud site without bulk fetch that answers everything but searches as usual."""
    usual: dict[str, Any] = {
        "myself": {"accountId": "1"},
        "field": [{"id": "summary", "name": "Summary"}],
        "search": {"values": [{"key": "PAY"}], "isLast": True},
    }

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/search/jql"):
            return httpx.Response(200, json=pages(json.loads(request.content)))
        if request.url.path.endswith("/bulkfetch"):
            return httpx.Response(404)
        return httpx.Response(200, json=usual[request.url.path.rpartition("/")[2]])

    return handle


def test_an_endless_list_ends() -> None:
    tokens = iter(range(10_000))
    issue = {"id": "1", "key": "PAY-1", "fields": {}}
    tracker = scripted(answering(lambda body: {"issues": [issue], "nextPageToken": f"t{next(tokens)}"}))
    with pytest.raises(SourceFailed, match="does not end"):
        list(tracker.pull({}))


def test_more_without_a_token_is_not_the_whole() -> None:
    with pytest.raises(SourceFailed, match="there is more"):
        list(scripted(answering(lambda body: {"issues": [], "isLast": False})).pull({}))


def test_an_empty_page_in_the_middle_is_stepped_over() -> None:
    def pages(body: dict[str, Any]) -> dict[str, Any]:
        if "nextPageToken" not in body:
            return {"issues": [], "isLast": False, "nextPageToken": "a"}
        return {"issues": [{"id": 7, "key": "PAY-1", "fields": {"summary": "x"}}], "isLast": True}

    assert Held().take(scripted(answering(pages)).pull({})).ids == {"jira:PAY-1"}


def test_an_issue_that_cannot_be_understood_costs_only_itself() -> None:
    issues = [{"id": "1", "key": "PAY-1", "fields": {"labels": 5}}, {"id": "2", "key": "PAY-2", "fields": None}]
    held = Held().take(scripted(answering(lambda body: {"issues": issues, "isLast": True})).pull({}))
    assert held.ids == {"jira:PAY-2"}
    assert "PAY-1" in held.warnings[0]


# --- servers that lack something, or take it only in another way


def test_keys_count_before_anything_was_pulled(jira: JiraHouse) -> None:
    assert jira.tracker(projects=()).projects() == ("PAY", "WEB")
    assert jira.tracker(projects=("PAY",)).projects() == ("PAY",)
    for project in jira.jira.projects.values():
        project.visible = False
    with pytest.raises(SourceFailed, match="sees no project"):
        jira.tracker(projects=()).projects()


def test_a_search_that_takes_only_get(jira: JiraHouse) -> None:
    fill(jira, 120)
    jira.break_("status", SEARCH, status=405, method="POST")
    tracker = jira.tracker(projects=("PAY",))
    assert len(Held().take(tracker.pull({})).ids) == 120
    assert sum(line.startswith("POST") and "/search" in line for line in jira.wire.lines) == 1


def test_without_a_project_search_each_is_asked_for(cloud: JiraHouse) -> None:
    fill(cloud, 2)
    cloud.break_("status", "/project/search", status=404)
    held = Held().take(cloud.tracker(projects=("PAY", "NOPE")).pull({}))
    assert held.ids == {"jira:PAY-1", "jira:PAY-2"}
    assert held.problems.keys() == {"NOPE"}
    assert cloud.tracker(projects=()).projects() == ("PAY", "WEB")


def test_without_a_list_of_fields_they_go_by_their_ids(jira: JiraHouse) -> None:
    fill(jira, 1)
    jira.break_("status", r"/field$", status=404)
    tracker = jira.tracker(projects=("PAY",), fields={"okr": "customfield_10020"})
    assert Held().take(tracker.pull({})).ids == {"jira:PAY-1"}
    with pytest.raises(SourceFailed, match="no field 'OKR Initiative'"):
        list(jira.tracker(fields={"okr": "OKR Initiative"}).pull({}))


@pytest.mark.parametrize("status", [404, 405])
def test_without_bulk_fetch_issues_are_asked_for_one_by_one(cloud: JiraHouse, status: int) -> None:
    fill(cloud, 3)
    cloud.break_("status", "/issue/bulkfetch", status=status)
    assert cloud.tracker().fetch(["jira:PAY-1", "jira:PAY-3"]).items.keys() == {"jira:PAY-1", "jira:PAY-3"}
