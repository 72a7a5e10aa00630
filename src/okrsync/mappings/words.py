"""Words in titles that tell roughly where work belongs: to an objective, on looser evidence than `phrases` asks.

Each list of words is tried out before it is proposed: made anew without one ticket after the other, it must send nearly
all of these that it takes to the objective that they are known to serve. Key results are left alone: one that only a
list of words supports would count as supported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence, Set

from msgspec import Struct

from .meaning import SHARE, WITNESSES, Meaning
from .phrases import MOST, by_chance

_LIKELY = 0.6  # of the witnesses of a word must be the goal's, with one more added that serves what any work serves
_STEP = 0.1  # more than that, where a list does not hold
_RULED = 0.1  # of a witness: each item that a proposed rule ties; all that it ties together are a whole one, too
_CHANCE = 0.05  # how likely tickets drawn blindly may agree so well; the trial finds out those that do
_SOME = 2  # tickets that make the case for a pair of words, or together with a goal that says it for a word


class Word(Struct, frozen=True, kw_only=True):
    term: str
    goal: str
    share: float
    right: int  # tickets, and goals that say it, of the goal
    all: int


class WordList(Struct, frozen=True, kw_only=True):
    """The words of one goal that most titles say, strongest first. Of `taken` tickets that the list was not made from,
    and that hold work that it takes, `right` serve the goal."""

    goal: str
    words: tuple[Word, ...]
    taken: int
    right: int

    @property
    def holds(self) -> bool:
        return self.taken >= WITNESSES and self.right >= SHARE * self.taken


class _Said(Struct, frozen=True, kw_only=True):
    """What is known of a word: of each ticket with linked items that say it the objectives they reach, by objective how
    many tickets, how many of the goals that say it and how many items that only proposed rules tie, and of the last
    two all."""

    tickets: dict[str, set[str]]
    own: Counter[str]
    goals: Counter[str]
    saying: int
    ruled: Counter[str]
    ruled_all: int


class Words:
    """Made once of what goals mean. `ids` are the items that rules are looked for, `taken` those whose titles the rules
    named `proposed` take."""

    def __init__(self, meaning: Meaning, ids: Set[str], taken: Container[str], proposed: Container[str]) -> None:
        self._above = meaning.above
        wide = {goal for goal, kind in meaning.kind.items() if kind == "objective" and goal not in meaning.ended}
        reaches = {i: goals & wide for i, goals in meaning.reaches.items()}
        self._ticket = {i: meaning.witness(i) for i in reaches if reaches[i]}
        self._reaches = reaches
        self._terms: dict[str, set[str]] = {}  # of linked work that no rule takes by its title
        self._asked: Counter[str] = Counter()  # in how many titles of those that rules are looked for
        linked: dict[str, dict[str, set[str]]] = {}
        by_rule: dict[str, list[frozenset[str]]] = {}
        for id_, stored in meaning.view.items.items():
            if stored.item.restricted or (id_ not in ids and id_ not in reaches):
                continue
            terms = {term for term in meaning.terms(stored.item.title) if len(term) > 3 or not term.isascii()}
            if id_ in ids:
                self._asked.update(terms)
                continue
            ruled = meaning.view.verdicts[id_].rule in proposed
            for term in terms if ruled else ():
                by_rule.setdefault(term, []).append(reaches[id_])
            if id_ in self._ticket and id_ not in taken:
                self._terms[id_] = terms
                for term in terms:
                    linked.setdefault(term, {}).setdefault(self._ticket[id_], set()).update(reaches[id_])
        self._by_ticket: dict[str, list[str]] = {}  # with what the lists are tried on: not on what rules tie
        self._serving: dict[str, set[str]] = {}
        for id_, ticket in self._ticket.items():
            tied = meaning.view.verdicts[id_].rule not in proposed
            self._by_ticket.setdefault(ticket, []).extend([id_] if tied and id_ in self._terms else [])
            for goal in reaches[id_]:
                self._serving.setdefault(goal, set()).add(ticket)
        goals: dict[str, list[set[str]]] = {}
        for goal, title in meaning.title.items():
            for term in meaning.terms(title) if goal not in meaning.ended else ():
                goals.setdefault(term, []).append({goal, *meaning.above[goal]} & wide)
        self._said = {
            term: _Said(
                tickets=linked[term],
                own=Counter(goal for some in linked[term].values() for goal in some),
                goals=Counter(goal for some in goals.get(term, ()) for goal in some),
                saying=len(goals.get(term, ())),
                ruled=Counter(goal for some in by_rule.get(term, ()) for goal in some),
                ruled_all=len(by_rule.get(term, ())),
            )
            for term in sorted(self._asked.keys() & linked.keys())
        }

    def lists(self) -> Iterator[WordList]:
        """The lists that hold when they are tried, in the order that their rules must have. Of one that does not, more
        is asked of each word, until it does or is empty."""
        asked: Counter[str] = Counter()
        while True:
            made = self._made(asked)
            taken, right = self._tried(made, asked)
            found = [
                WordList(goal=goal, words=tuple(words), taken=taken[goal], right=right[goal])
                for goal, words in made.items()
            ]
            weak = {one.goal for one in found if not one.holds}
            if not weak:
                yield from found
                return
            asked.update(weak)

    def _tried(self, made: Mapping[str, Sequence[Word]], asked: Mapping[str, int]) -> tuple[Counter[str], Counter[str]]:
        """By goal, the tickets that hold work which its list takes, and how many of them serve the goal: of each as
        told by the words of all others."""
        taken: Counter[str] = Counter()
        right: Counter[str] = Counter()
        beyond = {
            term
            for term in self._said
            if (word := self._word(term, asked)) and all(term != w.term for w in made[word.goal])
        }
        for ticket, ids in self._by_ticket.items():
            told: dict[str, str | None] = {}
            hits: dict[str, list[bool]] = {}
            for id_ in ids:
                for term in self._terms[id_] - told.keys():
                    word = self._word(term, asked, but=ticket) if term not in beyond else None
                    told[term] = word.goal if word else None
                goals = {told[term] for term in self._terms[id_]}
                goal = next((g for g in made if g in goals), None)  # rules are asked in this order
                if goal is not None:
                    hits.setdefault(goal, []).append(goal in self._reaches[id_])
            for goal, those in hits.items():
                taken[goal] += 1
                right[goal] += sum(those) * 2 >= len(those)
        return taken, right

    def _made(self, asked: Mapping[str, int]) -> dict[str, list[Word]]:
        """The lists by goal, in the order of their rules: narrow goals and strong words first."""
        found: dict[str, list[Word]] = {}
        for term in self._said:
            word = self._word(term, asked)
            if word is not None:
                found.setdefault(word.goal, []).append(word)
        for goal, words in found.items():
            words.sort(key=lambda w: (-self._asked[w.term], -w.share, w.term))
            found[goal] = sorted(words[:MOST], key=lambda w: (-w.share, w.term))

        def order(goal: str) -> tuple[int, float, str]:
            words = found[goal]
            strength = sum(w.right for w in words) / sum(w.all for w in words)
            return -len(self._above[goal]), -strength, goal

        return {goal: found[goal] for goal in sorted(found, key=order)}

    def _word(self, term: str, asked: Mapping[str, int], *, but: str = "") -> Word | None:
        """The narrowest goal that a word stands for, as all tickets `but` one tell."""
        said = self._said.get(term)
        if said is None:
            return None
        without = said.tickets.get(but, set())
        all_ = len(said.tickets) - (but in said.tickets) + said.saying
        found = []
        for goal, tickets in said.own.items():
            its = tickets - (goal in without)
            right = its + said.goals[goal]
            if its < _SOME or right < (_SOME if " " in term else WITNESSES):
                continue
            serving = self._serving[goal]
            usual = (len(serving) - (but in serving)) / (len(self._by_ticket) - (but in self._by_ticket))
            alone = (right + usual) / (all_ + 1)
            share = (right + _RULED * said.ruled[goal] + usual) / (all_ + _RULED * said.ruled_all + 1)
            if min(alone, share) >= _LIKELY and by_chance(right, all_, usual) <= _CHANCE:
                word = Word(term=term, goal=goal, share=min(alone, share), right=right, all=all_)
                found.append((-len(self._above[goal]), -word.share, goal, word))
        best = min(found)[-1] if found else None
        # what is too weak for its goal is no better for the one above, which has words of its own
        return best if best and best.share >= _LIKELY + _STEP * asked.get(best.goal, 0) else None
