"""What rules catch: unused, unreachable and too wide ones are told; `check` and `explain --rule`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_mappings_matcher import NOW, ticket

from examples import examples
from okrsync import mappings
from okrsync.domain.rules import Mappings, Rule
from product import Product, story


def made(*rules):
    return Mappings(rules=tuple(Rule.model_validate({"name": f"r{n}"} | r) for n, r in enumerate(rules)))


def work(number, **changes):
    return [ticket(id=f"jira:PAY-{n}", **changes) for n in range(number)]


def told(items, *rules):
    return [*mappings.remarks(mappings.coverage(made(*rules), items, NOW), len(items))]


PAY = {"project": "PAY"}


def test_what_is_odd_about_rules_is_told_from_the_work():
    items = work(30)
    wide = {"when": PAY, "link": "INIT-1"}
    assert told(items, wide) == [
        "rule 'r0' takes 30 of the 30 open items; narrow `when`, else it hides what nobody has thought about"
    ]
    assert told(items, {"when": PAY, "team": "T"}) == [], "a team may well do all of it"
    assert told(items, {"when": {"project": "WEB"}, "link": "I"}) == [
        "rule 'r0' matches none of the 30 open items; correct `when` or take it out"
    ]
    assert told(items, {"when": {"project": "WEB"}, "link": "I", "until": date(2026, 1, 1)})[0].startswith(
        "rule 'r0' ended on 2026-01-01 and matches none"
    )
    assert (
        "rule 'r1' is never reached: all that it matches is taken by 'r0' before it"
        in told(items, wide, {"when": {"title": "Checkout"}, "exempt": "parity"})[1]
    )
    assert told(items, {"when": PAY, "exempt": "parity", "until": date(2026, 1, 1)}) == [], "OKR105 tells of it"
    assert told(items[:19], wide) == [], "too little to tell"


@pytest.mark.parametrize(
    ("first", "second", "never"),
    [
        ({"when": PAY, "link": "I"}, {"when": PAY | {"labels": "x"}, "exempt": "parity"}, True),
        ({"when": {"project": ["pay", "WEB"]}, "link": "I"}, {"when": PAY, "link": "J"}, True),
        ({"when": {"project": "*"}, "link": "I"}, {"when": PAY, "link": "J"}, True),
        ({"when": {"title": "a"}, "link": "I"}, {"when": {"title": "a"}, "link": "J"}, True),
        ({"when": PAY, "team": "T"}, {"when": PAY, "team": "U"}, True),
        ({"when": PAY, "link": "I"}, {"when": PAY, "team": "T"}, False),
        ({"when": PAY, "team": "T"}, {"when": PAY, "link": "I"}, False),
        ({"when": PAY, "link": "I"}, {"when": PAY, "link": "J", "team": "T"}, False),
        ({"when": PAY, "link": "I", "until": date(2026, 12, 1)}, {"when": PAY, "link": "J"}, False),
        ({"when": PAY | {"labels": "x"}, "link": "I"}, {"when": PAY, "link": "J"}, False),
        ({"when": {"title": "a"}, "link": "I"}, {"when": {"title": "ab"}, "link": "J"}, False),
        ({"when": PAY, "link": "I"}, {"when": {"project": "P*"}, "link": "J"}, False),
        ({"when": {"labels": {"none": ["x"]}}, "link": "I"}, {"when": PAY, "link": "J"}, False),
        (
            {"when": {"labels": {"any": ["x"], "none": ["y"]}}, "link": "I"},
            {"when": {"labels": "x"}, "link": "J"},
            False,
        ),
    ],
)
def test_unreachable_is_said_without_work_only_where_it_is_certain(first, second, never):
    assert ("r1" in mappings.unreachable(made(first, second))) is never


some_when = st.fixed_dictionaries(
    {},
    optional={
        "project": st.sampled_from(["PAY", "WEB", "*", ["PAY", "WEB"]]),
        "labels": st.sampled_from(
            ["mobile", "x", {"all": ["mobile", "checkout-ui"]}, {"none": ["x"]}, ["x", "mobile"]]
        ),
        "title": st.sampled_from(["Checkout", "Bump"]),
    },
).filter(bool)
some_rule = st.builds(
    lambda when, does: {"when": when} | does,
    some_when,
    st.sampled_from([{"link": "I"}, {"exempt": "parity"}, {"team": "T"}, {"link": "I", "team": "T"}]),
)
some_items = st.lists(
    st.builds(
        lambda n, project, labels, title: ticket(id=f"jira:{n}", container=project, labels=labels, title=title),
        st.integers(0, 50),
        st.sampled_from(["PAY", "WEB"]),
        st.sampled_from([("x",), ("Mobile",), ("mobile", "Checkout-UI"), ()]),
        st.sampled_from(["Checkout", "Bump x"]),
    ),
    max_size=6,
    unique_by=lambda item: item.id,
)


@given(st.lists(some_rule, min_size=1, max_size=5), some_items)
@examples(150)
def test_coverage_agrees_with_the_matcher_and_the_unreachable_take_nothing(rules, items):
    workspace = made(*rules)
    matcher = mappings.compile(workspace)
    uses = {use.rule.name: use for use in mappings.coverage(workspace, items, NOW)}
    for item in items:
        said = matcher.match(item, NOW)
        if said.match:
            assert uses[said.match.rule].matches[item.id] == said.match.rule
        assert bool(said.match or said.team) == any(u.matches.get(item.id) for u in uses.values())
    assert not any(uses[name].takes for name in mappings.unreachable(workspace))


def test_check_and_explain_tell_what_the_rules_do_with_the_work_held(tmp_path: Path) -> None:
    clock, sandbox = story()
    with sandbox:
        product = Product(tmp_path / "workspace", sandbox, clock)
        extra = product.root / "mappings" / "40-extra.yaml"
        extra.write_text(
            "rules:\n  - {name: nothing, when: {title: never-said}, link: INIT-CHECKOUT}\n"
            "  - {name: late, when: {connector: jira, type: Bug, title: x}, exempt: parity}\n"
            "  - name: by id\n    when: {project: PAY}\n    team: Payments\n    examples: {matches: ['jira:PAY-1']}\n",
            "utf-8",
        )
        before = product.run("check")
        assert before.exit == 0, before
        assert "rule 'late' is never reached: 'bugs keep the lights on' stands before it" in before.err
        assert "'nothing'" not in before.err, "nothing is held yet"
        assert not [*product.root.glob("*.db")], "check makes no store"

        assert product.run("pull").exit == 0
        assert "rule 'nothing' matches none of the" in product.run("check").err
        extra.write_text(extra.read_text("utf-8").replace("matches: ['jira:PAY-1']", "misses: ['jira:PAY-1']"), "utf-8")
        wrong = product.run("check")
        assert wrong.exit == 2
        assert "mappings/40-extra.yaml:7: rule 'by id' should miss this and matches it" in wrong.err

        data = product.run("explain", "--rule", "Bugs keep the lights on", "--format", "json").json
        assert (data["rule"], data["exempt"], data["in_force"]) == (
            "bugs keep the lights on",
            "operational-health",
            True,
        )
        assert data["takes"] == data["matches"] == len(data["items"]) > 0
        assert all(item["taken_by"] == data["rule"] for item in data["items"])
        text = product.run("explain", "--rule", "bugs keep the lights on").out
        assert "exempts as operational-health" in text
        assert f"matches {data['matches']} of {data['open']} open items" in text
        assert data["items"][0]["id"] in text

        unknown = product.run("explain", "--rule", "bugs keep the light on")
        assert (unknown.exit, "did you mean 'bugs keep the lights on'" in unknown.err) == (2, True)
        for args in ((), ("jira:PAY-1", "--rule", "late")):
            refused = product.run("explain", *args)
            assert (refused.exit, "an ID, or --rule NAME" in refused.err) == (2, True)
