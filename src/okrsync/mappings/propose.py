"""Proposes mapping rules and teams from what the sources hold: for a person to review, never acted on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct

from okrsync.domain.findings import View
from okrsync.domain.goals import Node
from okrsync.domain.links import Alignment
from okrsync.domain.work import StoredItem, WorkItem

FEWEST = 2  # a rule for a single ticket is a label's job
_COMMON = frozenset(("that", "this", "with", "from", "their", "into", "more", "work", "make", "without", "every"))


class Proposal(Struct, frozen=True, kw_only=True):
    """A rule to review: `when` as in mapping files, `link` or `team`, how many open items it would newly link (or
    give a team), and the reason in words."""

    name: str
    when: dict[str, str]
    link: str = ""
    team: str = ""
    items: int
    why: str


def propose(view: View) -> tuple[Proposal, ...]:
    """Rules by label, component or epic that share a telling word with an active initiative, the most fruitful first,
    each counted without what earlier ones link; then a team for each place whose work has none. Pure."""
    unlinked = [
        s for i, s in sorted(view.items.items()) if s.item.open and view.verdicts[i].alignment is Alignment.UNLINKED
    ]
    initiatives = [n for n in view.goals.current("initiative") if view.goals.is_active(n)]
    groups: dict[tuple[tuple[str, str], ...], set[str]] = {}
    for stored in unlinked:
        for when in _features(stored.item):
            groups.setdefault(when, set()).add(stored.item.id)
    candidates = []
    for when, ids in groups.items():
        match = _best(when, view.items, initiatives)
        if match is not None and len(ids) >= FEWEST:
            candidates.append((when, ids, *match))
    candidates.sort(key=lambda c: (-len(c[1]), c[0]))
    covered: set[str] = set()
    rules = []
    for when, ids, node, shared in candidates:
        fresh = ids - covered
        if len(fresh) >= FEWEST:
            covered |= fresh
            why = f"shares {', '.join(sorted(shared))!r} with the title of {node.id}"
            value = when[-1][1]
            rules.append(
                Proposal(name=f"{value} to {node.id}", when=dict(when), link=node.id, items=len(fresh), why=why)
            )
    return (*rules, *_teams(view, (s for s in view.items.values() if s.item.open)))


def _place(item: WorkItem) -> tuple[str, str]:
    return ("repo" if "/" in item.container else "project", item.container)


def _features(item: WorkItem) -> Iterable[tuple[tuple[str, str], ...]]:
    place = _place(item)
    yield from ((place, ("labels", label)) for label in item.labels if "/" not in label and ":" not in label)
    yield from ((place, ("components", component)) for component in item.components)
    if item.epic:
        yield (place, ("epic", item.epic))


def _best(
    when: tuple[tuple[str, str], ...], items: Mapping[str, StoredItem], initiatives: Iterable[Node]
) -> tuple[Node, frozenset[str]] | None:
    kind, value = when[-1]
    text = value
    if kind == "epic":
        text = " ".join(s.item.title for s in items.values() if s.item.key == value)
    words = _words(text)
    found = [(len(shared), n.id, n, shared) for n in initiatives if (shared := words & _words(f"{n.title} {n.id}"))]
    if not found:
        return None
    found.sort(key=lambda f: (-f[0], f[1]))
    if len(found) > 1 and found[0][0] == found[1][0]:
        return None  # two initiatives are as likely: that is for a person to tell
    return found[0][2], found[0][3]


def _words(text: str) -> frozenset[str]:
    return frozenset(w for w in re.findall(r"\w{4,}", text.casefold()) if w not in _COMMON and w != "init")


def _teams(view: View, stored: Iterable[StoredItem]) -> Iterable[Proposal]:
    without: Counter[tuple[str, str]] = Counter()
    for s in stored:
        if not view.verdicts[s.item.id].team:
            without[_place(s.item)] += 1
    for (key, container), number in sorted(without.items(), key=lambda pair: (-pair[1], pair[0])):
        if number >= FEWEST:
            name = container.rpartition("/")[2]
            why = f"{number} open items there have no team; name the one that works there"
            yield Proposal(name=f"team of {container}", when={key: container}, team=name, items=number, why=why)
