"""What `mappings.propose` makes of groups, phrases and upkeep, and where it keeps silent."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from okrsync import linking, mappings
from okrsync.domain.links import UnknownId, Verdict
from okrsync.domain.rules import Mappings, Rule
from okrsync.domain.work import Kind, Reference, Via, WorkItem
from okrsync.mappings.propose import propose
from proposal_world import GOALS, NOW, item, view


def proposed(*work: tuple[WorkItem, Verdict], goals: dict[str, Any] = GOALS) -> dict[str, str]:
    """What each rule does, by its name; teams apart."""
    found = propose(view(*work, goals=goals), linking.terms)
    return {p.name: p.link or p.exempt for p in found if not p.team}


def teams(*work: tuple[WorkItem, Verdict]) -> dict[str, str]:
    return {p.name: p.team for p in propose(view(*work), linking.terms) if p.team}


def test_an_epic_named_like_an_initiative_is_taken_by_its_title_alone() -> None:
    work = (item("PAY-1", "One-page checkout", kind=Kind.EPIC), item("PAY-2", "Merge the steps", parent="PAY-1"))
    (rule,) = [p for p in propose(view(*work), linking.terms) if p.link]
    assert rule.rule() == {
        "name": "One-page checkout to INIT-CHECKOUT",
        "when": {"project": "PAY", "type": "Epic", "title": "^One-page checkout$"},
        "link": "INIT-CHECKOUT",
    }
    assert "says 'page', 'checkout' as INIT-CHECKOUT does" in rule.why[0]


@pytest.mark.parametrize("title", ["C++ (checkout)?", "checkout | pay $1^2", "[checkout] {a}.*"])
def test_a_title_of_a_stranger_is_quoted_in_the_expression(title: str) -> None:
    work = (item("PAY-1", title, kind=Kind.EPIC), item("PAY-2", "Merge the steps", parent="PAY-1"))
    (rule,) = [p for p in propose(view(*work), linking.terms) if p.link and "type" in p.when]
    model = mappings.Matcher(_as_mappings(rule.rule()), label_prefix="okr/")
    assert model.match(work[0][0], NOW).match is not None
    assert model.match(work[1][0], NOW).match is None


def _as_mappings(*rules: dict[str, Any]) -> Mappings:
    return Mappings(rules=tuple(Rule.model_validate(r) for r in rules))


def test_a_word_that_two_initiatives_say_tells_nothing() -> None:
    assert proposed(item("PAY-1", "At the till", kind=Kind.EPIC), item("PAY-2", "a", parent="PAY-1")) == {}


def test_a_label_goes_where_its_linked_work_goes() -> None:
    tills = [item(f"PAY-{n}", f"work {n}", labels=("counter",), serves="INIT-TERMINAL") for n in range(2)]
    unlinked = item("PAY-9", "something", labels=("counter",))
    assert proposed(*tills, unlinked) == {"counter to INIT-TERMINAL": "INIT-TERMINAL"}
    wallet = item("PAY-3", "work", labels=("counter",), serves="INIT-WALLETS")
    assert proposed(*tills, unlinked, wallet) == {}, "two of three are not enough"


def test_linked_work_that_goes_elsewhere_silences_a_name() -> None:
    unlinked = item("PAY-9", "something", labels=("checkout",))
    assert proposed(unlinked) == {"checkout to INIT-CHECKOUT": "INIT-CHECKOUT"}
    other = item("PAY-1", "work", labels=("checkout",), serves="INIT-TERMINAL")
    assert proposed(unlinked, other) == {}


def test_labels_that_say_what_kind_of_work_it_is_are_no_groups() -> None:
    tied = [item(f"PAY-{n}", f"work {n}", labels=("backend",), serves="INIT-TERMINAL") for n in range(3)]
    assert proposed(*tied, item("PAY-9", "something", labels=("backend", "okr/O1"))) == {}


def test_a_number_of_a_key_result_counts_as_a_word_of_it() -> None:
    work = (item("OPS-1", "Authorisation under 250 ms", kind=Kind.EPIC), item("OPS-2", "b", parent="OPS-1"))
    assert proposed(*work) == {"Authorisation under 250 ms to O2.KR1": "O2.KR1"}


def test_an_ended_initiative_is_told_to_have_ended() -> None:
    (rule, *_) = propose(view(item("PAY-1", "Loyalty points", kind=Kind.EPIC)), linking.terms)
    assert rule.link == "INIT-LOYALTY"
    assert "has ended: the work will show as stale" in rule.why[0]


def test_phrases_stand_for_the_goal_that_their_linked_work_serves() -> None:
    # linked work is one in ten: phrases of any work must not pass for telling
    tied = [item(f"PAY-{n}", f"Session handover, part {n}", serves="INIT-TERMINAL") for n in range(4)]
    other = [item(f"PAY-{n}", f"Card form, part {n}", serves="INIT-WALLETS") for n in range(10, 16)]
    rest = [item(f"PAY-{n}", f"Paint wall {n}") for n in range(100, 200)]
    unlinked = [item(f"PAY-{n}", f"SessionHandover waits {n}") for n in range(20, 23)]
    assert proposed(*tied, *other, *rest, *unlinked) == {"titles that speak of INIT-TERMINAL": "INIT-TERMINAL"}
    mixed = [item(f"PAY-{n}", "Session handover of cards", serves="INIT-WALLETS") for n in range(30, 34)]
    assert proposed(*tied, *other, *rest, *unlinked, *mixed) == {}


def test_a_label_that_serves_several_goals_goes_to_the_one_above_nearly_all_of_them() -> None:
    tills = [item(f"PAY-{n}", f"work {n}", labels=("counter",), serves="INIT-WALLETS") for n in range(5)]
    tills += [item(f"PAY-{n}", f"work {n}", labels=("counter",), serves="INIT-CHECKOUT") for n in range(10, 14)]
    unlinked = item("PAY-99", "something", labels=("counter",))
    (rule,) = [p for p in propose(view(*tills, unlinked), linking.terms) if p.link]
    assert rule.link == "O1.KR1", "the lowest goal above both"
    assert "9 of its 9 linked items serve O1.KR1" in rule.why[0]
    assert "through 2 goals; look whether the rest does" in rule.why[0]
    others = [item(f"PAY-{n}", "work", labels=("counter",), serves="INIT-TERMINAL") for n in range(20, 22)]
    assert proposed(*tills, unlinked, *others) == {}, (
        "nine of eleven are not nearly all, and a bet is no goal to link to"
    )


def test_a_word_of_several_initiatives_goes_to_the_goal_above_them() -> None:
    goals = GOALS | {
        "initiatives": [
            {"id": "INIT-A", "title": "Ledger that balances", "supports": ["O1.KR1"]},
            {"id": "INIT-B", "title": "Ledger that closes", "supports": ["O1.KR1"]},
            {"id": "INIT-C", "title": "Faster routes", "supports": ["O2.KR1"]},
        ]
    }
    tied = [item(f"PAY-{n}", f"Ledger row {n}", serves=f"INIT-{'AB'[n % 2]}") for n in range(8)]
    other = [item(f"PAY-{n}", f"Route {n}", serves="INIT-C") for n in range(20, 60)]
    rest = [item(f"PAY-{n}", f"Paint wall {n}") for n in range(100, 200)]
    unlinked = [item("PAY-90", "Ledger waits"), item("PAY-91", "OldLedgerView shows nothing")]
    found = propose(view(*tied, *other, *rest, *unlinked, goals=goals), linking.terms)
    (rule,) = [p for p in found if p.link == "O1.KR1"]
    assert "8 of the 8 linked items that say it, on 8 tickets, serve O1.KR1" in rule.why[0]
    assert "as 2 of the 2 goals that say it do" in rule.why[0]
    matcher = mappings.Matcher(_as_mappings(rule.rule()), label_prefix="okr/")
    assert [matcher.match(work, NOW).match is not None for work, _ in unlinked] == [True, True]
    astray = [item(f"PAY-{n}", "Ledger of routes", serves="INIT-C") for n in range(70, 72)]
    assert "O1.KR1" not in proposed(*tied, *other, *rest, *unlinked, *astray, goals=goals).values()


def test_many_pull_requests_of_one_ticket_are_one_witness() -> None:
    on_one = Reference(via=Via.KEY, target="jira:PAY-1", structural=False)
    tied = [item(f"PAY-{n}", f"Session handover, part {n}", serves="INIT-TERMINAL") for n in range(4)]
    hanging = [(structs.replace(work, references=(on_one,)), verdict) for work, verdict in tied]
    rest = [item(f"PAY-{n}", f"Paint wall {n}") for n in range(100, 200)]
    other = [item(f"PAY-{n}", f"Card form, part {n}", serves="INIT-WALLETS") for n in range(10, 16)]
    unlinked = [item(f"PAY-{n}", f"Session handover waits {n}") for n in range(20, 23)]
    assert "INIT-TERMINAL" in proposed(*tied, *other, *rest, *unlinked).values()
    assert proposed(*hanging, *other, *rest, *unlinked) == {}
    ruled = [(work, structs.replace(verdict, rule="handover")) for work, verdict in tied]
    assert proposed(*ruled, *other, *rest, *unlinked) == {}, "what one rule ties bears no other out"


def test_what_an_objective_stresses_is_not_exempt_by_its_title() -> None:
    goals = GOALS | {
        "objectives": [
            {
                "id": "O1",
                "title": "Shops run without Mainframe",
                "supports": ["B1"],
                "key_results": [{"id": "O1.KR1", "title": "Raise shops without Mainframe from 3 to 40"}],
            }
        ],
        "initiatives": [],
    }
    work = [item("PAY-1", "Remove the old mainframe bridge"), item("PAY-2", "Remove the old cache")]
    found = propose(view(*work, goals=goals), linking.terms)
    (rule,) = [p for p in found if p.name == "clean-up"]
    assert "titles with 'mainframe' (see O1)" in rule.why[0]
    matcher = mappings.Matcher(_as_mappings(rule.rule()), label_prefix="okr/")
    assert [matcher.match(item, NOW).match is not None for item, _ in work] == [False, True]


def test_upkeep_is_exempt_unless_a_goal_speaks_of_it() -> None:
    bumps = [
        item("PAY-1", "Bump vite", author="dependabot[bot]", author_type="bot"),
        item("PAY-2", "A typo in the imprint"),
    ]
    assert proposed(*bumps) == {"robots": "operational-health", "documentation": "operational-health"}
    documented = GOALS | {"objectives": [{"id": "O1", "title": "Documentation that answers"}], "initiatives": []}
    assert proposed(*bumps, goals=documented) == {"robots": "operational-health"}


def test_a_team_is_the_one_most_linked_work_belongs_to_else_a_name_that_begins_alike() -> None:
    without = [item("PAY-1", "a"), item("PAY-2", "b"), item("OPS-1", "a"), item("OPS-2", "b")]
    assert teams(*without) == {"team of PAY": "Payments", "team of OPS": "OPS"}
    tied = [item(f"OPS-{n}", "work", serves="INIT-TERMINAL", team="Platform") for n in range(5, 8)]
    assert teams(*without, *tied)["team of OPS"] == "Platform"


def test_a_slip_in_a_label_is_told_but_another_number_or_short_word_is_another_goal() -> None:
    def named(key: str, id_: str, near: str) -> tuple[WorkItem, Verdict]:
        work, verdict = item(key, "Something")
        label = f"initiative:{id_}" if id_.startswith("INIT") else f"kr:{id_}"
        unknown = UnknownId(via=Via.LABEL, id=id_, detail=label, suggestion=f"; did you mean {near!r}?")
        return work, structs.replace(verdict, unknown_ids=(unknown,))

    work = (
        named("PAY-1", "INIT-CHEKOUT", "INIT-CHECKOUT"),
        named("PAY-2", "O1.KR2", "O1.KR1"),
        named("PAY-3", "G1.KR1", "O1.KR1"),
        named("PAY-4", "INITCHECKOUT", "INIT-CHECKOUT"),
    )
    assert proposed(*work) == {
        "initiative:INIT-CHEKOUT means INIT-CHECKOUT": "INIT-CHECKOUT",
        "initiative:INITCHECKOUT means INIT-CHECKOUT": "INIT-CHECKOUT",
    }


def test_restricted_titles_stand_in_no_rule() -> None:
    secret = item("PAY-1", "One-page checkout", kind=Kind.EPIC, restricted=True)
    assert all("title" not in p.when for p in propose(view(secret), linking.terms))
