"""Where open work goes, against where it was meant to go."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from okrsync.domain.findings import View
from okrsync.domain.goals import Bet, Node, Objective
from okrsync.domain.links import Alignment, Target

from .text import plain

_LEVELS = ("company", "function", "team")


class EffortRow(Struct, frozen=True, kw_only=True):
    """One goal's part. `items` may be a fraction: work that serves n goals counts 1/n for each. `share` is
    of linked open work, from 0 to 1; `intended` is its `weight` as such a share, None where none is given."""

    id: str
    title: str
    items: float
    share: float
    intended: float | None


class Effort(Struct, frozen=True, kw_only=True):
    """One level of goals: `bet`, `company`, `function` or `team`. `rest` is the share that reaches none of them."""

    level: str
    total: int
    rows: tuple[EffortRow, ...]
    rest: float


def efforts(view: View) -> tuple[Effort, ...]:
    """For bets and each level of objectives how linked open work divides among them."""
    linked = [
        [t for t in view.verdicts[id_].targets if t.active]
        for id_, stored in view.items.items()
        if stored.item.open and view.verdicts[id_].alignment is Alignment.LINKED
    ]
    found = []
    levels: dict[str, list[Node]] = {"bet": list(view.goals.current("bet"))}
    for level in _LEVELS:
        levels[level] = [
            n for n in view.goals.current("objective") if isinstance(n.value, Objective) and n.value.level == level
        ]
    for level, nodes in levels.items():
        if nodes and linked:
            found.append(_effort(level, nodes, linked, _bets if level == "bet" else _objectives))
    return tuple(found)


def _bets(target: Target) -> tuple[str, ...]:
    return target.bets


def _objectives(target: Target) -> tuple[str, ...]:
    return (*target.objectives, *target.ancestors)


def _effort(
    level: str, nodes: list[Node], linked: list[list[Target]], reached: Callable[[Target], tuple[str, ...]]
) -> Effort:
    parts = {n.id.casefold(): 0.0 for n in nodes}
    unreached = 0
    for targets in linked:
        here = {i.casefold() for t in targets for i in reached(t)} & parts.keys()
        for id_ in here:
            parts[id_] += 1 / len(here)
        unreached += not here
    first = {n.id.casefold(): n for n in reversed(nodes)}  # an id may live in a year and in its quarter
    rows = tuple(
        EffortRow(
            id=n.id,
            title=plain(n.title),
            items=round(parts[id_], 2),
            share=parts[id_] / len(linked),
            intended=n.value.weight / 100
            if isinstance(n.value, Bet | Objective) and n.value.weight is not None
            else None,
        )
        for id_, n in reversed(first.items())
    )
    return Effort(level=level, total=len(linked), rows=rows, rest=unreached / len(linked))
