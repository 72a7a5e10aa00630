"""Labels: wanted against observed, for every branch."""

from __future__ import annotations

import hashlib

import pytest

from fake_world import (
    LONG_ID,
    NOW,
    days,
    exempt,
    findings_of,
    item,
    linked,
    settings,
    stale,
    stored,
    unknown,
    unlinked,
    view,
)
from okrsync.domain.changes import Dismissal, Owned, Plan
from okrsync.domain.links import Alignment, Target, Verdict
from okrsync.domain.work import Kind, StoredItem
from okrsync.planning import Inputs, plan, shorten

SHORT = "okr/" + LONG_ID[:37] + "-" + hashlib.sha256(LONG_ID.encode()).hexdigest()[:8]
NO_COMMENTS = {"comments": {"rules": ()}}


def made(held: StoredItem, verdict: Verdict, config: dict[str, object] | None = None, **inputs: object) -> Plan:
    seen = view([held], [verdict])
    config = NO_COMMENTS | (config or {})
    inputs = {"settings": settings(**config), "writable": lambda _: True} | inputs
    return plan(seen, findings_of(seen), Inputs(**inputs))


def ops(result: Plan) -> list[tuple[str, str]]:
    return [(c.op.value, c.value) for c in result.changes]


ONE = "github:acme/web#1"
ADD, REMOVE = "add_label", "remove_label"


@pytest.mark.parametrize(
    ("labels", "verdict", "expected"),
    [
        ((), unlinked(ONE), [(ADD, "okr/unlinked")]),
        (("okr/unlinked",), unlinked(ONE), []),
        ((), stale(ONE), [(ADD, "okr/stale")]),
        (("okr/unlinked",), stale(ONE), [(REMOVE, "okr/unlinked"), (ADD, "okr/stale")]),
        ((), linked(ONE, "O1"), [(ADD, "okr/O1")]),
        ((), linked(ONE, "O1", "O2"), [(ADD, "okr/O1"), (ADD, "okr/O2")]),
        (("okr/O1", "okr/O2"), linked(ONE, "O2"), [(REMOVE, "okr/O1")]),
        (("okr/OLD1",), linked(ONE, "O1"), [(REMOVE, "okr/OLD1"), (ADD, "okr/O1")]),
        ((), linked(ONE, LONG_ID), [(ADD, SHORT)]),
        ((SHORT,), unlinked(ONE), [(REMOVE, SHORT), (ADD, "okr/unlinked")]),
        (("okr/unlinked", "bug"), exempt(ONE), [(REMOVE, "okr/unlinked")]),
        (("okr/unlinked", "okr/O1"), unknown(ONE), []),
        ((), linked(ONE), []),
        # GitHub compares without case
        (("OKR/o1",), linked(ONE, "O1"), []),
        (("OKR/O2",), linked(ONE, "O1"), [(REMOVE, "OKR/O2"), (ADD, "okr/O1")]),
        (("bug", "okr", "xokr/O1"), linked(ONE, "O1"), [(ADD, "okr/O1")]),
    ],
)
def test_wanted_against_observed(labels, verdict, expected):
    assert ops(made(stored(item(labels=labels)), verdict)) == expected


def test_jira_compares_exactly():
    work = item(jira=True, labels=("OKR/O1", "okr/o1"))
    result = made(stored(work), linked(work.id, "O1"))
    assert ops(result) == [(ADD, "okr/O1")]
    assert result.foreign == ((work.id, "okr/o1"),)


def test_a_label_we_could_not_have_written_is_left_and_reported():
    result = made(stored(item(labels=("okr/mine", "okr/O2"))), unlinked(ONE))
    assert result.foreign == ((ONE, "okr/mine"),)
    assert ops(result) == [(REMOVE, "okr/O2"), (ADD, "okr/unlinked")]


def test_a_label_the_journal_knows_is_ours_whatever_its_name():
    owned = {"github:1001": Owned(uid="github:1001", labels={"okr/GONE": NOW - days(1)})}
    result = made(stored(item(labels=("okr/GONE",))), exempt(ONE), owned=owned)
    assert ops(result) == [(REMOVE, "okr/GONE")]


@pytest.mark.parametrize(
    ("work", "moved", "config", "writable"),
    [
        (item(state="closed"), 1, {}, True),
        (item(archived=True), 1, {}, True),
        (item(), 1, {}, False),
        (item(), 366, {}, True),
        (item(), 1, {"only": {"kinds": [Kind.EPIC]}}, True),
    ],
)
def test_what_is_out_of_scope_is_left_alone(work, moved, config, writable):
    held = stored(item(labels=("okr/O2",)), moved_at=NOW - days(1))
    assert ops(made(held, unlinked(ONE)))
    held = stored(work, moved_at=NOW - days(moved))
    result = made(held, unlinked(ONE), config, writable=lambda _: writable)
    assert (result.changes, result.held, result.foreign) == ((), (), ())


