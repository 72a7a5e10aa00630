"""Why an item, initiative, key result, objective or bet is what it is, as data (DESIGN section 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from okrsync.domain.goals import Goals, Node
from okrsync.domain.links import Alignment, Target, Verdict
from okrsync.domain.text import did_you_mean
from okrsync.domain.work import StoredItem

from .targets import Targets


class UnknownSubject(LookupError):
    """Neither work nor a goal has this id. The message suggests near ones."""

    def __str__(self) -> str:
        return str(self.args[0])


def explain(
    id_: str,
    *,
    goals: Goals,
    items: Mapping[str, StoredItem],
    verdicts: Mapping[str, Verdict],
    aliases: Mapping[str, str] | None = None,
    observed_labels: Sequence[str] = (),
    owned_comment: Any = None,
    suggestions: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The JSON of `explain ID`; keys beyond the contract's: title, url, state, why, unknown_ids, expired, rule,
    team for work; title, owner, cycle, active, ended, supported, work for goals.

    id_              an item's id or old id, its key alone where only one item has it, or a goal's id; any case
    items, verdicts  by item id, chased items included
    observed_labels, owned_comment, suggestions  for work only, passed through

    Raises UnknownSubject.
    """
    place = _find_item(id_, items, aliases or {})
    if place is None:
        node = goals.find(id_)
        if node is None:
            near = did_you_mean(id_, [*items, *(n.id for n in goals)])
            raise UnknownSubject(f"nothing is known of {id_!r}, neither as work nor as a goal{near}")
        return _goal(node, Targets(goals), goals, items, verdicts)
    item, verdict = items[place].item, verdicts[place]
    return {
        "id": item.id,
        "kind": item.kind.value,
        "title": item.title,
        "url": item.url,
        "state": item.state,
        "alignment": verdict.alignment.value,
        "targets": [target.json() for target in verdict.targets],
        "exempt_class": verdict.exempt_class,
        "path": [hop.json() for hop in verdict.path],
        "lost": [lost.json() for lost in verdict.lost],
        "suggestions": [dict(s) for s in suggestions],
        "observed_labels": list(observed_labels),
        "owned_comment": owned_comment,
        "why": verdict.why,
        "unknown_ids": [
            {"via": u.via, "id": u.id, "detail": u.detail, "suggestion": u.suggestion} for u in verdict.unknown_ids
        ],
        "expired": {"class": verdict.expired[0], "until": verdict.expired[1].isoformat()} if verdict.expired else None,
        "rule": verdict.rule,
        "team": verdict.team,
        "awaiting_renewal": verdict.awaiting_renewal,
    }


def _find_item(id_: str, items: Mapping[str, StoredItem], aliases: Mapping[str, str]) -> str | None:
    if id_ in items:
        return id_
    if aliases.get(id_) in items:
        return aliases[id_]
    folded = id_.casefold()
    same = [known for known in items if known.casefold() == folded]
    if not same:
        same = [known for known, stored in items.items() if stored.item.key.casefold() == folded]
    return same[0] if len(same) == 1 else None


def _goal(
    node: Node,
    targets: Targets,
    goals: Goals,
    items: Mapping[str, StoredItem],
    verdicts: Mapping[str, Verdict],
) -> dict[str, Any]:
    work = [
        _supporting(stored, verdicts[id_])
        for id_, stored in items.items()
        if not stored.chased and id_ in verdicts and any(_reaches(t, node) for t in verdicts[id_].targets)
    ]
    work.sort(key=lambda w: (w["state"] != "open", w["id"]))
    ended = goals.ended_on(node)
    reached = [] if node.kind == "bet" else [targets.of(node).json()]
    return {
        "id": node.id,
        "kind": node.kind,
        "title": node.title,
        "alignment": None,
        "targets": reached,
        "exempt_class": None,
        "path": [hop.json() for hop in targets.supports(node)],
        "lost": [],
        "suggestions": [],
        "observed_labels": [],
        "owned_comment": None,
        "owner": list(node.owner) if isinstance(node.owner, tuple) else node.owner,
        "cycle": node.cycle.id if node.cycle else None,
        "active": goals.is_active(node),
        "ended": ended.isoformat() if ended and ended != date.min else None,  # done, but nobody wrote when
        "supported": any(w["state"] == "open" and w["alignment"] == Alignment.LINKED for w in work),
        "work": work,
    }


def _reaches(target: Target, node: Node) -> bool:
    reached = {
        "initiative": (target.initiative,),
        "key_result": target.key_results,
        "objective": (*target.objectives, *target.ancestors),
        "bet": target.bets,
    }[node.kind]
    return node.id in reached


def _supporting(stored: StoredItem, verdict: Verdict) -> dict[str, Any]:
    item = stored.item
    return {
        "id": item.id,
        "kind": item.kind.value,
        "title": item.title,
        "url": item.url,
        "state": item.state,
        "alignment": verdict.alignment.value,
        "through": verdict.targets[0].node,
    }
