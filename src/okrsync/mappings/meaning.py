"""Which goal a group of work stands for, told from the goals' own words and from work linked already.

Where linked work is spread over several goals, what stands for it is the lowest goal above nearly all of it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence

from okrsync.domain.findings import View
from okrsync.domain.goals import Node, NodeKind
from okrsync.domain.links import Alignment

from .groups import Group

SHARE = 0.8  # of the linked work of a group must serve one goal
NEARLY_ALL = 0.9  # where it serves several, of which one goal is above: of the linked work
_WITNESSES = 2  # linked items of a group that make its case
WITNESSES = 3  # and that make a wider case
_TELLING = 0.5  # of the words that name a group must be the goal's
Found = tuple[str, str]  # goal id, why


class Meaning:
    """Made once of all goals and verdicts. Immutable."""

    def __init__(self, view: View, terms: Callable[[str], Sequence[str]]) -> None:
        self.view = view
        self.terms = terms
        goals = view.goals
        kinds: tuple[NodeKind, ...] = ("initiative", "key_result", "objective")
        nodes = [n for kind in kinds for n in goals.current(kind) if goals.is_active(n) or kind == "initiative"]
        here = {n.id.casefold() for n in nodes}
        past = [n for n in goals if n.kind == "initiative" and n.id.casefold() not in here and not goals.is_active(n)]
        nodes += past
        self.kind = {n.id: n.kind for n in nodes}
        self.title = {n.id: n.title for n in nodes}
        self.ended = {n.id for n in nodes if not goals.is_active(n)}
        self.above = {n.id: self._ancestors(n) for n in nodes}
        self.words: dict[str, set[str]] = {}  # word -> goals that say it
        for node in nodes[: len(nodes) - len(past)]:
            self._note(node)
        today = frozenset(self.words)
        for node in past:  # what a goal of today says is no longer theirs
            self._note(node, today)
        self.serves = {i: ids for i in view.items if (ids := self._served(i))}
        by_id = {n.id: n for n in nodes}
        served = {goal for goals in self.serves.values() for goal in goals}
        # objectives above those that work reaches directly say too little, and stand on no ticket yet
        self.direct = {g for goal in served for g in self._direct(by_id[goal])} & self.kind.keys()
        self.reaches = {
            i: frozenset(ids).union(*(self.above[g] for g in ids)) & self.kind.keys() for i, ids in self.serves.items()
        }

    def _note(self, node: Node, but: Container[str] = ()) -> None:
        said = f"{node.title} {node.id.partition('-')[2]}" if node.kind == "initiative" else node.title
        for word in self._named(said):
            if word not in but:
                self.words.setdefault(word, set()).add(node.id)

    def of(self, group: Group) -> Found | None:
        """The goal that a group stands for. None where nothing says so, or two things disagree."""
        named, linked = self._by_name(group.text), self._by_work(group)
        if named and linked:
            if not self.agree(named[0], linked[0]):
                return None
            return linked[0], f"{group.said}: {named[1]}, and {linked[1]}"
        one = linked or named
        if one is None or (linked is None and self._disturbed(group, one[0])):
            return None
        return one[0], f"{group.said}: {one[1]}"

    def _ancestors(self, node: Node) -> frozenset[str]:
        """Bets left out: no work is linked to one."""
        seen: set[str] = set()
        ahead = [node]
        while ahead:
            for parent in self.view.goals.parents(ahead.pop()):
                if parent.id not in seen and parent.kind != "bet":
                    seen.add(parent.id)
                    ahead.append(parent)
        return frozenset(seen)

    def _direct(self, node: Node) -> Iterator[str]:
        """The key results and objectives that work for a goal reaches directly."""
        if node.kind != "initiative":
            yield node.id
        for parent in self.view.goals.parents(node) if node.kind != "objective" else ():
            yield from self._direct(parent)

    def _served(self, id_: str) -> tuple[str, ...]:
        verdict = self.view.verdicts[id_]
        if verdict.alignment is not Alignment.LINKED:
            return ()
        return tuple(dict.fromkeys(t.initiative or t.node for t in verdict.targets if t.active and t.node in self.kind))

    def witness(self, id_: str) -> str:
        """What hangs on one ticket is one witness, however many pull requests that takes; so is all that one rule ties,
        lest rules bear each other out."""
        rule = self.view.verdicts[id_].rule
        return f"rule {rule}" if rule else min((r.target for r in self.view.items[id_].item.references), default=id_)

    def agree(self, one: str, other: str) -> bool:
        """Whether one goal is the other, or stands above it."""
        return one == other or one in self.above[other] or other in self.above[one]

    def _telling(self, word: str) -> str | None:
        """The most specific goal that says a word, where all others that say it stand above that one."""
        saying = self.words.get(word, set())
        for id_ in sorted(saying, key=lambda i: (-len(self.above[i]), i)):
            if saying <= {id_, *self.above[id_]}:
                return id_
        return None

    def _named(self, text: str) -> list[str]:
        """Its telling words, and numbers that are no years: `250 ms` is said of one key result."""
        numbers = [n for n in re.findall(r"\b\d{2,}\b", text) if not 1990 <= int(n[:9]) < 2100]
        return [*_singles(self.terms(text)), *dict.fromkeys(numbers)]

    def own(self, term: str) -> str | None:
        """The goal that has a word for its own: an initiative's, or said by a key result and its objective alike."""
        goal = self._telling(term) if " " not in term else None
        if goal in self.ended:
            return None
        if goal is None or self.kind[goal] == "initiative" or len(self.words[term]) > 1:
            return goal
        return None  # one word of one title is chance

    def stressed(self) -> dict[str, str]:
        """Words and pairs of words that an objective and a key result of its own both say, with the objective."""
        found: dict[str, str] = {}
        for goal, kind in self.kind.items():
            for over in self.above[goal] if kind == "key_result" else ():
                both = set(self.terms(self.title[goal])).intersection(self.terms(self.title.get(over, "")))
                found.update(dict.fromkeys(sorted(both), over))
        of_pairs = {word for term in found if " " in term for word in term.split()}
        return {term: goal for term, goal in sorted(found.items()) if term not in of_pairs}

    def _by_name(self, text: str) -> Found | None:
        words = self._named(text)
        told = {word: goal for word in words if (goal := self._telling(word))}
        if not told or len(told) < _TELLING * len(words):
            return None
        goals = sorted(set(told.values()), key=lambda g: (-len(self.above[g]), g))
        if not all(self.agree(goals[0], other) for other in goals[1:]):
            return None
        if self.kind[goals[0]] != "initiative" and len(told) < 2 and len(words) > 1:
            return None  # one word of a key result is chance
        ended = ", which has ended: the work will show as stale" if goals[0] in self.ended else ""
        return goals[0], f"says {', '.join(map(repr, told))} as {goals[0]} does ({self.title[goals[0]]}){ended}"

    def _by_work(self, group: Group) -> Found | None:
        linked = [id_ for id_ in group.members if id_ in self.serves]
        if not linked:
            return None
        tied = Counter(goal for id_ in linked for goal in self.serves[id_])
        goal, number = min(tied.items(), key=lambda t: (-t[1], t[0]))
        if number >= _WITNESSES and number >= SHARE * len(linked):
            return goal, f"{number} of its {len(linked)} linked items serve {goal}"
        above = Counter(goal for id_ in linked for goal in self.reaches[id_] & self.direct)
        wide = [g for g, n in above.items() if n >= WITNESSES and n >= NEARLY_ALL * len(linked)]
        if not wide:
            return None
        goal = min(wide, key=lambda g: (-len(self.above[g]), -above[g], g))
        below = sum(1 for g in tied if g == goal or goal in self.above[g])
        said = f"{above[goal]} of its {len(linked)} linked items serve {goal} ({self.title[goal]})"
        return goal, f"{said} through {below} goals; look whether the rest does"

    def _disturbed(self, group: Group, goal: str) -> bool:
        """Whether linked work of the group serves something else."""
        return any(
            not any(self.agree(goal, other) for other in self.serves[id_])
            for id_ in group.members
            if id_ in self.serves
        )


def _singles(terms: Iterable[str]) -> list[str]:
    return [term for term in terms if " " not in term]
