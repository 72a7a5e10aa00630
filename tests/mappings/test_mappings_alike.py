"""Rules are asked once of items alike: the answer is that of each rule, asked of each item by itself."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from test_mappings_matcher import NOW, ticket

from examples import examples
from okrsync import mappings
from okrsync.domain.links import RuleMatch, RuleMatches
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
            {"when": {"title": ["netty", "(?i)check"], "body": {"none": "why$"}}, "link": "I4"},
            {
                "when": {"branch": "main", "components": {"all": ["a*", "ab"], "none": "z"}},
                "link": "I5",
                "team": "Main",
            },
            {
                "when": {"milestone": {"none": "later"}, "repo": "web"},
                "exempt": "compliance",
                "until": date(2026, 1, 1),
            },
            {"when": {"title": {"any": "e", "none": "x"}, "created": {"newer": "3d"}}, "link": ["I6", "I1"]},
        ]
    )
)
an_item = st.builds(
    ticket,
    container=st.sampled_from(["PAY", "WEB", "acme/web"]),
    kind=st.sampled_from([Kind.ISSUE, Kind.PULL_REQUEST]),
    title=st.sampled_from(["Upgrade Netty", "Checkout", "netty x", "", "upgrade \udc80"]),
    body=st.sampled_from(["", "this is why", "why\nnot"]),
    branch=st.sampled_from(["", "main"]),
    components=st.sampled_from([(), ("AB",), ("ab", "z"), ("a",)]),
    milestone=st.sampled_from(["", "Later", "M1"]),
    created=st.sampled_from([NOW - timedelta(days=2), NOW - timedelta(days=60)]),
    labels=st.lists(st.sampled_from(["area-1", "Area-2", "mobile", "old", "older", "okr/O1"]), max_size=2).map(tuple),
    author=st.sampled_from(["", "ada", "Lin"]),
    draft=st.booleans(),
    updated=st.sampled_from([NOW - timedelta(days=1), NOW - timedelta(days=60)]),
)


def plain(rules, item, now, prefix):
    """DESIGN section 4 word for word: each rule in its order."""
    found = expired = lapsed = team = None
    for rule in rules:
        said = mappings.match(rule.when, item, now, label_prefix=prefix)
        if said is None:
            continue
        if team is None:
            team = rule.team
        if found is not None or not (rule.link or rule.exempt):
            continue
        match = RuleMatch(rule=rule.name, link=rule.link, exempt=rule.exempt, until=rule.until, detail=said)
        if rule.until is None or rule.until >= now.date():
            found = match
        elif rule.exempt:
            expired = expired or match
        else:
            lapsed = lapsed or match
    return RuleMatches(match=found, expired=expired, lapsed=lapsed, team=team)


@given(
    st.lists(an_item, min_size=2, max_size=12),
    st.permutations(RULES),
    st.integers(0, len(RULES)),
    st.sampled_from(["okr/", ""]),
)
@examples(300)
def test_rules_say_what_they_say_of_each_item_alone_one_by_one(items, rules, number, prefix):
    rules = rules[:number]
    matcher = mappings.compile(Mappings(rules=tuple(rules)), label_prefix=prefix)
    for now in (NOW, NOW + timedelta(days=1)):
        expected = [plain(rules, item, now, prefix) for item in items]
        assert matcher.match_all(items, now) == expected
        assert [matcher.match(item, now) for item in items] == expected
    assert matcher.match_all([], NOW) == []


def test_of_several_expressions_each_item_is_told_the_one_that_found_it():
    rule = {"name": "r", "when": {"title": ["netty", "(?i)check"]}, "link": "I1"}
    matcher = mappings.compile(Mappings(rules=(Rule.model_validate(rule),)))
    answers = matcher.match_all([ticket(title="netty"), ticket(title="Checkout")], NOW)
    assert [answer.match.detail for answer in answers] == ['title ~ "netty"', 'title ~ "(?i)check"']
