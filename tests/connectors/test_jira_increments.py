"""Pulls after the first: one search for all projects, and what must show in it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from jira_world import SEARCH, Held, JiraHouse

from okrsync.domain.trackers import SignInFailed, SourceFailed
from okrsync.sandbox.world import STORY_NOW

FIELDS = {"okr": "OKR Initiative", "estimate": "story points"}


def fill(it: JiraHouse, **count: int) -> None:
    """So many issues in each project, the newest two hours old."""
    for project, number in count.items():
        for n in range(number):
            created = STORY_NOW - timedelta(hours=2 + number - n)
            it.jira.add_issue(project, f"{project} {n + 1}", created=created)


def pulled(it: JiraHouse, held: Held, **how: Any) -> list[str]:
    """A pull by a process of its own, some time later; the paths it asked for. `settings` are the tracker's."""
    it.clock.advance(timedelta(minutes=how.pop("minutes", 20)))
    tracker = it.tracker(**how.pop("settings", {}))
    held.take(tracker.pull(held.states, **how))
    tracker.close()
    return [line.partition("?")[0].partition("/rest/api/")[2][2:] for line in it.wire.lines]


def searched(it: JiraHouse) -> list[str]:
    return ["search/jql" if it.jira.cloud else "search"]


def watermarks(held: Held) -> dict[str, str | None]:
    return {key: state.watermark for key, state in held.states.items()}


# --- what it costs


@pytest.mark.parametrize("fields", [{}, FIELDS], ids=["no fields", "fields by name"])
def test_nothing_changed_is_one_search_for_all_projects_and_moves_no_watermark(
    jira: JiraHouse, fields: dict[str, str]
) -> None:
    fill(jira, PAY=130, WEB=3)
    jira.jira.add_project("OPS", "Nothing in it")
    settings = {"settings": {"projects": ("PAY", "WEB", "OPS"), "fields": fields}}
    held = Held()
    pulled(jira, held, **settings)
    assert len(held.ids) == 133
    before = watermarks(held)
    for _ in range(3):
        assert pulled(jira, held, minutes=60 * 24, **settings) == searched(jira)
        assert watermarks(held) == before
    assert held.problems == {}
    assert held.suspect == set()


def test_one_percent_changed_is_two_requests(jira: JiraHouse) -> None:
    fill(jira, PAY=300, WEB=120)
    held = Held()
    pulled(jira, held, settings={"fields": FIELDS})
    jira.clock.advance(timedelta(hours=1))
    for n in range(1, 101):
        jira.world.set_field(f"jira:PAY-{n}", "OKR Initiative", {"value": f"INIT-{n}"}, "okrsync-bot")
    jira.world.edit_title("jira:WEB-7", "and one of the other", "okrsync-bot")
    assert pulled(jira, held, minutes=1, settings={"fields": FIELDS}) == searched(jira) * 2
    assert {item.okr for item in held.items["PAY"].values() if item.okr} == {(f"INIT-{n}",) for n in range(1, 101)}
    assert "and one of the other" in {item.title for item in held.items["WEB"].values()}


def test_a_hundred_projects_and_more(cloud: JiraHouse) -> None:
    keys = tuple(f"P{n}" for n in range(120))
    for key in keys:
        cloud.jira.add_project(key, key)
        fill(cloud, **{key: 2})
    held = Held()
    first = pulled(cloud, held, settings={"projects": keys})
    assert len(held.ids) == 240
    assert len(first) == 5  # who we are; of the first hundred a page, all ids, the rest; a page of the others
    assert len(pulled(cloud, held, settings={"projects": keys})) == 2


def test_after_a_bulk_edit_the_pile_is_read_again_only_once(jira: JiraHouse) -> None:
    fill(jira, PAY=150, WEB=2)
    held = Held()
    pulled(jira, held)
    for n in range(1, 151):
        jira.world.add_label(f"jira:PAY-{n}", "okr/O1", "okrsync-bot")
    pulled(jira, held, minutes=1)
    before = watermarks(held)
    assert len(pulled(jira, held, minutes=30)) == 2  # the pile lies within the overlap of its own newest item
    assert watermarks(held) != before
    before = watermarks(held)
    for _ in range(2):
        assert pulled(jira, held, minutes=30) == searched(jira)
        assert watermarks(held) == before
    jira.world.edit_title("jira:PAY-3", "at last", "okrsync-bot")
    pulled(jira, held)
    assert "at last" in {item.title for item in held.items["PAY"].values()}


