"""All mapping rules, compiled once and asked of every item (DESIGN section 4, `mappings/*.yaml`)."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct

from okrsync.domain.goals import day
from okrsync.domain.links import RuleMatch, RuleMatches
from okrsync.domain.rules import Mappings, Rule, When
from okrsync.domain.work import WorkItem

from .conditions import Condition, Facts, conditions
from .patterns import PatternError

_NOTHING = RuleMatches()


class ReadyRule(Struct, frozen=True):
    rule: Rule
    conditions: tuple[Condition, ...]  # in the order in which they are told
    cheapest_first: tuple[Condition, ...]

    def holds(self, facts: Facts) -> bool:
        for condition in self.cheapest_first:  # noqa: SIM110 - a plain loop: asked for every rule of every item
            if not condition.test(facts[condition.key]):
                return False
        return True

    def in_force(self, today: date) -> bool:
        return self.rule.until is None or self.rule.until >= today

    def as_match(self, facts: Facts) -> RuleMatch:
        rule = self.rule
        words = ", ".join(condition.words(facts) for condition in self.conditions)
        return RuleMatch(rule=rule.name, link=rule.link, exempt=rule.exempt, until=rule.until, detail=words)


class Matcher:
    """Immutable. `match` may be called from anywhere, any number of times. `rules` are in the order of the files."""

    def __init__(self, mappings: Mappings, *, label_prefix: str) -> None:
        self._label_prefix = label_prefix
        self.rules = tuple(_ready(rule) for rule in mappings.rules)

    def match(self, item: WorkItem, now: datetime) -> RuleMatches:
        """What the rules say of an item; `now` is aware, expiry counts in UTC days.

        The first rule in force that links or exempts wins, separately the first that names a team. A rule that has
        expired is passed over; the first exemption and the first link among these, before the winner, are kept.
        """
        if not self.rules:
            return _NOTHING
        facts = Facts(item, now, self._label_prefix)
        today = day(now)
        found: RuleMatch | None = None
        expired: RuleMatch | None = None
        lapsed: RuleMatch | None = None
        team: str | None = None
        for ready in self.rules:
            rule = ready.rule
            decides = found is None and bool(rule.link or rule.exempt)
            names_team = team is None and rule.team is not None
            if not (decides or names_team) or not ready.holds(facts):
                continue
            if names_team:
                team = rule.team
            if decides and ready.in_force(today):
                found = ready.as_match(facts)
            elif decides and rule.exempt and expired is None:
                expired = ready.as_match(facts)
            elif decides and rule.link and lapsed is None:
                lapsed = ready.as_match(facts)
        if found is None and expired is None and lapsed is None and team is None:
            return _NOTHING
        return RuleMatches(match=found, expired=expired, lapsed=lapsed, team=team)


def compile(mappings: Mappings, *, label_prefix: str = "okr/") -> Matcher:  # noqa: A001 - reads as `mappings.compile(...)`
    """All rules made ready. Labels under `label_prefix` are okrsync's own and match nothing.

    Raises PatternError, naming rule and key, for an expression that RE2 refuses.
    """
    return Matcher(mappings, label_prefix=label_prefix)


def match(when: When, item: WorkItem, now: datetime, *, label_prefix: str = "okr/") -> str | None:
    """What of a `when` matched, in words (`project = PAY, title ~ "(?i)checkout"`), None where it does not match.

    Raises PatternError.
    """
    facts = Facts(item, now, label_prefix)
    asked = conditions(when)
    if all(condition.test(facts[condition.key]) for condition in asked):
        return ", ".join(condition.words(facts) for condition in asked)
    return None


def _ready(rule: Rule) -> ReadyRule:
    try:
        made = conditions(rule.when)
    except PatternError as error:
        raise PatternError(f"rule {rule.name!r}: {error}") from None
    return ReadyRule(rule, made, tuple(sorted(made, key=lambda condition: condition.cost)))
