"""What else was seen on the chain of an item: what counts too, and what lost and why; shown by `explain`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice

from msgspec import Struct

from okrsync.domain.links import Alignment, Hop, Lost, Target, UnknownId
from okrsync.domain.work import Via

from .evidence import Evidence, Found
from .graph import Dead, Graph
from .spread import reaching
from .targets import Targets

# Nobody reads more, and chains or fans of thousands would cost their square.
MOST = 50


class Decision(Struct, frozen=True, kw_only=True):
    """How an item's alignment came about: the decisive evidence (`winner`, `path` to it) at `distance` hops,
    explicit or `by_rule`; `why` for unknown."""

    alignment: Alignment
    distance: int = 0
    by_rule: bool = False
    winner: Evidence | None = None
    targets: tuple[Target, ...] = ()
    path: tuple[Hop, ...] = ()
    why: str = ""


class Losers:
    """Walks each item's chain outwards, nearest first, through at most MOST items."""

    def __init__(
        self,
        graph: Graph,
        targets: Targets,
        read: Mapping[int, Found],
        ruled: Mapping[int, tuple[Evidence, ...]],
        ended: Mapping[int, tuple[Evidence, ...]],
    ) -> None:
        self._graph = graph
        self._targets = targets
        self._read = read
        self._ruled = ruled
        self._ended = ended
        self._noted = {*read, *ruled, *ended, *graph.void, *graph.barred, *graph.unread}
        self._near_something = reaching(graph, self._noted)  # many items have nothing on their chain: no walk then

    def of(self, place: int, decision: Decision) -> tuple[tuple[Lost, ...], tuple[Hop, ...]]:
        """What lost, and the evidence that counts as much as the one whose path is shown."""
        if not self._near_something[place]:
            return (), ()
        found: dict[Lost | Hop, None] = {}
        depth = {place: 0}
        queue = deque([place])
        while queue and len(found) < MOST:
            at = queue.popleft()
            if at in self._noted:
                found.update(dict.fromkeys(islice(self._at(at, depth[at], decision), MOST)))
            for edge in self._graph.edges(at):
                if len(depth) >= MOST:
                    break
                if edge.to in depth:
                    continue
                depth[edge.to] = depth[at] + 1
                queue.append(edge.to)
                if why := self._graph.unread.get(edge.to):
                    dead = Dead(edge.reference, self._graph.ids[edge.to], why)
                    found[self._dead(at, dead)] = None
        lost = tuple(f for f in found if isinstance(f, Lost))
        return lost, tuple(f for f in found if isinstance(f, Hop))

    def _at(self, place: int, depth: int, decision: Decision) -> Iterator[Lost | Hop]:
        id_ = self._graph.ids[place]
        if read := self._read.get(place):
            yield from self._explicit((*read.own, *read.repeated), depth, decision)
            yield from self._explicit((*read.milestone, *read.milestone_repeated), depth + 1, decision)
            yield from (_unknown(id_, unknown) for unknown in (*read.unknown, *read.milestone_unknown))
        yield from (self._dead(place, dead) for dead in self._graph.void.get(place, ()))
        yield from (self._dead(place, dead) for dead in self._graph.barred.get(place, ()))
        for evidence in (e.standing_on(id_) for e in self._ruled.get(place, ())):
            if decision.winner and not decision.by_rule:
                yield _lost(evidence, "explicit evidence beats rules")
            else:
                yield from self._competing(evidence, depth, decision)
        for evidence in (e.standing_on(id_) for e in self._ended.get(place, ())):
            what = "exemption" if evidence.exempt else "mapping rule"
            yield _lost(evidence, f"the {what} expired on {evidence.until}")

    def _explicit(self, evidence: Iterable[Evidence], depth: int, decision: Decision) -> Iterator[Lost | Hop]:
        for piece in evidence:
            yield from self._competing(piece, depth, decision)

    def _competing(self, evidence: Evidence, depth: int, decision: Decision) -> Iterator[Lost | Hop]:
        """Evidence of the kind that decided, or that nothing of its kind decided. At the winning distance
        everything counts that is not outdone."""
        winner = decision.winner
        if winner is None:
            if decision.alignment is Alignment.UNKNOWN:
                yield _lost(evidence, f"cannot decide: {decision.why}")
        elif depth > decision.distance:
            yield _lost(evidence, f"farther than {_standing(winner, decision)}")
        elif evidence.node is None:
            if decision.alignment is Alignment.LINKED:
                yield _lost(evidence, "at the same distance an active goal beats an exemption")
            elif evidence.goal != winner.goal:
                yield _lost(evidence, "another exemption at the same distance is shown first")
            elif evidence != winner:
                yield _counts(evidence)
        elif decision.alignment is not Alignment.STALE and not (target := self._targets.of(evidence.node)).active:
            yield _lost(evidence, _ended(target.ended))
        elif evidence != winner:
            yield _counts(evidence)

    def _dead(self, place: int, dead: Dead) -> Lost:
        reference = dead.reference
        origin = self._graph.ids[place]
        return Lost(origin=origin, via=reference.via, to=dead.to, detail=reference.detail, why=dead.why)


def _counts(evidence: Evidence) -> Hop:
    return Hop(origin=evidence.source, via=evidence.via, to=evidence.to, detail=evidence.detail)


def _lost(evidence: Evidence, why: str) -> Lost:
    return Lost(origin=evidence.source, via=evidence.via, to=evidence.to, detail=evidence.detail, why=why)


def _unknown(origin: str, unknown: UnknownId) -> Lost:
    why = f"unknown id{unknown.suggestion}"
    return Lost(origin=origin, via=unknown.via, to=unknown.id, detail=unknown.detail, why=why)


def _standing(winner: Evidence, decision: Decision) -> str:
    """Where the decisive evidence stands, as seen from the item: `parent jira:PAY-1`."""
    if len(decision.path) > 1:
        return f"{decision.path[-2].via} {winner.source}"
    return f"the item's {'' if winner.via is Via.MILESTONE else 'own '}{winner.via}"


def _ended(day: date | None) -> str:
    return f"ended on {day}" if day else "ended, the day is not stated"
