"""Which item points at which, and how far evidence reaches: breadth first, without recursion, loops allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from okrsync.domain.links import Hop
from okrsync.domain.work import Reference, StoredItem, Via

from .context import Context
from .evidence import RANK, Evidence

# A path or a search of this length says enough; beyond it a chain of thousands would cost its square.
LONGEST_PATH = 50
_ORDER = {Via.PARENT: 0, Via.CLOSES: 1, Via.KEY: 2, Via.IMPLEMENTS: 3}
_FAR = -1


class Edge(Struct, frozen=True):
    """To another item, by its place in `Graph.items`."""

    to: int
    reference: Reference


class Dead(Struct, frozen=True):
    """A reference that leads nowhere; `to` is the present id of its target, `why` says what happened."""

    reference: Reference
    to: str
    why: str


class Graph:
    """
    items     sorted by id, so that the order of input does not matter
    edges     per item, in the order parent, closes, key, implements
    void      per item: references that count as not written
    barred    per item: references to what could not be read, behind which anything may stand
    unread    place of an item -> why its own reading is not of this run
    """

    def __init__(self, stored: Iterable[StoredItem], context: Context) -> None:
        self.items = sorted(stored, key=lambda s: s.item.id)
        self.index = {s.item.id: n for n, s in enumerate(self.items)}
        self.edges: list[tuple[Edge, ...]] = [()] * len(self.items)
        self.incoming: dict[int, list[int]] = {}
        self.void: dict[int, list[Dead]] = {}
        self.barred: dict[int, list[Dead]] = {}
        self.unread: dict[int, str] = {}
        self._context = context
        self._aliases = {old: s.item.id for s in self.items for old in s.aliases} | dict(context.aliases)
        for place, s in enumerate(self.items):
            if why := self._not_read(s):
                self.unread[place] = why
            if s.item.references:
                self._connect(place, s)

    def present(self, id_: str) -> str:
        """The id under which an item is known now."""
        for _ in range(10):  # renamed again and again, but never in a loop
            if id_ in self.index or id_ not in self._aliases:
                break
            id_ = self._aliases[id_]
        return id_

    def _not_read(self, stored: StoredItem) -> str:
        item = stored.item
        if item.connector in self._context.failed:
            return f"{item.connector} could not be read to its end in this run"
        if (item.connector, item.container) in self._context.failed_containers:
            return f"{item.container} ({item.connector}) could not be read in this run"
        return ""

    def _connect(self, place: int, stored: StoredItem) -> None:
        edges: dict[int, Edge] = {}
        for reference in sorted(stored.item.references, key=lambda r: _ORDER.get(r.via, len(_ORDER))):
            to = self.present(reference.target)
            known = self.index.get(to)
            connector = to.partition(":")[0]
            if connector not in self._context.connectors:
                self.void.setdefault(place, []).append(Dead(reference, to, f"void: no connector named {connector!r}"))
                continue
            state = self._context.unreachable.get(to) or self._context.unreachable.get(reference.target)
            if known is not None and not (state == "forbidden" and self.items[known].chased):
                if known != place and known not in edges:
                    edges[known] = Edge(known, reference)
                continue
            if state == "missing" and not reference.structural:
                self.void.setdefault(place, []).append(Dead(reference, to, "void: no such ticket"))
                continue
            why = {"forbidden": "may not be read (forbidden)", "missing": "does not exist or is hidden from okrsync"}
            dead = Dead(reference, to, why.get(state or "", "could not be read in this run"))
            self.barred.setdefault(place, []).append(dead)
        self.edges[place] = tuple(edges.values())
        for target in edges:
            self.incoming.setdefault(target, []).append(place)


class Spread:
    """How far each item is from the nearest of some evidence, and what it finds there.

    `own` stands on an item (distance 0), `later` one hop beyond it. Computed backwards from the evidence,
    once for all items: an item at distance n takes over what its neighbours at n - 1 found.
    """

    def __init__(
        self,
        graph: Graph,
        own: Mapping[int, tuple[Evidence, ...]],
        later: Mapping[int, tuple[Evidence, ...]] | None = None,
    ) -> None:
        self._graph = graph
        self._later = later or {}
        self._found: dict[int, tuple[Evidence, ...]] = dict(own)
        self._distance = distances(graph, own, self._later)
        self._steps: dict[tuple[int, int], Edge] = {}  # (place, identity of evidence) -> the way there
        # a mapping keeps insertion order, which here is the order of distance
        for place, distance in self._distance.items():
            if distance:
                self._found[place] = self._gather(place, distance)

    def distance(self, place: int) -> int | None:
        """Hops to the nearest evidence, None where there is none on the chain."""
        return self._distance.get(place)

    def found(self, place: int) -> tuple[Evidence, ...]:
        """All evidence at that distance, one for each goal, in the order in which it is shown."""
        return self._found.get(place, ())

    def path(self, place: int, evidence: Evidence) -> tuple[Hop, ...]:
        """From the item to the goal (or exemption) that one of its `found` names."""
        hops: list[Hop] = []
        items = self._graph.items
        while items[place].item.id != evidence.source:
            edge = self._next(place, evidence)
            origin = items[place].item.id
            if len(hops) == LONGEST_PATH:
                more = self._distance[place] - (evidence.via is Via.MILESTONE)
                detail = f"through {more - 1} more items" if more > 1 else edge.reference.detail
                hops.append(Hop(origin=origin, via=edge.reference.via, to=evidence.source, detail=detail))
                break
            to = items[edge.to].item.id
            hops.append(Hop(origin=origin, via=edge.reference.via, to=to, detail=edge.reference.detail))
            place = edge.to
        hops.append(Hop(origin=evidence.source, via=evidence.via, to=evidence.to, detail=evidence.detail))
        return tuple(hops)

    def _next(self, place: int, evidence: Evidence) -> Edge:
        key = (place, id(evidence))
        if key not in self._steps:
            self._steps[key] = self._look_for_step(place, evidence)
        return self._steps[key]

    def _look_for_step(self, place: int, evidence: Evidence) -> Edge:
        nearer = self._distance[place] - 1
        return next(
            edge
            for edge in self._graph.edges[place]
            if self._distance.get(edge.to, _FAR) == nearer and any(e is evidence for e in self._found[edge.to])
        )

    def _gather(self, place: int, distance: int) -> tuple[Evidence, ...]:
        near = [e.to for e in self._graph.edges[place] if self._distance.get(e.to, _FAR) == distance - 1]
        parts = [self._found[to] for to in near]
        if distance == 1 and place in self._later:
            parts.append(self._later[place])
        if len(parts) == 1:
            return parts[0]  # shared: most chains have one way up
        first: dict[tuple[str, ...], Evidence] = {}
        for evidence in sorted((e for part in parts for e in part), key=lambda e: RANK[e.via]):
            first.setdefault(evidence.goal, evidence)
        return tuple(first.values())


class Barriers:
    """How far each item is from the nearest thing that could not be read, and what that is."""

    def __init__(self, graph: Graph) -> None:
        self._distance = distances(graph, graph.unread, graph.barred)
        self._why: dict[int, str] = {}
        for place, distance in self._distance.items():
            self._why[place] = self._reason(graph, place, distance)

    def distance(self, place: int) -> int | None:
        return self._distance.get(place)

    def why(self, place: int) -> str:
        return self._why.get(place, "")

    def _reason(self, graph: Graph, place: int, distance: int) -> str:
        if not distance:
            return graph.unread[place]
        for edge in graph.edges[place]:
            if self._distance.get(edge.to, _FAR) == distance - 1:
                behind = self._why[edge.to]
                if distance > 1:
                    return behind
                ids = graph.items[edge.to].item.id, graph.items[place].item.id
                return f"{ids[0]} ({edge.reference.via} of {ids[1]}): {behind}"
        dead = graph.barred[place][0]
        return f"{dead.to} ({dead.reference.via} of {graph.items[place].item.id}) {dead.why}"


def distances(graph: Graph, now: Iterable[int], later: Iterable[int] = ()) -> dict[int, int]:
    """Place -> hops to the nearest of `now` (0) or to what stands one hop behind `later` (1), nearest first."""
    distance = dict.fromkeys(sorted(now), 0)
    frontier = list(distance)
    pending = sorted(later)
    level = 0
    while frontier or pending:
        level += 1
        fresh = [p for place in frontier for p in graph.incoming.get(place, ())] + pending
        pending = []
        frontier = []
        for place in fresh:
            if place not in distance:
                distance[place] = level
                frontier.append(place)
    return distance
