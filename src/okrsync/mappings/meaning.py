"""Which goal a group of work or a phrase stands for, told from the goals' own words and from work linked already."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from okrsync.domain.findings import View
from okrsync.domain.goals import Node, NodeKind
from okrsync.domain.links import Alignment

from .groups import Group

_SHARE = 0.8  # of the linked work of a group must serve one goal
_WITNESSES = 2  # linked items of a group that make its case
_PHRASE_WITNESSES = 3  # and of a phrase: titles share words by chance
_TELLING = 0.5  # of the words that name a group must be the goal's
_LIFT = 8  # so much more often than any work must work with the phrase be linked to the goal
_RATE = 0.3  # and so often at all, for a word
_PAIR_RATE = 0.15  # and for a pair of words, which seldom meet by chance
Found = tuple[str, str]  # goal id, why


class Meaning:
    """Made once of all goals and verdicts. Immutable."""

    def __init__(self, view: View, terms: Callable[[str], Sequence[str]]) -> None:
        self._view = view
        self._terms = terms
        goals = view.goals
        kinds: tuple[NodeKind, ...] = ("initiative", "key_result", "objective")
        nodes = [n for kind in kinds for n in goals.current(kind) if goals.is_active(n) or kind == "initiative"]
        self._above = {n.id: self._ancestors(n) for n in nodes}
        self._ended = {n.id for n in nodes if not goals.is_active(n)}
        self._kind = {n.id: n.kind for n in nodes}
        self._title = {n.id: n.title for n in nodes}
        self._words: dict[str, set[str]] = {}  # word -> goals that say it
        for node in nodes:
            said = f"{node.title} {node.id.partition('-')[2]}" if node.kind == "initiative" else node.title
            for word in self._named(said):
                self._words.setdefault(word, set()).add(node.id)
        self._serves = {i: ids for i in view.items if (ids := self._served(i))}

    def of(self, group: Group) -> Found | None:
        """The goal that a group stands for. None where nothing says so, or two things disagree."""
        named, linked = self._by_name(group.text), self._by_work(group)
        if named and linked:
            if not self._agree(named[0], linked[0]):
                return None
            return linked[0], f"{group.said}: {named[1]}, and {linked[1]}"
        one = linked or named
        if one is None or (linked is None and self._disturbed(group, one[0])):
            return None
        return one[0], f"{group.said}: {one[1]}"

    def phrases(self, ids: set[str]) -> Iterable[tuple[str, str, str]]:
        """Words and pairs of words of these items' titles that stand for one goal: (phrase, goal, why)."""
        held: dict[str, set[str]] = {}
        for id_, stored in self._view.items.items():
            for term in () if stored.item.restricted else self._terms(stored.item.title):
                held.setdefault(term, set()).add(id_)
        base: Counter[str] = Counter(goal for goals in self._serves.values() for goal in goals)
        for term, having in sorted(held.items()):
            if len(having & ids) < 2 or (term.isascii() and len(term) < 4):
                continue
            own = self._own(term)
            tied = Counter(goal for id_ in having for goal in self._serves.get(id_, ()))
            linked = sum(1 for id_ in having if id_ in self._serves)
            best, number = min(tied.items(), key=lambda t: (-t[1], t[0])) if tied else ("", 0)
            if best and (number < _SHARE * linked or (own and not self._agree(own, best))):
                continue
            rate = number / len(having)
            telling = rate >= (_PAIR_RATE if " " in term else _RATE)
            if own and (telling or not any(own in (goal, *self._above[goal]) for goal in base)):
                # where the goal has linked work already, that must speak for the word too
                yield term, own, f"{term!r} is a word of {own} ({self._title[own]})"
            elif (
                not own
                and telling
                and number >= _PHRASE_WITNESSES
                and base[best] * 2 <= len(self._serves)
                and rate >= _LIFT * base[best] / len(self._view.items)
            ):
                yield term, best, f"{term!r}: {number} of the {linked} linked items that say it serve {best}"

    def _ancestors(self, node: Node) -> frozenset[str]:
        seen: set[str] = set()
        ahead = [node]
        while ahead:
            for parent in self._view.goals.parents(ahead.pop()):
                if parent.id not in seen:
                    seen.add(parent.id)
                    ahead.append(parent)
        return frozenset(seen)

    def _served(self, id_: str) -> tuple[str, ...]:
        verdict = self._view.verdicts[id_]
        if verdict.alignment is not Alignment.LINKED:
            return ()
        return tuple(
            dict.fromkeys(t.initiative or t.node for t in verdict.targets if t.active and t.node in self._kind)
        )

    def _agree(self, one: str, other: str) -> bool:
        """Whether one goal is the other, or stands above it."""
        return one == other or one in self._above[other] or other in self._above[one]

    def _telling(self, word: str) -> str | None:
        """The most specific goal that says a word, where all others that say it stand above that one."""
        saying = self._words.get(word, set())
        for id_ in sorted(saying, key=lambda i: (-len(self._above[i]), i)):
            if saying <= {id_, *self._above[id_]}:
                return id_
        return None

    def _named(self, text: str) -> list[str]:
        """Its telling words, and numbers that are no years: `250 ms` is said of one key result."""
        numbers = [n for n in re.findall(r"\b\d{2,}\b", text) if not 1990 <= int(n[:9]) < 2100]
        return [*_singles(self._terms(text)), *dict.fromkeys(numbers)]

    def _own(self, term: str) -> str | None:
        """The goal that has a word for its own: an initiative's, or said by a key result and its objective alike."""
        goal = self._telling(term) if " " not in term else None
        if goal in self._ended:
            return None
        if goal is None or self._kind[goal] == "initiative" or len(self._words[term]) > 1:
            return goal
        return None  # one word of one title is chance

    def _by_name(self, text: str) -> Found | None:
        words = self._named(text)
        told = {word: goal for word in words if (goal := self._telling(word))}
        if not told or len(told) < _TELLING * len(words):
            return None
        goals = sorted(set(told.values()), key=lambda g: (-len(self._above[g]), g))
        if not all(self._agree(goals[0], other) for other in goals[1:]):
            return None
        if self._kind[goals[0]] != "initiative" and len(told) < 2 and len(words) > 1:
            return None  # one word of a key result is chance
        ended = ", which has ended: the work will show as stale" if goals[0] in self._ended else ""
        return goals[0], f"says {', '.join(map(repr, told))} as {goals[0]} does ({self._title[goals[0]]}){ended}"

    def _by_work(self, group: Group) -> Found | None:
        linked = [id_ for id_ in group.members if id_ in self._serves]
        tied = Counter(goal for id_ in linked for goal in self._serves[id_])
        if not tied:
            return None
        goal, number = min(tied.items(), key=lambda t: (-t[1], t[0]))
        if number < _WITNESSES or number < _SHARE * len(linked):
            return None
        return goal, f"{number} of its {len(linked)} linked items serve {goal}"

    def _disturbed(self, group: Group, goal: str) -> bool:
        """Whether linked work of the group serves something else."""
        return any(
            not any(self._agree(goal, other) for other in self._serves[id_])
            for id_ in group.members
            if id_ in self._serves
        )


def _singles(terms: Iterable[str]) -> list[str]:
    return [term for term in terms if " " not in term]
