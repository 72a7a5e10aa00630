"""All mapping rules, compiled once and asked of every item (DESIGN section 4, `mappings/*.yaml`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from itertools import compress, count, repeat
from operator import and_, attrgetter, is_
from typing import Any, TypeVar, cast

from msgspec import Struct

from okrsync.domain.goals import day
from okrsync.domain.links import NO_MATCH, RuleMatch, RuleMatches
from okrsync.domain.rules import Mappings, Rule, When
from okrsync.domain.work import WorkItem

from .conditions import Condition, Facts, Values, column_of, conditions, fields_of, is_shared
from .patterns import PatternError

_MOST_KNOWN = 100_000  # past that all is forgotten: strangers choose the values
_K = TypeVar("_K")
_V = TypeVar("_V")


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


class _Column(Struct, frozen=True):
    """One key that rules ask for and under which many items hold the same. `asking` are those, as bits, with
    their conditions; `others` are the rules that do not ask for it, `known` those that an item may match by what it
    holds there."""

    key: str
    held: Callable[[WorkItem], Any]
    asking: tuple[tuple[int, Condition], ...]
    others: int
    known: dict[Any, int]


class _Alike(Struct, frozen=True):
    """Rules that items may match by what they share with others. `asking` are those, as bits, that also ask for what
    every item has for itself, with these conditions. `held` is what all these rules ask for of what is shared, and
    `answers` what they say of items that hold the same and match all of them; `varied`: that depends on more."""

    rules: tuple[ReadyRule, ...]
    asking: tuple[tuple[int, tuple[Condition, ...]], ...]
    held: Callable[[WorkItem], Any]
    answers: dict[Any, RuleMatches]
    varied: bool


class Matcher:
    """`match` may be called any number of times. `rules` are in the order of the files; `fields` are those of an item
    that they ask for."""

    def __init__(self, mappings: Mappings, *, label_prefix: str) -> None:
        self._label_prefix = label_prefix
        self.rules = tuple(_ready(rule) for rule in mappings.rules)
        self.fields = _fields(self.rules)
        shared = dict.fromkeys(c.key for rule in self.rules for c in rule.conditions if is_shared(c.key))
        self._columns = tuple(map(self._column, shared))
        self._alike: dict[int, _Alike] = {}
        self._day: tuple[datetime, date] | None = None

    def match(self, item: WorkItem, now: datetime) -> RuleMatches:
        """What the rules say of an item; `now` is aware, expiry counts in UTC days.

        The first rule in force that links or exempts wins, separately the first that names a team. A rule that has
        expired is passed over; the first exemption and the first link among these, before the winner, are kept.
        """
        candidates = (1 << len(self.rules)) - 1
        for column in self._columns:
            value = column.held(item)
            rules = column.known.get(value)
            candidates &= self._learn(column, value, item, now) if rules is None else rules
            if not candidates:
                return NO_MATCH
        alike = self._alike.get(candidates) or self._gather(candidates)
        if alike.asking:
            facts = Facts(item, now, self._label_prefix)
            for bit, conditions in alike.asking:
                for condition in conditions:
                    if not condition.test(facts[condition.key]):
                        candidates -= bit
                        break
        return self._answer(candidates, item, now) if candidates else NO_MATCH

    def match_all(self, items: Sequence[WorkItem], now: datetime) -> list[RuleMatches]:
        """`match` of each of these, in less time; more than some thousands at once need memory."""
        candidates: Iterable[int] = repeat((1 << len(self.rules)) - 1, len(items))
        for column in self._columns:
            candidates = map(and_, candidates, self._known(column, items, now))
        answers = [NO_MATCH] * len(items)
        for bits, offsets in _places_of(candidates).items():
            if alike := bits and (self._alike.get(bits) or self._gather(bits)):
                some = [items[offset] for offset in offsets]
                for offset, item, matching in zip(offsets, some, self._narrowed(bits, alike, some, now), strict=True):
                    if matching:
                        answers[offset] = self._answer(matching, item, now)
        return answers

    def _known(self, column: _Column, items: Sequence[WorkItem], now: datetime) -> list[int]:
        """Of each item the rules, as bits, that it may match by what it holds there."""
        values = list(map(column.held, items))
        known = column.known.get
        rules = list(map(known, values))
        for offset in compress(count(), map(is_, rules, repeat(None))):
            learned = known(value := values[offset])  # since then
            rules[offset] = self._learn(column, value, items[offset], now) if learned is None else learned
        return cast("list[int]", rules)

    def _narrowed(self, bits: int, alike: _Alike, items: Sequence[WorkItem], now: datetime) -> list[int]:
        """Of each of these items, all of which may match the same rules, those that it does match."""
        matching = [bits - sum(bit for bit, _ in alike.asking)] * len(items)
        columns: dict[str, list[Values]] = {}
        for bit, own in alike.asking:
            holding: Sequence[int] = range(len(items))
            for condition in own:
                key, test = condition.key, condition.test
                if key not in columns and len(holding) == len(items):
                    columns[key] = column_of(key, items, now)
                if key in columns:
                    values = columns[key]
                    holding = [n for n in holding if test(values[n])]
                else:  # of most it is not asked: texts may be long
                    few = column_of(key, [items[n] for n in holding], now)
                    holding = [n for n, held in zip(holding, few, strict=True) if test(held)]
            for n in holding:
                matching[n] += bit
        return matching

    def _answer(self, matching: int, item: WorkItem, now: datetime) -> RuleMatches:
        """What these rules say, which all match."""
        alike = self._alike.get(matching) or self._gather(matching)
        if self._day is None or self._day[0] is not now:
            self._day = now, day(now)
        today = self._day[1]
        if alike.varied:
            return self._match(alike.rules, Facts(item, now, self._label_prefix), today)
        key = today, alike.held(item)
        answer = alike.answers.get(key)
        if answer is None:
            answer = self._match(alike.rules, Facts(item, now, self._label_prefix), today)
            _remember(alike.answers, key, answer)
        return answer

    def _column(self, key: str) -> _Column:
        asking = {1 << n: c for n, rule in enumerate(self.rules) for c in rule.conditions if c.key == key}
        others = (1 << len(self.rules)) - 1 - sum(asking)
        return _Column(key, attrgetter(*fields_of(key)), tuple(asking.items()), others, {})

    def _learn(self, column: _Column, value: Any, item: WorkItem, now: datetime) -> int:
        values = Facts(item, now, self._label_prefix)[column.key]
        bits = column.others
        for bit, condition in column.asking:
            if condition.test(values):
                bits += bit
        _remember(column.known, value, bits)
        return bits

    def _gather(self, candidates: int) -> _Alike:
        chosen = {1 << n: rule for n, rule in enumerate(self.rules) if candidates >> n & 1}
        own = {bit: tuple(c for c in rule.cheapest_first if not is_shared(c.key)) for bit, rule in chosen.items()}
        asking = tuple((bit, conditions) for bit, conditions in own.items() if conditions)
        fields = {f for rule in chosen.values() for c in rule.conditions if is_shared(c.key) for f in fields_of(c.key)}
        held = attrgetter(*sorted(fields)) if fields else _nothing
        varied = not all(c.one_way for conditions in own.values() for c in conditions)
        alike = _Alike(tuple(chosen.values()), asking, held, {}, varied)
        _remember(self._alike, candidates, alike)
        return alike

    def _match(self, rules: Iterable[ReadyRule], facts: Facts, today: date) -> RuleMatches:
        found: RuleMatch | None = None
        expired: RuleMatch | None = None
        lapsed: RuleMatch | None = None
        team: str | None = None
        for ready in rules:
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
            return NO_MATCH
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


def _places_of(values: Iterable[int]) -> dict[int, list[int]]:
    """The offsets of each."""
    found: dict[int, list[int]] = {}
    for offset, value in enumerate(values):
        places = found.get(value)
        if places is None:
            found[value] = [offset]
        else:
            places.append(offset)
    return found


def _remember(known: dict[_K, _V], key: _K, value: _V) -> None:
    if len(known) == _MOST_KNOWN:
        known.clear()
    known[key] = value


def _nothing(_item: WorkItem) -> None:
    pass


def _fields(rules: Iterable[ReadyRule]) -> tuple[str, ...]:
    return tuple(sorted({field for rule in rules for c in rule.conditions for field in fields_of(c.key)}))


def _ready(rule: Rule) -> ReadyRule:
    try:
        made = conditions(rule.when)
    except PatternError as error:
        raise PatternError(f"rule {rule.name!r}: {error}") from None
    return ReadyRule(rule, made, tuple(sorted(made, key=lambda condition: condition.cost)))
