"""Proposes wide rules for what the narrow ones leave: roughly where work belongs, by words of its title or its place.

They say less than a link that a person made, so they stand behind all other rules and name objectives only. Upkeep of
an area they count to what the area is for: of the exemptions those stand behind them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from okrsync.domain.findings import View
from okrsync.domain.links import Alignment
from okrsync.domain.rules import Mappings, Rule

from .groups import part, phrase
from .matcher import Matcher
from .meaning import Meaning
from .places import by_place
from .propose import OUTSIDE_EPICS, Proposal, Terms, matching, name_of, named_apart
from .words import Word, WordList, Words


def propose_wide(
    view: View, narrow: Sequence[Proposal], terms: Terms, *, label_prefix: str = "okr/"
) -> tuple[Proposal, ...]:
    """Rules for the open work that is unlinked in `view`, whose verdicts are those with the `narrow` rules accepted,
    those for upkeep of an area left out. Pure. How much each takes is left open, as by `propose`."""
    meaning = Meaning(view, terms)
    open_ones = {i for i, s in view.items.items() if s.item.open and view.verdicts[i].alignment is Alignment.UNLINKED}
    found = _by_words(meaning, open_ones, [p for p in narrow if p.link], label_prefix)
    for group, goal, why in by_place(meaning, open_ones, label_prefix):
        name = f"wide: most of {name_of(group)} to {goal}"
        when = group.when | OUTSIDE_EPICS
        found.append(Proposal(name=name, when=when, link=goal, why=(why,), narrower=True, wide=True))
    return tuple(named_apart(found))


def ordered(narrow: Sequence[Proposal], wide: Sequence[Proposal]) -> list[Proposal]:
    """As they must stand in a file."""
    return [*(p for p in narrow if not p.of_area), *wide, *(p for p in narrow if p.of_area)]


def _by_words(meaning: Meaning, open_ones: Set[str], links: Sequence[Proposal], prefix: str) -> list[Proposal]:
    """Looked for again in what the lists found so far leave, linked work as well: there a word may be clear."""
    found: list[Proposal] = []
    names = {p.name for p in links}
    left = set(open_ones)
    while True:
        words = Words(meaning, left, _taken(meaning.view, [*links, *found], prefix), names)
        more = [p for one in words.lists() for p in _on_titles(one, meaning, left, prefix)]
        taken = set().union(*(matching(p.when, meaning.view, left, prefix) for p in more))
        if not taken:
            return found
        found += more
        left -= taken


def _taken(view: View, links: Sequence[Proposal], prefix: str) -> Set[str]:
    """Linked items whose titles these rules would take."""
    rules = Mappings(rules=tuple(Rule.model_validate(p.rule()) for p in links if "title" in p.when))
    matcher = Matcher(rules, label_prefix=prefix)
    return {
        id_
        for id_, verdict in view.verdicts.items()
        if verdict.alignment is Alignment.LINKED and matcher.match(view.items[id_].item, view.now).match
    }


def _on_titles(found: WordList, meaning: Meaning, ids: set[str], prefix: str) -> Iterable[Proposal]:
    useful = []
    for word in found.words:
        expressions = [one for one in (phrase(word.term), part(word.term)) if one]
        some = [matching({"title": one}, meaning.view, ids, prefix) for one in expressions]
        if some[0] or some[-1]:
            useful.append((word, expressions if some[-1] - some[0] else expressions[:1]))
    if not useful:
        return
    tried = "tried on linked tickets that it was not made from: "
    tried += f"of the {found.taken} that it takes, {found.right} serve {found.goal} ({meaning.title[found.goal]})"
    yield Proposal(
        name=f"wide: words of {found.goal}",
        when={"title": [one for _, expressions in useful for one in expressions]} | OUTSIDE_EPICS,
        link=found.goal,
        why=(tried, *(_why(word) for word, _ in useful)),
        narrower=True,
        wide=True,
    )


def _why(word: Word) -> str:
    said = f"{word.right} of the {word.all} linked tickets and goals that say it and no phrase above"
    return f"{word.term!r}: {said} are of {word.goal}"
