"""The safety gate and its boundaries."""

from __future__ import annotations

import pytest

from fake_world import item, stored, unlinked, view
from okrsync.domain.changes import Change, Op, Plan
from okrsync.domain.settings import Limits
from okrsync.planning import gate, known_open
from okrsync.planning.plan import checksum

HOLDS = Limits(changes=500, share=0.3)


def add(number: int, label: str = "okr/unlinked") -> Change:
    return Change(
        op=Op.ADD_LABEL, target=f"github:acme/web#{number}", uid=f"github:{number}", value=label, because="OKR101"
    )


def define(label: str = "okr/unlinked", container: str = "github:acme/web") -> Change:
    return Change(op=Op.CREATE_LABEL, target=container, uid=container, value=label, because="OKR101")


def planned(*changes: Change) -> Plan:
    return Plan(checksum=checksum(changes), changes=changes)


def keys(*changes: Change) -> frozenset[str]:
    return frozenset(change.key for change in changes)


@pytest.mark.parametrize(
    ("touched", "open_items", "share", "refused"),
    [
        (6, 20, 0.3, False),  # exactly the share
        (7, 20, 0.3, True),
        (29, 100, 0.29, False),  # 0.29 * 100 is less than 29 in floating point
        (19, 19, 0.3, False),  # too few items to judge
        (20, 20, 0.3, True),
        (20, 20, 1.0, False),  # switched off
        (1, 20, 0.0, True),
        (0, 20, 0.0, False),
        (30, 20, 1.0, False),
    ],
)
def test_the_share(touched, open_items, share, refused):
    plan = planned(define(), *map(add, range(touched)))
    result = gate(plan, frozenset(), Limits(changes=500, share=share), open_items)
    assert bool(result.refused) is refused
    assert result.allowed == (() if refused or not touched else plan.changes)
    assert (result.pending, result.cut) == (0, 0)
    if refused:
        assert plan.checksum in result.refused
        assert f"{touched} of {open_items}" in result.refused


def test_the_share_counts_items_not_changes_and_no_definitions():
    changes = [define(f"okr/{n}") for n in range(9)] + [add(n, label) for n in range(6) for label in ("a", "b", "c")]
    assert gate(planned(*changes), frozenset(), HOLDS, 20).refused == ""


@pytest.mark.parametrize(("limit", "cut"), [(3, 0), (2, 1), (0, 3)])
def test_changes_are_cut(limit, cut):
    plan = planned(*map(add, range(3)))
    result = gate(plan, frozenset(), Limits(changes=limit), 10)
    assert result.allowed == plan.changes[:limit]
    assert (result.cut, result.pending, result.refused) == (cut, 0, "")


def test_definitions_do_not_count_and_go_only_along():
    plan = planned(define("okr/a"), define("okr/b"), add(1, "okr/a"), add(2, "okr/b"))
    result = gate(plan, frozenset(), Limits(changes=1), 10)
    assert result.allowed == (plan.changes[0], plan.changes[2])
    elsewhere = planned(define("okr/a", "github:acme/other"), add(1, "okr/a"))
    assert gate(elsewhere, frozenset(), HOLDS, 10).allowed == elsewhere.changes[1:]


def test_approved_changes_pass_where_others_are_refused():
    changes = [add(n) for n in range(20)]
    plan = planned(define(), *changes)
    result = gate(plan, keys(*changes[:10]), HOLDS, 20)
    assert result.allowed == plan.changes[:11]
    assert "10 of 20" in result.refused
    assert result.cut == 0
    whole = gate(plan, keys(*changes), HOLDS, 20)
    assert (whole.allowed, whole.refused) == (plan.changes, "")


def test_what_is_new_since_an_approval_is_gated_on_its_own():
    changes = [add(n) for n in range(26)]
    result = gate(planned(*changes), keys(*changes[:20]), HOLDS, 20)
    assert (result.allowed, result.refused) == (tuple(changes), "")


def test_approved_changes_go_first_and_the_rest_stays_pending():
    changes = [add(n) for n in range(6)]
    approved = keys(*changes[3:])
    result = gate(planned(*changes), approved, Limits(changes=2), 10)
    assert result.allowed == tuple(changes[3:5])
    assert (result.pending, result.cut) == (1, 3)
    result = gate(planned(*changes), approved, Limits(changes=4), 10)
    assert result.allowed == (changes[0], *changes[3:])  # in the order of the plan
    assert (result.pending, result.cut) == (0, 2)


def test_known_open_counts_what_may_be_written_to():
    works = [item(1), item(2, state="closed"), item(3, archived=True), item(4)]
    seen = view([stored(w) for w in works], [unlinked(w.id) for w in works])
    assert known_open(seen, lambda work: work.id != works[3].id) == 1
