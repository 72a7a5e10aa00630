"""Which initiative unlinked work may belong to, with the reason in words. Never acted on: a person decides.

Looks at the words that its title shares with an initiative and the work of it, at its neighbours (the same ticket, epic
or component, the author's recent work), and at keys with a typing error. Offline, deterministic. How rare a word is, is
counted in initiatives and not in items, so that what is added elsewhere changes nothing here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta

from msgspec import Struct

from okrsync.domain.goals import Goals, Initiative, Node
from okrsync.domain.links import Alignment, Suggestion, Verdict
from okrsync.domain.work import StoredItem, Via, WorkItem

from .terms import terms

MOST = 3
_LEAST = 0.1  # a weaker likeness is chance
_BESIDE = 0.2  # of the first one's score: what is weaker would only distract from it
_WORK_EACH = 300  # of one initiative, the latest
_RECENT = timedelta(days=90)
_STEP = 0.05  # scores this near count as equal, so that a tiny change turns no order
_OWN_WORDS = 3.0  # the initiative's own title counts as that many pieces of work, its key results as one each


class _Profile(Struct):
    """An initiative as it is compared: how often its work says each term, what that weighs, and its work."""

    id: str
    counts: dict[str, float]
    works: list[WorkItem]
    weights: dict[str, float] = {}


class Suggester:
    """Made once of all work and its verdicts, then asked for single items. Immutable."""

    def __init__(self, goals: Goals, items: Iterable[StoredItem], verdicts: Mapping[str, Verdict]) -> None:
        self._verdicts = verdicts
        active = {n.id: n for n in goals.current("initiative") if goals.is_active(n)}
        works: dict[str, list[WorkItem]] = {id_: [] for id_ in active}
        linked: dict[str, tuple[str, ...]] = {}  # item id -> the initiatives it serves
        for stored in items:
            item = stored.item
            verdict = verdicts.get(item.id)
            if verdict is None or verdict.alignment is not Alignment.LINKED:
                continue
            serves = tuple(dict.fromkeys(t.initiative for t in verdict.targets if t.initiative in works))
            if serves:
                linked[item.id] = tuple(filter(None, serves))
            for id_ in linked.get(item.id, ()):
                works[id_].append(item)
        for all_ in works.values():
            all_.sort(key=lambda i: (-i.updated.timestamp(), i.id))
            del all_[_WORK_EACH:]
        self._linked = linked
        self._profiles = [_profile(goals, active[id_], works[id_]) for id_ in sorted(works)]
        spread = Counter(term for profile in self._profiles for term in profile.counts)
        self._rarity = {term: math.log(1 + len(self._profiles) / n) for term, n in spread.items()}
        for profile in self._profiles:
            profile.weights = _unit({t: math.log1p(n) * self._rarity[t] for t, n in profile.counts.items()})
        self._by_tie: dict[str, Counter[str]] = {}
        self._by_author: dict[tuple[str, str], list[tuple[WorkItem, str]]] = {}
        self._by_component: dict[tuple[str, str], Counter[str]] = {}
        for profile in self._profiles:
            for item in profile.works:
                for tie in _ties(item):
                    self._by_tie.setdefault(tie, Counter())[profile.id] += 1
                if item.author and item.author_type == "user":
                    self._by_author.setdefault((item.connector, item.author), []).append((item, profile.id))
                for component in item.components:
                    self._by_component.setdefault((item.container, component), Counter())[profile.id] += 1

    def of(self, item: WorkItem) -> tuple[Suggestion, ...]:
        """The likeliest initiatives first, at most MOST; none where nothing speaks for any."""
        found: dict[str, list[tuple[float, str]]] = {}
        for said in (self._near_keys(item), self._neighbours(item), self._words(item), self._author(item)):
            for id_, strength, why in said:
                if strength > 0:
                    found.setdefault(id_, []).append((strength, why))
        ranked = []
        for id_, reasons in found.items():
            score = 1 - math.prod(1 - strength for strength, _ in reasons)
            if score >= _LEAST:
                score = round(round(score / _STEP) * _STEP, 2)
                ranked.append(Suggestion(initiative=id_, score=score, why="; ".join(why for _, why in reasons)))
        ranked.sort(key=lambda s: (-s.score, s.initiative))
        return tuple(s for s in ranked[:MOST] if s.score >= ranked[0].score * _BESIDE)

    # --- what speaks for an initiative: (its id, strength from 0 to 1, why) ----------------------------------

    def _near_keys(self, item: WorkItem) -> Iterable[tuple[str, float, str]]:
        verdict = self._verdicts.get(item.id)
        for near in verdict.near_keys if verdict else ():
            for id_ in self._linked.get(near.meant, ()):
                yield id_, 0.9, f"{near.written!r} in its {near.where} reads like {near.meant}, which serves {id_}"

    def _neighbours(self, item: WorkItem) -> Iterable[tuple[str, float, str]]:
        best: dict[str, tuple[float, str]] = {}
        for tie in (item.id, *_ties(item)):
            counts = self._by_tie.get(tie, Counter())
            for id_, number in sorted(counts.items()):
                share = number / counts.total()
                what = "work below it" if tie == item.id else f"other work of {tie}"
                best[id_] = max(best.get(id_, (0.0, "")), (0.8 * share, f"{what} belongs to {id_}"))
        for component in item.components:
            counts = self._by_component.get((item.container, component), Counter())
            for id_, number in sorted(counts.items()):
                strength = 0.3 * number / (counts.total() + 1)
                best[id_] = max(best.get(id_, (0.0, "")), (strength, f"work on {component!r} belongs to {id_}"))
        return [(id_, strength, why) for id_, (strength, why) in best.items()]

    def _words(self, item: WorkItem) -> Iterable[tuple[str, float, str]]:
        said = terms(item.title)
        # a word that no initiative knows still makes the title less alike
        unknown = math.log(1 + len(self._profiles))
        own = _unit({term: self._rarity.get(term, unknown) for term in said})
        for profile in self._profiles:
            shared = {t: own[t] * profile.weights[t] for t in said if t in profile.weights}
            likeness = min(0.9, 1.5 * sum(shared.values()))
            yield profile.id, likeness, f"shares {_told(shared)!r} with work of {profile.id}" if shared else ""

    def _author(self, item: WorkItem) -> Iterable[tuple[str, float, str]]:
        if item.author_type != "user":
            return
        near = [
            id_
            for other, id_ in self._by_author.get((item.connector, item.author), ())
            if abs(other.created - item.created) <= _RECENT
        ]
        for id_, number in sorted(Counter(near).items()):
            yield id_, 0.6 * number / (len(near) + 1), f"its author's recent work belongs to {id_}"


def _profile(goals: Goals, node: Node, works: list[WorkItem]) -> _Profile:
    counts: dict[str, float] = {}
    texts = [(node.title, _OWN_WORDS), *((kr.title, 1.0) for kr in goals.parents(node) if kr.kind == "key_result")]
    texts += [(work.title, 1.0) for work in works if not work.restricted]
    for text, weight in texts:
        for term in terms(text):
            counts[term] = counts.get(term, 0.0) + weight
    assert isinstance(node.value, Initiative)
    return _Profile(id=node.id, counts=counts, works=works)


def _ties(item: WorkItem) -> tuple[str, ...]:
    """Ids of the items that it hangs on, and its epic."""
    ties = [r.target for r in item.references if r.via is not Via.IMPLEMENTS]
    if item.epic:
        ties.append(f"{item.connector}:{item.epic}")
    return tuple(dict.fromkeys(ties))


def _unit(weights: dict[str, float]) -> dict[str, float]:
    length = math.sqrt(sum(w * w for w in weights.values()))
    return {term: w / length for term, w in weights.items()} if length else {}


def _told(shared: Mapping[str, float]) -> str:
    """The three terms that count most, pairs first, no word twice."""
    told: list[str] = []
    words: set[str] = set()
    for term in sorted(shared, key=lambda term: (" " not in term, -round(shared[term], 3), term)):
        if words.isdisjoint(term.split()):
            told.append(term)
            words.update(term.split())
    return ", ".join(told[:3])