def test_several_projects_are_scanned_and_swept_together(cloud: JiraHouse) -> None:
    fill(cloud, PAY=250, WEB=130)
    held = Held()
    paths = pulled(cloud, held)
    assert sorted(set(paths)) == ["issue/bulkfetch", "myself", "search/jql"]
    assert paths.count("search/jql") == 2  # a first page, and all ids
    assert paths.count("issue/bulkfetch") == 3  # what the page left: 280
    assert {key: state.held for key, state in held.states.items()} == {"PAY": 250, "WEB": 130}
    assert all(watermarks(held).values())
    cloud.world.delete("jira:PAY-9", "okrsync-bot")
    cloud.world.move_issue("jira:PAY-8", "WEB", "okrsync-bot")
    assert pulled(cloud, held, sweep=True) == ["search/jql"] * 2
    assert {key: state.held for key, state in held.states.items()} == {"PAY": 248, "WEB": 131}


def test_a_killed_first_pull_of_several_projects_goes_on(cloud: JiraHouse) -> None:
    fill(cloud, PAY=250, WEB=230)
    held = Held()
    held.take(cloud.tracker().pull({}), stop_after=5)
    assert len(held.ids) < 480
    cloud.wire.requests.clear()
    pulled(cloud, held)
    assert len(held.ids) == 480
    assert sum(r.url.path.endswith("/bulkfetch") for r in cloud.wire.requests) < 4


# --- what must show


def test_what_must_show_was_deleted(cloud: JiraHouse) -> None:
    fill(cloud, PAY=40, WEB=3)
    held = Held()
    for n in range(1, 41):
        cloud.world.add_label(f"jira:PAY-{n}", "okr/O1", "okrsync-bot")
    pulled(cloud, held, minutes=30)
    mark = held.states["PAY"].watermark or ""
    canary = mark.partition("canary=")[2]
    assert canary
    cloud.world.delete(f"jira:{canary}", "okrsync-bot")
    cloud.world.edit_title("jira:WEB-1", "read all the same", "okrsync-bot")
    paths = pulled(cloud, held)
    assert paths[:2] == ["search/jql"] * 2  # refused, and without it
    assert len(paths) == 6  # who we are, what we see, PAY alone, and what must show from now on
    assert (held.problems, held.suspect) == ({}, set())
    assert "read all the same" in {item.title for item in held.items["WEB"].values()}
    assert pulled(cloud, held) == ["search/jql"]


def test_the_newest_item_gone_is_no_loss_of_permission(jira: JiraHouse) -> None:
    fill(jira, PAY=3, WEB=3)
    held = Held()
    pulled(jira, held)
    jira.world.delete("jira:PAY-3", "okrsync-bot")
    assert len(pulled(jira, held)) > 1  # asked, since nothing of PAY was shown
    assert held.suspect == set()
    assert held.problems == {}
    assert pulled(jira, held) == searched(jira)  # another one must show from now on
    jira.world.delete("jira:PAY-2", "okrsync-bot")
    pulled(jira, held)
    assert (held.suspect, held.problems) == (set(), {})
    assert pulled(jira, held) == searched(jira)


def test_a_project_that_may_be_seen_no_longer_is_unreadable_and_the_others_are_read(jira: JiraHouse) -> None:
    fill(jira, PAY=3, WEB=3)
    held = Held()
    pulled(jira, held)
    jira.jira.projects["PAY"].visible = False
    for sweep in (False, True):
        jira.world.edit_title("jira:WEB-1", f"read {sweep}", "okrsync-bot")
        pulled(jira, held, sweep=sweep)
        assert held.problems.keys() == {"PAY"}
        assert "BROWSE_PROJECTS" in held.problems["PAY"]
        assert len(held.items["PAY"]) == 3
        assert f"read {sweep}" in {item.title for item in held.items["WEB"].values()}
    jira.jira.projects["PAY"].visible = True
    assert pulled(jira, held) == searched(jira)
    assert held.problems == {}


