"""`/okr` commands in the one comment: who is answered, when, and in which words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from examples import examples
from fake_world import NOW, days, exempt, findings_of, item, linked, settings, stored, unlinked, view
from okrsync.connectors.github import markdown
from okrsync.connectors.jira import adf, wiki
from okrsync.domain.changes import Change, Dismissal, Owned, Plan
from okrsync.domain.links import CommandAnswer, Hop, Verdict
from okrsync.domain.work import WorkItem
from okrsync.linking import command_lines
from okrsync.planning import Inputs, plan

ONE, TWO = "github:acme/web#1", "github:acme/web#2"
CREATE, UPDATE = "create_comment", "update_comment"


def answer(line: str, refused: str = "", *, entitled: bool = True, counts: bool = False) -> CommandAnswer:
    verb = " ".join(line.split()[1:2])
    return CommandAnswer(comment="1", line=line, verb=verb, entitled=entitled, refused=refused, counts=counts)


WHY = answer("/okr why")
WRONG = answer("/okr link O7", "no goal has the id 'O7'; did you mean 'O1'?")
LINK = answer("/okr link INIT-1", counts=True)


def told(verdict: Verdict, *answers: CommandAnswer) -> Verdict:
    return replace(verdict, commands=answers)


def made(
    verdict: Verdict,
    work: WorkItem | None = None,
    rules: Sequence[str] = (),
    others: Sequence[WorkItem] = (),
    **more: object,
) -> Plan:
    held = [stored(work or item()), *map(stored, others)]
    seen = view(held, [verdict, *(exempt(o.id) for o in others)])
    comments = {"rules": rules, **more.pop("comments", {})}
    none = {"unlinked": None, "stale": None, "linked": None}
    inputs = {
        "settings": settings(labels=none, comments=comments),
        "writable": lambda _: True,
        "enabled_at": NOW - days(100),
    }
    return plan(seen, findings_of(seen), Inputs(**(inputs | more)))


def ops(result: Plan) -> list[str]:
    return [c.op.value for c in result.changes]


def written(change: Change) -> dict[str, Owned]:
    """The memory after this change was made."""
    hash_ = change.comment.hash if change.comment else ""
    return {change.uid: Owned(uid=change.uid, comment_id="c1", comment_hash=hash_, comment_at=NOW - days(1))}


# --- when


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([LINK], []),
        ([answer("/okr unlink")], []),
        ([WHY], [CREATE]),
        ([WRONG], [CREATE]),
        ([LINK, WRONG], [CREATE]),
        ([answer("/okr why", "no", entitled=False), answer("/okr link O7", "no", entitled=False)], []),
    ],
)
def test_only_a_question_and_a_refusal_of_somebody_entitled_create_a_comment(
    answers: list[CommandAnswer], expected: list[str]
) -> None:
    result = made(told(unlinked(ONE), *answers))
    assert ops(result) == expected
    if expected:
        again = made(told(unlinked(ONE), *answers), owned=written(result.changes[0]))
        assert ops(again) == [], "said once"
        assert result.changes[0].because == "command"


def test_whoever_asked_waits_neither_for_the_items_age_nor_for_a_touch_but_for_the_days_room() -> None:
    young = item(created=NOW)
    assert ops(made(told(unlinked(ONE), WHY), young, enabled_at=None)) == [CREATE]
    full = made(told(unlinked(ONE), WHY), comments={"per_day": 1}, comments_today=1)
    assert ops(full) == []
    assert "per_day (1) is used up" in full.held[0].why


@pytest.mark.parametrize("fields", [{"locked": True}, {"draft": True}])
def test_where_no_comment_may_stand_there_is_no_answer(fields: dict[str, bool]) -> None:
    result = made(told(unlinked(ONE), WHY), item(**fields))
    assert ops(result) == []
    assert result.held


def test_a_comment_that_a_person_deleted_does_not_come_back_to_answer() -> None:
    first = made(told(unlinked(ONE), WHY)).changes[0]
    gone = {(first.uid, "comment"): Dismissal(uid=first.uid, what="comment", state=first.state, at=NOW)}
    result = made(told(unlinked(ONE), WHY), owned=written(first), dismissals=gone)
    assert ops(result) == []
    assert result.held[0].why == "comment: a person deleted it"


def test_what_was_accepted_is_acknowledged_in_a_comment_that_stands_already() -> None:
    asking = made(unlinked(ONE), rules=["unlinked-work"]).changes[0]
    result = made(told(linked(ONE, "O1"), LINK), rules=["unlinked-work"], owned=written(asking))
    assert ops(result) == [UPDATE]
    text = result.changes[0].comment.text  # type: ignore[union-attr]
    assert text == (
        "Resolved: this now traces to O1 (Title of O1).\n"
        "Commands given in comments here:\n"
        "- /okr link INIT-1: accepted, linked to INIT-1 (A build)"
    )


# --- what it says


def said(verdict: Verdict, work: WorkItem | None = None, **more: object) -> str:
    (change,) = made(verdict, work, **more).changes
    assert change.comment is not None
    return change.comment.text


def test_each_command_is_told_with_what_became_of_it() -> None:
    answers = (
        answer("/okr link O2"),
        LINK,
        answer("/okr exempt tech-debt until 2026-11-18"),
        answer("/okr remove-exempt"),
        WRONG,
        answer("/okr link O9", "a stranger's", entitled=False),
    )
    assert said(told(unlinked(ONE), *answers)) == (
        "Commands given in comments here:\n"
        "- /okr link O2: accepted, and replaced or withdrawn since\n"
        "- /okr link INIT-1: accepted, linked to INIT-1 (A build)\n"
        "- /okr exempt tech-debt until 2026-11-18: accepted, and replaced or withdrawn since\n"
        "- /okr remove-exempt: done\n"
        "- /okr link O7: refused, no goal has the id 'O7'; did you mean 'O1'?\n"
        "okrsync keeps this one comment up to date and adds no others."
    )


def test_what_a_refusal_tells_to_write_can_be_copied() -> None:
    refused = answer(
        "/okr exempt tech-debt until soon", "'soon' is no date; write `/okr exempt tech-debt until 2026-12-31`"
    )
    (change,) = made(told(unlinked(ONE), refused)).changes
    assert change.comment is not None
    for body in (markdown.body(change.comment), wiki.render(change.comment)):
        assert "/okr exempt tech-debt until 2026-12-31" in body.replace("\\-", "-")
    (line,) = [b for b in change.comment.blocks if b.kind == "bullet"]
    assert [s.style for s in line.spans] == ["code", "plain", "plain", "code"]


def test_an_exemption_that_has_ended_says_so() -> None:
    given_ = answer("/okr exempt tech-debt until 2026-11-18", counts=True)
    ended = replace(unlinked(ONE), expired=("tech-debt", date(2026, 11, 18)))
    text = said(told(ended, given_, WHY))
    assert ": accepted, and ended since" in text
    assert "Why? This work counted as tech-debt until 2026-11-18" in text


def test_why_tells_the_way_and_names_nothing_from_elsewhere() -> None:
    path = (
        Hop(origin=ONE, via="parent", to=TWO, detail="sub-issue"),
        Hop(origin=TWO, via="closes", to="jira:SECRET-9"),
        Hop(origin="jira:SECRET-9", via="label", to="INIT-1", detail="initiative:INIT-1"),
        Hop(origin="INIT-1", via="supports", to="O1.KR1", detail="A number moves"),
    )
    verdict = told(replace(linked(ONE, "O1"), path=path), WHY)
    assert said(verdict, others=[item(2)]).splitlines()[:5] == [
        "Why? This work is linked to a goal:",
        "- this work belongs to acme/web#2",
        "- acme/web#2 closes work elsewhere",
        "- work elsewhere carries a label that names INIT-1 (A build)",
        "- INIT-1 (A build) supports O1.KR1 (A number moves)",
    ]
    public = said(verdict, item(public=True), others=[item(2)])
    assert "A build" not in public
    assert "SECRET" not in public


def test_why_of_an_exemption() -> None:
    path = (Hop(origin=ONE, via="rule", to="exempt:tech-debt", detail="dependency bumps"),)
    verdict = told(replace(exempt(ONE), exempt_class="tech-debt", path=path), WHY)
    assert said(verdict).splitlines()[:2] == [
        "Why? This work counts as tech-debt, outside the goals:",
        "- this work is tied by a mapping rule to tech-debt work",
    ]


def test_commands_are_offered_only_where_they_are_read() -> None:
    rules = ["unlinked-work"]
    assert "comment /okr link ID" in said(unlinked(ONE), rules=rules)
    assert "comment internally /okr link ID" in said(unlinked(ONE), item(service_desk=True), rules=rules)
    assert "/okr" not in said(unlinked(ONE), rules=rules, deaf=frozenset({"github"}))


@given(st.text(max_size=60), st.text(max_size=60))
@examples(200)
def test_our_own_comment_never_holds_a_command(line: str, reason: str) -> None:
    line = "/okr " + " ".join(line.split())
    verdict = told(unlinked(ONE), answer(line, " ".join(reason.split()) or "no"), WHY)
    (change,) = made(verdict, rules=["unlinked-work"]).changes
    comment = change.comment
    assert comment is not None
    assert command_lines(markdown.body(comment)) == ()
    assert command_lines(adf.to_text(adf.render(comment))) == ()
    assert command_lines(wiki.to_text(wiki.render(comment))) == ()
