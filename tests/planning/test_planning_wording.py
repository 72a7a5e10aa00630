"""The one comment: what it says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from comment_plans import ONE, TWO, made, written

from fake_world import (
    NOW,
    bad_id,
    days,
    exempt,
    item,
    linked,
    stale,
    unlinked,
)
from okrsync.domain.comments import Comment
from okrsync.domain.links import Verdict
from okrsync.domain.work import WorkItem


def said(work: WorkItem, verdict: Verdict, others: Sequence[tuple[WorkItem, Verdict]] = ()) -> Comment:
    result = made([work, *(w for w, _ in others)], [verdict, *(v for _, v in others)])
    (comment,) = [c.comment for c in result.changes if c.target == work.id]
    return comment


def test_unlinked_work():
    assert said(item(), unlinked(ONE)).text == (
        "This work is not tied to a goal yet. okrsync looked at its labels and description and found no objective, "
        "key result or initiative.\n"
        "Any one of these settles it:\n"
        "- add the label objective:ID, kr:ID or initiative:ID\n"
        "- add a line OKR: ID to the description\n"
        "- comment /okr link ID, on a line of its own\n"
        "- not strategic, and fine as it is? Add the label exempt:CLASS, such as exempt:tech-debt, "
        "or comment /okr exempt CLASS\n"
        "okrsync keeps this one comment up to date and adds no others."
    )


def test_parents_are_named_only_within_the_same_container():
    parent = item(2, title="Secret parent")
    text = said(item(), unlinked(ONE, parent=TWO), [(parent, exempt(TWO))]).text
    assert "at its parent acme/web#2," in text
    assert "Secret" not in text
    ticket = item(9, jira=True)
    text = said(item(), unlinked(ONE, parent=ticket.id), [(ticket, exempt(ticket.id))]).text
    assert "at its parent elsewhere," in text
    assert "PAY" not in text


@pytest.mark.parametrize(
    "verdict",
    [
        stale(ONE),
        linked(ONE, "O1", own_objectives=("O1",), parent_objectives=("O2",)),
    ],
)
def test_in_public_goals_are_named_by_id_only(verdict):
    for public in (False, True):
        text = said(item(public=public), verdict).text
        assert ("A number moves" in text or "Title of" in text) is not public
        assert "O1" in text or "OLD1.KR1" in text


def test_resolved_in_public_names_ids_only():
    (comment,) = made([item()], [unlinked(ONE)]).changes
    (edit,) = made([item(public=True)], [linked(ONE, "O1")], owned=written(comment)).changes
    assert edit.value == "Resolved: this now traces to O1."


def test_an_unknown_id_with_a_suggestion():
    verdict = linked(ONE, "O1", unknown_ids=(bad_id("O9"), bad_id("X1", suggestion="")))
    text = said(item(), verdict).text
    assert "- O9 (label); did you mean 'O1'?\n- X1 (label)\n" in text


def test_several_findings_make_one_comment():
    text = said(item(), unlinked(ONE, unknown_ids=(bad_id(),))).text
    assert "not tied to a goal" in text
    assert "is not known" in text


def test_an_expired_exemption():
    text = said(item(), unlinked(ONE, expired=("tech-debt", date(2026, 10, 1)))).text
    assert "It counted as tech-debt until 2026-10-01." in text


def test_the_content_does_not_change_with_time_or_with_the_items_own_text():
    first = said(item(title="A", updated=NOW - days(9)), unlinked(ONE))
    assert said(item(title="B", updated=NOW), unlinked(ONE)) == first
