"""Carrying a plan out: what is sent, what the journal says, what is reported."""

from __future__ import annotations

from datetime import date

import pytest

from fake_tracker import Crash, FakeTracker
from fake_world import World, bad_id, exempt, item, linked, settings, stale, unlinked
from okrsync.domain.changes import Applied, JournalState, Op
from okrsync.domain.storage import sweep_due
from okrsync.domain.work import Kind, WorkItem

ONE, TWO, JIRA = "github:acme/web#1", "github:acme/web#2", "jira:PAY-1"
UID = "github:1001"


def world(*works: WorkItem, **config: object) -> World:
    made = World([FakeTracker("github"), FakeTracker("jira", definitions=False)], settings(**config))
    for work in works or (item(),):
        made.trackers[work.connector].add(work)
        made.verdicts[work.id] = unlinked(work.id)
    return made


def writes(w: World, name: str = "github") -> list[str]:
    return [c for c in w.trackers[name].calls if c.split()[0] not in ("look", "container_labels", "fetch", "find_ours")]


def done(applied: Applied) -> list[str]:
    return [c.op.value for c in applied.done]


def states(w: World) -> list[tuple[str, str]]:
    return [(e.op, e.state.value) for e in w.store.entries]


NO_COMMENTS = {"comments": {"rules": ()}}


def test_a_first_run_and_a_second():
    w = world()
    assert done(w.run()) == ["create_label", "add_label", "create_comment"]
    github = w.trackers["github"]
    assert github.labels() == {UID: ["okr/unlinked"]}
    assert len(github.texts()[UID]) == 1
    assert states(w) == [("create_label", "confirmed"), ("add_label", "confirmed"), ("create_comment", "confirmed")]
    before = list(writes(w))
    assert w.run() == Applied()
    assert writes(w) == before


def test_the_next_plan_sees_our_write_before_the_next_pull():
    w = world()
    w.run()
    assert w.plan().changes == ()


def test_labels_of_one_item_go_in_one_call_each():
    w = world(item(labels=("okr/stale", "okr/OLD1", "bug")), **NO_COMMENTS)
    w.verdicts[ONE] = linked(ONE, "O1", "O2")
    w.run()
    assert writes(w)[2:] == [f"remove_labels {ONE} okr/OLD1 okr/stale", f"add_labels {ONE} okr/O1 okr/O2"]
    assert w.trackers["github"].labels() == {UID: ["bug", "okr/O1", "okr/O2"]}


def test_labels_alone_cost_no_look():
    w = world(item(), **NO_COMMENTS)
    w.run()
    assert not [call for call in w.trackers["github"].calls if call.startswith("look")]


def test_a_comment_is_edited_in_place_and_settled():
    w = world()
    w.run()
    w.verdicts[ONE] = stale(ONE)
    w.config = settings(comments={"rules": ["unlinked-work", "stale-link"]})
    assert done(w.run())[-1] == "update_comment"
    w.verdicts[ONE] = linked(ONE, "O1")
    w.run()
    assert w.trackers["github"].texts()[UID] == ["Resolved: this now traces to O1 (Title of O1)."]
    assert w.run() == Applied()


# --- people


def test_a_label_that_somebody_added_meanwhile_is_theirs():
    w = world()
    w.pull()
    made = w.plan()
    w.trackers["github"].person_adds_label(UID, "okr/unlinked")
    assert [c.op.value for c in w.run(made).unneeded] == ["add_label"]
    assert UID not in w.store.owned() or not w.store.owned()[UID].labels


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"state": "closed"}, "it has been closed"),
        ({"archived": True}, "it has been archived"),
        ({"id": "github:acme/new#1"}, "it has moved to github:acme/new#1"),
        ({"uid": "github:7"}, "github:acme/web#1 is another item by now"),
    ],
)
def test_an_item_that_changed_meanwhile_is_skipped(fields, why):
    w = world(item())
    w.pull()
    made = w.plan()
    w.trackers["github"].edit(UID, **fields)
    applied = w.run(made)
    assert [reason for _, reason in applied.skipped] == [why, why]
    assert done(applied) == ["create_label"]
    assert applied.failed == ()


def test_a_conversation_locked_meanwhile_gets_labels_only():
    w = world()
    w.pull()
    made = w.plan()
    w.trackers["github"].edit(UID, locked=True)
    applied = w.run(made)
    assert done(applied) == ["create_label", "add_label"]
    assert [why for _, why in applied.skipped] == ["the conversation is locked"]


@pytest.mark.parametrize("config", [{}, NO_COMMENTS])
def test_an_item_that_is_gone_is_skipped_and_looked_for(config):
    w = world(item(), item(2), **config)
    w.pull()
    made = w.plan()
    del w.trackers["github"].items[UID]
    applied = w.run(made)
    assert {why for _, why in applied.skipped} == {"the item is gone, or may not be seen any more"}
    assert applied.failed == ()
    assert [s.item.id for s in w.store.items()] == [ONE, TWO], "which of the two it is, the next reading tells"
    assert w.store.get_meta(sweep_due("github")) == "due"
    assert {c.target for c in applied.done} == {"github:acme/web", TWO}


