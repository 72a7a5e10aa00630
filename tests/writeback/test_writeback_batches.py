"""Labels of many items in batches: journalled whole, settled whole, repaired without a look at each."""

from __future__ import annotations

from collections import Counter

import pytest

from fake_tracker import Crash, FakeTracker
from fake_world import World, item, linked, settings, unlinked
from okrsync.domain.changes import Applied, Op
from okrsync.domain.trackers import NoTimeLeft, Throttled

NO_COMMENTS = {"comments": {"rules": ()}}


def world(count: int = 7, *, bulk: int = 3, **config: object) -> World:
    made = World([FakeTracker("jira", definitions=False, bulk=bulk)], settings(**(config or NO_COMMENTS)))
    for n in range(1, count + 1):
        work = item(n, jira=True)
        made.trackers["jira"].add(work)
        made.verdicts[work.id] = unlinked(work.id)
    return made


def jira(w: World) -> FakeTracker:
    return w.trackers["jira"]


def states(w: World) -> Counter[str]:
    return Counter(e.state.value for e in w.store.entries)


def calls(w: World, name: str) -> list[str]:
    return [call for call in jira(w).calls if call.startswith(name)]


def test_a_batch_is_sent_and_settled_whole():
    w = world()
    applied = w.run()
    assert len(applied.done) == 7
    assert jira(w).batches == [3, 3, 1]
    assert states(w) == {"confirmed": 7}
    assert calls(w, "look") == []
    assert w.run() == Applied()


def test_removals_of_all_go_before_additions():
    w = world(4)
    w.run()
    for id_ in w.verdicts:
        w.verdicts[id_] = linked(id_, "O1", "O2")
    jira(w).calls.clear()
    assert len(w.run().done) == 12
    assert [call.split()[0] for call in jira(w).calls] == ["remove_labels"] * 4 + ["add_labels"] * 4
    assert {tuple(labels) for labels in jira(w).labels().values()} == {("okr/O1", "okr/O2")}


def test_items_with_a_comment_go_first_and_alone():
    w = world(5)
    w.config = settings()
    w.verdicts["jira:PAY-3"] = unlinked("jira:PAY-3")
    for id_ in set(w.verdicts) - {"jira:PAY-3"}:
        w.verdicts[id_] = linked(id_, "O1")
    w.run()
    assert [call.split()[0] for call in jira(w).calls][:3] == ["look", "add_labels", "create_comment"]
    assert jira(w).batches == [1, 3, 1]


def test_one_that_a_batch_does_not_take_goes_alone_and_says_why():
    w = world()
    jira(w).faults = {1: "refused", 4: "refused", 8: "refused"}
    applied = w.run()
    assert jira(w).batches == [3, 3, 1, 1, 1]
    assert [(c.target, why) for c, why in applied.failed] == [("jira:PAY-5", "the server answers 422")]
    assert len(applied.done) == 6
    # the journal says so of each attempt
    assert states(w) == {"confirmed": 6, "failed": 3}
    assert len(w.run().done) == 1


def test_lost_answers_are_looked_up_together():
    w = world()
    jira(w).faults = {0: "lost_after", 1: "lost_before", 2: "lost_after"}
    applied = w.run()
    assert [c.target for c in applied.waiting] == ["jira:PAY-2"]
    assert len(applied.done) == 6
    assert (len(calls(w, "fetch")), calls(w, "look")) == (1, [])
    assert len(w.run().done) == 1
    assert states(w)["unknown"] == 0


@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize("when", ["crash_before", "crash_after"])
def test_a_crash_within_a_batch_is_repaired_by_one_reading(number, when):
    w = world()
    jira(w).faults = {number: when}
    with pytest.raises(Crash):
        w.run()
    jira(w).calls.clear()
    w.run()
    assert {tuple(labels) for labels in jira(w).labels().values()} == {("okr/unlinked",)}
    assert not w.store.unsettled()
    assert all(list(owned.labels) == ["okr/unlinked"] for owned in w.store.owned().values())
    assert len(w.store.owned()) == 7
    assert len(calls(w, "fetch")) + len(calls(w, "look")) == 1
    assert w.run() == Applied()


