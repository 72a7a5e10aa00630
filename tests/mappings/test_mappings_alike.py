"""Rules are asked once of items alike: the answer is that of a matcher that has seen no other item."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from test_mappings_matcher import NOW, ticket

from examples import examples
from okrsync import mappings
from okrsync.domain.rules import Mappings, Rule
from okrsync.domain.work import Kind

RULES = tuple(
    Rule.model_validate({"name": f"rule {n}"} | rule)
    for n, rule in enumerate(
        [
            {"when": {"labels": "old*"}, "exempt": "parity", "until": date(2026, 11, 20)},
            {"when": {"labels": {"any": ["area-*", "mobile"], "none": ["okr/O1"]}}, "link": "I1"},
            {"when": {"project": "PAY", "author": {"none": "ada"}}, "link": ["I2"], "until": date(2026, 11, 1)},
            {"when": {"title": "(?i)^upgrade", "kind": "issue"}, "exempt": "tech-debt"},
            {"when": {"draft": "true"}, "exempt": "discovery"},
            {"when": {"updated": {"older": "30d"}, "project": "WEB"}, "link": "I3", "team": "Web"},
            {"when": {"author": ["ada", "lin"]}, "team": "People"},
        ]
    )
)
an_item = st.builds(
    ticket,
    container=st.sampled_from(["PAY", "WEB", "acme/web"]),
    kind=st.sampled_from([Kind.ISSUE, Kind.PULL_REQUEST]),
    title=st.sampled_from(["Upgrade Netty", "Checkout"]),
    labels=st.lists(st.sampled_from(["area-1", "Area-2", "mobile", "old", "older", "okr/O1"]), max_size=2).map(tuple),
    author=st.sampled_from(["", "ada", "Lin"]),
    draft=st.booleans(),
    updated=st.sampled_from([NOW - timedelta(days=1), NOW - timedelta(days=60)]),
)


@given(st.lists(an_item, min_size=2, max_size=12), st.permutations(RULES), st.sampled_from(["okr/", ""]))
@examples(150)
def test_what_was_seen_before_changes_no_answer(items, rules, prefix):
    given_rules = Mappings(rules=tuple(rules))
    one = mappings.compile(given_rules, label_prefix=prefix)
    for now in (NOW, NOW + timedelta(days=1)):
        for item in items:
            assert one.match(item, now) == mappings.compile(given_rules, label_prefix=prefix).match(item, now)
