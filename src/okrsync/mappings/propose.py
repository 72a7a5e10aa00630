"""Proposes mapping rules and teams from what the sources hold: for a person to review, never acted on.

What a group of work is named after, and which initiative its linked work serves, must agree; where two initiatives are
as likely, nothing is proposed: a wrong rule costs more trust than a missing one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from msgspec import Struct, structs

from okrsync.domain.findings import View
from okrsync.domain.links import Alignment
from okrsync.domain.rules import When
from okrsync.domain.text import regex
from okrsync.domain.work import Via

from .conditions import Facts, conditions
from .groups import Group, groups, part, phrase
from .meaning import Meaning
from .patterns import search
from .phrases import MOST, Phrase, Phrases
from .teams import Teams, short
from .upkeep import UPKEEP

FEWEST = 2  # a rule for a single ticket is a label's job
_WIDEST = 0.2  # of the open work; a phrase that stands in more titles says too little
OUTSIDE_EPICS = {"epic": {"none": ["*"]}}  # what an epic holds is told by the epic
_NO_HEIRS = {"kind": ["epic", "issue"]}  # nor do sub-tasks and pull requests need a rule that have a ticket above them
_NUMBER = regex(r"\d+")
_WORD = regex(r"[^\W\d_]+")
_LONG = 4  # letters of a word in which one may be mistyped
Terms = Callable[[str], Sequence[str]]


class Proposal(Struct, frozen=True, kw_only=True):
    """A rule to review: `when` as in mapping files; `link`, `exempt` or `team`; why, in words, one reason for each
    phrase of a rule on titles. `items`: open items without a link that it would decide (of a team: that it would
    get)."""

    name: str
    when: dict[str, Any]
    link: str = ""
    exempt: str = ""
    team: str = ""
    why: tuple[str, ...]
    items: int = 0
    examples: tuple[str, ...] = ()  # ids of some of them
    narrower: bool = False  # a rule that `narrowed` can keep from what inherits already
    upkeep: int = 0  # of `items`: what exemptions behind it would take
    of_area: bool = False  # exempts upkeep that may as well be counted to what its area is for
    wide: bool = False  # tells roughly where work belongs; only exemptions `of_area` stand behind it

    def narrowed(self) -> Proposal:
        return structs.replace(self, when=self.when | _NO_HEIRS, narrower=False)

    def rule(self) -> dict[str, Any]:
        """As it stands in a mapping file."""
        does = {"link": self.link, "exempt": self.exempt, "team": self.team}
        return {"name": self.name, "when": self.when} | {key: value for key, value in does.items() if value}


def propose(view: View, terms: Terms, *, label_prefix: str = "okr/") -> tuple[Proposal, ...]:
    """Rules by epic, label, component and milestone, then by phrases of titles, then exemptions for upkeep, then a
    team for each place whose work has none. Pure. `terms` are the telling words and pairs of words of a title.

    How much each takes is left open here (`items` 0, but for teams): that shows when all rules are resolved together.
    """
    meaning = Meaning(view, terms)
    open_ones = {i for i, s in view.items.items() if s.item.open and view.verdicts[i].alignment is Alignment.UNLINKED}
    found = [*_slips(view, open_ones), *_groups(view, meaning, open_ones, label_prefix)]
    found += _phrases(view, meaning, open_ones, label_prefix)
    found += _upkeep(view, meaning, open_ones, label_prefix)
    return (*named_apart(found), *_teams(view))


def _groups(view: View, meaning: Meaning, open_ones: set[str], prefix: str) -> Iterable[Proposal]:
    sure = []
    for group in groups(view.items, view.verdicts, prefix):
        if not group.members & open_ones:
            continue
        if group.root and group.root not in open_ones:
            continue  # its own verdict stands already
        verdict = meaning.of(group)
        if verdict is not None:
            sure.append((group, *verdict))
    taken: set[str] = set()

    def order(found: tuple[Group, str, str]) -> tuple[bool, int, int, str]:
        """Epics first, narrow goals before wide ones."""
        group, node, _ = found
        return not group.root, -len(meaning.above[node]), -len(group.members & open_ones), group.said

    for group, node, why in sorted(sure, key=order):
        fresh = group.members & open_ones - taken
        if fresh:
            taken |= fresh
            yield Proposal(name=f"{name_of(group)} to {node}", when=group.when, link=node, why=(why,))


def _slips(view: View, open_ones: set[str]) -> Iterable[Proposal]:
    """Labels with a typing error that can mean one goal only."""
    labels: dict[tuple[str, str], None] = {}
    for id_ in sorted(open_ones):
        for unknown in view.verdicts[id_].unknown_ids:
            meant = re.fullmatch(r"; did you mean '([^']+)'\?", unknown.suggestion)
            node = view.goals.find(meant[1]) if meant else None
            if (
                node
                and _is_slip(unknown.id, node.id)
                and unknown.via == Via.LABEL
                and view.goals.is_active(node)
                and node.kind != "bet"
            ):
                labels[unknown.detail, node.id] = None
    for label, node_id in labels:
        why = f"the label {label!r} names no goal, and reads like {node_id}; better correct the label"
        yield Proposal(name=f"{label} means {node_id}", when={"labels": label}, link=node_id, why=(why,))


def _is_slip(written: str, id_: str) -> bool:
    """Not O1.KR2 or G1.KR1 of O1.KR1: another number, or another short word, is another goal."""
    if _NUMBER.findall(written) != _NUMBER.findall(id_):
        return False
    words, meant = (_WORD.findall(text.casefold()) for text in (written, id_))
    if "".join(words) == "".join(meant):
        return True
    return len(words) == len(meant) and all(
        a == b or min(len(a), len(b)) >= _LONG for a, b in zip(words, meant, strict=True)
    )


def name_of(group: Group) -> str:
    return " ".join(group.text.split())[:60]


def _phrases(view: View, meaning: Meaning, open_ones: set[str], prefix: str) -> Iterable[Proposal]:
    """One rule for each goal, of the phrases that stand for it in titles; single initiatives before wider goals."""
    number = sum(1 for s in view.items.values() if s.item.open)
    phrases = Phrases(meaning, open_ones)

    def matched(found: Phrase) -> tuple[set[str], list[str]]:
        """What it takes, by which expressions."""
        plain, inside = phrase(found.term), part(found.term)
        some = matching({"title": plain}, view, open_ones, prefix)
        more = matching({"title": inside}, view, open_ones, prefix) - some if inside else set()
        some |= more
        fits = FEWEST <= len(some) <= max(FEWEST, _WIDEST * number)
        return (some, [plain, inside] if more else [plain]) if fits else (set(), [])

    by_node: dict[str, list[tuple[int, Phrase]]] = {}
    expressions: dict[str, list[str]] = {}
    for found in phrases.of_one():
        some, expressions[found.term] = matched(found)
        if some:
            by_node.setdefault(found.goal, []).append((len(some), found))
    taken: set[str] = set()
    for node, said in sorted(by_node.items()):
        covered: list[Phrase] = []
        for _, found in sorted(said, key=lambda s: (-s[0], s[1].term)):
            if not any(set(known.term.split()) <= set(found.term.split()) for known in covered):
                covered.append(found)
        yield _on_titles(node, covered[:MOST], expressions)
        taken.update(*(phrases.saying(found.term) for found in covered[:MOST]))
    for node, wide in groupby(phrases.of_many(taken), key=lambda found: found.goal):
        kept = []
        for found in wide:
            some, expressions[found.term] = matched(found)
            kept += [found] if some else []
        for start in range(0, len(kept), MOST):
            yield _on_titles(node, kept[start : start + MOST], expressions)


def _on_titles(node: str, said: Sequence[Phrase], expressions: Mapping[str, Sequence[str]]) -> Proposal:
    return Proposal(
        name=f"titles that speak of {node}",
        when={"title": [one for found in said for one in expressions[found.term]]} | OUTSIDE_EPICS,
        link=node,
        why=tuple(found.why for found in said),
        narrower=True,
    )


def _upkeep(view: View, meaning: Meaning, open_ones: set[str], prefix: str) -> Iterable[Proposal]:
    """A kind of upkeep that a goal speaks of is no upkeep here, nor is what says a word that an objective stresses."""
    titles = [n.title.encode() for n in view.goals.current() if n.kind != "bet"]
    stressed = meaning.stressed()
    for upkeep in UPKEEP:
        patterns = upkeep.when.get("title", ())
        patterns = [patterns] if isinstance(patterns, str) else patterns
        asked = [search(p) for p in patterns]
        if any(test(title) for test in asked for title in titles):
            continue
        when = upkeep.when if upkeep.robots else upkeep.when | OUTSIDE_EPICS
        matched = matching(when, view, open_ones, prefix)
        told = {}
        for term, goal in stressed.items() if patterns else ():
            expressions = [one for one in (phrase(term), part(term)) if one]
            if matched & matching({"title": expressions}, view, open_ones, prefix):
                told[f"{term!r} (see {goal})"] = expressions
        if told:
            when = when | {"title": {"any": patterns, "none": [one for some in told.values() for one in some]}}
            matched = matching(when, view, open_ones, prefix)
        if matched:
            why = upkeep.why
            if told:
                why += f"; titles with {', '.join(told)} are left to you"
            yield Proposal(
                name=upkeep.name,
                when=when,
                exempt=upkeep.exempt,
                why=(why,),
                narrower=upkeep.robots is False,
                of_area=upkeep.of_area,
            )


def matching(when: dict[str, Any], view: View, ids: set[str], prefix: str) -> set[str]:
    asked = conditions(When.model_validate(when))
    found = set()
    for id_ in ids:
        facts = Facts(view.items[id_].item, view.now, prefix)
        if all(condition.test(facts[condition.key]) for condition in asked):
            found.add(id_)
    return found


def named_apart(proposals: Iterable[Proposal]) -> Iterable[Proposal]:
    used: Counter[str] = Counter()
    for proposal in proposals:
        used[proposal.name] += 1
        again = used[proposal.name]
        yield proposal if again == 1 else structs.replace(proposal, name=f"{proposal.name} ({again})")


def _teams(view: View) -> Iterable[Proposal]:
    """A team for each place whose work has none: the one that most of its linked work belongs to, else one of the goals
    whose name begins like the place's, else the place's own name."""
    teams = Teams(view)
    for (key, where), number in sorted(teams.without.items(), key=lambda pair: (-pair[1], pair[0])):
        if number < FEWEST:
            continue
        team, why = teams.of(where)
        if not team:
            team, why = short(where), "put in the name of the one that works there"
        why = f"{number} open items there have no team; {why}"
        yield Proposal(name=f"team of {where}", when={key: where}, team=team, items=number, why=(why,))
