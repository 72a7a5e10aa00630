"""Reading a whole Jira: pulls, resuming, faults, items by key; Cloud and Data Center."""

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


def queries(it: JiraHouse) -> list[str]:
    return [
        json.loads(r.content)["jql"]
        for r in it.wire.requests
        if r.url.path.endswith(("/search", "/search/jql")) and r.method == "POST"
    ]


# --- pulls ----------------------------------------------------------------------------------------------------


def test_first_pull_then_only_what_changed(jira: JiraHouse) -> None:
    fill(jira)
    jira.jira.add_issue("WEB", "one")
    old = jira.jira.add_issue("WEB", "closed long ago", created=STORY_NOW - timedelta(days=800))
    old.status = "Done"
    tracker = jira.tracker()
    held = Held().take(tracker.pull({}))
    assert len(held.ids) == 251
    assert "jira:WEB-2" not in held.ids
    assert held.problems == {}
    assert tracker.projects() == ("PAY", "WEB")
    assert all('project in ("' in query for query in queries(jira))

    jira.clock.advance(timedelta(minutes=20))
    jira.world.edit_title("jira:PAY-7", "new title", "okrsync-bot")
    jira.wire.requests.clear()
    batches = list(tracker.pull(held.states))
    assert [i.title for b in batches for i in b.items if i.id == "jira:PAY-7"] == ["new title"]
    assert sum(len(b.items) for b in batches) < 20  # not the whole project again
    assert all(b.present is None for b in batches)
    assert "updated >= -" in queries(jira)[0]


def test_the_span_is_counted_from_the_newest_item_and_a_skewed_clock_loses_nothing(jira: JiraHouse) -> None:
    issue = jira.jira.add_issue("PAY", "x")
    issue.updated = STORY_NOW - timedelta(minutes=10)
    held = Held().take(jira.tracker(projects=("PAY",)).pull({}))
    assert (held.states["PAY"].watermark or "").startswith("2026-11-16T08:50:00Z")

    behind = jira.tracker(projects=("PAY",))
    server_now, local = jira.clock(), jira.clock() - timedelta(days=30)
    tracker = JiraTracker(
        JiraSettings(
            name="jira",
            type="jira",
            url=jira.sandbox.jira_url,
            projects=("PAY",),
            email=jira.world.email if jira.jira.cloud else None,
        ),
        SECRET,
        clock=lambda: local,
        sleep=jira.sleep,
        deadline=lambda: local + timedelta(minutes=5),
        client=httpx.Client(transport=jira.wire),
    )
    held.take(tracker.pull(held.states))
    assert server_now == STORY_NOW
    assert "updated >= -25m" in queries(jira)[-1]  # 10 minutes and the overlap of 15
    behind.close()
    tracker.close()


def test_a_long_listing_does_not_move_the_watermark_past_its_start(cloud: JiraHouse) -> None:
    fill(cloud, 150)
    tracker = cloud.tracker(projects=("PAY",))
    pages = tracker.pull({})
    first = next(pages)
    cloud.clock.advance(timedelta(hours=1))
    cloud.world.edit_title(first.items[0].id, "changed behind us", "okrsync-bot")
    cloud.world.edit_title("jira:PAY-140", "changed ahead of us", "okrsync-bot")
    rest = list(pages)
    assert rest[-1].watermark == "2026-11-16T09:00:00Z"


def test_nor_does_a_long_reading_of_changes(cloud: JiraHouse) -> None:
    fill(cloud, 150)
    tracker = cloud.tracker(projects=("PAY",))
    held = Held().take(tracker.pull({}))
    for n in range(1, 151):
        cloud.world.edit_title(f"jira:PAY-{n}", "changed", "okrsync-bot")
    pages = tracker.pull(held.states)
    next(pages)
    cloud.clock.advance(timedelta(hours=1))
    cloud.world.edit_title("jira:PAY-140", "changed while it was read", "okrsync-bot")
    assert list(pages)[-1].watermark == "2026-11-16T09:00:00Z"


def test_a_key_sweep_finds_what_is_gone(jira: JiraHouse) -> None:
    fill(jira, 5)
    tracker = jira.tracker(projects=("PAY",))
    held = Held().take(tracker.pull({}))
    jira.world.delete("jira:PAY-2", "okrsync-bot")
    jira.world.move_issue("jira:PAY-3", "WEB", "okrsync-bot")
    held.take(tracker.pull(held.states))
    assert len(held.ids) == 5
    held.take(tracker.pull(held.states, sweep=True))
    assert held.ids == {"jira:PAY-1", "jira:PAY-4", "jira:PAY-5"}


