"""Why an item, initiative, key result, objective or bet is what it is, as data (DESIGN section 10)."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from msgspec import structs

from okrsync.domain.goals import Goals, KeyResult, Node
from okrsync.domain.links import Alignment, Target, Verdict
from okrsync.domain.text import did_you_mean
from okrsync.domain.work import StoredItem

from .targets import Targets

# The page of a ticket or pull request, or one below it, as it is copied out of a browser.
_PAGE = re.compile(r"(?:/[^/]+)*/browse/([^/]+)/*|/([^/]+/[^/]+)/(?:issues|pull)/(\d+)(?:/.*)?")


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
    supporting: Container[str] = (),
) -> dict[str, Any]:
    """The JSON of `explain ID`; keys beyond the contract's: title, url, state, also, leads_to, why, unknown_ids,
    near_keys, commands, expired, rule, team for work; title, owner, cycle, active, ended, supported,
    supported_elsewhere, work for goals.

    id_              an item's id or old id, its key alone where only one item has it, its address in a browser, or
                     a goal's id; any case
    items, verdicts  by item id, chased items included
    observed_labels, owned_comment, suggestions  for work only, passed through
    supporting       for goals: ids of the work that supports it now (`findings.support`)

    Raises UnknownSubject.
    """
    place = _find_item(id_, items, aliases or {}) or _find_page(id_, items, aliases or {})
    if place is None:
        node = goals.find(id_)
        if node is None:
            near = did_you_mean(id_, [*items, *(n.id for n in goals)])
            raise UnknownSubject(f"nothing is known of {id_!r}, neither as work nor as a goal{near}")
        return _goal(node, Targets(goals), goals, items, verdicts, supporting)
    item, verdict = items[place].item, verdicts[place]
    return {
        "id": item.id,
        "kind": item.kind.value,
        "title": item.title,
        "url": item.url,
        "state": item.state,
        "alignment": verdict.alignment.value,
        "targets": [t.json() for t in verdict.targets if t.active or verdict.alignment is not Alignment.LINKED],
        "exempt_class": verdict.exempt_class,
        "path": [hop.json() for hop in verdict.path],
        "also": [hop.json() for hop in verdict.also],
        "lost": [lost.json() for lost in verdict.lost],
        "leads_to": _leads_to(items[place], items, verdicts, aliases or {}),
        "suggestions": [dict(s) for s in suggestions],
        "observed_labels": list(observed_labels),
        "owned_comment": owned_comment,
        "why": verdict.why,
        "unknown_ids": [
            {"via": u.via, "id": u.id, "detail": u.detail, "suggestion": u.suggestion} for u in verdict.unknown_ids
        ],
        "commands": [{"line": c.line, "refused": c.refused} for c in verdict.commands],
        "near_keys": [structs.asdict(near) for near in verdict.near_keys],
        "expired": {"class": verdict.expired[0], "until": verdict.expired[1].isoformat()} if verdict.expired else None,
        "rule": verdict.rule,
        "team": verdict.team,
        "awaiting_renewal": verdict.awaiting_renewal,
    }


def _leads_to(
    stored: StoredItem, items: Mapping[str, StoredItem], verdicts: Mapping[str, Verdict], aliases: Mapping[str, str]
) -> list[dict[str, str]]:
    """What the item points at, and how that stands: for an unlinked item the answer to "did you look there?"."""
    found = []
    for reference in stored.item.references:
        to = aliases.get(reference.target, reference.target)
        if to in items and to != stored.item.id:
            hop = {"from": stored.item.id, "via": reference.via.value, "to": to, "detail": reference.detail}
            found.append({**hop, "alignment": verdicts[to].alignment.value})
    return found


def _find_item(id_: str, items: Mapping[str, StoredItem], aliases: Mapping[str, str]) -> str | None:
    if id_ in items:
        return id_
    if aliases.get(id_) in items:
        return aliases[id_]
    folded = id_.casefold()
    for names in ({known: known for known in items}, aliases):
        for part in (_whole, _key):
            same = {now for name, now in names.items() if part(name).casefold() == folded and now in items}
            if len(same) == 1:
                return same.pop()
    return None


def _find_page(address: str, items: Mapping[str, StoredItem], aliases: Mapping[str, str]) -> str | None:
    try:
        url = urlsplit(address)
    except ValueError:
        return None
    page = _PAGE.fullmatch(url.path) if url.scheme in ("http", "https") else None
    place = _find_item(page[1] or f"{page[2]}#{page[3]}", items, aliases) if page else None
    if place is None or urlsplit(items[place].item.url).netloc.casefold() != url.netloc.casefold():
        return None
    return place


def _whole(id_: str) -> str:
    return id_


def _key(id_: str) -> str:
    return id_.partition(":")[2]


def _goal(
    node: Node,
    targets: Targets,
    goals: Goals,
    items: Mapping[str, StoredItem],
    verdicts: Mapping[str, Verdict],
    supporting: Container[str],
) -> dict[str, Any]:
    work = []
    for id_, stored in items.items():
        through = [t for t in verdicts[id_].targets if _reaches(t, node)] if id_ in verdicts else []
        if through and not stored.chased and not stored.item.archived:
            # active ones stand first
            work.append(_work(stored, verdicts[id_], through[0], counts=id_ in supporting))
    work.sort(key=lambda w: (w["state"] != "open", w["id"]))
    ended = goals.ended_on(node)
    reached = [] if node.kind == "bet" else [targets.of(node).json()]
    elsewhere = node.value.supported_elsewhere if isinstance(node.value, KeyResult) else None
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
        "supported": any(w["counts"] for w in work),
        "supported_elsewhere": elsewhere.model_dump(mode="json") if elsewhere else None,
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


def _work(stored: StoredItem, verdict: Verdict, through: Target, *, counts: bool) -> dict[str, Any]:
    item = stored.item
    why = ""
    if not counts:
        if not item.open:
            why = "it ended without being done" if item.dropped else "it was closed outside of the active cycle"
        elif not through.active:
            why = f"{through.node} has ended"
        else:
            why = "the goal's cycle is not active today"
    return {
        "id": item.id,
        "kind": item.kind.value,
        "title": item.title,
        "url": item.url,
        "state": item.state,
        "alignment": verdict.alignment.value,
        "through": through.node,
        "counts": counts,
        "why": why,
    }
