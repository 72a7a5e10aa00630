"""Random worlds for write-back, and what must hold in all of them."""

from __future__ import annotations

import contextlib

from hypothesis import strategies as st

from fake_tracker import FAULTS, Crash, FakeTracker
from fake_world import LONG_ID, NOW, World, bad_id, days, exempt, item, linked, settings, stale, unknown, unlinked
from okrsync.domain.changes import Applied
from okrsync.domain.links import Verdict

LABELS = ["bug", "okr", "okrs/O1", "OKR/O1", "okr/O1", "okr/O2", "okr/unlinked", "okr/stale", "okr/mine"]
RULES = ["unlinked-work", "stale-link", "unknown-okr-id", "disagreeing-links"]
MAKERS = {
    "unlinked": unlinked,
    "stale": stale,
    "exempt": exempt,
    "unknown": unknown,
    "O1": lambda id_, **more: linked(id_, "O1", **more),
    "both": lambda id_, **more: linked(id_, "O1", "O2", **more),
    "long": lambda id_, **more: linked(id_, LONG_ID, **more),
    "none": linked,
}

alignments = st.sampled_from(sorted(MAKERS))
works = st.fixed_dictionaries(
    {
        "jira": st.booleans(),
        "labels": st.sets(st.sampled_from(LABELS), max_size=4),
        "alignment": alignments,
        "parent": st.none() | st.integers(0, 5),
        "bad_id": st.booleans(),
        "fields": st.sampled_from(
            [{}, {}, {}, {"state": "closed"}, {"locked": True}, {"archived": True}, {"draft": True}]
        ),
        "age": st.sampled_from([0.5, 30, 30]),
    }
)
worlds = st.lists(works, min_size=1, max_size=6)
fault_plans = st.dictionaries(st.integers(0, 12), st.sampled_from([*FAULTS, "late"]), max_size=4)


def verdict_of(id_: str, alignment: str, *, parent: str | None, wrong: bool) -> Verdict:
    return MAKERS[alignment](id_, parent=parent, unknown_ids=(bad_id(),) if wrong else ())


def build(shape: list[dict]) -> World:
    world = World(
        [FakeTracker("github"), FakeTracker("jira", definitions=False, bulk=3)], settings(comments={"rules": RULES})
    )
    made = []
    for number, one in enumerate(shape, start=1):
        # GitHub cannot bear one label in two spellings
        labels = one["labels"] - (set() if one["jira"] else {"OKR/O1"})
        work = item(
            number, jira=one["jira"], labels=tuple(sorted(labels)), created=NOW - days(one["age"]), **one["fields"]
        )
        world.trackers[work.connector].add(work)
        made.append(work)
    for work, one in zip(made, shape, strict=True):
        parent = one["parent"]
        above = made[parent].id if parent is not None and parent < len(made) else None
        world.verdicts[work.id] = verdict_of(work.id, one["alignment"], parent=above, wrong=one["bad_id"])
    return world


def bears(tracker: FakeTracker, label: str, prefix: str) -> bool:
    return (label if tracker.definitions is None else label.casefold()).startswith(prefix)


def outside(world: World) -> list[list[str]]:
    """Labels that are none of our business."""
    return [
        [label for label in labels if not bears(tracker, label, "okr/")]
        for tracker in world.trackers.values()
        for labels in tracker.labels().values()
    ]


def foreign(world: World) -> list[bool]:
    """Whether the label under our prefix that we could not have written is there."""
    return ["okr/mine" in labels for tracker in world.trackers.values() for labels in tracker.labels().values()]


def remote(world: World) -> object:
    return [(t.labels(), t.texts(), t.definitions) for t in world.trackers.values()]


def assert_sound(world: World) -> None:
    for tracker in world.trackers.values():
        assert all(len(texts) == 1 for texts in tracker.texts().values())


def quiet(world: World) -> None:
    """Faults are over: runs until nothing is left to write; two runs are enough."""
    for tracker in world.trackers.values():
        tracker.faults.clear()
        tracker.arrive()
    world.run()
    world.run()
    assert world.run() == Applied()
    assert not world.store.unsettled()


def faulty_run(world: World) -> None:
    for tracker in world.trackers.values():
        tracker.arrive()  # what was under way is there by the next run
    with contextlib.suppress(Crash):
        world.run()
    assert_sound(world)
