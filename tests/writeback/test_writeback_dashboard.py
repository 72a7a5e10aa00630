"""The dashboard issue carried out: exactly once in effect, whatever happens on the way."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from fake_tracker import FAULTS, Crash, FakeTracker
from fake_world import World, settings
from okrsync.domain.changes import Applied, Change, JournalState, Op, Plan
from okrsync.domain.comments import Comment, paragraph
from okrsync.planning.dashboard import WHAT, posted, retired, uid_of
from okrsync.writeback import adopt_dashboard, undo

PLACE, CONTAINER = "github:acme/strategy", "acme/strategy"
ONE, TWO = (Comment((paragraph(text),)) for text in ("first", "second"))


@pytest.fixture
def world() -> World:
    return World([FakeTracker("github"), FakeTracker("jira", definitions=False)], settings())


def run(world: World, content: Comment = ONE) -> Applied | None:
    """What planning would ask for, by the journal."""
    world.runs += 1
    known = posted(world.store.dashboard_entries(), world.store.dismissals()).get(PLACE)
    if known is not None and (known.unknown or known.hash == content.hash):
        return world.run(Plan(checksum="", changes=()))
    ref = known.ref if known else None
    change = Change(
        op=Op.UPDATE_ISSUE if ref else Op.CREATE_ISSUE,
        target=PLACE,
        uid=uid_of(PLACE),
        value=content.text,
        because="dashboard",
        comment=content,
        comment_id=ref,
    )
    return world.run(Plan(checksum="", changes=(change,)))


def boards(world: World) -> list[str]:
    return [content.text for content in world.trackers["github"].boards.get(CONTAINER, {}).values()]


def later(world: World) -> None:
    world.now += timedelta(minutes=15)


def test_it_is_created_once_and_edited_in_place(world):
    assert [c.op for c in run(world).done] == [Op.CREATE_ISSUE]
    run(world)
    assert [c.op for c in run(world, TWO).done] == [Op.UPDATE_ISSUE]
    assert boards(world) == ["second"]
    assert [(e.op, e.state.value, e.comment_id) for e in world.store.entries] == [
        ("create_issue", "confirmed", "1"),
        ("update_issue", "confirmed", "1"),
    ]


@pytest.mark.parametrize("fault", [*FAULTS, "late"])
@pytest.mark.parametrize("step", ["create", "edit"])
def test_whatever_happens_there_is_one_and_it_says_the_last_word(world, fault, step):
    if step == "edit":
        run(world)
    world.trackers["github"].fail_from_here({0: fault})
    with suppress(Crash):
        run(world, TWO)
    world.trackers["github"].arrive()
    for _ in range(2):
        later(world)
        run(world, TWO)
    assert boards(world) == ["second"]


def test_after_a_crash_an_issue_that_does_not_show_yet_waits(world):
    github = world.trackers["github"]
    github.fail_from_here({0: "late"})
    assert len(run(world).waiting) == 1
    run(world)
    assert boards(world) == []
    github.arrive()
    later(world)
    run(world)
    assert boards(world) == ["first"]
    assert [e.state for e in world.store.entries] == [JournalState.CONFIRMED]


def test_one_of_an_earlier_life_is_taken_over_not_doubled(world):
    github = world.trackers["github"]
    github.boards[CONTAINER] = {"9": ONE}
    assert len(run(world).unneeded) == 1
    assert world.store.entries[-1].comment_id == "9"
    run(world, TWO)
    assert github.boards[CONTAINER] == {"9": TWO}


def test_a_journal_that_was_lost_finds_it_again(world):
    world.trackers["github"].boards[CONTAINER] = {"9": ONE}
    told = {"store": world.store, "trackers": world.trackers, "clock": world.clock, "run": "r"}
    assert adopt_dashboard(place=PLACE, **told)
    assert posted(world.store.dashboard_entries())[PLACE].hash == ONE.hash
    assert not adopt_dashboard(place="jira:OPS", **told)


def test_a_closed_one_is_not_replaced_by_a_new_one(world):
    github = world.trackers["github"]
    github.boards[CONTAINER], github.closed = {"9": ONE}, {"9"}
    assert [why for _, why in run(world, TWO).skipped] == ["a person closed the issue"]
    assert boards(world) == ["first"]


def test_one_that_was_deleted_is_a_dismissal(world):
    run(world)
    world.trackers["github"].boards.clear()
    assert [why for _, why in run(world, TWO).skipped] == ["a person deleted the issue"]
    assert (uid_of(PLACE), WHAT) in world.store.dismissals()
    assert posted(world.store.dashboard_entries(), world.store.dismissals()) == {}


def test_a_404_for_want_of_permission_is_no_dismissal(world):
    run(world)
    world.trackers["github"].fail_from_here({0: "hidden"})
    assert len(run(world, TWO).skipped) == 1
    assert world.store.dismissals() == {}


def test_where_nothing_may_be_written_it_is_skipped_and_remembered(world):
    world.trackers["github"].read_only.add(CONTAINER)
    applied = run(world)
    assert len(applied.skipped) == 1
    assert [(place, family) for place, family, _ in applied.refused] == [(uid_of(PLACE), "issues")]


def test_nothing_is_sent_once_the_lease_is_lost(world):
    world.store.held_lease = False
    run(world)
    assert boards(world) == []
    assert world.store.entries == []


def undone(world: World, *, dry_run: bool = False) -> list[tuple[str, str]]:
    result = undo(
        store=world.store,
        trackers=world.trackers,
        clock=world.clock,
        run="u",
        dry_run=dry_run,
        prefix="okr/",
        dashboard=PLACE,
    )
    assert not result.failed
    return [(r.op, r.target) for r in result.removed]


def test_undo_replaces_its_text_and_a_later_run_goes_on_with_the_same_issue(world):
    run(world)
    assert undone(world, dry_run=True) == [("retire_issue", PLACE)]
    assert boards(world) == ["first"]
    assert undone(world) == [("retire_issue", PLACE)]
    assert boards(world) == [retired().text]
    assert undone(world) == []
    run(world)
    assert boards(world) == ["first"]


def test_undo_without_a_journal_finds_it_by_its_mark(world):
    world.trackers["github"].boards[CONTAINER] = {"9": ONE}
    assert undone(world) == [("retire_issue", PLACE)]
    assert boards(world) == [retired().text]
    assert undone(world) == []
