"""The rule language: every key of `when`, globs and expressions, first match, expiry."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from okrsync import mappings
from okrsync.domain.links import RuleMatches
from okrsync.domain.rules import Mappings, Rule, When
from okrsync.domain.work import Kind, WorkItem

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def ticket(**changes):
    fields = {
        "id": "jira:PAY-1",
        "uid": "jira:1",
        "connector": "jira",
        "key": "PAY-1",
        "container": "PAY",
        "kind": Kind.EPIC,
        "title": "One-page Checkout",
        "url": "",
        "created": NOW - timedelta(days=100),
        "updated": NOW - timedelta(days=10),
        "body": "first line\nsecond line",
        "type": "Epic",
        "status": "In Progress",
        "labels": ("Checkout-UI", "mobile"),
        "components": ("web", "api"),
        "author": "Ada Park",
        "assignee": "",
        "priority": "High",
        "epic": "PAY-9",
        "team": "Payments",
    }
    return WorkItem(**(fields | changes))


def pull(**changes):
    fields = {
        "id": "github:acme/web#1",
        "uid": "github:1",
        "connector": "github",
        "key": "acme/web#1",
        "container": "Acme/Web",
        "kind": Kind.PULL_REQUEST,
        "title": "Bump x",
        "type": "Pull Request",
        "status": "open",
        "branch": "dependabot/npm/x-1.2",
        "author": "dependabot[bot]",
        "author_type": "bot",
        "milestone": "v2.0",
        "draft": True,
        "epic": "",
        "team": "",
        "priority": "",
        "components": (),
    }
    return ticket(**(fields | changes))


def words(when, item, **more):
    return mappings.match(When.model_validate(when), item, NOW, **more)


@pytest.mark.parametrize(
    "when",
    [
        {"connector": "jira"},
        {"project": "pay"},
        {"project": ["WEB", "P?Y"]},
        {"type": ["Story", "epic"]},
        {"kind": "epic"},
        {"status": "in *"},
        {"state": "open"},
        {"labels": "checkout-*"},
        {"labels": {"all": ["checkout-ui", "MOBILE"]}},
        {"labels": {"any": ["mobile"], "none": ["wip", "no-*"]}},
        {"components": "api"},
        {"author": "ada park"},
        {"author_type": "user"},
        {"assignee": {"none": "*"}},
        {"priority": "h*h"},
        {"title": "(?i)checkout"},
        {"title": {"all": ["One", "page"], "none": ["^Bump"]}},
        {"body": "second"},
        {"epic": "PAY-9"},
        {"team": "payments"},
        {"created": {"older": "90d", "newer": "180d"}},
        {"created": {"older": "100d"}},
        {"updated": {"newer": "30d"}},
        {"repo": {"none": "acme/*"}},
        {"branch": {"none": ".*"}},
        {"milestone": {"none": "*"}},
        {"draft": {"none": ["true"]}},
    ],
    ids=str,
)
def test_what_matches_a_ticket(when):
    assert words(when, ticket())


@pytest.mark.parametrize(
    "when",
    [
        {"connector": "jir"},
        {"project": "PA"},
        {"repo": "*"},
        {"branch": ""},
        {"draft": False},
        {"labels": {"all": ["mobile", "web"]}},
        {"labels": {"any": ["mobile"], "none": ["checkout-*"]}},
        {"labels": "checkout"},
        {"title": "checkout"},
        {"title": "^page"},
        {"body": "line.second"},
        {"assignee": "*"},
        {"created": {"older": "101d"}},
        {"created": {"newer": "100d"}},
        {"updated": {"older": "5d", "newer": "9d"}},
        {"project": "PAY", "type": "Story"},
    ],
    ids=str,
)
def test_what_misses_a_ticket(when):
    assert words(when, ticket()) is None


def test_pull_requests():
    for when in (
        {"repo": "acme/web"},
        {"repo": "WEB"},
        {"repo": "w*"},
        {"repo": "ac?e/*"},
        {"author": "dependabot[bot]"},
        {"author": "*[bot]"},
        {"draft": True},
        {"branch": "^dependabot/"},
        {"milestone": "v2.0"},
        {"project": {"none": ["*"]}},
    ):
        assert words(when, pull()), when
    for when in (
        {"repo": "acme*"},
        {"repo": "acme"},
        {"author": "dependabot[both]"},
        {"draft": "false"},
        {"project": "*"},
    ):
        assert words(when, pull()) is None, when
    assert words({"author": "dependabot[bot]"}, pull(author="dependabotb")) is None
    assert words({"milestone": "v2.0"}, pull(milestone="v2x0")) is None


def test_a_line_of_a_body_ends_where_people_see_it_end():
    for end in ("\n", "\r\n"):
        assert words({"body": "(?m)^Area: web$"}, pull(body=f"What{end}Area: web{end}Why")), repr(end)


def test_what_matched_is_told_in_words():
    when = {
        "project": "pa*",
        "labels": {"any": ["mobile"], "none": ["wip", "x"]},
        "title": "(?i)checkout",
        "created": {"older": "90d"},
    }
    assert words(when, ticket()) == (
        'project = PAY, labels = mobile, labels is none of wip, x, title ~ "(?i)checkout", created older than 90d'
    )


def test_labels_of_okrsync_are_never_evidence():
    item = ticket(labels=("okr/O1", "OKR/unlinked"))
    assert words({"labels": "okr/*"}, item) is None
    assert words({"labels": {"none": ["okr/*"]}}, item)
    assert words({"labels": "okr/*"}, item, label_prefix="goals/")


def test_text_of_any_kind_is_safe():
    item = ticket(title="\x00 emoji 🎉 ẞ \u202e \ud800", labels=("straße", "\ud800", ""))
    assert words({"title": "🎉 ẞ"}, item)
    assert words({"labels": "STRASSE"}, item)
    assert words({"labels": "STR*E"}, item)
    assert words({"labels": "x?y"}, item) is None


def rules(*given, today=NOW):
    matcher = mappings.compile(Mappings(rules=tuple(Rule.model_validate(g) for g in given)))
    return matcher.match(ticket(), today)


HERE = {"project": "PAY"}


def test_the_first_rule_in_force_wins_and_team_is_told_apart():
    said = rules(
        {"name": "other", "when": {"project": "WEB"}, "link": "I-0"},
        {"name": "team", "when": HERE, "team": "Payments"},
        {"name": "links", "when": HERE, "link": ["I-1", "I-2"], "until": date(2026, 11, 20)},
        {"name": "later", "when": HERE, "exempt": "parity", "team": "Others"},
    )
    assert said.match is not None
    assert (said.match.rule, said.match.link, said.match.detail) == ("links", ("I-1", "I-2"), "project = PAY")
    assert (said.team, said.expired) == ("Payments", None)


def test_an_expired_exemption_is_passed_over_and_remembered():
    expired = {"name": "first", "when": HERE, "exempt": "parity", "until": date(2026, 11, 19)}
    said = rules(
        {"name": "ended link", "when": HERE, "link": "I-1", "until": date(2026, 1, 1)},
        expired,
        expired | {"name": "second"},
        {"name": "now", "when": HERE, "exempt": "compliance"},
        expired | {"name": "after"},
    )
    assert (said.match.exempt, said.expired.rule, said.expired.until) == ("compliance", "first", date(2026, 11, 19))
    assert (said.lapsed.rule, said.lapsed.link) == ("ended link", ("I-1",))
    alone = rules(expired)
    assert (alone.match, alone.expired.exempt) == (None, "parity")
    assert rules(expired, {"name": "x", "when": HERE, "link": "I-1"}, expired | {"name": "y"}).expired.rule == "first"
    assert rules({"name": "x", "when": HERE, "link": "I-1"}, expired).expired is None


def test_until_ends_with_the_day_in_utc():
    until = {"name": "x", "when": HERE, "exempt": "parity", "until": date(2026, 11, 20)}
    assert rules(until, today=datetime(2026, 11, 20, 23, 59, tzinfo=UTC)).match
    assert rules(until, today=datetime(2026, 11, 21, tzinfo=UTC)).match is None


def test_nothing_matches_nothing():
    assert rules() == rules({"name": "x", "when": {"project": "WEB"}, "link": "I"}) == RuleMatches()


@pytest.mark.parametrize("pattern", ["(", "(?=x)", "a{2000}", r"(a)\1"])
def test_an_expression_that_re2_refuses_names_its_rule(pattern):
    broken = Rule.model_validate({"name": "mine", "when": {"title": pattern}, "link": "I"})
    with pytest.raises(mappings.PatternError, match=r"rule 'mine': title: .* is no RE2 expression: \w+"):
        mappings.compile(Mappings(rules=(broken,)))


def test_hostile_expressions_and_globs_take_linear_time():
    text = "a" * 100_000
    started = time.process_time()
    assert words({"title": "(a+)+$x"}, ticket(title=text)) is None
    assert words({"labels": "*a" * 30 + "b"}, ticket(labels=(text,))) is None
    assert time.process_time() - started < 5


def naive(pattern, value):
    """Globs by dynamic programming."""
    row = [True] + [False] * len(value)
    for p in pattern.casefold():
        fresh = [row[0] and p == "*"]
        for n, c in enumerate(value.casefold(), 1):
            fresh.append(row[n] or fresh[n - 1] if p == "*" else row[n - 1] and (p in ("?", c)))
        row = fresh
    return row[-1]


@given(st.text("aB[.*?", min_size=1, max_size=8), st.text("Ab[.\n", min_size=1, max_size=8))
@examples(300)
def test_globs_mean_what_they_say(pattern, value):
    assert (words({"labels": [pattern]}, ticket(labels=(value,))) is not None) == naive(pattern, value)


def test_many_items_and_rules_are_matched_in_seconds():
    given = [{"when": {"project": f"P{n}", "labels": "x*"}} for n in range(12)]
    given += [{"when": {"title": f"(?i)word{n}"}} for n in range(8)]
    made = tuple(Rule.model_validate({"name": str(n), "link": "I"} | g) for n, g in enumerate(given))
    matcher = mappings.compile(Mappings(rules=made))
    items = [ticket(title=f"title {n}") for n in range(20_000)]
    started = time.process_time()
    for item in items:
        matcher.match(item, NOW)
    assert time.process_time() - started < 10  # takes about one; whatever is not linear takes minutes
