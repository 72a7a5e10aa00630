"""OKR101 to OKR105: what work says of itself."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from findings.goal_world import aligned, closed, goals, item, linked, target, view
from okrsync.domain.findings import Finding, View
from okrsync.domain.links import UnknownId
from okrsync.domain.settings import RulesSettings
from okrsync.domain.work import Kind
from okrsync.findings import evaluate, roots

GOALS = goals(
    {
        "bets": [{"id": "B1", "title": "Bet", "owner": "Ada"}],
        "objectives": [
            {
                "id": "O1",
                "title": "One",
                "supports": ["B1"],
                "owner": "Ada",
                "key_results": [{"id": "O1.KR1", "title": "From 1 to 2", "owner": "Ada", "baseline": 1, "target": 2}],
            },
            {
                "id": "O2",
                "title": "Two",
                "supports": ["B1"],
                "owner": "Ada",
                "key_results": [{"id": "O2.KR1", "title": "From 1 to 2", "owner": "Ada", "baseline": 1, "target": 2}],
            },
            {
                "id": "T1",
                "title": "Team",
                "level": "team",
                "supports": ["O1"],
                "owner": "Ada",
                "key_results": [{"id": "T1.KR1", "title": "From 1 to 2", "owner": "Ada", "baseline": 1, "target": 2}],
            },
        ],
        "initiatives": [{"id": "INIT-CHECKOUT", "title": "Checkout", "supports": ["O1.KR1"]}],
    }
)
KR = target("O1.KR1", key_results=("O1.KR1",), objectives=("O1",), bets=("B1",))
OLD = target("INIT-X", "INIT-X", active=False, ended=date(2026, 9, 30), cycle="2026-Q3")
UNTIL = ("tech-debt", date(2026, 11, 19))
SLIP = UnknownId(via="label", id="INIT-CHEKOUT", detail="label initiative:INIT-CHEKOUT")


def of_work(seen: View) -> list[Finding]:
    return [f for f in evaluate(seen, RulesSettings()) if f.code < "OKR2"]


@pytest.mark.parametrize(
    ("verdict", "codes"),
    [
        (aligned("unlinked"), ["OKR101"]),
        (aligned("stale", targets=(OLD,)), ["OKR102"]),
        (aligned("exempt", exempt_class="tech-debt"), []),
        (linked(KR), []),
        (aligned("unlinked", expired=UNTIL), ["OKR105"]),
        (linked(KR, expired=UNTIL), []),
        (aligned("unlinked", unknown_ids=(SLIP,)), ["OKR103", "OKR101"]),
        (linked(KR, own_objectives=("O1",), parent_objectives=("O2",)), ["OKR104"]),
        (linked(KR, own_objectives=("O1",), parent_objectives=("o1",)), []),
        (linked(KR, own_objectives=("O1", "O2"), parent_objectives=("O2",)), []),
        (linked(KR, own_objectives=("T1",), parent_objectives=("O1",)), []),
        (linked(KR, own_objectives=("O1",), parent_objectives=("T1",)), []),
        (linked(KR, own_objectives=("T1",), parent_objectives=("O2",)), ["OKR104"]),
        (linked(KR, own_objectives=("O1",), parent_objectives=()), []),
        (aligned("unknown", unknown_ids=(SLIP,), expired=UNTIL, own_objectives=("O1",), parent_objectives=("O2",)), []),
    ],
)
def test_open_work_is_judged_by_its_verdict(verdict: dict[str, Any], codes: list[str]) -> None:
    assert [f.code for f in of_work(view(GOALS, (item("jira:PAY-1"), verdict)))] == codes


@pytest.mark.parametrize(
    "verdict", [aligned("unlinked"), aligned("stale", targets=(OLD,)), aligned("unlinked", unknown_ids=(SLIP,))]
)
def test_closed_work_is_not_judged(verdict: dict[str, Any]) -> None:
    assert of_work(view(GOALS, (closed("jira:PAY-1", date(2026, 11, 2)), verdict))) == []


def test_the_remedy_names_the_label_the_line_and_the_root() -> None:
    seen = view(
        GOALS,
        (item("jira:PAY-1", kind=Kind.EPIC), aligned("unlinked")),
        (item("jira:PAY-2"), aligned("unlinked", parent="jira:PAY-1")),
    )
    epic, child = of_work(seen)
    assert epic.subject.kind == "epic"
    assert "initiative:ID" in epic.remedy
    assert '"OKR: ID" in the description' in epic.remedy
    assert "jira:PAY-1" not in epic.remedy
    assert "on jira:PAY-1, the top of its tree" in child.remedy
    assert child.evidence == {"root": "jira:PAY-1", "parent": "jira:PAY-1", "team": None}


def test_a_stale_link_says_what_ended_and_when() -> None:
    (found,) = of_work(view(GOALS, (item("jira:PAY-1"), aligned("stale", targets=(OLD, OLD)))))
    assert "INIT-X (ended 2026-09-30)" in found.message
    assert found.evidence["ended"] == [{"id": "INIT-X", "cycle": "2026-Q3", "ended": "2026-09-30"}]
    some_day = target("INIT-Z", "INIT-Z", active=False)
    (found,) = of_work(view(GOALS, (item("jira:PAY-1"), aligned("stale", targets=(some_day,)))))
    assert "INIT-Z (ended)" in found.message


def unknown(id_: str, hint: str = "", via: str = "label", detail: str = "") -> UnknownId:
    return UnknownId(via=via, id=id_, detail=detail or f"kr:{id_}", suggestion=hint)


@pytest.mark.parametrize(
    ("ids", "message", "remedy"),
    [
        ([unknown("K9")], "names what does not exist: K9.", "Correct the id where it stands (label), or add the missing goal to config/okrs/."),
        ([unknown("O8", "; did you mean 'O1'?")], ": O8 (did you mean O1?).", "Change O8 to O1 where it stands (label)"),
        ([unknown("O8", "O1")], ": O8 (did you mean O1?).", "Change O8 to O1 where it stands (label)"),
        ([unknown("O1", "; O1 is an objective")], ": O1 (O1 is an objective).", "Correct the id where it stands (label)"),
        ([unknown("O8"), unknown("o8", via="trailer")], ": O8.", "Correct the id"),
        ([unknown("O8"), unknown("ZZ9", via="trailer")], ": O8 and ZZ9.", "Correct the ids where they stand (label and trailer)"),
        ([unknown("tech", "; did you mean 'tech-debt'?", detail="exempt:tech")], ": tech (did", "or declare the class under `classes` in mappings/."),
    ],
)  # fmt: skip
def test_unknown_ids_make_one_finding_with_the_nearest_known_ones(
    ids: list[UnknownId], message: str, remedy: str
) -> None:
    (found,) = of_work(view(GOALS, (item("jira:PAY-1"), linked(KR, unknown_ids=tuple(ids)))))
    assert message in found.message
    assert remedy in found.remedy
    assert len(found.evidence["ids"]) == len({i.id.casefold() for i in ids})


def test_an_expired_exemption_stands_instead_of_unlinked_work() -> None:
    (found,) = of_work(view(GOALS, (item("jira:PAY-1"), aligned("unlinked", expired=UNTIL, rule="bumps"))))
    assert (found.code, found.evidence) == ("OKR105", {"class": "tech-debt", "until": "2026-11-19", "rule": "bumps"})


def test_messages_hold_no_titles_and_blame_nobody() -> None:
    work = item("jira:PAY-1", title="TITLE", author="AUTHOR", assignee="ASSIGNEE")
    fields = {"unknown_ids": (SLIP,), "own_objectives": ("O1",), "parent_objectives": ("O2",)}
    for verdict in (
        aligned("unlinked", **fields),
        aligned("stale", targets=(OLD,)),
        aligned("unlinked", expired=UNTIL),
    ):
        for found in of_work(view(GOALS, (work, verdict))):
            words = found.message + found.remedy + str(found.evidence)
            assert not {"TITLE", "AUTHOR", "ASSIGNEE"} & set(words.split())


def test_roots_survive_loops_closed_parents_and_thousands_of_levels() -> None:
    deep = [(item(f"jira:D-{n}"), aligned("unlinked", parent=f"jira:D-{n - 1}" if n else None)) for n in range(5000)]
    loop = [
        (item("jira:L-1"), aligned("unlinked", parent="jira:L-3")),
        (closed("jira:L-0", date(2026, 11, 1)), aligned("unlinked", parent="jira:L-1")),
        (item("jira:L-3"), aligned("unlinked", parent="jira:L-0")),
        (item("jira:L-9"), aligned("unlinked", parent="jira:L-3")),
    ]
    under_closed = [
        (closed("jira:C-1", date(2026, 11, 1)), aligned("unlinked")),
        (item("jira:C-2"), aligned("unlinked", parent="jira:C-1")),
        (item("jira:C-3"), aligned("unlinked", parent="jira:C-2")),
        (item("jira:S-1"), aligned("stale", targets=(OLD,), parent="jira:C-2")),
        (item("jira:X-1"), aligned("unlinked", parent="jira:ELSEWHERE-1")),
    ]
    top = roots(view(GOALS, *deep[::-1], *loop, *under_closed))
    assert {top[f"jira:D-{n}"] for n in range(5000)} == {"jira:D-0"}
    assert {top[i] for i in ("jira:L-1", "jira:L-3", "jira:L-9")} == {"jira:L-1"}
    assert "jira:L-0" not in top
    assert (top["jira:C-2"], top["jira:C-3"], top["jira:S-1"]) == ("jira:C-2", "jira:C-2", "jira:S-1")
    assert top["jira:X-1"] == "jira:X-1"
