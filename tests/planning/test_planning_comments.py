"""The one comment: where, when, how it changes."""

from __future__ import annotations

from datetime import date

import pytest
from comment_plans import ALL, CREATE, ONE, THREE, TWO, UPDATE, made, ops, reasons, written
from msgspec.structs import replace

from fake_world import (
    NOW,
    bad_id,
    days,
    exempt,
    item,
    linked,
    stale,
    unknown,
    unlinked,
)
from okrsync.domain.changes import Dismissal, Owned
from okrsync.domain.links import Verdict
from okrsync.domain.work import Kind, Reference, Via, WorkItem

# --- when


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ""),
        ({"locked": True}, "the conversation is locked"),
        ({"draft": True, "kind": Kind.PULL_REQUEST}, "drafts get none"),
        ({"created": NOW - days(1.9)}, "the item is younger than comments.after"),
        ({"created": NOW - days(2)}, ""),
    ],
)
def test_items_that_get_no_comment_yet(fields, expected):
    result = made([item(**fields)], [unlinked(ONE)])
    assert reasons(result) == ([(ONE, expected)] if expected else [])
    assert ops(result) == ([] if expected else [(CREATE, ONE)])


@pytest.mark.parametrize(
    ("enabled_at", "backlog", "expected"),
    [
        (NOW - days(1), False, True),  # touched exactly then
        (NOW - days(0.9), False, False),
        (None, False, False),
        (None, True, True),
    ],
)
def test_the_backlog(enabled_at, backlog, expected):
    result = made([item()], [unlinked(ONE)], enabled_at=enabled_at, comments={"backlog": backlog})
    assert bool(result.changes) is expected
    assert len(result.held) == (not expected)


def test_per_day_caps_new_comments():
    works = [item(n) for n in range(1, 6)]
    result = made(works, [unlinked(w.id) for w in works], comments={"per_day": 4}, comments_today=2)
    assert ops(result) == [(CREATE, ONE), (CREATE, TWO)]
    assert [why for _, why in reasons(result)] == ["comments.per_day"] * 3
    spent = made(works, [unlinked(w.id) for w in works], comments={"per_day": 4}, comments_today=9)
    assert spent.changes == ()


@pytest.mark.parametrize(
    ("rules", "verdict", "expected"),
    [
        (("unlinked-work",), unlinked(ONE), "OKR101"),
        (("OKR101",), unlinked(ONE), "OKR101"),
        (("okr101",), unlinked(ONE, expired=("tech-debt", date(2026, 10, 1))), "OKR105"),
        (("stale-link",), unlinked(ONE), ""),
        (("stale-link",), stale(ONE), "OKR102"),
        (("unknown-okr-id",), linked(ONE, "O1", unknown_ids=(bad_id(),)), "OKR103"),
        (("disagreeing-links",), linked(ONE, "O1", own_objectives=("O1",), parent_objectives=("O2",)), "OKR104"),
        ((), unlinked(ONE), ""),
        (("unsupported-key-result",), unlinked(ONE), ""),
        (ALL, unknown(ONE, unknown_ids=(bad_id(),)), ""),
        (ALL, exempt(ONE), ""),
    ],
)
def test_rules(rules, verdict, expected):
    result = made([item()], [verdict], rules)
    assert [c.because for c in result.changes] == ([expected] if expected else [])


# --- where


def family(*shape: tuple[int, int | None], **fields: dict[str, object]) -> tuple[list[WorkItem], list[Verdict]]:
    """Items by number, each with the number of its parent, all unlinked; `_3={...}` sets fields of item 3."""
    works = [item(n, **fields.get(f"_{n}", {})) for n, _ in shape]
    verdicts = [unlinked(f"github:acme/web#{n}", parent=p and f"github:acme/web#{p}") for n, p in shape]
    return works, verdicts


CHAIN = ((1, None), (2, 1), (3, 2))


def test_only_the_topmost_item_is_commented():
    assert ops(made(*family(*CHAIN))) == [(CREATE, ONE)]


def test_a_parent_of_another_alignment_does_not_speak_for_its_children():
    works, verdicts = family(*CHAIN)
    verdicts[0] = stale(ONE)
    assert ops(made(works, verdicts)) == [(CREATE, ONE), (CREATE, TWO)]
    assert ops(made(works, verdicts, ["unlinked-work"])) == [(CREATE, TWO)]


