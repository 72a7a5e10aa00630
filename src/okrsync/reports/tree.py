"""The tree of goals as a report shows it: bets, objectives, key results, and initiatives with what supports each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from okrsync.domain.findings import View
from okrsync.domain.goals import Goals, Initiative, KeyResult, Node, Objective, Owner
from okrsync.findings import Support, doubt, support

from .text import natural, plain

# Enough to recognise what the work is about; okrsync.csv names all of it.
EXAMPLES = 8


class KrRow(Struct, frozen=True, kw_only=True):
    """A key result. `progress` runs from 0 to 1, unclamped. `state` is supported | elsewhere | unsupported |
    unknown; `elsewhere` says what supports it otherwise and until when, also after that day. `examples` are ids
    of the first few items that support it, open ones first."""

    id: str
    title: str
    owner: str
    objective: str
    baseline: float | None
    target: float | None
    current: float | None
    unit: str
    as_of: date | None
    confidence: float | None
    progress: float | None
    open: int
    closed: int
    initiatives: tuple[str, ...]
    state: str
    elsewhere: str
    examples: tuple[str, ...] = ()


class ObjectiveRow(Struct, frozen=True, kw_only=True):
    """`open` and `closed` count work on it, its key results and the objectives below. `below` are those shown
    under it; `also` the ids of further parents, where it is not shown again."""

    id: str
    title: str
    owner: str
    level: str
    team: str
    weight: float | None
    supports: tuple[str, ...]
    open: int
    closed: int
    key_results: tuple[KrRow, ...]
    below: tuple[ObjectiveRow, ...] = ()
    also: tuple[str, ...] = ()


class BetRow(Struct, frozen=True, kw_only=True):
    id: str
    title: str
    owner: str
    weight: float | None
    open: int
    closed: int
    objectives: tuple[ObjectiveRow, ...]


class InitiativeRow(Struct, frozen=True, kw_only=True):
    """`state` is supported | unsupported | unknown, or empty for one that is not active."""

    id: str
    title: str
    owner: str
    team: str
    status: str
    ended: date | None
    supports: tuple[str, ...]
    open: int
    closed: int
    state: str


def goal_tree(view: View) -> tuple[tuple[BetRow, ...], tuple[ObjectiveRow, ...], tuple[InitiativeRow, ...]]:
    """Bets with the objectives under them, the objectives under no bet, and the initiatives; in file order.

    Each objective is shown once, under the first of its parents. Objectives that support each other in a
    circle are shown under no bet.
    """
    grower = _Grower(view)
    bets = tuple(grower.bet(n) for n in view.goals.current("bet"))
    loose = [grower.objective(n) for n in view.goals.current("objective") if grower.is_top(n)]
    loose += [grower.objective(n) for n in view.goals.current("objective") if n.key not in grower.shown]
    return bets, tuple(loose), tuple(grower.initiative(n) for n in view.goals.current("initiative"))


class _Grower:
    """Grows rows from nodes; `shown` keeps each objective to one place."""

    def __init__(self, view: View) -> None:
        self.goals: Goals = view.goals
        self.reached: Mapping[tuple[str, str], Support] = support(view)
        self.doubt = doubt(view)
        self.shown: set[tuple[str, str]] = set()
        current = set(view.goals.current())
        self.parents = {n.key: [p for p in view.goals.parents(n) if p in current] for n in current}
        self.children: dict[tuple[str, str], list[Node]] = {}
        for node in view.goals.current():
            for parent in self.parents[node.key]:
                self.children.setdefault(parent.key, []).append(node)

    def is_top(self, node: Node) -> bool:
        return node.key not in self.shown and not self.parents[node.key]

    def bet(self, node: Node) -> BetRow:
        reached = self.reached[node.key]
        return BetRow(
            id=node.id,
            title=plain(node.title),
            owner=_names(node.owner),
            weight=getattr(node.value, "weight", None),
            open=len(reached.open),
            closed=len(reached.closed),
            objectives=self._under(node),
        )

    def _under(self, node: Node) -> tuple[ObjectiveRow, ...]:
        mine = [c for c in self.children.get(node.key, ()) if c.kind == "objective"]
        return tuple(self.objective(c) for c in mine if c.key not in self.shown)

    def objective(self, node: Node) -> ObjectiveRow:
        # depth is bounded by the number of objectives, which people write by hand; `shown` ends circles
        self.shown.add(node.key)
        value = node.value
        assert isinstance(value, Objective)
        reached = self.reached[node.key]
        krs = [c for c in self.children.get(node.key, ()) if c.kind == "key_result"]
        return ObjectiveRow(
            id=node.id,
            title=plain(node.title),
            owner=_names(node.owner),
            level=value.level,
            team=plain(value.team),
            weight=value.weight,
            supports=node.parents,
            open=len(reached.open),
            closed=len(reached.closed),
            key_results=tuple(self.key_result(k, node) for k in krs),
            below=self._under(node),
            also=tuple(p.id for p in self.parents[node.key][1:]),
        )

    def key_result(self, node: Node, objective: Node) -> KrRow:
        value = node.value
        assert isinstance(value, KeyResult)
        reached = self.reached[node.key]
        other = value.supported_elsewhere
        if reached:
            state = "supported"
        elif other is not None and other.review_by >= self.goals.today:
            state = "elsewhere"
        else:
            state = "unknown" if self.doubt else "unsupported"
        return KrRow(
            id=node.id,
            title=plain(node.title),
            owner=_names(node.owner),
            objective=objective.id,
            baseline=value.baseline,
            target=value.target,
            current=value.current,
            unit=value.unit,
            as_of=value.as_of,
            confidence=value.confidence,
            progress=value.progress,
            open=len(reached.open),
            closed=len(reached.closed),
            initiatives=tuple(
                c.id for c in self.children.get(node.key, ()) if c.kind == "initiative" and self.goals.is_active(c)
            ),
            state=state,
            examples=(*sorted(reached.open, key=natural), *sorted(reached.closed, key=natural))[:EXAMPLES],
            elsewhere=f"{plain(other.what)}, to be reviewed by {other.review_by.isoformat()}" if other else "",
        )

    def initiative(self, node: Node) -> InitiativeRow:
        value = node.value
        assert isinstance(value, Initiative)
        reached = self.reached[node.key]
        active = value.status == "active" and self.goals.is_active(node)
        missing = ("unknown" if self.doubt else "unsupported") if active else ""
        return InitiativeRow(
            id=node.id,
            title=plain(node.title),
            owner=_names(node.owner),
            team=plain(value.team),
            status=value.status,
            ended=value.ended,
            supports=node.parents,
            open=len(reached.open),
            closed=len(reached.closed),
            state="supported" if reached else missing,
        )


def _names(owner: Owner) -> str:
    return plain(owner if isinstance(owner, str) else ", ".join(owner or ()))
