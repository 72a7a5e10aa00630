"""Properties over random worlds: writing converges, touches nothing but its own, comments once, and can be undone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from fake_random_worlds import (
    alignments,
    assert_sound,
    build,
    fault_plans,
    faulty_run,
    foreign,
    outside,
    quiet,
    remote,
    verdict_of,
    worlds,
)
from okrsync.domain.changes import Applied
from okrsync.writeback import undo


@given(worlds)
@examples(80)
def test_one_run_is_enough_and_touches_only_its_own(shape):
    world = build(shape)
    others, strange = outside(world), foreign(world)
    untouched = {
        uid: work for t in world.trackers.values() for uid, work in t.items.items() if not work.open or work.archived
    }
    world.run()
    assert world.plan().changes == ()
    assert world.run() == Applied()
    assert (outside(world), foreign(world)) == (others, strange)
    assert_sound(world)
    for uid, work in untouched.items():
        assert world.trackers[work.connector].items[uid] == work
        assert uid not in world.trackers[work.connector].comments


@given(worlds, fault_plans, fault_plans, st.integers(1, 4))
@examples(120)
def test_faults_change_nothing_in_the_end(shape, github, jira, runs):
    calm, tried = build(shape), build(shape)
    quiet(calm)
    tried.trackers["github"].faults, tried.trackers["jira"].faults = dict(github), dict(jira)
    for _ in range(runs):
        faulty_run(tried)
    quiet(tried)
    assert remote(tried) == remote(calm)
    assert {u: o.labels.keys() for u, o in tried.store.owned().items() if o.labels} == {
        u: o.labels.keys() for u, o in calm.store.owned().items() if o.labels
    }


@given(worlds, st.lists(st.tuples(st.integers(0, 5), alignments), max_size=6), fault_plans)
@examples(80)
def test_undo_leaves_only_what_was_not_ours(shape, relinks, faults):
    world = build(shape)
    ids = list(world.verdicts)
    original = {uid: set(work.labels) for t in world.trackers.values() for uid, work in t.items.items()}
    defined = {c: set(labels) for c, labels in world.trackers["github"].definitions.items()}
    world.trackers["github"].faults = dict(faults)
    for position, alignment in relinks:
        faulty_run(world)
        if position < len(ids):
            world.verdicts[ids[position]] = verdict_of(ids[position], alignment, parent=None, wrong=False)
    quiet(world)
    for _ in range(2):
        result = undo(
            store=world.store, trackers=world.trackers, clock=world.clock, run="undo", dry_run=False, prefix="okr/"
        )
        assert result.failed == ()
    for tracker in world.trackers.values():
        assert tracker.texts() == {}
        for uid, work in tracker.items.items():
            # labels that were there before may have been corrected; none of ours is left
            assert set(work.labels) <= original[uid]
    left = world.trackers["github"].definitions
    assert {c: labels for c, labels in left.items() if labels} == {c: labels for c, labels in defined.items() if labels}