def test_a_project_whose_items_are_shown_no_longer_is_suspect(jira: JiraHouse) -> None:
    fill(jira, PAY=3, WEB=3)
    held = Held()
    pulled(jira, held)

    def without_pay(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if not response.headers["content-type"].startswith("application/json") or "/search" not in request.url.path:
            return response
        body = response.json()
        rows = [i for i in body.get("issues", []) if not i["key"].startswith("PAY")]
        return httpx.Response(200, json={**body, "issues": rows, "total": len(rows)} if "issues" in body else body)

    jira.after = without_pay
    pulled(jira, held)
    assert held.suspect == {"PAY"}
    assert len(held.items["PAY"]) == 3


@pytest.mark.parametrize(
    "headers",
    [{"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}, {"X-AUSERNAME": "anonymous"}],
    ids=["sign-in failed", "anonymous"],
)
def test_an_account_that_has_become_nobody_is_noticed_by_the_search_itself(
    jira: JiraHouse, headers: dict[str, str]
) -> None:
    fill(jira, PAY=3)
    held = Held()
    pulled(jira, held)

    def as_anybody(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        return httpx.Response(200, content=response.content, headers={"Content-Type": "application/json", **headers})

    jira.after = as_anybody  # the public projects are still shown
    with pytest.raises(SignInFailed, match="anonymous"):
        pulled(jira, held)


def test_an_account_that_is_shown_an_empty_jira_is_asked_for(jira: JiraHouse) -> None:
    fill(jira, PAY=3)
    held = Held()
    pulled(jira, held)
    jira.break_("empty", SEARCH)
    jira.break_("status", "/myself", body="{}", status=200)
    with pytest.raises(SignInFailed, match="anonymous"):
        pulled(jira, held)


# --- fields


def test_a_field_that_was_renamed_is_looked_up_again(jira: JiraHouse) -> None:
    fill(jira, PAY=2)
    held = Held()
    pulled(jira, held, settings={"fields": FIELDS})
    field = jira.jira.field("OKR Initiative")
    assert field
    field.name = "Strategy"
    with pytest.raises(SourceFailed, match="no field 'OKR Initiative'"):
        pulled(jira, held, settings={"fields": FIELDS})
    other = jira.jira.field("Team")
    assert other
    other.name = "OKR Initiative"
    jira.world.set_field("jira:PAY-1", "OKR Initiative", {"value": "INIT-7"}, "okrsync-bot")
    pulled(jira, held, settings={"fields": FIELDS})
    assert ("INIT-7",) in {item.okr for item in held.items["PAY"].values()}
    assert pulled(jira, held, settings={"fields": FIELDS}) == searched(jira)


def test_a_server_that_names_no_fields_is_asked_for_them(jira: JiraHouse) -> None:
    fill(jira, PAY=2)
    held = Held()
    pulled(jira, held, settings={"fields": FIELDS})

    def nameless(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if "/search" not in request.url.path:
            return response
        body = {k: v for k, v in response.json().items() if k != "names"}
        return httpx.Response(200, json=body, headers={"Date": response.headers["Date"]})

    jira.after = nameless
    assert pulled(jira, held, settings={"fields": FIELDS}) == [*searched(jira), "field"]


def test_watermarks_of_earlier_versions_are_understood(jira: JiraHouse) -> None:
    fill(jira, PAY=3)
    held = Held()
    pulled(jira, held, settings={"projects": ("PAY",), "fields": FIELDS})
    old = (held.states["PAY"].watermark or "").partition(" ")[0]
    tracker = jira.tracker(projects=("PAY",), fields=FIELDS)
    batches = list(tracker.pull({"PAY": type(held.states["PAY"])(watermark=old, held=3)}))
    assert not any(batch.full for batch in batches)
    assert [b.watermark for b in batches if b.watermark] == [held.states["PAY"].watermark]


def test_the_query_names_each_project_with_its_own_span(cloud: JiraHouse) -> None:
    fill(cloud, PAY=3, WEB=3)
    cloud.world.edit_title("jira:WEB-1", "just now", "okrsync-bot")
    held = Held()
    pulled(cloud, held, minutes=0)
    pulled(cloud, held, minutes=5)
    jql = json.loads(cloud.wire.requests[-1].content)["jql"]
    assert '(project in ("PAY") AND updated >= -200m) OR (project in ("WEB") AND updated >= -20m)' in jql