def test_a_crash_leaves_no_more_than_a_batch_open():
    w = world()
    jira(w).faults = {4: "crash_after"}
    with pytest.raises(Crash):
        w.run()
    assert states(w) == {"confirmed": 3, "intended": 3}


def test_recovery_of_a_batch_tells_gone_hidden_moved_and_others_apart():
    w = world(5, bulk=5)
    jira(w).faults = {4: "crash_after"}
    with pytest.raises(Crash):
        w.run()
    del jira(w).items["jira:1001"]
    jira(w).hidden.add("jira:1002")
    jira(w).edit("jira:1003", uid="jira:9")
    w.store.tombstone(["jira:1001"])
    made = w.plan()
    w.run(made)
    by_uid = {e.uid: e.state.value for e in w.store.entries[:5]}
    assert by_uid == {
        "jira:1001": "failed",
        "jira:1002": "intended",
        "jira:1003": "failed",
        "jira:1004": "confirmed",
        "jira:1005": "confirmed",
    }


def test_a_source_that_fails_at_the_common_reading_is_not_written_to():
    w = world()
    jira(w).faults = {1: "crash_before"}
    with pytest.raises(Crash):
        w.run()
    jira(w).read_faults = {"fetch"}
    w.verdicts["jira:PAY-7"] = linked("jira:PAY-7", "O1")
    applied = w.run()
    assert applied.done == ()
    assert {why for _, why in applied.failed} == {"the server answers 503"}


def test_a_lost_lease_stops_between_batches():
    w = world()
    tracker = jira(w)
    change_labels = tracker.change_labels

    def lose(batch):
        w.store.held_lease = False
        return change_labels(batch)

    tracker.change_labels = lose
    applied = w.run()
    assert applied.stopped == "the lease was lost; 4 changes were not made"
    assert (len(applied.done), len(w.store.entries)) == (3, 3)


def test_a_place_that_may_not_be_written_to_is_given_up_after_a_batch():
    w = world(9)
    jira(w).read_only.add("PAY")
    applied = w.run()
    assert len(applied.skipped) == 9
    # three batches, then three alone, of which the last shuts the place
    assert jira(w).batches == [3, 3, 3, 1, 1, 1]
    assert [place for place, _, _ in applied.refused] == ["jira:PAY"]


@pytest.mark.parametrize(("error", "ours"), [(NoTimeLeft, True), (Throttled, False)])
def test_what_there_is_no_time_for_is_pending_by_number(error, ours):
    w = world(30)
    tracker, full = jira(w), []
    change_labels = tracker.change_labels

    def paced(batch):
        if full or len(tracker.batches) == 4:
            full.append(batch)
            return [error("the next one has to wait 3210 s")] * len(batch)
        return change_labels(batch)

    tracker.change_labels = paced
    applied = w.run()
    assert (len(applied.done), applied.failed, applied.waiting, applied.pending) == (12, (), (), 18)
    (postponed,) = applied.postponed
    assert (postponed.connector, postponed.changes, postponed.ours) == ("jira", 18, ours)
    assert len(full) == 1  # nothing more was tried
    tracker.change_labels = change_labels
    assert len(w.run().done) == 18
    assert {tuple(labels) for labels in tracker.labels().values()} == {("okr/unlinked",)}


def test_a_removal_that_was_cut_off_is_no_dismissal():
    w = world(3)
    w.run()
    for id_ in w.verdicts:
        w.verdicts[id_] = linked(id_, "O1")
    jira(w).faults = {4: "crash_after"}  # the second removal
    with pytest.raises(Crash):
        w.run()
    for id_ in w.verdicts:
        w.verdicts[id_] = unlinked(id_)
    w.run()
    assert {tuple(labels) for labels in jira(w).labels().values()} == {("okr/unlinked",)}
    assert w.store.dismissed == {}
    assert {e.op for e in w.store.entries} >= {Op.REMOVE_LABEL.value}