def test_a_parent_that_is_not_held_does_not_speak():
    works, verdicts = family((2, 1), (3, 2))
    assert ops(made(works, verdicts)) == [(CREATE, TWO)]


def test_in_a_loop_the_smallest_id_speaks():
    works, verdicts = family((1, 3), (2, 1), (3, 2), (4, 3))
    assert ops(made(works, verdicts)) == [(CREATE, ONE)]
    works, verdicts = family((1, 1), (2, 1))
    assert ops(made(works, verdicts)) == [(CREATE, ONE)]
    works, verdicts = family((1, 3), (2, 1), (3, 2), (4, 3), _1={"state": "closed"})
    assert ops(made(works, verdicts)) == [(CREATE, TWO)]
    works, verdicts = family((1, 2), (2, 1), (3, 2), _1={"state": "closed"}, _2={"state": "closed"})
    assert ops(made(works, verdicts)) == [(CREATE, THREE)]


@pytest.mark.parametrize(
    "fields", [{"locked": True}, {"created": NOW}, {"draft": True}], ids=["locked", "young", "draft"]
)
def test_where_the_topmost_cannot_be_commented_nothing_is(fields):
    result = made(*family(*CHAIN, _1=fields))
    assert result.changes == ()
    assert [target for target, _ in reasons(result)] == [ONE]


def test_where_the_topmost_is_out_of_scope_nothing_is_written():
    works, verdicts = family(*CHAIN, _1={"kind": Kind.EPIC})
    assert made(works, verdicts, config={"only": {"kinds": ["issue"]}}).changes == ()


def test_a_closed_or_read_only_parent_does_not_speak():
    assert ops(made(*family(*CHAIN, _1={"state": "closed"}))) == [(CREATE, TWO)]
    works, verdicts = family(*CHAIN)
    assert ops(made(works, verdicts, writable=lambda work: work.id != ONE)) == [(CREATE, TWO)]


def test_above_a_closed_parent_an_open_one_speaks():
    assert ops(made(*family(*CHAIN, _2={"state": "closed"}))) == [(CREATE, ONE)]


def test_children_stay_silent_when_the_commented_parent_closes():
    works, verdicts = family(*CHAIN)
    (comment,) = made(works, verdicts).changes
    works[0] = replace(works[0], state="closed")
    assert made(works, verdicts, owned=written(comment)).changes == ()
    gone = {(comment.uid, "comment"): Dismissal(uid=comment.uid, what="comment", state="", at=NOW)}
    assert made(works, verdicts, dismissals=gone).changes == ()
    # until their own verdict changes
    verdicts[2] = stale(THREE, parent=TWO)
    assert ops(made(works, verdicts, owned=written(comment))) == [(CREATE, THREE)]


def test_a_comment_from_an_earlier_time_is_left_when_a_parent_speaks_now():
    (comment,) = made(*family((2, None))).changes
    works, verdicts = family((1, None), (2, 1))
    assert ops(made(works, verdicts, owned=written(comment))) == [(CREATE, ONE)]


@pytest.mark.parametrize("via", [Via.CLOSES, Via.KEY, Via.IMPLEMENTS])
def test_a_pull_request_does_not_repeat_what_is_told_on_its_issue(via):
    issue = item(1)
    pull = item(2, kind=Kind.PULL_REQUEST, references=(Reference(via=via, target=ONE, structural=False),))
    assert ops(made([issue, pull], [unlinked(ONE), unlinked(TWO)])) == [(CREATE, ONE)]
    assert ops(made([pull], [unlinked(TWO)])) == [(CREATE, TWO)]
    assert ops(made([issue, pull], [linked(ONE, "O1"), unlinked(TWO)])) == [(CREATE, TWO)]


def test_a_chain_thousands_deep_does_not_hang():
    depth = 4000
    works, verdicts = family(*((n, n - 1 or None) for n in range(1, depth + 1)))
    assert ops(made(works, verdicts)) == [(CREATE, ONE)]


def test_other_rules_speak_on_the_item_itself():
    works, verdicts = family((1, None), (2, 1))
    verdicts[1] = replace(verdicts[1], unknown_ids=(bad_id(),))
    result = made(works, verdicts)
    assert ops(result) == [(CREATE, ONE), (CREATE, TWO)]
    assert "not tied to a goal" not in result.changes[1].value


