"""Why the rate moved: the split into causes, and the sentences that tell it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okrsync.domain.findings import Summary
from okrsync.domain.links import Alignment
from okrsync.reports import move_wording
from okrsync.reports.moves import CAUSES, Cause, Move, Scope, Standing, covered, split

L, U, S, E, X = Alignment.LINKED, Alignment.UNLINKED, Alignment.STALE, Alignment.EXEMPT, Alignment.UNKNOWN
AT = datetime(2026, 11, 13, 8, 0, tzinfo=UTC)
ORDER = ("coverage", "work", "goals", "mapping")

standings = st.dictionaries(st.sampled_from("abcdefghijkl"), st.sampled_from(list(Alignment)))


def moved(first: Standing, *steps: Standing, **details: tuple[str, ...]) -> Move:
    return split("last run", "r1", AT, first, dict(zip(ORDER, steps, strict=True)), details)


def many(alignment: Alignment, n: int, start: int = 0) -> dict[str, Alignment]:
    return {f"u{start + i}": alignment for i in range(n)}


def cause(move: Move, name: str) -> Cause:
    return next(c for c in move.causes if c.name == name)


def test_each_step_is_charged_to_its_cause() -> None:
    then = many(L, 5) | many(U, 5, 5)  # 50%
    seen = then | many(U, 2, 10)  # 5 of 12: two more could be read
    worked = {k: v for k, v in seen.items() if k != "u5"} | {"u6": L, "new": L}  # 7 of 12
    without = worked | {"u0": S}  # a goal ended: 6 of 12
    ruled = without | {"u7": L, "u8": L, "u9": E}  # 8 of 11
    move = moved(then, seen, worked, without, ruled, goals=("ended: INIT-1",))
    assert [c.name for c in move.causes] == list(CAUSES)
    assert (move.before, move.after, move.points) == (0.5, 0.7273, 22.7)
    assert {c.name: c.points for c in move.causes} == {"coverage": -8.3, "work": 16.6, "goals": -8.3, "mapping": 22.7}
    assert (cause(move, "work").entered, cause(move, "work").left, cause(move, "work").gained) == (1, 1, 1)
    assert (cause(move, "goals").lost, cause(move, "goals").details) == (1, ("ended: INIT-1",))
    assert (cause(move, "mapping").gained, cause(move, "mapping").other) == (2, 1)
    assert cause(move, "coverage").entered == 2


@given(st.lists(standings, min_size=5, max_size=5))
def test_the_points_add_up_to_the_move(steps: list[Standing]) -> None:
    move = moved(*steps)
    if move.causes:
        assert move.points is not None
        assert round(sum(c.points for c in move.causes), 1) == move.points
    else:
        assert move.why
    same = moved(steps[0], *([steps[0]] * 4))
    assert all(c == Cause(name=c.name, points=0) for c in same.causes)


@given(standings, standings, st.sets(st.sampled_from("xyz")), st.sets(st.sampled_from("xyz")), st.data())
def test_coverage_touches_only_what_one_run_could_not_read(
    before: Standing, today: Standing, held_then: set[str], held_now: set[str], data: Any
) -> None:
    place = {uid: data.draw(st.sampled_from("xyz")) for uid in sorted(before.keys() | today.keys())}
    found = covered(before, today, Scope(held_then, place), Scope(held_now, place))
    for uid in before.keys() | today.keys():
        readable = place[uid] in held_then and place[uid] in held_now
        both = uid in before and uid in today
        if both and (before[uid] is X) == (today[uid] is X):
            assert found[uid] == before[uid]
        elif not both and readable:
            assert found.get(uid) == before.get(uid)
    assert covered(before, before, Scope(held_then, place), Scope(held_now, place)) == before


def test_a_source_that_fails_is_charged_to_coverage_and_not_to_work() -> None:
    then = many(L, 18) | many(U, 2, 18)
    now = then | {"u0": X}
    scope = Scope({"jira:PAY"}, dict.fromkeys(then, "jira:PAY"))
    assert covered(then, now, scope, scope) == now
    gone = Scope(set(), {})
    assert covered(then, {}, scope, gone) == {}  # the project is no longer in scope
    assert covered(then, {}, scope, scope) == then  # everything was finished: that is work


def test_withheld_rates_are_not_compared() -> None:
    known, unread = many(L, 4), many(L, 4) | many(X, 4, 4)
    move = moved(known, unread, unread, unread, unread)
    assert (move.before, move.after, move.causes) == (1.0, None, ())
    assert move_wording.sentence(move) == "Not compared: too much work in progress could not be read now."
    nothing = moved({}, {}, known, known, known)
    assert move_wording.sentence(nothing) == "There is nothing to compare: no work in progress could be judged then."


def test_nothing_is_shown_as_the_rate_that_the_summary_would_not_show() -> None:
    then = many(L, 1) | many(U, 2, 1)
    assert moved(then, then, then, then, then).before == Summary.count(then.values()).alignment_rate


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (0.45, 0.5893, "From 45% to 59%, up 13.9 points."),
        (0.59, 0.45, "From 59% to 45%, down 14.0 points."),
        (0.591, 0.594, "Still 59%, up 0.3 points."),
        (0.58, 0.59, "From 58% to 59%, up 1 point."),
        (0.5, 0.5, "Unchanged at 50%. Nothing that could move it has changed."),
    ],
)
def test_a_move_is_told_in_a_sentence(before: float, after: float, told: str) -> None:
    assert move_wording.sentence(Move(since="last run", run="r", at=AT, before=before, after=after)) == told


def test_an_effect_says_what_was_changed_and_what_that_did() -> None:
    assert move_wording.effect(Cause(name="work", points=0)) == "No change."
    both = Cause(name="mapping", points=3, gained=2, other=1, details=("added: bumps", "ran out: logs"))
    assert move_wording.effect(both) == "Added: bumps; ran out: logs. 2 items became linked, 1 changed otherwise."
    idle = Cause(name="goals", points=0, details=("removed: O9",))
    assert move_wording.effect(idle) == "Removed: O9. No effect on work in progress."
    assert (move_wording.points(1.25), move_wording.points(-3), move_wording.points(0)) == ("+1.2", "−3.0", "0")
