"""Words and pairs of words in titles that stand for one goal, told from the goals' own words and from linked work.

First come those of a single goal, then those of a goal above several: of the linked work that says `raft`, nearly all
serves one objective, through many initiatives. Wider ones are told one after another, each from the work that none
before it takes, as rules are: where `telemetry` goes elsewhere, `stream` may still be clear.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

from msgspec import Struct

from .meaning import NEARLY_ALL, SHARE, WITNESSES, Meaning

MOST = 8  # in one rule: more are not read
_LIFT = 8  # so much more often than any work must work with the phrase be linked to the goal
_RATE = 0.3  # and so often at all, for a word
_PAIR_RATE = 0.15  # and for a pair of words, which seldom meet by chance
_EARLY = 20  # linked items in all; from then on a goal's word alone, which none of them says, is chance
_WIDE_LIFT = 2  # the same, for a goal above several
_CHANCE = 0.001  # how likely tickets and goals drawn blindly may agree so well
_TICKETS = 8  # that make the case for a wide goal where no goal says the word
_SOME = 2  # tickets that do together with a goal that says it


class Phrase(Struct, frozen=True, kw_only=True):
    term: str
    goal: str
    why: str


class Phrases:
    """Made once of what goals mean. `ids` are the items that rules are looked for."""

    def __init__(self, meaning: Meaning, ids: set[str]) -> None:
        self._meaning = meaning
        self._ids = ids
        self._ticket: dict[str, str] = {}
        held: dict[str, set[str]] = {}
        for id_, stored in meaning.view.items.items():
            item = stored.item
            if id_ in meaning.serves:
                self._ticket[id_] = meaning.witness(id_)
            for term in () if item.restricted else meaning.terms(item.title):
                held.setdefault(term, set()).add(id_)
        self._held = {
            term: having
            for term, having in sorted(held.items())
            if len(having & ids) > 1 and not (term.isascii() and len(term) < 4)
        }

    def saying(self, term: str) -> set[str]:
        """Items, linked or not, whose title says it."""
        return self._held[term]

    def of_one(self) -> Iterator[Phrase]:
        """Those that stand for a single goal."""
        meaning = self._meaning
        base: Counter[str] = Counter(goal for goals in meaning.serves.values() for goal in goals)
        for term, having in self._held.items():
            own = meaning.own(term)
            linked = [id_ for id_ in having if id_ in meaning.serves]
            tied = Counter(goal for id_ in linked for goal in meaning.serves[id_])
            best, number = min(tied.items(), key=lambda t: (-t[1], t[0])) if tied else ("", 0)
            if best and (number < SHARE * len(linked) or (own and not meaning.agree(own, best))):
                continue
            rate = number / len(having)
            telling = rate >= (_PAIR_RATE if " " in term else _RATE)
            tickets = len({self._ticket[id_] for id_ in linked if best in meaning.serves[id_]})
            silent = len(meaning.serves) < _EARLY and not any(own in (goal, *meaning.above[goal]) for goal in base)
            if own and ((telling and tickets >= _SOME) or silent):
                # where the goal has linked work already, that must speak for the word too
                yield Phrase(term=term, goal=own, why=f"{term!r} is a word of {own} ({meaning.title[own]})")
            elif (
                not own
                and telling
                and tickets >= WITNESSES
                and base[best] * 2 <= len(meaning.serves)
                and rate >= _LIFT * base[best] / len(meaning.view.items)
            ):
                why = f"{term!r}: {number} of the {len(linked)} linked items that say it serve {best}"
                yield Phrase(term=term, goal=best, why=why)

    def of_many(self, taken: set[str]) -> Iterator[Phrase]:
        """Those that stand for a goal above several, as their rules must be ordered, all of one goal together. `taken`
        are items that other rules take before."""
        meaning = self._meaning
        wide = _Wide(meaning, self._ticket)
        left, unlinked = set(meaning.serves) - taken, self._ids - taken
        witnessed = {
            term: having
            for term, having in self._held.items()
            if len({self._ticket[id_] for id_ in having & meaning.serves.keys()}) >= _SOME
        }
        goal = ""
        while True:
            cases = []
            for term, having in witnessed.items():
                some = len(having & unlinked)
                case = wide.case(term, having, left) if some else None
                if case is not None:
                    cases.append((case.share, case.chance, -some, term, case))
            if not cases:
                return
            same = [c for c in cases if c[-1].goal == goal]
            *_, term, case = min(same or cases, key=lambda c: c[:-1])
            goal = case.goal
            yield Phrase(term=term, goal=goal, why=case.why)
            left -= self._held[term]
            unlinked -= self._held[term]


class _Case(Struct, frozen=True, kw_only=True):
    goal: str
    share: float  # of all witnesses that are the goal's: the narrower goal has the first word
    chance: float
    why: str


class _Wide:
    """Weighs whether a word stands for a goal above several. Witnesses are tickets of linked work, and goals that say
    the word."""

    def __init__(self, meaning: Meaning, ticket: dict[str, str]) -> None:
        self._meaning = meaning
        self._ticket = ticket
        self._items = Counter(goal for goals in meaning.reaches.values() for goal in goals)
        tickets: dict[str, set[str]] = {}
        for id_, goals in meaning.reaches.items():
            for goal in goals:
                tickets.setdefault(goal, set()).add(ticket[id_])
        below = Counter(goal for said in meaning.title for goal in (said, *meaning.above[said]))
        all_ = len(set(ticket.values())) + len(meaning.title)
        self._share = {goal: (len(tickets.get(goal, ())) + below[goal]) / all_ for goal in below}
        self._saying: dict[str, list[str]] = {}
        for goal, title in meaning.title.items():
            for term in meaning.terms(title) if goal not in meaning.ended else ():
                self._saying.setdefault(term, []).append(goal)

    def case(self, term: str, having: set[str], left: set[str]) -> _Case | None:
        meaning = self._meaning
        linked = having & left
        saying = self._saying.get(term, [])
        goals = Counter(goal for said in saying for goal in (said, *meaning.above[said]))
        items = Counter(goal for id_ in linked for goal in meaning.reaches[id_])
        tickets = {self._ticket[id_] for id_ in linked}
        found = []
        for goal in goals.keys() | items.keys():
            if goal not in meaning.direct or items[goal] < NEARLY_ALL * len(linked):
                continue
            own = self._tickets(linked, goal)
            right, all_ = len(own) + goals[goal], len(tickets) + len(saying)
            if right < max(WITNESSES, NEARLY_ALL * all_) or len(own) < _SOME:
                continue
            if not goals[goal] and len(self._tickets(having & meaning.serves.keys(), goal)) < _TICKETS:
                continue
            often = items[goal] * len(meaning.view.items) >= _WIDE_LIFT * self._items[goal] * len(having)
            chance = by_chance(right, all_, self._share[goal])
            if chance <= _CHANCE and often:
                found.append((-len(meaning.above[goal]), chance, goal, len(own)))
        if not found:
            return None
        _, chance, goal, number = min(found)
        above = "" if linked == having & meaning.serves.keys() else " and no phrase above"
        why = f"{term!r}: {items[goal]} of the {len(linked)} linked items that say it{above}, on {number} tickets, "
        why += f"serve {goal} ({meaning.title[goal]})"
        if goals[goal]:
            why += f", as {goals[goal]} of the {len(saying)} goals that say it do"
        return _Case(goal=goal, share=self._share[goal], chance=chance, why=why)

    def _tickets(self, ids: Iterable[str], goal: str) -> set[str]:
        return {self._ticket[id_] for id_ in ids if goal in self._meaning.reaches[id_]}


@lru_cache(maxsize=10_000)
def by_chance(right: int, all_: int, share: float) -> float:
    """How likely at least so many of all serve a goal that has this share of the work, if drawn blindly."""
    if share >= 1:
        return 1.0
    log_one = math.lgamma(all_ + 1)
    return math.fsum(
        math.exp(
            log_one
            - math.lgamma(n + 1)
            - math.lgamma(all_ - n + 1)
            + n * math.log(share)
            + (all_ - n) * math.log1p(-share)
        )
        for n in range(right, all_ + 1)
    )