def test_a_forbidden_item_is_skipped():
    w = world()
    w.trackers["github"].hidden.add(UID)
    applied = w.run()
    assert len(applied.skipped) == 2
    assert applied.failed == ()


def test_a_deleted_comment_is_found_when_it_is_edited_and_stays_deleted():
    w = world(comments={"rules": ["OKR101", "OKR103"]})
    w.run()
    w.trackers["github"].person_deletes_comment(UID)
    w.verdicts[ONE] = unlinked(ONE, unknown_ids=(bad_id(),))
    applied = w.run()
    assert [why for _, why in applied.skipped] == ["a person deleted the comment"]
    assert w.store.dismissed[UID, "comment"].state
    assert w.run() == Applied()
    assert w.trackers["github"].texts() == {}
    # another alignment is another matter
    w.verdicts[ONE] = exempt(ONE)
    w.run()
    w.verdicts[ONE] = unlinked(ONE)
    assert "create_comment" in done(w.run())
    assert len(w.trackers["github"].texts()[UID]) == 1
    w.verdicts[ONE] = unlinked(ONE, expired=("tech-debt", date(2026, 1, 1)))
    assert done(w.run()) == ["update_comment"]


def test_a_removed_label_stays_removed():
    w = world()
    w.run()
    w.trackers["github"].person_removes_label(UID, "okr/unlinked")
    assert w.run() == Applied()
    assert w.run() == Applied()
    w.verdicts[ONE] = linked(ONE, "O1")
    w.run()
    assert w.trackers["github"].labels() == {UID: ["okr/O1"]}


# --- a comment of ours that the journal does not know


@pytest.mark.parametrize("same", [True, False])
def test_our_comment_is_adopted(same):
    w = world()
    w.run()
    if not same:
        w.verdicts[ONE] = unlinked(ONE, unknown_ids=(bad_id(),))
    w.store.entries.clear()
    applied = w.run()
    assert [c.op.value for c in applied.unneeded if same] == (["create_comment"] if same else [])
    assert "create_comment" in (done(applied) if not same else ["create_comment"])
    assert len(writes(w)) == (3 if same else 4)
    (text,) = w.trackers["github"].texts()[UID]
    assert ("is not known" in text) is not same
    assert w.store.owned()[UID].comment_id == "c1"
    assert w.run() == Applied()


# --- servers that misbehave


def test_a_lost_answer_is_looked_up():
    w = world()
    w.trackers["github"].faults = {0: "lost_after", 1: "lost_after", 2: "lost_after"}
    applied = w.run()
    assert done(applied) == ["create_label", "add_label", "create_comment"]
    assert {state for _, state in states(w)} == {"confirmed"}


def test_a_lost_request_waits_for_the_next_run():
    w = world()
    w.trackers["github"].faults = {0: "lost_before", 1: "lost_before"}
    applied = w.run()
    assert [c.op.value for c in applied.waiting] == ["create_label", "add_label", "create_comment"]
    assert (applied.failed, applied.done) == ((), ())
    assert {state for _, state in states(w)} == {"unknown"}
    assert w.store.owned()[UID].comment_unknown
    assert done(w.run()) == ["create_label", "add_label", "create_comment"]
    assert len(w.trackers["github"].texts()[UID]) == 1


def test_a_comment_that_shows_late_is_not_written_twice():
    w = world()
    github = w.trackers["github"]
    github.faults = {2: "late"}
    assert [c.op.value for c in w.run().waiting] == ["create_comment"]
    held = [h.why for h in w.plan().held]
    assert held == ["comment: whether an earlier one was written is not known yet"]
    github.arrive()
    assert w.run() == Applied()
    assert len(github.texts()[UID]) == 1
    assert states(w)[-1] == ("create_comment", "confirmed")


def test_a_failing_source_stops_its_own_writes_only():
    w = world(item(1), item(2), item(1, jira=True), **NO_COMMENTS)
    w.trackers["github"].faults = {1: "source_failed"}
    applied = w.run()
    assert [(c.target, why) for c, why in applied.failed] == [
        (ONE, "the server answers 503"),
        (TWO, "the server answers 503"),
    ]
    assert [c.target for c in applied.done] == ["github:acme/web", JIRA]
    assert not [call for call in writes(w) if TWO in call]
    # whether it was done is looked up in the next run
    assert states(w)[1] == ("add_label", "unknown")
    assert {c.target for c in w.run().done} == {ONE, TWO}


def test_a_source_that_fails_while_recovering_is_not_written_to():
    w = world(item(1), item(2), **NO_COMMENTS)
    github = w.trackers["github"]
    github.faults = {1: "lost_before"}
    w.run()
    w.verdicts[TWO] = linked(TWO, "O1")
    github.read_faults = {f"look {ONE}"}
    applied = w.run()
    assert applied.done == ()
    assert {why for _, why in applied.failed} == {"the server answers 503"}


def test_a_refused_write_is_set_aside():
    w = world(item(1), item(2), **NO_COMMENTS)
    w.trackers["github"].faults = {1: "refused"}
    applied = w.run()
    assert [(c.target, why) for c, why in applied.failed] == [(ONE, "the server answers 422")]
    assert [c.target for c in applied.done] == ["github:acme/web", TWO]


