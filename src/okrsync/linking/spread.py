"""How far evidence reaches, and what cannot be told: along the ways up, without recursion, loops allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush

from okrsync.domain.links import Hop
from okrsync.domain.work import Via

from .evidence import RANK, Evidence
from .graph import NOWHERE, Edge, Graph

# A path or a search of this length says enough; beyond it a chain of thousands would cost its square.
LONGEST_PATH = 50
FAR = -1
"""The distance of an item with nothing of the kind on its chain."""
_UNSEEN, _FORKED = -2, -3
_Found = tuple[Evidence, ...]


class Spread:
    """How far each item is from the nearest of some evidence, and what it finds there.

    `own` stands on an item (distance 0), `later` one hop beyond it. Worked out once for all items: an item at
    distance n takes over what its neighbours at n - 1 found.

    distances  by place, FAR where there is none on the chain
    found      by place, the number of what is found at that distance, 0 where there is nothing
    kinds      by that number, all the evidence, one for each goal, in the order in which it is shown
    """

    def __init__(
        self,
        graph: Graph,
        own: Mapping[int, _Found],
        later: Mapping[int, _Found] | None = None,
        among: Sequence[int] | None = None,
    ) -> None:
        """`among`: the only places that are asked of, and all that is above each of them; of those that are connected
        the others count as far."""
        self._graph = graph
        self._later = later or {}
        nothing = not (own or self._later)
        self.distances: list[int] = [FAR if nothing or among is not None else _UNSEEN] * len(graph.ids)
        self.found: list[int] = [0] * len(graph.ids)
        self.kinds: list[_Found] = [()]
        self._numbers: dict[int, int] = {}  # by identity
        self._steps: dict[tuple[int, int], Edge] = {}  # (place, identity of evidence) -> the way there
        self._sources: dict[tuple[int, int], int] = {}
        if nothing:
            return
        for place in among or ():
            self.distances[place] = _UNSEEN
        for place in (*graph.forks, *self._later):
            if self.distances[place] == _UNSEEN:
                self.distances[place] = _FORKED
        for place, evidence in own.items():
            self.distances[place] = 0
            self.found[place] = self._number(evidence)
        self._climb(graph.places if among is None else among)
        self._join()

    def at(self, place: int) -> _Found:
        """What an item finds."""
        return self.kinds[self.found[place]]

    def missed(self) -> list[int]:
        """The places that find nothing."""
        found = self.found
        return [place for place in self._graph.places if not found[place]]

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
            for edge in self._graph.edges(place)
            if self.distances[edge.to] == nearer and any(e is evidence for e in self.at(edge.to))
        )

    # --- spreading -----------------------------------------------------------------------------------------

    def _climb(self, places: Sequence[int]) -> None:
        """Of these: settles the items from which one single way leads up, to its end; those whose way comes to a fork
        wait for `_join`."""
        distances, found = self.distances, self.found
        up = self._graph.up
        for start in reversed(places):  # what is above comes first, mostly
            above = up[start]
            if distances[start] != _UNSEEN:
                continue
            if above == NOWHERE:
                distances[start] = FAR
                continue
            distance = distances[above]
            if distance >= 0:  # most often
                distances[start] = distance + 1
                found[start] = found[above]
                continue
            if distance != _UNSEEN:
                distances[start] = distance
                continue
            chain, place = [start], above
            distances[start] = FAR  # a loop ends here
            while place != NOWHERE and distances[place] == _UNSEEN:
                distances[place] = FAR
                chain.append(place)
                place = up[place]
            distance = FAR if place == NOWHERE else distances[place]
            if distance == FAR:
                continue
            if distance == _FORKED:
                for below in chain:
                    distances[below] = _FORKED
                continue
            evidence = found[place]
            for below in reversed(chain):
                distance += 1
                distances[below] = distance
                found[below] = evidence

    def _join(self) -> None:
        """Settles the rest, nearest first."""
        distances = self.distances
        below: dict[int, list[int]] = {}
        near = [(1, place) for place in self._later if distances[place] == _FORKED]
        if not self._graph.forks and not self._later:
            return
        waiting = [place for place in self._graph.places if distances[place] == _FORKED]
        for place in waiting:
            for to in self._graph.ways(place):
                if distances[to] >= 0:
                    near.append((distances[to] + 1, place))
                elif distances[to] == _FORKED:
                    below.setdefault(to, []).append(place)
        heapify(near)
        while near:
            distance, place = heappop(near)
            if distances[place] != _FORKED:
                continue
            distances[place] = distance
            self.found[place] = self._number(self._gather(place, distance))
            for next_ in below.get(place, ()):
                heappush(near, (distance + 1, next_))
        for place in waiting:
            if distances[place] == _FORKED:
                distances[place] = FAR

    def _gather(self, place: int, distance: int) -> _Found:
        parts = [self.at(to) for to in self._graph.ways(place) if self.distances[to] == distance - 1]
        if distance == 1 and place in self._later:
            parts.append(self._later[place])
        if len(parts) == 1:
            return parts[0]
        first: dict[tuple[str, ...], Evidence] = {}
        for evidence in sorted((e for part in parts for e in part), key=lambda e: RANK[e.via]):
            first.setdefault(evidence.goal, evidence)
        return tuple(first.values())

    def _number(self, found: _Found) -> int:
        number = self._numbers.setdefault(id(found), len(self.kinds))
        if number == len(self.kinds):
            self.kinds.append(found)
        return number


class Barriers:
    """How far each item is from the nearest thing that could not be read (`distances`, by place), and what that is."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.distances = Spread(graph, dict.fromkeys(graph.unread, ()), dict.fromkeys(graph.barred, ())).distances

    def reached(self) -> list[int]:
        """The places with anything on their chain that could not be read."""
        if not (self._graph.unread or self._graph.barred):
            return []
        distances = self.distances
        return [place for place in self._graph.places if distances[place] != FAR]

    def why(self, place: int) -> str:
        graph, distance = self._graph, self.distances[place]
        while distance > 1:
            distance -= 1
            place = next(edge.to for edge in graph.edges(place) if self.distances[edge.to] == distance)
        if not distance:
            return graph.unread[place]
        for edge in graph.edges(place):
            if not self.distances[edge.to]:
                behind = graph.unread[edge.to]
                return f"{graph.ids[edge.to]} ({edge.reference.via} of {graph.ids[place]}): {behind}"
        dead = graph.barred[place][0]
        return f"{dead.to} ({dead.reference.via} of {graph.ids[place]}) {dead.why}"


def reaching(graph: Graph, places: Iterable[int]) -> list[bool]:
    """By place: whether any of `places` is on its chain, itself included."""
    return [distance != FAR for distance in Spread(graph, dict.fromkeys(places, ())).distances]
