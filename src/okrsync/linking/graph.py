"""Which item points at which, and how far evidence reaches: breadth first, without recursion, loops allowed.

There may be a million items: each is a place, a number, and what many of them have in common is kept once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sys import intern

from msgspec import Struct

from okrsync.domain.links import Hop
from okrsync.domain.work import Glimpse, Reference, StoredItem, Via, WorkItem

from .context import Context
from .evidence import RANK, Evidence

# A path or a search of this length says enough; beyond it a chain of thousands would cost its square.
LONGEST_PATH = 50
FAR = -1
"""The distance of an item with nothing of the kind on its chain."""
_ORDER = {Via.PARENT: 0, Via.CLOSES: 1, Via.KEY: 2, Via.IMPLEMENTS: 3}


class Edge(Struct, frozen=True):
    """To another item, by its place."""

    to: int
    reference: Reference


class Dead(Struct, frozen=True):
    """A reference that leads nowhere; `to` is the present id of its target, `why` says what happened."""

    reference: Reference
    to: str
    why: str


class _Ends(Struct, frozen=True):
    """Where the references of an item lead; the same for all items with the same references."""

    edges: tuple[Edge, ...]
    void: list[Dead]
    barred: list[Dead]


class Graph:
    """Filled by `add`, complete after `connect`.

    ids         by place, in the order of input, which matters to no answer
    index       id -> place
    references  per item, as it states them; items that state the same share them
    edges       per item, in the order parent, closes, key, implements; shared likewise
    incoming    place -> those whose edges lead there
    void        per item: references that count as not written
    barred      per item: references to what could not be read, behind which anything may stand
    unread      place of an item -> why its own reading is not of this run
    """

    def __init__(self, context: Context) -> None:
        self.ids: list[str] = []
        self.index: dict[str, int] = {}
        self.references: list[tuple[Reference, ...]] = []
        self.edges: list[tuple[Edge, ...]] = []
        self.incoming: dict[int, list[int]] = {}
        self.void: dict[int, list[Dead]] = {}
        self.barred: dict[int, list[Dead]] = {}
        self.unread: dict[int, str] = {}
        self._context = context
        self._aliases: dict[str, str] = {}
        self._chased: set[int] = set()
        self._failing = bool(context.failed or context.failed_containers)
        self._shared: dict[tuple[Reference, ...], tuple[Reference, ...]] = {}

    def add(self, stored: StoredItem | Glimpse) -> int:
        """The place of an item, which itself is not kept."""
        item = stored.item
        place = len(self.ids)
        self.ids.append(item.id)
        self.index[item.id] = place
        references = item.references
        self.references.append(self._shared.setdefault(references, references) if references else ())
        if stored.chased:
            self._chased.add(place)
        for old in stored.aliases:
            self._aliases[old] = max(item.id, self._aliases.get(old, ""))
        if self._failing and (why := self._not_read(item)):
            self.unread[place] = why
        return place

    def connect(self) -> None:
        """Turns references into edges, once all items have their places."""
        self._aliases |= self._context.aliases
        self._shared = {}
        known: dict[int, _Ends] = {}  # by identity: equal references were made one
        self.edges = [()] * len(self.ids)
        for place, references in enumerate(self.references):
            if not references:
                continue
            ends = known.get(id(references))
            if ends is None:
                ends = known[id(references)] = self._follow(references)
            edges = ends.edges
            for edge in edges:
                if edge.to == place:
                    edges = tuple(e for e in edges if e.to != place)
                    continue
                below = self.incoming.get(edge.to)
                if below is None:
                    self.incoming[edge.to] = [place]
                else:
                    below.append(place)
            self.edges[place] = edges
            if ends.void:
                self.void[place] = ends.void
            if ends.barred:
                self.barred[place] = ends.barred

    def present(self, id_: str) -> str:
        """The id under which an item is known now."""
        for _ in range(10):  # renamed again and again, but never in a loop
            if id_ in self.index or id_ not in self._aliases:
                break
            id_ = self._aliases[id_]
        return id_

    def _not_read(self, item: WorkItem) -> str:
        if item.connector in self._context.failed:
            return intern(f"{item.connector} could not be read to its end in this run")
        if (item.connector, item.container) in self._context.failed_containers:
            return intern(f"{item.container} ({item.connector}) could not be read in this run")
        return ""

    def _follow(self, references: tuple[Reference, ...]) -> _Ends:
        edges: dict[int, Edge] = {}
        void: list[Dead] = []
        barred: list[Dead] = []
        if len(references) > 1:
            references = tuple(sorted(references, key=lambda r: _ORDER.get(r.via, len(_ORDER))))
        for reference in references:
            to = self.present(reference.target)
            known = self.index.get(to)
            connector = to.partition(":")[0]
            if connector not in self._context.connectors:
                void.append(Dead(reference, to, f"void: no connector named {connector!r}"))
                continue
            state = self._context.unreachable.get(to) or self._context.unreachable.get(reference.target)
            if known is not None and not (state == "forbidden" and known in self._chased):
                if known not in edges:
                    edges[known] = Edge(known, reference)
                continue
            if state == "missing" and not reference.structural:
                void.append(Dead(reference, to, "void: no such ticket"))
                continue
            why = {"forbidden": "may not be read (forbidden)", "missing": "does not exist or is hidden from okrsync"}
            barred.append(Dead(reference, to, why.get(state or "", "could not be read in this run")))
        return _Ends(tuple(edges.values()), void, barred)


class Spread:
    """How far each item is from the nearest of some evidence, and what it finds there.

    `own` stands on an item (distance 0), `later` one hop beyond it. Computed backwards from the evidence,
    once for all items: an item at distance n takes over what its neighbours at n - 1 found.

    distances  by place, FAR where there is none on the chain
    found      by place, all evidence at that distance, one for each goal, in the order in which it is shown
    """

    def __init__(
        self,
        graph: Graph,
        own: Mapping[int, tuple[Evidence, ...]],
        later: Mapping[int, tuple[Evidence, ...]] | None = None,
    ) -> None:
        self._graph = graph
        self._later = later or {}
        self.distances: list[int] = [FAR] * len(graph.ids)
        self.found: list[tuple[Evidence, ...]] = [()] * len(graph.ids)
        self._steps: dict[tuple[int, int], Edge] = {}  # (place, identity of evidence) -> the way there
        self._sources: dict[tuple[int, int], int] = {}
        for level, places in enumerate(_levels(graph, own, self._later, self.distances)):
            if level:
                self._take_over(places, level)
            else:
                for place in places:
                    self.found[place] = own[place]

    def path(self, place: int, evidence: Evidence) -> tuple[Hop, ...]:
        """From the item to the goal (or exemption) that one of its `found` names."""
        hops: list[Hop] = []
        ids = self._graph.ids
        source = self._source(place, evidence)
        while place != source:
            edge = self._next(place, evidence)
            origin = ids[place]
            if len(hops) == LONGEST_PATH:
                more = self.distances[place] - (evidence.via is Via.MILESTONE)
                detail = f"through {more - 1} more items" if more > 1 else edge.reference.detail
                hops.append(Hop(origin=origin, via=edge.reference.via, to=ids[source], detail=detail))
                break
            hops.append(Hop(origin=origin, via=edge.reference.via, to=ids[edge.to], detail=edge.reference.detail))
            place = edge.to
        hops.append(Hop(origin=ids[source], via=evidence.via, to=evidence.to, detail=evidence.detail))
        return tuple(hops)

    def _source(self, place: int, evidence: Evidence) -> int:
        """The place on which the evidence stands: what a rule says of many items alike is one piece of evidence."""
        if evidence.source:
            return self._graph.index[evidence.source]
        way: list[tuple[int, int]] = []
        while (key := (place, id(evidence))) not in self._sources and self.distances[place]:
            way.append(key)
            place = self._next(place, evidence).to
        source = self._sources.get(key, place)
        self._sources.update(dict.fromkeys(way, source))
        return source

    def _next(self, place: int, evidence: Evidence) -> Edge:
        key = (place, id(evidence))
        if key not in self._steps:
            self._steps[key] = self._look_for_step(place, evidence)
        return self._steps[key]

    def _look_for_step(self, place: int, evidence: Evidence) -> Edge:
        nearer = self.distances[place] - 1
        return next(
            edge
            for edge in self._graph.edges[place]
            if self.distances[edge.to] == nearer and any(e is evidence for e in self.found[edge.to])
        )

    def _take_over(self, places: Iterable[int], level: int) -> None:
        edges, found = self._graph.edges, self.found
        later = self._later if level == 1 else {}
        for place in places:
            ways = edges[place]
            if len(ways) == 1 and place not in later:
                found[place] = found[ways[0].to]  # shared: most chains have one way up
            else:
                found[place] = self._gather(place, level, later.get(place))

    def _gather(self, place: int, level: int, later: tuple[Evidence, ...] | None) -> tuple[Evidence, ...]:
        parts = [self.found[e.to] for e in self._graph.edges[place] if self.distances[e.to] == level - 1]
        if later is not None:
            parts.append(later)
        if len(parts) == 1:
            return parts[0]
        first: dict[tuple[str, ...], Evidence] = {}
        for evidence in sorted((e for part in parts for e in part), key=lambda e: RANK[e.via]):
            first.setdefault(evidence.goal, evidence)
        return tuple(first.values())


class Barriers:
    """How far each item is from the nearest thing that could not be read (`distances`, by place), and what that is."""

    def __init__(self, graph: Graph) -> None:
        self.distances: list[int] = [FAR] * len(graph.ids)
        self._why: dict[int, str] = {}
        for level, places in enumerate(_levels(graph, graph.unread, graph.barred, self.distances)):
            for place in places:
                self._why[place] = self._reason(graph, place, level)

    def why(self, place: int) -> str:
        return self._why.get(place, "")

    def _reason(self, graph: Graph, place: int, distance: int) -> str:
        if not distance:
            return graph.unread[place]
        for edge in graph.edges[place]:
            if self.distances[edge.to] == distance - 1:
                behind = self._why[edge.to]
                if distance > 1:
                    return behind
                return f"{graph.ids[edge.to]} ({edge.reference.via} of {graph.ids[place]}): {behind}"
        dead = graph.barred[place][0]
        return f"{dead.to} ({dead.reference.via} of {graph.ids[place]}) {dead.why}"


def reaching(graph: Graph, places: Iterable[int]) -> bytearray:
    """By place: whether any of `places` is on its chain, itself included."""
    distances = [FAR] * len(graph.ids)
    reached = bytearray(len(graph.ids))
    for level in _levels(graph, places, (), distances):
        for place in level:
            reached[place] = 1
    return reached


def _levels(graph: Graph, now: Iterable[int], later: Iterable[int], distances: list[int]) -> Iterable[list[int]]:
    """The places nearest to `now` (0) or to what stands one hop behind `later` (1), by distance, which is written into
    `distances` before the places come."""
    incoming = graph.incoming
    level = 0
    places = list(now)
    for place in places:
        distances[place] = 0
    pending = list(later)
    while places or pending:
        yield places
        level += 1
        fresh: list[int] = []
        for place in places:
            for below in incoming.get(place, ()):
                if distances[below] == FAR:
                    distances[below] = level
                    fresh.append(below)
        for place in pending:
            if distances[place] == FAR:
                distances[place] = level
                fresh.append(place)
        places, pending = fresh, []
