"""The dashboard issue as a value: what it says, when it is created, edited, left alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from fake_world import NOW, item
from okrsync.connectors.github import markdown
from okrsync.connectors.jira import wiki
from okrsync.domain.changes import Change, Dismissal, Gate, JournalEntry, JournalState, Op, Plan, Posted
from okrsync.domain.findings import Finding, Severity, Subject
from okrsync.domain.settings import Limits
from okrsync.planning import dashboard, gate
from okrsync.planning.dashboard import Board, content, decide, posted
from okrsync.planning.plan import checksum

PLACE = "github:acme/strategy"
LABEL = Change(op=Op.ADD_LABEL, target=item().id, uid=item().uid, value="okr/unlinked", because="OKR101")
EMPTY = Plan(checksum=checksum(()))
PLAN = Plan(checksum=checksum([LABEL]), changes=(LABEL,))
OPEN = Gate(allowed=())
SHUT = Gate(allowed=(), refused="1 of 1 open items would be touched")


def kr(id_: str = "O1.KR1", title: str = "Raise conversion") -> Finding:
    return Finding(
        code="OKR201",
        slug="unsupported-key-result",
        severity=Severity.ERROR,
        subject=Subject(kind="key_result", id=id_, title=title),
        message="it has no support in Jira and GitHub",
        remedy="start something",
    )


def board(**more: object) -> Board:
    usual = {"place": PLACE, "public": False, "unsupported": (kr(),), "teams": {"Payments": 2, "acme/web": 1}}
    return Board(**(usual | more))


def text(plan: Plan = EMPTY, verdict: Gate = OPEN, **more: object) -> str:
    return content(plan, verdict, board(**more)).text


def known(**more: object) -> dict[str, Posted]:
    return {PLACE: Posted(ref="7", **more)}


def ops(result: Plan) -> list[tuple[str, str]]:
    return [(c.op.value, c.target) for c in result.changes]


def why(result: Plan) -> str:
    return " ".join(h.why for h in result.held)


def test_it_says_what_has_no_support_and_whose_work_has_no_goal():
    said = text()
    assert "- O1.KR1 Raise conversion" in said
    assert "- Payments: 2 roots\n- acme/web: 1 root" in said
    assert "held back" not in said


def test_where_strangers_read_it_names_goals_by_id_alone():
    said = text(PLAN, SHUT, public=True)
    assert "- O1.KR1\n" in said
    for word in ("Raise conversion", "Payments", "acme/web"):
        assert word not in said


def test_held_back_changes_come_with_their_command_and_no_check_box():
    said = text(PLAN, SHUT)
    assert f"- okrsync approve {PLAN.checksum}" in said
    assert "[ ]" not in said
    assert "approve" not in text(PLAN, OPEN)


def test_a_rule_that_is_switched_off_claims_nothing():
    assert "no support" not in text(unsupported=None)
    assert "None: there is work for every key result." in text(unsupported=())
    assert "None: all open work serves a goal, or is exempt." in text(teams={})


def test_long_lists_are_cut_and_point_to_the_report():
    goals = [kr(f"O1.KR{n}") for n in range(35)]
    said = text(unsupported=goals, teams={f"Team {n:02}": 1 for n in range(21)})
    assert said.count("\n- O1.KR") == 30
    assert "And 5 more key results, see the report." in said
    assert "And 1 more team or place, see the report." in said
    assert len(markdown.dashboard_body(content(EMPTY, OPEN, board(unsupported=[kr(title="x" * 5000)] * 400)))) < 32_767


@pytest.mark.parametrize(("before", "after", "same"), [(3, 4, False), (20, 21, False), (21, 49, True), (60, 99, True)])
def test_large_counts_do_not_jump_for_nothing(before, after, same):
    one, two = (content(EMPTY, OPEN, board(teams={"Payments": n})).hash for n in (before, after))
    assert (one == two) is same


def test_titles_and_teams_come_alive_on_neither_tracker():
    hostile = "@everyone fix #12 https://evil.example PAY-1 <script> [~admin] {html}"
    found = content(EMPTY, OPEN, board(unsupported=[kr(title=hostile)], teams={hostile: 1}))
    sent = markdown.render(found)
    for alive in ("@everyone", "#12", "https://evil", "PAY-1", "<script>"):
        assert alive not in sent
    rendered = wiki.render(found)
    assert "[~admin]" not in rendered.replace("\\[", "")
    assert "{html}" not in rendered.replace("\\{", "")


# --- what is done


def test_it_is_created_then_edited_when_what_it_says_changes_and_else_left():
    first = decide(PLAN, OPEN, board())
    assert ops(first) == [("add_label", LABEL.target), ("create_issue", PLACE)]
    assert first.checksum == PLAN.checksum, "nobody has to approve it"
    created = first.changes[-1]
    assert (created.uid, created.comment_id, created.because) == (f"dashboard:{PLACE}", None, "dashboard")
    there = known(hash=created.comment.hash)
    assert decide(EMPTY, OPEN, board(posted=there)).changes == ()
    changed = decide(EMPTY, OPEN, board(posted=there, unsupported=()))
    assert ops(changed) == [("update_issue", PLACE)]
    assert changed.changes[0].comment_id == "7"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"dismissed": True}, "deleted"),
        ({"posted": {PLACE: Posted(unknown=True)}}, "not known yet"),
        ({"complete": False}, "not everything could be read"),
        ({"refused": "the connector's `write` is false"}, "`write` is false"),
        ({"posted": known(hash="old"), "closed": "7"}, "closed"),
    ],
)
def test_it_is_left_alone_and_that_is_said(more, reason):
    result = decide(EMPTY, OPEN, board(**more))
    assert result.changes == ()
    assert reason in why(result)


def test_the_one_in_a_former_place_is_retired_once():
    former = {"jira:OPS": Posted(ref="10001", hash="old")}
    result = decide(EMPTY, OPEN, board(posted=former))
    assert ops(result) == [("update_issue", "jira:OPS"), ("create_issue", PLACE)]
    assert ops(dashboard.without_setting(EMPTY, former)) == [("update_issue", "jira:OPS")]
    done = {"jira:OPS": Posted(ref="10001", hash=dashboard.retired().hash)}
    assert dashboard.without_setting(EMPTY, done).changes == ()


def test_the_gate_neither_counts_nor_stops_it():
    made = decide(PLAN, OPEN, board())
    shut = gate(made, frozenset(), Limits(changes=0, share=0.0), 20)
    assert [c.op for c in shut.allowed] == [Op.CREATE_ISSUE]
    assert shut.refused.startswith("1 of 20")
    assert made.counts["items"] == 1


# --- what the journal says


def entry(state: JournalState, op: Op = Op.CREATE_ISSUE, *, hash_: str = "h1", ref: str | None = "7") -> JournalEntry:
    return JournalEntry(
        seq=1,
        run="r",
        op=op.value,
        target=PLACE,
        uid=dashboard.uid_of(PLACE),
        value="",
        content_hash=hash_,
        comment_id=ref,
        state=state,
        at=NOW,
    )


DONE, FAILED, UNKNOWN = JournalState.CONFIRMED, JournalState.FAILED, JournalState.UNKNOWN
INTENDED, UNDONE = JournalState.INTENDED, JournalState.UNDONE


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry(DONE)], Posted(ref="7", hash="h1", seqs=(1,))),
        ([entry(INTENDED, ref=None)], Posted(unknown=True, seqs=(1,))),
        ([entry(FAILED, ref=None)], Posted()),
        ([entry(DONE), entry(UNKNOWN, Op.UPDATE_ISSUE, hash_="h2")], Posted(ref="7", seqs=(1, 1))),
        ([entry(DONE), entry(FAILED, Op.UPDATE_ISSUE, hash_="h2")], Posted(ref="7", hash="h1", seqs=(1,))),
        ([entry(DONE), entry(DONE, Op.UPDATE_ISSUE, hash_="h2")], Posted(ref="7", hash="h2", seqs=(1, 1))),
        ([entry(UNDONE)], Posted(ref="7")),
    ],
)
def test_the_journal_tells_where_it_stands(entries, expected):
    assert posted(entries) == {PLACE: expected}


def test_what_was_before_its_deletion_is_about_an_issue_that_is_gone():
    gone = Dismissal(uid=dashboard.uid_of(PLACE), what=dashboard.WHAT, state="", at=NOW)
    key = (gone.uid, gone.what)
    assert posted([entry(DONE)], {key: gone}) == {}
    assert posted([entry(DONE)], {key: replace(gone, at=NOW - timedelta(seconds=1))})[PLACE].ref == "7"


def test_dashboards_are_known_by_id_and_uid():
    assert dashboard.identities(known()) == {"github:acme/strategy#7", "github:7"}
    assert dashboard.identities({"jira:OPS": Posted(ref="10001")}) >= {"jira:10001"}
    assert dashboard.identities({PLACE: Posted()}) == frozenset()
