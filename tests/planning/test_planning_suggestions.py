"""Suggestions in the comment of unlinked work: written once, and the comment does not change with them."""

from __future__ import annotations

from collections.abc import Sequence

from fake_world import NOW, bad_id, days, findings_of, item, linked, settings, stored, unlinked, view
from okrsync.domain.changes import Change, Owned
from okrsync.domain.links import Suggestion, Verdict
from okrsync.domain.work import WorkItem
from okrsync.planning import Inputs, plan

NO_LABELS = {"unlinked": None, "stale": None, "linked": None}
NEAR = Suggestion(initiative="INIT-1", score=0.7, why="shares 'rebalance' with work of INIT-1")
OTHER = Suggestion(initiative="INIT-2", score=0.4, why="its author's recent work belongs to INIT-2")


def made(
    *suggestions: Suggestion, work: WorkItem | None = None, verdict: Verdict | None = None, **inputs: object
) -> Sequence[Change]:
    work = work or item()
    seen = view([stored(work)], [verdict or unlinked(work.id)])
    usual = {
        "settings": settings(labels=NO_LABELS),
        "writable": lambda _: True,
        "enabled_at": NOW - days(100),
        "suggest": lambda _: suggestions,
    }
    return plan(seen, findings_of(seen), Inputs(**(usual | inputs))).changes


def ours(hash_: str) -> dict[str, object]:
    return {"owned": {item().uid: Owned(uid=item().uid, comment_id="c1", comment_hash=hash_, comment_at=NOW)}}


def test_they_stand_in_the_comment_with_their_reasons_before_its_last_line():
    lines = made(NEAR, OTHER)[0].value.split("\n")
    assert "- INIT-1 (A build): shares 'rebalance' with work of INIT-1" in lines
    assert "- INIT-2: its author's recent work belongs to INIT-2" in lines
    assert lines[-1].startswith("okrsync keeps this one comment")


def test_none_leave_the_comment_as_it_is():
    assert "guess" not in made()[0].value


def test_a_neighbourhood_that_changes_edits_nothing():
    written = made(NEAR)[0]
    for now in ((), (OTHER,), (OTHER, NEAR)):
        assert made(*now, **ours(written.comment.hash)) == ()
        assert made(*now)[0].key == written.key, "an approval holds"


def test_a_verdict_that_changes_brings_those_of_today():
    written = made(NEAR)[0]
    changed = unlinked(item().id, unknown_ids=(bad_id(),))
    edit = made(OTHER, verdict=changed, **ours(written.comment.hash))
    assert [c.op.value for c in edit] == ["update_comment"]
    assert "INIT-2" in edit[0].value
    assert "INIT-1" not in edit[0].value


def test_in_a_public_repository_by_id_only():
    said = made(NEAR, work=item(public=True))[0].value
    assert "- INIT-1\n" in said
    assert "rebalance" not in said
    assert "A build" not in said


def test_nothing_is_suggested_for_work_that_has_a_goal():
    known = linked(item().id, "O1", unknown_ids=(bad_id(),))
    assert "INIT-1" not in made(NEAR, verdict=known)[0].value


def test_they_are_asked_for_only_where_a_comment_is_written():
    asked = []
    works = [item(n) for n in range(1, 40)]
    seen = view([stored(w) for w in works], [unlinked(w.id) for w in works])
    inputs = Inputs(
        settings=settings(labels=NO_LABELS, comments={"per_day": 3}),
        writable=lambda _: True,
        enabled_at=NOW - days(100),
        suggest=lambda work: asked.append(work.id) or (NEAR,),
    )
    plan(seen, findings_of(seen), inputs)
    assert len(asked) == 3
