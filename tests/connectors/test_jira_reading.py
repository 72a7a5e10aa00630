"""Reading a whole Jira: pulls and resuming; Cloud and Data Center."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest
from jira_world import SECRET, Held, JiraHouse, fill

from okrsync.connectors.jira import JiraTracker
from okrsync.domain.settings import JiraSettings
from okrsync.domain.trackers import SourceFailed
from okrsync.sandbox.world import STORY_NOW


def queries(it: JiraHouse) -> list[str]:
    return [
        json.loads(r.content)["jql"]
        for r in it.wire.requests
        if r.url.path.endswith(("/search", "/search/jql")) and r.method == "POST"
    ]


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
