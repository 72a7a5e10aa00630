"""OKR410 exemption-over-budget."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from findings.goal_world import aligned, closed, goals, item, view
from okrsync.domain.settings import RulesSettings
from okrsync.findings import evaluate


def found(budgets, exempt, other, *more):
    """`exempt` open items exempt as tech-debt, `other` linked ones."""
    work = [(item(f"jira:T-{n}"), aligned("exempt", exempt_class="tech-debt", rule="old code")) for n in range(exempt)]
    work += [(item(f"jira:L-{n}"), aligned("linked")) for n in range(other)]
    seen = replace(view(goals({}), *work, *more), budgets=budgets)
    return [f for f in evaluate(seen, RulesSettings()) if f.code == "OKR410"]


@pytest.mark.parametrize(
    ("exempt", "other", "over"),
    [(4, 16, False), (5, 15, True), (20, 0, True), (0, 20, False), (1, 4, False), (2, 3, True), (0, 0, False)],
)
def test_more_than_the_share_is_over(exempt, other, over):
    assert bool(found({"tech-debt": 0.2}, exempt, other)) is over


@pytest.mark.parametrize("percent", [7, 29, 57, 58])
def test_exactly_the_share_is_not_over(percent):
    assert found({"tech-debt": percent / 100}, percent, 100 - percent) == []
    assert found({"tech-debt": percent / 100}, percent + 1, 99 - percent)


def test_it_says_how_much_and_by_which_rules():
    (finding,) = found({"tech-debt": 0.2, "parity": 0.5}, 5, 15)
    assert finding.subject.id == "exempt:tech-debt"
    assert finding.message == "5 of 20 open items (25%) are exempt as tech-debt, over its budget of 20%."
    assert "'old code' in mappings/" in finding.remedy
    assert finding.evidence == {"class": "tech-debt", "budget": 0.2, "exempt": 5, "open": 20, "rules": ["old code"]}


def test_only_open_work_that_is_known_counts():
    more = [(closed(f"jira:C-{n}", date(2026, 11, 1)), aligned("exempt", exempt_class="tech-debt")) for n in range(9)]
    more += [(item(f"jira:U-{n}"), aligned("unknown")) for n in range(9)]
    assert found({"tech-debt": 0.2}, 4, 16, *more) == []
    assert found({}, 20, 0) == []
    assert [f.evidence["open"] for f in found({"tech-debt": 0}, 1, 19, *more)] == [20]


@given(st.integers(0, 30), st.integers(0, 30), st.floats(0, 1))
def test_a_larger_budget_never_says_more(exempt, other, budget):
    if found({"tech-debt": min(1.0, budget + 0.1)}, exempt, other):
        assert found({"tech-debt": budget}, exempt, other)
