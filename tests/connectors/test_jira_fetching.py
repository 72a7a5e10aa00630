"""Items of Jira by key, and which keys are ours."""

from __future__ import annotations

from jira_world import JiraHouse, fill


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