def test_a_place_that_may_not_be_written_to_is_given_up():
    w = world(*(item(n) for n in range(1, 7)))
    w.trackers["github"].read_only.add("acme/web")
    applied = w.run()
    assert len(applied.skipped) == 13
    assert {why for _, why in applied.skipped} == {"acme/web may not be written to"}
    assert (applied.failed, applied.done) == ((), ())
    assert len(writes(w)) == 4  # a definition, on which the labels depend, and three comments


def test_one_item_that_is_closed_to_edits_does_not_stop_the_others():
    w = world(*(item(n, jira=True) for n in range(1, 6)), **NO_COMMENTS)
    w.trackers["jira"].faults = {0: "not_writable", 1: "not_writable", 3: "not_writable"}
    applied = w.run()
    assert [c.target for c, _ in applied.skipped] == ["jira:PAY-1", "jira:PAY-2", "jira:PAY-4"]
    assert [c.target for c in applied.done] == ["jira:PAY-3", "jira:PAY-5"]


def test_a_write_that_is_answered_as_if_the_item_were_not_there_is_no_error():
    w = world(**NO_COMMENTS)
    w.trackers["github"].faults = {1: "hidden"}
    applied = w.run()
    assert [(c.op, why) for c, why in applied.skipped] == [(Op.ADD_LABEL, "404 Not Found")]
    assert applied.failed == ()
    assert [s.item.id for s in w.store.items()] == [ONE]


def test_an_unknown_connector_fails_its_changes():
    w = world(**NO_COMMENTS)
    w.pull()
    made = w.plan()
    del w.trackers["github"]
    assert {why for _, why in w.run(made).failed} == {"no connector named github can be written to"}


def test_a_lost_lease_stops_writing_at_once():
    w = world(item(1), item(2), **NO_COMMENTS)
    w.store.held_lease = False
    applied = w.run()
    assert applied.stopped == "the lease was lost; 3 changes were not made"
    assert (writes(w), w.store.entries) == ([], [])


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("when", ["crash_before", "crash_after"])
def test_a_crash_anywhere_is_repaired(number, when):
    w = world()
    w.trackers["github"].faults = {number: when}
    with pytest.raises(Crash):
        w.run()
    w.run()
    github = w.trackers["github"]
    assert github.labels() == {UID: ["okr/unlinked"]}
    assert len(github.texts()[UID]) == 1
    assert not w.store.unsettled()
    owned = w.store.owned()
    assert list(owned[UID].labels) == ["okr/unlinked"]
    assert owned[UID].comment_id
    assert w.run() == Applied()


def test_a_crash_while_removing_is_no_dismissal():
    w = world(**NO_COMMENTS)
    w.run()
    w.verdicts[ONE] = linked(ONE, "O1")
    w.trackers["github"].faults = {3: "crash_after"}  # after the definition: the removal
    with pytest.raises(Crash):
        w.run()
    w.verdicts[ONE] = unlinked(ONE)
    w.run()
    assert w.trackers["github"].labels() == {UID: ["okr/unlinked"]}
    assert w.store.dismissed == {}


def test_recovery_of_an_item_that_is_gone():
    w = world()
    w.trackers["github"].faults = {1: "crash_after"}
    with pytest.raises(Crash):
        w.run()
    del w.trackers["github"].items[UID]
    w.store.tombstone([UID])
    w.run()
    assert states(w)[1] == ("add_label", JournalState.FAILED.value)


def test_recovery_waits_for_what_may_not_be_seen():
    w = world()
    w.trackers["github"].faults = {1: "crash_after"}
    with pytest.raises(Crash):
        w.run()
    w.trackers["github"].hidden.add(UID)
    w.run()
    assert states(w)[1] == ("add_label", JournalState.INTENDED.value)


def test_pull_requests_and_jira_go_the_same_way():
    w = world(item(1, kind=Kind.PULL_REQUEST), item(1, jira=True))
    applied = w.run()
    assert [c.target for c in applied.done] == ["github:acme/web", ONE, ONE, JIRA, JIRA]
    assert w.run() == Applied()


@pytest.mark.parametrize("fault", ["refused", "lost_before"])
def test_no_label_is_written_without_its_definition(fault):
    w = world(item(1), item(2), **NO_COMMENTS)
    w.trackers["github"].faults = {0: fault}
    applied = w.run()
    assert writes(w) == ["create_label acme/web okr/unlinked"]
    told = [c for c, _ in applied.failed] if fault == "refused" else applied.waiting
    assert [c.op.value for c in told] == ["create_label", "add_label", "add_label"]
    assert len(w.run().done) == 3


def test_recovery_claims_nothing_of_another_item_with_the_same_key():
    w = world(**NO_COMMENTS)
    w.trackers["github"].faults = {1: "crash_after"}
    with pytest.raises(Crash):
        w.run()
    w.trackers["github"].edit(UID, uid="github:7")  # bears the label, but is not what we wrote to
    made = w.plan()
    w.run(made)
    assert states(w)[1] == ("add_label", JournalState.FAILED.value)