def test_the_edge_of_updated_within_is_inside():
    assert ops(made(stored(item(), moved_at=NOW - days(365)), unlinked(ONE)))
    no_limit = {"only": {"updated_within": None}}
    assert ops(made(stored(item(), moved_at=NOW - days(5000)), unlinked(ONE), no_limit))


@pytest.mark.parametrize(
    ("labels", "verdict", "expected"),
    [
        ({"unlinked": None}, unlinked(ONE), []),
        ({"stale": None}, stale(ONE), []),
        ({"linked": None}, linked(ONE, "O1"), []),
        ({"unlinked": "no parent"}, unlinked(ONE), ["okr/no-parent"]),
        ({"linked": "{key_result}"}, linked(ONE, "O1", "O2"), ["okr/O1.KR1", "okr/O2.KR1"]),
        ({"linked": "{initiative}"}, linked(ONE, "O1"), []),
        ({"linked": "{bet}"}, linked(ONE, "O1", "O2"), ["okr/B1"]),
        ({"linked": "{bet}:{objective}"}, linked(ONE, "O1", "O2"), ["okr/B1:O1", "okr/B1:O2"]),
        ({"linked": "aligned"}, linked(ONE, "O1"), ["okr/aligned"]),
    ],
)
def test_label_settings(labels, verdict, expected):
    result = made(stored(item()), verdict, {"labels": labels})
    assert ops(result) == [(ADD, label) for label in expected]


def test_templates_of_several_fields_are_recognised():
    config = {"labels": {"linked": "{initiative}-{bet}"}}
    result = made(stored(item(labels=("okr/INIT-1-B1", "okr/B1-INIT-1"))), exempt(ONE), config)
    assert ops(result) == [(REMOVE, "okr/INIT-1-B1")]
    assert result.foreign == ((ONE, "okr/B1-INIT-1"),)


def test_only_active_targets_make_labels():
    targets = (
        Target(node="O1", initiative=None, objectives=("O1",)),
        Target(node="OLD1", initiative=None, objectives=("OLD1",), active=False),
    )
    verdict = Verdict(id=ONE, alignment=Alignment.LINKED, targets=targets)
    assert ops(made(stored(item()), verdict)) == [(ADD, "okr/O1")]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("x" * 50, "x" * 50),
        ("x" * 51, "x" * 41 + "-" + hashlib.sha256(b"ID").hexdigest()[:8]),
        ("okr/two words", "okr/two-words"),
    ],
)
def test_shorten(label, expected):
    assert shorten(label, "ID") == expected
    assert len(expected) <= 50


# --- dismissals

UID = "github:1001"
T = NOW - days(2)


def owning(**labels: object) -> dict[str, Owned]:
    return {UID: Owned(uid=UID, labels={"okr/O1": T}, **labels)}


def dismissal_of(verdict: Verdict) -> Dismissal:
    """What the plan concludes when our label has gone under this verdict."""
    (concluded,) = made(stored(item(), read_at=NOW), verdict, owned=owning()).dismissals
    return concluded


def test_a_removed_label_is_a_dismissal():
    result = made(stored(item(), read_at=NOW), linked(ONE, "O1"), owned=owning())
    assert result.changes == ()
    assert [(d.uid, d.what, d.at) for d in result.dismissals] == [(UID, "okr/O1", NOW)]
    assert result.held[0].why == "label okr/O1: a person removed it"


@pytest.mark.parametrize("read_at", [T, T - days(1)])
def test_nothing_is_concluded_from_an_old_reading(read_at):
    result = made(stored(item(), read_at=read_at), linked(ONE, "O1"), owned=owning())
    assert (result.changes, result.dismissals) == ((), ())
    assert "waiting for a reading" in result.held[0].why


def test_a_dismissal_holds_while_alignment_and_wanted_labels_stay():
    known = {(UID, "okr/O1"): dismissal_of(linked(ONE, "O1"))}
    result = made(stored(item()), linked(ONE, "O1"), owned=owning(), dismissals=known)
    assert (result.changes, result.dismissals) == ((), ())
    assert "a person removed it" in result.held[0].why
    # also when the journal folds the label away
    assert made(stored(item()), linked(ONE, "O1"), dismissals=known).changes == ()


def test_a_dismissal_ends_when_the_wanted_labels_change():
    known = {(UID, "okr/O1"): dismissal_of(linked(ONE, "O1"))}
    result = made(stored(item()), linked(ONE, "O1", "O2"), owned=owning(), dismissals=known)
    assert ops(result) == [(ADD, "okr/O1"), (ADD, "okr/O2")]


