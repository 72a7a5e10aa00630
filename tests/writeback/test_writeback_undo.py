"""Undo: everything of ours, nothing else, and again after a crash."""

from __future__ import annotations

import pytest

from fake_tracker import Crash, FakeTracker
from fake_world import World, item, linked, settings, unlinked
from okrsync.domain.work import WorkItem
from okrsync.writeback import Undone, adopt, undo

ONE, TWO = "github:acme/web#1", "github:acme/web#2"
UID, UID2 = "github:1001", "github:1002"


def world(*works: WorkItem) -> World:
    made = World([FakeTracker("github"), FakeTracker("jira", definitions=False)], settings())
    for work in works or (item(labels=("bug",)),):
        made.trackers[work.connector].add(work)
        made.verdicts[work.id] = unlinked(work.id)
    return made


def take_back(w: World, *, dry_run: bool = False) -> Undone:
    return undo(store=w.store, trackers=w.trackers, clock=w.clock, run="undo-1", dry_run=dry_run, prefix="okr/")


def ops(removals: object) -> list[tuple[str, str, str]]:
    return [(r.op, r.target, r.value) for r in removals]


def snapshot(w: World) -> object:
    return [(t.labels(), t.texts(), t.definitions) for t in w.trackers.values()]


WHOLE = [
    ("remove_label", ONE, "okr/unlinked"),
    ("delete_comment", ONE, "c1"),
    ("delete_label", "github:acme/web", "okr/unlinked"),
]


def test_undo_restores_the_original():
    w = world(item(1, labels=("bug",)), item(2), item(1, jira=True, labels=("x",)))
    before = repr(snapshot(w))
    w.run()
    w.verdicts[ONE] = linked(ONE, "O1")
    w.run()
    assert repr(snapshot(w)) != before
    result = take_back(w)
    assert repr(snapshot(w)) == before
    assert (result.skipped, result.failed, result.stopped, result.by_journal) == ((), (), "", True)
    assert not any(o.labels or o.comment_id for o in w.store.owned().values())
    assert w.store.stored[UID].item.labels == ("bug",)
    assert take_back(w) == Undone()


def test_a_dry_run_only_tells():
    w = world()
    w.run()
    calls = len(w.trackers["github"].calls)
    result = take_back(w, dry_run=True)
    assert ops(result.removed) == WHOLE
    assert result.dry_run
    assert len(w.trackers["github"].calls) == calls
    assert ops(take_back(w).removed) == WHOLE


def test_closed_items_are_cleaned_too():
    w = world()
    w.run()
    w.trackers["github"].edit(UID, state="closed")
    w.pull()
    take_back(w)
    assert w.trackers["github"].labels() == {UID: ["bug"]}


def test_items_that_left_the_scope_are_cleaned_too():
    w = world()
    w.run()
    w.store.tombstone([UID])
    take_back(w)
    assert w.trackers["github"].labels() == {UID: ["bug"]}


def test_what_people_put_there_before_us_stays():
    w = world(item(1, labels=("okr/unlinked",)), item(2))
    w.run()
    result = take_back(w)
    assert w.trackers["github"].labels() == {UID: ["okr/unlinked"], UID2: []}
    # the definition was there before us, too
    assert "okr/unlinked" in w.trackers["github"].definitions["acme/web"]
    assert {r.op for r in result.removed} == {"remove_label", "delete_comment"}


def test_a_definition_still_in_use_is_kept():
    w = world(item(1), item(2, state="closed"))
    w.run()
    w.trackers["github"].person_adds_label(UID2, "okr/unlinked")
    result = take_back(w)
    assert [(r.op, why) for r, why in result.skipped] == [("delete_label", "still in use")]
    assert w.trackers["github"].labels()[UID2] == ["okr/unlinked"]


def test_a_label_that_a_person_took_off_and_put_back_is_theirs():
    w = world()
    w.run()
    w.trackers["github"].person_removes_label(UID, "okr/unlinked")
    w.run()
    w.trackers["github"].person_adds_label(UID, "okr/unlinked")
    take_back(w)
    assert w.trackers["github"].labels() == {UID: ["bug", "okr/unlinked"]}


def test_a_comment_that_a_person_deleted_is_no_error():
    w = world()
    w.run()
    w.trackers["github"].person_deletes_comment(UID)
    assert take_back(w).failed == ()


@pytest.mark.parametrize("why", ["archived", "the connector's `write` does not cover it"])
def test_where_nothing_may_be_written(why):
    w = world()
    w.run()
    if why == "archived":
        w.trackers["github"].edit(UID, archived=True)
    else:
        w.trackers["github"].configured = lambda container: False
    w.pull()
    result = take_back(w)
    assert [(r.op, reason) for r, reason in result.skipped][:2] == [("remove_label", why), ("delete_comment", why)]
    assert result.failed == ()
    assert w.trackers["github"].labels() == {UID: ["bug", "okr/unlinked"]}


def test_read_only_and_gone_are_no_errors():
    w = world(item(1), item(2), item(1, jira=True))
    w.run()
    w.trackers["github"].read_only.add("acme/web")
    del w.trackers["jira"].items["jira:1001"]
    w.store.tombstone(["jira:1001"])
    result = take_back(w)
    assert result.failed == ()
    assert {why for _, why in result.skipped} == {"acme/web may not be written to"}
    assert not w.store.owned()["jira:1001"].labels


