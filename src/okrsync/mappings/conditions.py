"""One key of a `when`, made ready to be asked of many items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from msgspec import Struct

from okrsync.domain.rules import Age, AnyAllNone, When
from okrsync.domain.text import format_duration
from okrsync.domain.work import Kind, WorkItem

from .patterns import PatternError, encoded, folded, glob, is_literal, search

Values = tuple[Any, ...]
Test = Callable[[Any], bool]


def _given(value: str) -> tuple[str, ...]:
    return (value,) if value else ()


# What an item holds under a key. A key that does not apply to an item, and an empty value, hold nothing:
# nothing matches then, and `none` does. Title and body are always there, empty or not.
_READ: dict[str, Callable[[WorkItem], tuple[str, ...]]] = {
    "connector": lambda i: _given(i.connector),
    "repo": lambda i: (i.container,) if "/" in i.container else (),
    "project": lambda i: _given(i.container) if "/" not in i.container else (),
    "type": lambda i: _given(i.type),
    "kind": lambda i: (i.kind.value,),
    "status": lambda i: _given(i.status),
    "state": lambda i: _given(i.state),
    "draft": lambda i: ("true" if i.draft else "false",) if i.kind is Kind.PULL_REQUEST else (),
    "labels": lambda i: i.labels,
    "components": lambda i: i.components,
    "milestone": lambda i: _given(i.milestone),
    "author": lambda i: _given(i.author),
    "author_type": lambda i: _given(i.author_type),
    "assignee": lambda i: _given(i.assignee),
    "priority": lambda i: _given(i.priority),
    "title": lambda i: (i.title,),
    # GitHub's text fields end lines in CRLF, before which `$` finds no end of a line
    "body": lambda i: (i.body.replace("\r\n", "\n") if "\r" in i.body else i.body,),
    "branch": lambda i: _given(i.branch),
    "epic": lambda i: _given(i.epic),
    "team": lambda i: _given(i.team),
}
_ALWAYS = frozenset({"title", "body"})
_SEARCHED = _ALWAYS | {"branch"}
_AGES = frozenset({"created", "updated"})
_FIELDS = {"repo": ("container",), "project": ("container",), "draft": ("draft", "kind")}


def fields_of(key: str) -> tuple[str, ...]:
    """The fields of an item that a key of `When` asks for."""
    return _FIELDS.get(key, (key,))


def is_shared(key: str) -> bool:
    """Whether many items have the same value under a key; every title and every age is another."""
    return key not in _SEARCHED and key not in _AGES


class Facts(dict[str, Values]):
    """An item's values by key of `When`, made ready for the tests when first asked for.

    `now` is aware; ages are measured from it. Labels under `label_prefix` are okrsync's own and never evidence.
    """

    def __init__(self, item: WorkItem, now: datetime, label_prefix: str) -> None:
        # an empty dictionary needs no initialisation; one is made for most items
        self._item = item
        self._now = now
        self._label_prefix = label_prefix

    def __missing__(self, key: str) -> Values:
        if key in _AGES:
            values: Values = (self._now - (self._item.created if key == "created" else self._item.updated),)
        else:
            values = tuple(map(encoded if key in _SEARCHED else folded, self.raw(key)))
        self[key] = values
        return values

    def raw(self, key: str) -> tuple[str, ...]:
        """The values as the tracker spells them."""
        values = _READ[key](self._item)
        if key == "labels" and self._label_prefix:
            prefix = self._label_prefix.casefold()
            return tuple(v for v in values if not v.casefold().startswith(prefix))
        return values


def column_of(key: str, items: Iterable[WorkItem], now: datetime) -> list[Values]:
    """`Facts` under a key that is not shared, of many items."""
    if key in _AGES:
        moment = attrgetter(key)
        return [(now - moment(item),) for item in items]
    read = _READ[key]
    return [tuple(map(encoded, read(item))) for item in items]


class Condition(Struct, frozen=True, kw_only=True):
    """`cost`: 0 for look-ups, 1 for globs, 2 for expressions; the cheap ones are asked first.

    `test` takes `facts[key]`; `words` tells what matched and is asked only where `test` holds; `one_way`: it tells the
    same whatever did.
    """

    key: str
    cost: int
    test: Test
    words: Callable[[Facts], str]
    one_way: bool


def conditions(when: When) -> tuple[Condition, ...]:
    """In the order of the keys of `When`. Raises PatternError."""
    made = []
    for key in type(when).model_fields:
        wanted = getattr(when, key)
        if isinstance(wanted, Age):
            made.append(_age(key, wanted))
        elif isinstance(wanted, AnyAllNone):
            made.append(_values(key, wanted))
    return tuple(made)


def _age(key: str, wanted: Age) -> Condition:
    def test(values: Values) -> bool:
        age: timedelta = values[0]
        return (wanted.older is None or age >= wanted.older) and (wanted.newer is None or age < wanted.newer)

    limits = (("older", wanted.older), ("newer", wanted.newer))
    said = " and ".join(f"{word} than {format_duration(limit)}" for word, limit in limits if limit is not None)
    return Condition(key=key, cost=0, test=test, words=lambda _facts: f"{key} {said}", one_way=True)


def _values(key: str, wanted: AnyAllNone) -> Condition:
    tests = {pattern: _test(key, pattern) for pattern in (*wanted.any, *wanted.all, *wanted.none)}
    parts = [_some(key, wanted.any, tests)] if wanted.any else []
    parts += [_some(key, (pattern,), tests) for pattern in wanted.all]
    if wanted.none:
        unwanted = _some(key, wanted.none, tests)
        parts.append(lambda values: not unwanted(values))

    def words(facts: Facts) -> str:
        pairs = list(zip(facts.raw(key), facts[key], strict=True))
        said = []
        if wanted.any:
            said.append(next(_said(key, p, v) for p in wanted.any for v, ready in pairs if tests[p](ready)))
        said += [next(_said(key, p, v) for v, ready in pairs if tests[p](ready)) for p in wanted.all]
        if wanted.none:
            said.append(f"{key} is none of {', '.join(wanted.none)}")
        return ", ".join(said)

    literal = key not in _SEARCHED and all(map(is_literal, tests))
    cost = 2 if key in _SEARCHED else 0 if literal else 1
    test = parts[0] if len(parts) == 1 else lambda values: all(part(values) for part in parts)
    # what is searched is not told
    return Condition(key=key, cost=cost, test=test, words=words, one_way=key in _SEARCHED and len(wanted.any) < 2)


def _test(key: str, pattern: str) -> Test:
    if key in _SEARCHED:
        try:
            return search(pattern)
        except PatternError as error:
            raise PatternError(f"{key}: {error}") from None
    test = glob(pattern)
    if key == "repo" and "/" not in pattern:  # the name alone, whoever owns it
        return lambda value: test(value.rpartition("/")[2])
    return test


def _some(key: str, patterns: Sequence[str], tests: dict[str, Test]) -> Callable[[Values], bool]:
    """Whether any of the values matches any of the patterns."""
    if key not in _SEARCHED and key != "repo" and all(map(is_literal, patterns)):
        literals = frozenset(map(folded, patterns))
        return lambda values: not literals.isdisjoint(values)
    wanted = [tests[p] for p in patterns]
    if key in _ALWAYS and len(wanted) == 1:
        (only,) = wanted
        return lambda values: only(values[0])

    def some(values: Values) -> bool:
        # plain loops: this is asked for every rule of every item
        for test in wanted:
            for value in values:
                if test(value):
                    return True
        return False

    return some


def _said(key: str, pattern: str, value: str) -> str:
    return f'{key} ~ "{pattern}"' if key in _SEARCHED else f"{key} = {value}"
