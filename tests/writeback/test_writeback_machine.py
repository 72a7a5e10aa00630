"""A state machine: two equal worlds, the same people, but only one of them has faults. They end alike."""

from __future__ import annotations

import pytest
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

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
from fake_tracker import FakeTracker
from okrsync.writeback import undo

positions = st.integers(0, 5)
our_labels = st.sampled_from(["okr/unlinked", "okr/stale", "okr/O1", "okr/O2"])


class Faults(RuleBasedStateMachine):
    """`calm` never has a fault. `tried` has them while it writes, and is compared once both are at rest.

    People act on both. Where they act while `tried` is still in trouble the two may part (a label that was not
    written yet cannot be removed): from then on only what must hold in each world is checked.
    """

    @initialize(shape=worlds)
    def start(self, shape):
        self.calm, self.tried = build(shape), build(shape)
        self.ids = list(self.calm.verdicts)
        self.original = (outside(self.calm), foreign(self.calm))
        self.before = {u: set(w.labels) for t in self.calm.trackers.values() for u, w in t.items.items()}
        self.troubled = False
        self.alike = True
        self.removed: set[tuple[str, str]] = set()

    def both(self, position: int):
        """(world, tracker, uid) of one item in each world."""
        if self.troubled:
            self.alike = False
        id_ = self.ids[position % len(self.ids)]
        for world in (self.calm, self.tried):
            tracker: FakeTracker = world.trackers[id_.partition(":")[0]]
            yield id_, world, tracker, next(w.uid for w in tracker.items.values() if w.id == id_)

    @rule(position=positions, alignment=alignments)
    def people_relink(self, position, alignment):
        for id_, world, _, uid in self.both(position):
            world.verdicts[id_] = verdict_of(id_, alignment, parent=world.verdicts[id_].parent, wrong=False)
            self.removed = {(u, label) for u, label in self.removed if u != uid}

    @rule(position=positions, label=our_labels)
    def a_person_removes_our_label(self, position, label):
        for _, world, tracker, uid in self.both(position):
            if label in tracker.items[uid].labels and not self.troubled and self.alike:
                owned = world.store.owned().get(uid)
                if owned and label in owned.labels:
                    self.removed.add((uid, label))
            tracker.person_removes_label(uid, label)

    @rule(position=positions, label=our_labels)
    def a_person_adds_our_label(self, position, label):
        for _, _, tracker, uid in self.both(position):
            tracker.person_adds_label(uid, label)
            self.removed.discard((uid, label))
            self.before[uid].add(label)

    @rule(position=positions)
    def a_person_deletes_our_comment(self, position):
        for _, _, tracker, uid in self.both(position):
            tracker.person_deletes_comment(uid)

    @rule(position=positions, state=st.sampled_from(["open", "closed"]))
    def a_person_closes_or_reopens(self, position, state):
        for _, _, tracker, uid in self.both(position):
            tracker.edit(uid, state=state)

    @rule(position=positions, locked=st.booleans())
    def a_person_locks_or_unlocks(self, position, locked):
        for _, _, tracker, uid in self.both(position):
            tracker.edit(uid, locked=locked)

    @rule(github=fault_plans, jira=fault_plans)
    def a_run_in_trouble(self, github, jira):
        for name, faults in (("github", github), ("jira", jira)):
            tracker = self.tried.trackers[name]
            tracker.fail_from_here(faults)
        self.troubled = True
        faulty_run(self.tried)

    @rule()
    def both_come_to_rest(self):
        quiet(self.tried)
        quiet(self.calm)
        self.troubled = False
        if self.alike:
            assert remote(self.tried) == remote(self.calm)
        for world in (self.calm, self.tried):
            if self.alike:
                for uid, label in self.removed:
                    tracker = world.trackers[uid.partition(":")[0]]
                    assert label not in tracker.items[uid].labels, "a person's removal was undone"

    @invariant()
    def each_world_is_sound(self):
        for world in (self.calm, self.tried):
            assert_sound(world)
            assert (outside(world), foreign(world)) == self.original

    def teardown(self):
        if not hasattr(self, "calm"):
            return
        self.both_come_to_rest()
        for world in (self.calm, self.tried):
            done = undo(
                store=world.store, trackers=world.trackers, clock=world.clock, run="u", dry_run=False, prefix="okr/"
            )
            assert done.failed == ()
            for tracker in world.trackers.values():
                for uid, work in tracker.items.items():
                    if not work.archived:
                        assert set(work.labels) <= self.before[uid]
                        assert tracker.texts().get(uid) is None


class Longer(Faults):
    pass


TestShort = Faults.TestCase
TestShort.settings = profile(max_examples=30, stateful_step_count=15, deadline=None)

TestLong = pytest.mark.soak(Longer.TestCase)
TestLong.settings = profile(max_examples=1500, stateful_step_count=40, deadline=None)