def test_a_full_listing_names_everything_present(jira: JiraHouse) -> None:
    fill(jira, 120)
    tracker = jira.tracker(projects=("PAY",))
    held = Held().take(tracker.pull({}))
    jira.world.delete("jira:PAY-2", "okrsync-bot")
    batches = list(tracker.pull(held.states, full=True))
    assert all(b.full for b in batches)
    assert len(batches[-1].present or ()) == 119
    assert batches[-1].watermark


def test_a_killed_first_pull_goes_on(jira: JiraHouse) -> None:
    fill(jira)
    held = Held().take(jira.tracker(projects=("PAY",)).pull({}), stop_after=2)
    assert held.states["PAY"].resume
    assert held.states["PAY"].watermark is None
    tracker = jira.tracker(projects=("PAY",))
    held.take(tracker.pull(held.states))
    assert len(held.ids) == 250
    assert held.states["PAY"].watermark
    assert held.states["PAY"].resume is None
    full_pages = [r for r in jira.wire.requests if b'"summary"' in r.content]
    assert len(full_pages) == 1  # the third


def test_an_expired_token_begins_the_listing_again(cloud: JiraHouse) -> None:
    fill(cloud)
    cloud.break_("status", "/issue/bulkfetch", status=404)  # then it goes by pages
    held = Held().take(cloud.tracker(projects=("PAY",)).pull({}), stop_after=2)
    assert held.states["PAY"].resume
    body = json.dumps({"errorMessages": ["The provided next page token is invalid or expired."], "errors": {}})
    cloud.break_("status", "/search/jql", status=400, body=body, times=1)
    held.take(cloud.tracker(projects=("PAY",)).pull(held.states))
    assert len(held.ids) == 250
    assert held.problems == {}


def test_data_center_items_that_slid_to_an_earlier_page_are_found(center: JiraHouse) -> None:
    fill(center, 150)
    pages = center.tracker(projects=("PAY",)).pull({})
    got = {i.id for i in next(pages).items}
    center.world.delete("jira:PAY-1", "okrsync-bot")
    last = None
    for batch in pages:
        got |= {i.id for i in batch.items}
        last = batch
    assert len(got) == 150
    assert last
    assert len(last.present or ()) >= 149


def test_an_unknown_project_is_one_problem_and_the_others_go_on(jira: JiraHouse) -> None:
    fill(jira, 3)
    held = Held().take(jira.tracker(projects=("nope", "pay")).pull({}))
    assert held.ids == {"jira:PAY-1", "jira:PAY-2", "jira:PAY-3"}
    assert "NOPE does not exist" in held.problems["NOPE"]
    assert "BROWSE_PROJECTS" in held.problems["NOPE"]
    assert not held.states["NOPE"].watermark


def test_a_project_turned_private_is_a_problem_and_nothing_is_gone(jira: JiraHouse) -> None:
    fill(jira, 3)
    for projects in ((), ("PAY", "WEB")):
        tracker = jira.tracker(projects=projects)
        jira.jira.projects["PAY"].visible = True
        held = Held().take(tracker.pull({}))
        jira.jira.projects["PAY"].visible = False
        held.take(tracker.pull(held.states, sweep=True))
        assert "PAY" in held.problems
        assert len(held.items["PAY"]) == 3


def test_without_projects_all_that_may_be_seen(jira: JiraHouse) -> None:
    fill(jira, 2)
    jira.jira.add_project("SECRET", "Not for us", visible=False)
    tracker = jira.tracker(projects=())
    held = Held().take(tracker.pull({}))
    assert set(held.states) == {"PAY", "WEB"}
    assert tracker.projects() == ("PAY", "WEB")
    assert tracker.owns("jira:ANY-1")


def test_the_extra_filter_is_and_ed(jira: JiraHouse) -> None:
    jira.jira.add_issue("PAY", "a", labels=["checkout"])
    jira.jira.add_issue("PAY", "b")
    jql = "labels = checkout OR labels = other ORDER BY created"
    assert Held().take(jira.tracker(projects=("PAY",), jql=jql).pull({})).ids == {"jira:PAY-1"}


def test_a_wrong_filter_is_told_in_jiras_words(jira: JiraHouse) -> None:
    fill(jira, 1)
    held = Held().take(jira.tracker(projects=("PAY",), jql="colour = red").pull({}))
    assert "Field 'colour' does not exist" in held.problems["PAY"]