@pytest.mark.parametrize("fault", ["crash_before", "crash_after", "lost_before", "lost_after", "source_failed"])
@pytest.mark.parametrize("number", range(3))
def test_it_can_be_run_again(number, fault):
    w = world()
    before = repr(snapshot(w))
    w.run()
    w.trackers["github"].faults = {3 + number: fault}
    if fault.startswith("crash"):
        with pytest.raises(Crash):
            take_back(w)
    else:
        result = take_back(w)
        assert result.failed
    assert take_back(w).failed == ()
    assert repr(snapshot(w)) == before


def test_writes_of_unknown_outcome_are_taken_back_too():
    w = world()
    before = repr(snapshot(w))
    w.trackers["github"].faults = {2: "crash_after"}
    with pytest.raises(Crash):
        w.run()
    assert take_back(w, dry_run=True).removed
    take_back(w)
    assert repr(snapshot(w)) == before


def test_without_a_journal_it_searches_open_writable_items():
    w = world(item(1, labels=("bug",)), item(2), item(3, container="acme/other", id="github:acme/other#3"))
    w.run()
    w.store.entries.clear()
    w.trackers["github"].edit(UID2, state="closed")
    w.trackers["github"].configured = lambda container: container == "acme/web"
    result = take_back(w)
    assert not result.by_journal
    assert w.trackers["github"].labels() == {
        UID: ["bug"],
        UID2: ["okr/unlinked"],
        "github:1003": ["okr/unlinked"],
    }
    assert list(w.trackers["github"].texts()) == [UID2, "github:1003"]


def test_without_a_journal_a_failing_source_is_told():
    w = world()
    w.trackers["github"].down = "the server answers 503"
    assert [why for _, why in take_back(w).failed] == ["the server answers 503"]


def test_a_connector_that_is_configured_no_more():
    w = world()
    w.run()
    del w.trackers["github"]
    result = take_back(w)
    assert {why for _, why in result.failed} == {"the workspace has no connector named github"}


def test_a_lost_lease_stops_it():
    w = world()
    w.run()
    result = undo(
        store=w.store,
        trackers=w.trackers,
        clock=w.clock,
        run="undo-1",
        dry_run=False,
        prefix="okr/",
        alive=lambda: False,
    )
    assert (result.stopped, result.removed) == ("the lease was lost", ())
    assert w.trackers["github"].labels() == {UID: ["bug", "okr/unlinked"]}


def test_json():
    w = world()
    w.run()
    shape = take_back(w, dry_run=True).json()
    assert shape["removed"][0] == {"op": "remove_label", "target": ONE, "value": "okr/unlinked"}


def test_a_label_we_took_off_and_a_person_put_back_is_theirs():
    w = world()
    w.run()
    w.verdicts[ONE] = linked(ONE, "O1")
    w.run()
    w.trackers["github"].edit(UID, state="closed")
    w.trackers["github"].person_adds_label(UID, "okr/unlinked")
    take_back(w)
    assert w.trackers["github"].labels() == {UID: ["bug", "okr/unlinked"]}


def test_undo_leaves_nothing_open_in_the_journal():
    w = world()
    w.run()
    w.verdicts[ONE] = linked(ONE, "O1")
    w.trackers["github"].faults = {4: "crash_after"}  # after the definition: the removal
    with pytest.raises(Crash):
        w.run()
    assert w.store.unsettled()
    take_back(w)
    assert not w.store.unsettled()


def test_a_dry_run_settles_nothing_either():
    w = world()
    w.run()
    del w.trackers["github"].items[UID]
    w.store.tombstone([UID])
    before = w.store.journal()
    take_back(w, dry_run=True)
    assert w.store.journal() == before


def test_a_comment_that_moved_with_its_item_is_found():
    w = world()
    w.run()
    moved = w.trackers["github"].items[UID]
    w.trackers["github"].edit(UID, id="github:acme/api#7", key="acme/api#7", container="acme/api")
    assert w.store.items()[0].item.id == moved.id, "the store does not know yet"
    take_back(w)
    assert "delete_comment github:acme/api#7" in w.trackers["github"].calls
    assert w.trackers["github"].texts() == {}


def adopted(w, **more):
    usual = {"prefix": "okr/", "could_be_ours": lambda label, _: label in ("okr/unlinked", "okr/O1"), "run": "new"}
    return adopt(store=w.store, trackers=w.trackers, clock=w.clock, **(usual | more))


def test_a_lost_journal_is_found_again():
    w = world(item(1, labels=("bug",)), item(2, labels=("okr/theirs",)))
    github = w.trackers["github"]
    before = github.labels()
    w.run()
    w.store.entries.clear()
    assert adopted(w) == 4
    github.calls.clear()
    w.run()
    assert not [c for c in github.calls if c.split()[0] in ("create_comment", "update_comment")], "it knows them"
    take_back(w)
    assert (github.labels(), github.texts()) == (before, {})


def test_labels_without_any_comment_of_ours_are_peoples():
    w = world(item(1, labels=("okr/unlinked",)))
    w.store.entries.clear()
    assert adopted(w) == 0
    w.trackers["github"].down = "the server answers 503"
    assert adopted(w) == 0
