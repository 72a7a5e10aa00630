"""OKR1xx: what work says of itself. Only open work is judged; unknown work is not judged at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, partial

from msgspec import structs

from okrsync.domain.findings import Finding, Severity, View
from okrsync.domain.goals import Goals, Node
from okrsync.domain.links import Alignment, Target, UnknownId, Verdict
from okrsync.domain.settings import RulesSettings
from okrsync.domain.text import regex
from okrsync.domain.work import WorkItem

from .making import KIND_WORDS, about_item, listed, spec
from .support import roots

_LINK = 'add the label initiative:ID or kr:ID, or a line "OKR: ID" in the description, or comment /okr link ID'
_EXEMPT = (
    "If it is needed but serves no goal, add the label exempt:CLASS instead, for example exempt:tech-debt, "
    "or comment /okr exempt CLASS."
)
_DID_YOU_MEAN = regex(r"did you mean '(.+)'\?")


def unlinked_work(view: View, settings: RulesSettings) -> Iterator[Finding]:
    """Open work that no strategic parent could be found for.

    What it says: nothing on this item, nothing above it and no mapping rule ties it to an initiative, a key
    result or an objective.

    Why it matters: people decide well day by day only when they can see what their work is for. Doerr
    (Measure What Matters, 2018) counts alignment among the reasons to have OKRs at all; DORA lists
    "visibility of work in the value stream" among the capabilities that predict performance; Sull, Homkes and
    Sull (Why Strategy Execution Unravels, Harvard Business Review, March 2015) found that only about half of
    middle managers can name even one of their company's top priorities. Unlinked is not useless: often the
    tie exists and was merely never written down.

    How to fix: add the label initiative:ID, kr:ID or objective:ID, or a line "OKR: ID" in the description, on
    the topmost item of the tree: everything below inherits it. Work that is needed but serves no goal gets
    the label exempt:CLASS. Where many items are alike, a rule in mappings/ does it once for all.
    """
    del settings
    top = roots(view, Alignment.UNLINKED)
    words = {kind.value: word for kind, word in KIND_WORDS.items()}
    for id_, verdict in _judged(view, Alignment.UNLINKED):
        if verdict.expired is not None:
            continue  # OKR105 says it better
        item = _item(view, id_)
        subject = about_item(item)
        root = top[id_]
        best = "" if root == id_ else f" It is best done on {root}, the top of its tree: all work below follows."
        yield Finding(
            code="OKR101",
            slug="unlinked-work",
            severity=Severity.WARNING,
            subject=subject,
            message=f"No strategic parent was found for this {words[subject.kind]}.",
            remedy=f"{_near(verdict)}If it serves a goal, {_LINK}.{best} {_EXEMPT}",
            evidence={
                "root": root,
                "parent": verdict.parent,
                "team": verdict.team or None,
                **({"near_keys": [structs.asdict(n) for n in verdict.near_keys]} if verdict.near_keys else {}),
            },
        )


def _near(verdict: Verdict) -> str:
    """What the item seems to name, as a sentence before the others; empty without such."""
    if not verdict.near_keys:
        return ""
    said = listed(f"{n.meant} is meant by {n.written!r} in the {n.where}" for n in verdict.near_keys)
    return f"If {said}, write the key there as Jira does. "


def stale_link(view: View, settings: RulesSettings) -> Iterator[Finding]:
    """Open work whose only link is to something that has ended (strategy decay).

    What it says: every goal this item reaches belongs to an ended cycle, or to an initiative that is done or
    stopped, and the grace period (`cycles.grace`) has passed.

    Why it matters: goals end, work lingers. In the survey behind Sull, Homkes and Sull (Why Strategy Execution
    Unravels, Harvard Business Review, March 2015) most managers said that their company is too slow to end
    what no longer serves it. Open work that serves last quarter's goal is where that shows first.

    How to fix: point it at a goal of the present cycle (label initiative:ID or kr:ID, or a line "OKR: ID" in
    the description, on the topmost item), or close it, or say why it stays with the label exempt:CLASS.
    """
    del settings
    top = roots(view, Alignment.STALE)
    for id_, verdict in _judged(view, Alignment.STALE):
        item = _item(view, id_)
        root = top[id_]
        best = "" if root == id_ else f" It is best done on {root}, the top of its tree."
        ended = {t.node: t for t in verdict.targets}
        yield Finding(
            code="OKR102",
            slug="stale-link",
            severity=Severity.WARNING,
            subject=about_item(item),
            message=f"This {KIND_WORDS[item.kind]} is linked only to what has ended: "
            f"{listed(_ended(t) for t in ended.values())}.",
            remedy=f"To tie it to a present goal, {_LINK}; or close it if it is no longer worth doing.{best} {_EXEMPT}",
            evidence={
                "root": root,
                "ended": [
                    {"id": t.node, "cycle": t.cycle, "ended": t.ended.isoformat() if t.ended else None}
                    for t in ended.values()
                ],
            },
        )


def _ended(target: Target) -> str:
    return f"{target.node} (ended {target.ended.isoformat()})" if target.ended else f"{target.node} (ended)"


def unknown_okr_id(view: View, settings: RulesSettings) -> Iterator[Finding]:
    """Work that names an id which does not exist.

    What it says: a label, field or trailer names an initiative, key result or objective that stands in no
    file of config/okrs/ (or is of another kind), or an exemption class that nobody declared.

    Why it matters: somebody took the trouble to say what the work is for, and a slip of the pen loses it.
    Many such slips are a sign that the ids are hard to use: Norman (The Design of Everyday Things) advises to
    look for the cause of a slip in the design, not in the person.

    How to fix: correct the id; the message names the nearest one that exists. If the goal is missing, add it
    to config/okrs/; a class is declared under `classes` in mappings/.
    """
    del settings
    for id_, verdict in _telling(view):
        if not verdict.unknown_ids:
            continue
        item = _item(view, id_)
        named: dict[str, UnknownId] = {}
        for unknown in verdict.unknown_ids:
            named.setdefault(unknown.id.casefold(), unknown)
        hints = {u.id: _hint(u) for u in named.values()}
        fixes = [f"{id_} to {near}" for id_, (near, _) in hints.items() if near]
        ids, stands = ("the id", "it stands") if len(hints) == 1 else ("the ids", "they stand")
        correct = f"Change {listed(fixes)}" if fixes else f"Correct {ids}"
        classes = any(_names_class(u) for u in named.values())
        goals = not all(_names_class(u) for u in named.values())
        places = [
            *(["add the missing goal to config/okrs/"] if goals else []),
            *(["declare the class under `classes` in mappings/"] if classes else []),
        ]
        yield Finding(
            code="OKR103",
            slug="unknown-okr-id",
            severity=Severity.ERROR,
            subject=about_item(item),
            message=f"This {KIND_WORDS[item.kind]} names what does not exist: "
            f"{listed(f'{id_} ({words})' if words else id_ for id_, (_, words) in hints.items())}.",
            remedy=f"{correct} where {stands} ({listed(sorted({u.via for u in named.values()}))}), "
            f"or {', or '.join(places)}.",
            evidence={
                "ids": [{"id": u.id, "via": u.via, "suggestion": hints[u.id][0] or None} for u in named.values()]
            },
        )


def _hint(unknown: UnknownId) -> tuple[str, str]:
    """The nearest id that exists, and the hint in words; a suggestion is an id or the words themselves."""
    words = unknown.suggestion.strip("; ")
    near = _DID_YOU_MEAN.fullmatch(words)
    if near:
        return near[1], f"did you mean {near[1]}?"
    return ("", words) if " " in words or not words else (words, f"did you mean {words}?")


def _names_class(unknown: UnknownId) -> bool:
    return unknown.detail.casefold().startswith("exempt")


def disagreeing_links(view: View, settings: RulesSettings) -> Iterator[Finding]:
    """The item says one objective, its parent another.

    What it says: the item's own explicit link and its parent's explicit link lead to different objectives, and
    neither objective supports the other.

    Why it matters: the nearer link wins, so the item is counted where it says; but the people above plan it
    elsewhere, and a plan that counts on the same work twice fails quietly. Google's OKR playbook (printed in
    Doerr, Measure What Matters) has every group that takes part name its contribution in its own OKRs.

    How to fix: agree on one. Remove the label or trailer that is out of date, on the item or on its parent;
    if the work truly serves both, name both ids on the item.
    """
    del settings
    family = cache(partial(_family, view.goals))

    @cache
    def disagreement(own: tuple[str, ...], parents: tuple[str, ...]) -> tuple[str, str] | None:
        if not family(own).isdisjoint(_fold(parents)) or not family(parents).isdisjoint(_fold(own)):
            return None
        return listed(own), listed(parents)

    for id_, verdict in _telling(view):
        own, parents = verdict.own_objectives, verdict.parent_objectives
        told = disagreement(own, parents) if own and parents else None
        if told is None:
            continue
        item = _item(view, id_)
        above = f"its parent {verdict.parent}" if verdict.parent else "its parent"
        yield Finding(
            code="OKR104",
            slug="disagreeing-links",
            severity=Severity.WARNING,
            subject=about_item(item),
            message=f"This {KIND_WORDS[item.kind]} points to {told[0]}, {above} to {told[1]}.",
            remedy="Agree on one: change the label or the OKR: line on the item or on its parent. "
            'If it serves both, name both on the item, for example "OKR: ' + f'{own[0]}, {parents[0]}".',
            evidence={"own": list(own), "parent": verdict.parent, "parent_objectives": list(parents)},
        )


def _fold(ids: Iterable[str]) -> set[str]:
    return {i.casefold() for i in ids}


def _family(goals: Goals, ids: tuple[str, ...]) -> set[str]:
    """The objectives and everything they support, folded."""
    waiting: list[Node | None] = [goals.find(i, ("objective",)) for i in ids]
    found = _fold(ids)
    seen: set[Node] = set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        found.add(node.id.casefold())
        waiting.extend(n for n in goals.parents(node) if n.kind == "objective")
    return found


def expired_exemption(view: View, settings: RulesSettings) -> Iterator[Finding]:
    """Work that would be exempt, had the exemption not run out.

    What it says: a mapping rule exempts this item, but its `until` (inclusive, UTC) has
    passed. The item counts as unlinked; this finding stands in place of OKR101.

    Why it matters: an exemption with a date is a promise to look again. Wodtke (Radical Focus) argues that a
    focus lives from saying "not now" on purpose; an exemption that renews itself is no decision.

    How to fix: look again. If it still holds, move the date (`until` in the mapping rule). If not, link the work to
    a goal or close it.
    """
    del settings
    for id_, verdict in _judged(view, Alignment.UNLINKED):
        if verdict.expired is None:
            continue
        item = _item(view, id_)
        class_, until = verdict.expired
        yield Finding(
            code="OKR105",
            slug="expired-exemption",
            severity=Severity.WARNING,
            subject=about_item(item),
            message=f"The exemption of this {KIND_WORDS[item.kind]} ({class_}) ran until {until.isoformat()}.",
            remedy="If it still holds, move `until` in the mapping rule, or command `/okr exempt CLASS until DATE` "
            f"anew. If it serves a goal, {_LINK}.",
            evidence={"class": class_, "until": until.isoformat(), "rule": verdict.rule},
        )


def _judged(view: View, alignment: Alignment) -> Iterator[tuple[str, Verdict]]:
    """Ids of open items with the given verdict, and that."""
    for standing in view.standings():
        if standing.alignment is alignment and standing.open and standing.id in view.verdicts:
            yield standing.id, view.verdicts[standing.id]


def _telling(view: View) -> Iterator[tuple[str, Verdict]]:
    """Ids of open items that say something themselves and whose verdict is known, and that."""
    unknown = Alignment.UNKNOWN
    for standing in view.standings():
        if standing.telling and standing.open and standing.alignment is not unknown and standing.id in view.verdicts:
            yield standing.id, view.verdicts[standing.id]


def _item(view: View, id_: str) -> WorkItem:
    item = view.item(id_)
    assert item is not None  # it is open and some rule is about it
    return item


RULES = (
    spec("OKR101", "unlinked-work", Severity.WARNING, unlinked_work),
    spec("OKR102", "stale-link", Severity.WARNING, stale_link),
    spec("OKR103", "unknown-okr-id", Severity.ERROR, unknown_okr_id),
    spec("OKR104", "disagreeing-links", Severity.WARNING, disagreeing_links),
    spec("OKR105", "expired-exemption", Severity.WARNING, expired_exemption),
)