def test_custom_fields_and_parents(jira: JiraHouse) -> None:
    jira.jira.add_issue("PAY", "epic", type="Epic")
    jira.jira.add_issue(
        "PAY",
        "story",
        parent="PAY-1",
        values={"OKR Initiative": {"value": "INIT-2"}, "Story Points": 5.0},
        security="Board only",
    )
    fields = {"okr": "okr initiative", "estimate": "customfield_10016"}
    held = Held().take(jira.tracker(projects=("PAY",), fields=fields).pull({}))
    story = next(i for i in held.items["PAY"].values() if i.key == "PAY-2")
    assert (story.okr, story.estimate, story.epic, story.restricted) == (("INIT-2",), 5.0, "PAY-1", True)
    assert [r.target for r in story.references] == ["jira:PAY-1"]


def test_the_whole_hierarchy_and_what_is_implemented(jira: JiraHouse) -> None:
    """Data Center tells it by Epic Link and Parent Link, Cloud by `parent` alone."""
    above = jira.jira.add_issue("WEB", "above epics", type="Initiative")
    epic = jira.jira.add_issue("PAY", "epic", type="Epic", parent="WEB-1")
    jira.jira.add_issue("PAY", "story", parent="PAY-1", links=[("Implement", "outward", above.id)])
    jira.jira.add_issue("PAY", "part", type="Sub-task", parent="PAY-2", links=[("Blocks", "outward", epic.id)])
    epic.links = [("Implement", "inward", above.id)]
    held = Held().take(jira.tracker().pull({}))
    items = {item.key: item for found in held.items.values() for item in found.values()}
    told = {key: [(r.via, r.target, r.structural) for r in item.references] for key, item in items.items()}
    assert told == {
        "WEB-1": [],
        "PAY-1": [("parent", "jira:WEB-1", True)],
        "PAY-2": [("parent", "jira:PAY-1", True), ("implements", "jira:WEB-1", True)],
        "PAY-3": [("parent", "jira:PAY-2", True)],
    }
    kinds = [items[key].kind for key in ("WEB-1", "PAY-1", "PAY-2", "PAY-3")]
    assert kinds == ["epic", "epic", "issue", "subtask"]


def test_an_unknown_field_fails_the_source(jira: JiraHouse) -> None:
    with pytest.raises(SourceFailed, match="did you mean 'Story Points'"):
        list(jira.tracker(fields={"estimate": "Story Point"}).pull({}))


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


# --- by key ---------------------------------------------------------------------------------------------------


def test_fetch_tells_present_moved_forbidden_and_missing_apart(jira: JiraHouse) -> None:
    fill(jira, 4)
    jira.jira.add_project("HID", "Hidden", visible=False)
    jira.jira.add_issue("HID", "x")
    jira.world.move_issue("jira:PAY-2", "WEB", "okrsync-bot")
    jira.break_("status", "/issue/PAY-4", status=403)
    jira.break_("status", "bulkfetch", status=400)
    ids = ["jira:PAY-1", "jira:PAY-2", "jira:PAY-4", "jira:PAY-99", "jira:HID-1", "jira:no/../key"]
    got = jira.tracker().fetch(ids)
    assert set(got.items) == {"jira:PAY-1", "jira:PAY-2"}
    assert got.moved == {"jira:PAY-2": "jira:WEB-1"}
    assert got.items["jira:PAY-2"].id == "jira:WEB-1"
    assert got.forbidden == ("jira:PAY-4",)
    assert got.missing == ("jira:PAY-99", "jira:HID-1", "jira:no/../key")


def test_fetch_takes_a_hundred_at_a_time(jira: JiraHouse) -> None:
    fill(jira, 150)
    got = jira.tracker().fetch([f"jira:PAY-{n}" for n in range(1, 151)])
    assert len(got.items) == 150
    fields = 0 if jira.jira.cloud else 1
    assert len(jira.wire.requests) == fields + 2


def test_scope_and_write_globs(cloud: JiraHouse) -> None:
    tracker = cloud.tracker(projects=("pay",), write=("P*", "W?B"))
    assert tracker.owns("jira:PAY-1")
    assert not tracker.owns("jira:WEB-1")
    assert not tracker.owns("other:PAY-1")
    assert [tracker.writable(p) for p in ("PAY", "WEB", "OPS")] == [True, True, False]
    assert not cloud.tracker(write=False).writable("PAY")


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
