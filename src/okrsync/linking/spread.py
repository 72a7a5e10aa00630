"""How far evidence reaches, and what cannot be told: along the ways up, without recursion, loops allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from heapq import heapify, heappop, heappush

from okrsync.domain.links import Hop
from okrsync.domain.work import Via

from .evidence import RANK, Evidence
from .graph import NOWHERE, Edge, Graph

# A path or a search of this length says enough; beyond it a chain of thousands would cost its square.
LONGEST_PATH = 50
FAR = -1
"""The distance of an item with nothing of the kind on its chain."""
_UNSEEN, _FORKED = -1, -2  # of what is found, while it is worked out
_Found = tuple[Evidence, ...]


class Spread:
    """What each item finds where the nearest of some evidence is.

    `own` stands on an item (distance 0), `later` one hop beyond it. Worked out once for all items: an item at
    distance n takes over what its neighbours at n - 1 found.

    found  by the place of an item that is connected, the number of what is found, 0 where there is nothing
    kinds  by that number, all the evidence, one for each goal, in the order in which it is shown
    """

    def __init__(
        self,
        graph: Graph,
        own: Mapping[int, _Found],
        later: Mapping[int, _Found] | None = None,
        among: Sequence[int] | None = None,
    ) -> None:
        """`among`: the only places that are asked of, and all that is above each of them; the others are said to find
        nothing."""
        self._graph = graph
        self._own = own
        self._later = later or {}
        nothing = not (own or self._later)
        # NOWHERE, too, is a place here, the last one, where nothing is found
        self.found: list[int] = [0 if nothing or among is not None else _UNSEEN] * (len(graph.ids) + 1)
        self.found[NOWHERE] = 0
        self.kinds: list[_Found] = [()]
        self._numbers: dict[int, int] = {}  # by identity
        self._steps: dict[tuple[int, int], Edge] = {}  # (place, identity of evidence) -> the way there
        self._sources: dict[tuple[int, int], int] = {}
        if nothing:
            return
        found = self.found
        for place in among or ():
            found[place] = _UNSEEN
        for place in (*graph.forks, *self._later):
            if found[place] == _UNSEEN:
                found[place] = _FORKED
        for place, evidence in own.items():
            found[place] = self._number(evidence)
        self._climb(graph.places if among is None else among)
        self._join()

    def at(self, place: int) -> _Found:
        """What an item finds."""
        return self.kinds[self.found[place]]

    def distance(self, place: int) -> int:
        """Hops from an item to what it finds, FAR where that is nothing."""
        if self.found[place] <= 0:
            return FAR
        distances, up = self._distances, self._graph.up
        way = []
        while (distance := distances[place]) == FAR:
            way.append(place)
            place = up[place]
        for below in reversed(way):
            distance += 1
            distances[below] = distance
        return distance

    @cached_property
    def _distances(self) -> list[int]:
        """By place, as far as they were asked: few are, most of the time. FAR: not yet."""
        distances = [FAR] * len(self._graph.ids)
        for place in self._own:
            distances[place] = 0
        return distances

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
                more = self.distance(place) - (evidence.via is Via.MILESTONE)
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
        while (key := (place, id(evidence))) not in self._sources and self.distance(place):
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
        nearer = self.distance(place) - 1
        return next(
            edge
            for edge in self._graph.edges(place)
            if self.distance(edge.to) == nearer and any(e is evidence for e in self.at(edge.to))
        )

    # --- spreading -----------------------------------------------------------------------------------------

    def _climb(self, places: Sequence[int]) -> None:
        """Of these: settles the items from which one single way leads up, to its end; those whose way comes to a fork
        wait for `_join`."""
        found, up = self.found, self._graph.up
        for start in reversed(places):  # what is above comes first, mostly
            if found[start] != _UNSEEN:
                continue
            place = up[start]
            there = found[place]
            if there != _UNSEEN:  # most often
                found[start] = there
                continue
            chain = [start]
            found[start] = 0  # a loop ends here
            while there == _UNSEEN:
                found[place] = 0
                chain.append(place)
                place = up[place]
                there = found[place]
            if there:
                for below in chain:
                    found[below] = there

    def _join(self) -> None:
        """Settles the rest, nearest first."""
        found = self.found
        below: dict[int, list[int]] = {}
        near = [(1, place) for place in self._later if found[place] == _FORKED]
        if not self._graph.forks and not self._later:
            return
        waiting = [place for place in self._graph.places if found[place] == _FORKED]
        for place in waiting:
            for to in self._graph.ways(place):
                if found[to] > 0:
                    near.append((self.distance(to) + 1, place))
                elif found[to] == _FORKED:
                    below.setdefault(to, []).append(place)
        heapify(near)
        while near:
            distance, place = heappop(near)
            if found[place] != _FORKED:
                continue
            found[place] = self._number(self._gather(place, distance))
            self._distances[place] = distance
            for next_ in below.get(place, ()):
                heappush(near, (distance + 1, next_))
        for place in waiting:
            if found[place] == _FORKED:
                found[place] = 0

    def _gather(self, place: int, distance: int) -> _Found:
        parts = [self.at(to) for to in self._graph.ways(place) if self.distance(to) == distance - 1]
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
    """What could not be read, and how far each item is from the nearest of it."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._spread = Spread(graph, dict.fromkeys(graph.unread, ()), dict.fromkeys(graph.barred, ()))

    def distance(self, place: int) -> int:
        return self._spread.distance(place)

    def reached(self) -> list[int]:
        """The places with anything on their chain that could not be read."""
        if not (self._graph.unread or self._graph.barred):
            return []
        found = self._spread.found
        return [place for place in self._graph.places if found[place]]

    def why(self, place: int) -> str:
        graph, distance = self._graph, self.distance(place)
        while distance > 1:
            distance -= 1
            place = next(edge.to for edge in graph.edges(place) if self.distance(edge.to) == distance)
        if not distance:
            return graph.unread[place]
        for edge in graph.edges(place):
            if not self.distance(edge.to):
                behind = graph.unread[edge.to]
                return f"{graph.ids[edge.to]} ({edge.reference.via} of {graph.ids[place]}): {behind}"
        dead = graph.barred[place][0]
        return f"{dead.to} ({dead.reference.via} of {graph.ids[place]}) {dead.why}"


def reaching(graph: Graph, places: Iterable[int]) -> list[bool]:
    """By place: whether any of `places` is on its chain, itself included."""
    return list(map(bool, Spread(graph, dict.fromkeys(places, ())).found))