# --- create, update, resolve


def test_a_comment_is_written_once():
    (comment,) = made([item()], [unlinked(ONE)]).changes
    assert made([item()], [unlinked(ONE)], owned=written(comment)).changes == ()


def test_it_is_edited_when_its_content_changes():
    (comment,) = made([item()], [unlinked(ONE)]).changes
    (edit,) = made([item()], [stale(ONE)], owned=written(comment)).changes
    assert (edit.op.value, edit.comment_id, edit.because) == (UPDATE, "c1", "OKR102")


@pytest.mark.parametrize("fields", [{"created": NOW}, {"draft": True}])
def test_edits_are_silent_and_need_not_wait(fields):
    (comment,) = made([item()], [unlinked(ONE)]).changes
    result = made([item(**fields)], [stale(ONE)], owned=written(comment), comments={"per_day": 0})
    assert ops(result) == [(UPDATE, ONE)]


@pytest.mark.parametrize("verdict", [stale(ONE), exempt(ONE)])
def test_a_locked_item_is_not_edited_either(verdict):
    (comment,) = made([item()], [unlinked(ONE)]).changes
    result = made([item(locked=True)], [verdict], owned=written(comment))
    assert result.changes == ()
    assert reasons(result) == [(ONE, "the conversation is locked")]


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (linked(ONE, "O1", "O2"), "Resolved: this now traces to O1 (Title of O1), O2 (Title of O2)."),
        (exempt(ONE), "Resolved: this counts as tech-debt work, outside the goals."),
        (linked(ONE), "Resolved: okrsync has nothing to report here any more."),
    ],
)
def test_resolved(verdict, line):
    (comment,) = made([item()], [unlinked(ONE)]).changes
    (edit,) = made([item()], [verdict], owned=written(comment)).changes
    assert (edit.op.value, edit.value) == (UPDATE, line)
    assert made([item()], [verdict], owned=written(edit)).changes == ()
    assert made([item()], [verdict]).changes == ()


@pytest.mark.parametrize("work", [item(state="closed"), item(archived=True)])
def test_closed_items_keep_their_comment_as_it_is(work):
    (comment,) = made([item()], [unlinked(ONE)]).changes
    assert made([work], [linked(ONE, "O1")], owned=written(comment)).changes == ()


def test_unknown_changes_nothing():
    (comment,) = made([item()], [unlinked(ONE)]).changes
    assert made([item()], [unknown(ONE)], owned=written(comment)).changes == ()


def test_a_create_of_unknown_outcome_is_waited_for():
    owned = {"github:1001": Owned(uid="github:1001", comment_unknown=True)}
    result = made([item()], [unlinked(ONE)], owned=owned)
    assert result.changes == ()
    assert "not known yet" in result.held[0].why
    assert made([item()], [linked(ONE, "O1")], owned=owned).changes == ()


def test_a_deleted_comment_is_not_written_again_until_the_alignment_changes():
    (comment,) = made([item()], [unlinked(ONE)]).changes
    gone = {(comment.uid, "comment"): Dismissal(uid=comment.uid, what="comment", state=comment.state, at=NOW)}
    for owned in (written(comment), {}):
        same = made([item()], [unlinked(ONE, unknown_ids=(bad_id(),))], owned=owned, dismissals=gone)
        assert same.changes == ()
        assert reasons(same) == [(ONE, "a person deleted it")]
        assert ops(made([item()], [stale(ONE)], owned=owned, dismissals=gone)) == [(CREATE, ONE)]
        settled = made([item()], [linked(ONE, "O1")], owned=owned, dismissals=gone)
        assert settled.changes == ()
        # what comes after counts as news
        (lapsed,) = settled.dismissals
        later = made([item()], [unlinked(ONE)], owned=owned, dismissals={(comment.uid, "comment"): lapsed})
        assert ops(later) == [(CREATE, ONE)]


def test_a_deletion_before_our_latest_comment_is_history():
    (comment,) = made([item()], [unlinked(ONE)]).changes
    old = {(comment.uid, "comment"): Dismissal(uid=comment.uid, what="comment", state="old", at=NOW - days(9))}
    assert made([item()], [unlinked(ONE)], owned=written(comment), dismissals=old).changes == ()
    assert ops(made([item()], [stale(ONE)], owned=written(comment), dismissals=old)) == [(UPDATE, ONE)]
