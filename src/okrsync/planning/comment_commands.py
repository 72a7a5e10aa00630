"""What the one comment says of `/okr` commands: the answer to `why`, and what became of the others.

Only people who may give commands are answered; a stranger's command is noise here, and stands in `explain`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..domain.comments import Block, Span, bold, bullet, code, paragraph
from ..domain.findings import View
from ..domain.links import Alignment, CommandAnswer, Hop, Verdict
from ..domain.work import WorkItem
from .goal_names import goal_names

_MOST = 10  # commands; hops
_HOPS = {
    "field": (" names ", " in its OKR field"),
    "label": (" carries a label that names ", ""),
    "trailer": (" names ", " in its description"),
    "command": (" was tied to ", " by a command in a comment"),
    "pinned": (" is listed in the goals under ", ""),
    "parent": (" belongs to ", ""),
    "closes": (" closes ", ""),
    "key": (" names the ticket ", ""),
    "implements": (" implements ", ""),
    "milestone": (" is in a milestone that names ", ""),
    "rule": (" is tied by a mapping rule to ", ""),
    "supports": (" supports ", ""),
}

_Spans = list[Span | str]


def answer_due(verdict: Verdict) -> bool:
    """Whether somebody waits for an answer that only a comment can give: to a `why`, or to what was refused."""
    return any(c.entitled and (c.refused or c.verb == "why") for c in verdict.commands)


def answers(view: View, item: WorkItem, verdict: Verdict) -> tuple[Block, ...]:
    """Nothing where nobody gave a command."""
    told = [c for c in verdict.commands if c.entitled]
    blocks: list[Block] = []
    if any(c.verb == "why" and not c.refused for c in told):
        blocks.extend(_why(view, item, verdict))
    lines = dict.fromkeys(bullet(code(c.line), *_outcome(view, item, verdict, c)) for c in told if _to_tell(c))
    if lines:
        blocks.append(paragraph("Commands given in comments here:"))
        blocks.extend(list(lines)[-_MOST:])
    return tuple(blocks)


def _to_tell(answer: CommandAnswer) -> bool:
    return answer.verb != "why" or bool(answer.refused)


def _outcome(view: View, item: WorkItem, verdict: Verdict, answer: CommandAnswer) -> _Spans:
    if answer.refused:
        return [": refused, ", *_with_code(answer.refused)]
    if answer.verb in ("unlink", "remove-exempt"):
        return [": done"]
    if not answer.counts:
        return [": accepted, and replaced or withdrawn since"]
    if answer.verb == "exempt":
        ended = verdict.expired is not None and verdict.alignment is Alignment.UNLINKED
        return [": accepted, and ended since" if ended else ": accepted"]
    said = answer.line.split(maxsplit=2)[2:]
    words = [*said, *re.split(r"[,;\s]+", said[0] if said else "")]
    ids = {node.id for word in words if word and (node := view.goals.find(word)) is not None}
    return [": accepted, linked to ", *goal_names(view.goals, item, tuple(ids))] if ids else [": accepted"]


def _with_code(reason: str) -> _Spans:
    """What stands between backticks as code, so that it can be copied as it is."""
    parts = reason.split("`")
    if len(parts) % 2 == 0:
        return [reason]
    return [code(part) if number % 2 else part for number, part in enumerate(parts) if part]


# --- why


def _why(view: View, item: WorkItem, verdict: Verdict) -> Iterator[Block]:
    yield paragraph(bold("Why?"), " ", *_verdict(verdict))
    hops = verdict.path[:_MOST] if verdict.alignment is not Alignment.UNLINKED else ()
    yield from (bullet(*_hop(view, item, hop)) for hop in hops)
    if len(verdict.path) > len(hops) and hops:
        yield bullet("and so on, up to the goal")


def _verdict(verdict: Verdict) -> _Spans:
    match verdict.alignment:
        case Alignment.LINKED:
            return ["This work is linked to a goal:"]
        case Alignment.STALE:
            return ["This work is tied only to goals that have ended:"]
        case Alignment.EXEMPT:
            return ["This work counts as ", code(verdict.exempt_class or "exempt"), ", outside the goals:"]
    if verdict.expired is not None:
        class_, until = verdict.expired
        return ["This work counted as ", code(class_), f" until {until.isoformat()}, and nothing ties it to a goal."]
    return ["Nothing on this work, and nothing it belongs to, names a goal."]


def _hop(view: View, item: WorkItem, hop: Hop) -> _Spans:
    before, after = _HOPS.get(hop.via, (" leads to ", ""))
    return [*_name(view, item, hop.origin), before, *_name(view, item, hop.to), after]


def _name(view: View, item: WorkItem, id_: str) -> Iterable[Span | str]:
    if id_ == item.id:
        return ["this work"]
    stored = view.items.get(id_)
    if stored is not None and (stored.item.connector, stored.item.container) == (item.connector, item.container):
        return [code(stored.item.key)]
    if stored is None and id_.startswith("exempt:"):
        return [code(id_.partition(":")[2]), " work"]
    if stored is None and (view.goals.find(id_) is not None or ":" not in id_):
        return goal_names(view.goals, item, (id_,))
    return ["work elsewhere"]  # nothing of another project or repository is named: its readers may be others
