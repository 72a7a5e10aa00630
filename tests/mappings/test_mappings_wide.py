"""What `mappings.wide` makes of places and of words in titles, and where it keeps silent."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from okrsync import linking, mappings
from okrsync.domain.links import Verdict
from okrsync.domain.rules import Mappings, Rule
from okrsync.domain.work import Reference, Via, WorkItem
from okrsync.mappings.propose import Proposal, propose
from okrsync.mappings.wide import ordered, propose_wide
from proposal_world import GOALS, NOW, item, view

Work = tuple[WorkItem, Verdict]


def rules(*work: Work, goals: dict[str, Any] = GOALS, narrow: tuple[Proposal, ...] = ()) -> dict[str, Proposal]:
    found = propose_wide(view(*work, goals=goals), narrow, linking.terms)
    assert all(p.wide and p.why for p in found)
    return {p.name: p for p in found}


def links(*work: Work, goals: dict[str, Any] = GOALS) -> dict[str, str]:
    return {name: p.link for name, p in rules(*work, goals=goals).items()}


def objectives(*teams: str) -> dict[str, Any]:
    """One objective of each of these teams, T0, T1, ..., that support one of the company, and another one."""
    one = {"id": "C", "title": "Merchants stay", "supports": ["B1"]}
    other = {"id": "D", "title": "Nobody waits", "supports": ["B1"]}
    own = [{"id": f"T{n}", "title": f"Aim {n}", "team": team, "supports": ["C"]} for n, team in enumerate(teams)]
    return GOALS | {"objectives": [one, other, *own], "initiatives": []}


# --- by place ---------------------------------------------------------------------------------------------------


def test_a_project_goes_to_the_objective_that_two_thirds_of_its_linked_work_serve() -> None:
    tied = [item(f"PAY-{n}", f"work {n}", serves=("INIT-WALLETS", "INIT-CHECKOUT")[n % 2]) for n in range(4)]
    left, elsewhere = item("PAY-9", "something"), item("OPS-1", "something")
    other = item("PAY-8", "work", serves="INIT-TERMINAL")
    found = rules(*tied, other, left, elsewhere)
    (rule,) = found.values()
    assert rule.rule() == {
        "name": "wide: most of PAY to O1",
        "when": {"project": "PAY", "epic": {"none": ["*"]}},
        "link": "O1",
    }
    assert rule.why == ("4 of the 5 linked items of PAY, on 4 tickets, serve O1 (Checkout keeps merchants)",)
    on_one = Reference(via=Via.PARENT, target="jira:PAY-1", structural=True)
    below = [(structs.replace(work, references=(on_one,)), verdict) for work, verdict in tied]
    assert links(*below, left) == {}, "one epic says little of all the rest"
    assert ", on 2 tickets, serve O1" in rules(*below, tied[0], left)["wide: most of PAY to O1"].why[0]
    more = [item(f"PAY-{n}", "work", serves="INIT-TERMINAL") for n in (6, 7)]
    assert links(*tied, other, more[0], left) == {"wide: most of PAY to O1": "O1"}, "four of six"
    assert links(*tied, other, *more, left) == {}, "four of seven are too few"
    assert links(*tied[:2], left) == {}, "two say little of a whole project"


def test_a_label_or_component_speaks_before_its_project() -> None:
    tied = [item(f"PAY-{n}", f"work {n}", labels=("till",), serves="INIT-TERMINAL") for n in range(3)]
    rest = [item(f"PAY-{n}", f"work {n}", serves="INIT-WALLETS") for n in range(10, 30)]
    left = item("PAY-90", "something", labels=("till",))
    assert list(links(*tied, *rest, left).items()) == [
        ("wide: most of till to O2", "O2"),
        ("wide: most of PAY to O1", "O1"),
    ]


def test_where_nothing_is_linked_the_team_of_the_place_tells() -> None:
    work = [item(f"PAY-{n}", f"work {n}", team="Till") for n in range(2)]
    (rule,) = rules(*work, goals=objectives("Till", "Web")).values()
    assert (rule.name, rule.link) == ("wide: most of PAY to T0", "T0")
    assert rule.why == (
        "nothing of PAY is linked yet; T0 (Aim 0) is the objective of Till: 2 of the 2 that have one belong to Till",
    )
    named = [item(f"TILL-{n}", f"work {n}") for n in range(2)]
    assert "TILL begins like Till" in rules(*named, goals=objectives("Till"))["wide: most of TILL to T0"].why[0]
    several = rules(*work, goals=objectives("Till", "Till"))["wide: most of PAY to C"]
    assert "C (Merchants stay) is what the 2 objectives of Till share" in several.why[0]
    assert links(*work, goals=objectives("Web")) == {}, "the team has no objective of its own"


def test_where_some_work_is_linked_the_team_says_nothing() -> None:
    work = [item(f"PAY-{n}", f"work {n}", team="Till") for n in range(2)]
    tied = item("PAY-8", "work", serves="D", team="Till")
    assert links(*work, tied, goals=objectives("Till")) == {}


# --- by words ---------------------------------------------------------------------------------------------------


def tickets(word: str, goal: str, numbers: range) -> list[Work]:
    """Titles with nothing else in common."""
    return [item(f"PAY-{n}", f"{word} {chr(0x4E00 + 2 * n)}", serves=goal) for n in numbers]


REST = tickets("route", "INIT-TERMINAL", range(50, 62))


def test_a_word_goes_where_the_tickets_that_say_it_go_and_is_tried_without_each() -> None:
    # two initiatives, one in six elsewhere: too loose for a narrow rule
    tied = tickets("card", "INIT-WALLETS", range(5)) + tickets("card", "INIT-CHECKOUT", range(5, 10))
    astray = tickets("card", "INIT-TERMINAL", range(20, 22))
    left = [item("OPS-1", "A card that waits"), item("OPS-2", "OldCardView shows nothing")]
    assert not [p for p in propose(view(*tied, *astray, *REST, *left), linking.terms) if p.link]
    rule = rules(*tied, *astray, *REST, *left)["wide: words of O1"]
    assert rule.link == "O1"
    assert rule.why == (
        "tried on linked tickets that it was not made from: of the 12 that it takes, 10 serve O1 (Checkout keeps merchants)",
        "'card': 10 of the 12 linked tickets and goals that say it and no phrase above are of O1",
    )
    matcher = mappings.Matcher(Mappings(rules=(Rule.model_validate(rule.rule()),)), label_prefix="okr/")
    assert [matcher.match(work, NOW).match is not None for work, _ in left] == [True, True]


def test_a_word_that_led_astray_when_tried_is_left_out() -> None:
    tied = tickets("card", "INIT-WALLETS", range(13)) + tickets("card", "INIT-TERMINAL", range(20, 27))
    sure = tickets("purse", "INIT-WALLETS", range(30, 34))
    rest = tickets("route", "INIT-TERMINAL", range(50, 90))
    left = [item("OPS-1", "A card that waits"), item("OPS-2", "A purse that waits")]
    rule = rules(*tied, *sure, *rest, *left)["wide: words of O1"]
    assert rule.when["title"] == [r"(?i)\bpurse(s|es)?\b"], "of both words 17 of 24 are not nearly all"
    assert rule.why[0].endswith("of the 4 that it takes, 4 serve O1 (Checkout keeps merchants)")
    assert "wide: words of O1" not in rules(*sure[:3], *rest, *left), "without each of three too few are left to tell"


def test_of_many_words_those_that_most_titles_say_stand_in_the_list() -> None:
    said = [f"{letter}urse" for letter in "bcdghklmnp"]
    tied = [one for n, word in enumerate(said) for one in tickets(word, "INIT-WALLETS", range(10 * n, 10 * n + 4))]
    rest = tickets("route", "INIT-TERMINAL", range(200, 440))
    left = [item(f"OPS-{n}", f"A {word} that waits") for n, word in enumerate([*said, *said[2:]])]
    titles = rules(*tied, *rest, *left)["wide: words of O1"].when["title"]
    assert titles == [rf"(?i)\b{word}(s|es)?\b" for word in said[2:]]


def test_pull_requests_of_one_ticket_make_no_case() -> None:
    tied = tickets("card", "INIT-WALLETS", range(10))
    left = item("OPS-1", "A card that waits")
    assert "wide: words of O1" in links(*tied, *REST, left)
    ruled = [(work, structs.replace(verdict, rule="cards")) for work, verdict in tied]
    assert "wide: words of O1" not in links(*ruled, *REST, left)


def test_a_word_that_agrees_only_further_up_goes_there() -> None:
    goals = objectives("Till", "Web")
    tied = tickets("card", "T0", range(4)) + tickets("card", "T1", range(10, 14))
    elsewhere = tickets("route", "D", range(50, 80))
    left = item("OPS-1", "A card that waits")
    assert links(*tied, *elsewhere, left, goals=goals)["wide: words of C"] == "C"
    assert "wide: words of T0" in links(*tied[:4], *elsewhere, left, goals=goals), "the narrowest that holds"


def test_what_a_narrow_rule_takes_is_no_case_for_a_word() -> None:
    tied = tickets("share card", "INIT-WALLETS", range(10))
    left = item("OPS-1", "A card that waits")
    narrow = Proposal(name="shares", when={"title": "share"}, link="INIT-WALLETS", why=("said",))
    assert "wide: words of O1" in rules(*tied, *REST, left)
    assert "wide: words of O1" not in rules(*tied, *REST, left, narrow=(narrow,))


def test_a_word_may_be_clear_where_no_list_before_it_takes() -> None:
    cards = tickets("till card", "INIT-WALLETS", range(12))
    tills = tickets("till", "INIT-TERMINAL", range(20, 26))
    rest = tickets("route", "INIT-TERMINAL", range(50, 62)) + tickets("page", "INIT-CHECKOUT", range(70, 82))
    waiting = [item("OPS-1", "A card that waits"), item("OPS-2", "A till that waits")]
    found = rules(*cards, *tills, *rest, *waiting)
    assert [(p.link, p.when["title"]) for p in found.values()] == [
        ("O1", [r"(?i)\bcard(s|es)?\b"]),
        ("O2", [r"(?i)\btill(s|es)?\b"]),
    ]
    said = "'till': 7 of the 8 linked tickets and goals that say it and no phrase above are of O2"
    assert found["wide: words of O2"].why[1] == said, "of 18 tickets 12 are taken before; two goals say it"


def test_wide_rules_stand_before_upkeep_of_an_area_and_behind_what_a_person_or_robot_said() -> None:
    work = [
        item("PAY-1", "Refactor the till"),
        item("PAY-2", "Wrong till", type="Bug"),
        item("PAY-3", "Bump a from 1 to 2"),
        item("PAY-4", "GDPR at the till"),
    ]
    narrow = propose(view(*work), linking.terms)
    wide = Proposal(name="wide", when={"project": "PAY"}, link="O1", why=("said",), wide=True)
    names = [p.name for p in ordered([p for p in narrow if not p.team], [wide])]
    assert names == ["dependency bumps", "audits and regulation", "bugs outside epics", "wide", "clean-up"]


def test_words_of_what_an_epic_holds_are_left_to_the_epic() -> None:
    tied = tickets("card", "INIT-WALLETS", range(10))
    below = item("OPS-1", "A card that waits", epic="OPS-7")
    assert links(*tied, *REST, below) == {}
    assert links(*tied, *REST, below, item("OPS-2", "Another card")) == {"wide: words of O1": "O1"}


def test_titles_that_few_may_read_stand_in_no_rule() -> None:
    tied = tickets("card", "INIT-WALLETS", range(10))
    left = item("OPS-1", "A card that waits", restricted=True)
    assert links(*tied, *REST, left) == {}