def test_a_dismissal_ends_for_good():
    first = dismissal_of(linked(ONE, "O1"))
    between = made(stored(item()), linked(ONE, "O2"), owned=owning(), dismissals={(UID, "okr/O1"): first})
    assert ops(between) == [(ADD, "okr/O2")]
    (lapsed,) = between.dismissals
    again = made(stored(item()), linked(ONE, "O1"), owned=owning(), dismissals={(UID, "okr/O1"): lapsed})
    assert ops(again) == [(ADD, "okr/O1")]


def test_a_second_removal_is_a_second_dismissal():
    old = Dismissal(uid=UID, what="okr/O1", state="another", at=T - days(1))
    result = made(stored(item()), linked(ONE, "O1"), owned=owning(), dismissals={(UID, "okr/O1"): old})
    assert result.changes == ()
    assert result.dismissals[0].state != "another"


def test_a_label_taken_off_while_relinking_is_written_when_wanted_again():
    relinked = made(stored(item()), linked(ONE, "O2"), owned=owning())
    assert ops(relinked) == [(ADD, "okr/O2")]
    (noted,) = relinked.dismissals
    back = made(stored(item()), linked(ONE, "O1"), owned=owning(), dismissals={(UID, "okr/O1"): noted})
    assert ops(back) == [(ADD, "okr/O1")]


def test_our_own_unsettled_removal_is_no_dismissal():
    result = made(stored(item()), linked(ONE, "O1"), owned=owning(pending=("okr/O1",)))
    assert ops(result) == [(ADD, "okr/O1")]
    assert result.dismissals == ()


# --- definitions


def test_missing_definitions_come_first_and_say_what_to_do():
    one, two = item(1), item(2)
    seen = view([stored(one), stored(two)], [unlinked(one.id), linked(two.id, "O1")])
    inputs = Inputs(
        settings=settings(**NO_COMMENTS),
        writable=lambda _: True,
        container_labels={"github:acme/web": frozenset({"OKR/unlinked", "bug"})},
    )
    result = plan(seen, findings_of(seen), inputs)
    first = result.changes[0]
    assert [(c.op.value, c.target, c.value) for c in result.changes] == [
        ("create_label", "github:acme/web", "okr/O1"),
        (ADD, "github:acme/web#1", "okr/unlinked"),
        (ADD, "github:acme/web#2", "okr/O1"),
    ]
    assert (first.uid, len(first.color)) == ("github:acme/web", 6)


@pytest.mark.parametrize("defined", [{}, {"github:acme/web": None}])
def test_no_definitions_where_none_are_needed(defined):
    result = made(stored(item()), unlinked(ONE), container_labels=defined)
    assert ops(result) == [(ADD, "okr/unlinked")]


@pytest.mark.parametrize("verdict", [unlinked(ONE), stale(ONE), linked(ONE, "O1")])
def test_descriptions_fit(verdict):
    result = made(stored(item()), verdict, container_labels={"github:acme/web": frozenset()})
    assert result.changes[0].op.value == "create_label"
    assert len(result.changes[0].description) <= 100


def test_the_order_and_checksum_do_not_depend_on_the_order_of_input():
    works = [item(n, labels=("okr/O2",)) for n in range(1, 6)]
    verdicts = [unlinked(w.id) for w in works]
    forward = view([stored(w) for w in works], verdicts)
    backward = view([stored(w) for w in reversed(works)], verdicts[::-1])
    inputs = Inputs(settings=settings(), writable=lambda _: True)
    first, second = plan(forward, findings_of(forward), inputs), plan(backward, findings_of(backward)[::-1], inputs)
    assert first == second
    assert [c.op.value for c in first.changes] == [REMOVE] * 5 + [ADD] * 5
    assert len(first.checksum) == 12
    fewer = view([stored(w) for w in works[:4]], verdicts[:4])
    assert plan(fewer, findings_of(fewer), inputs).checksum != first.checksum


def test_the_finding_is_the_reason():
    assert made(stored(item()), unlinked(ONE)).changes[0].because == "OKR101"
    assert made(stored(item()), linked(ONE, "O1")).changes[0].because == "linked"


def test_a_dismissal_from_before_our_latest_write_takes_nothing_from_us():
    """The label is ours again: it is removed as ours, not remembered as a person's."""
    old = Dismissal(uid=UID, what="okr/O1", state="another", at=T - days(1))
    memory = {"owned": owning(), "dismissals": {(UID, "okr/O1"): old}}
    result = made(stored(item(labels=("okr/O1",))), exempt(ONE), **memory)
    assert ops(result) == [(REMOVE, "okr/O1")]
    assert result.dismissals == ()


def test_what_we_wrote_under_an_earlier_prefix_is_left_and_stays_ours():
    """Nothing but the present prefix is touched; that the old label is still there is no person's doing."""
    held = stored(item(labels=("okr/O1",)))
    result = made(held, linked(ONE, "O1"), config={"label_prefix": "goal-"}, owned=owning())
    assert ops(result) == [(ADD, "goal-O1")]
    assert result.dismissals == ()
