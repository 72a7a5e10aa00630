"""Which item points at which, by dense places: there may be a million items, and most have one way up or none."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from itertools import repeat
from sys import intern
from typing import cast

from msgspec import Struct

from okrsync.domain.outlines import ENDED, PARENT, STRUCTURAL, SUPPORTS_NOTHING, Outlines, end, uncounted
from okrsync.domain.work import Reference, Via

from .context import Context

NOWHERE = -1
"""The place that an item without any edge points at."""
NOT_FOLLOWED = -2
"""The place that an item points at that is not connected: nobody looked where it leads."""
_ORDER = {Via.PARENT: 0, Via.CLOSES: 1, Via.KEY: 2, Via.IMPLEMENTS: 3}
_PARENT = Via.PARENT


class Edge(Struct, frozen=True):
    """To another item, by its place."""

    to: int
    reference: Reference


class Dead(Struct, frozen=True):
    """A reference that leads nowhere; `to` is the present id of its target, `why` says what happened."""

    reference: Reference
    to: str
    why: str


class Graph:
    """Filled by `take`, complete after `connect`.

    ids         by place, in the order of input, which matters to no answer
    index       id -> place
    outlines    by place (`domain.outlines`)
    places      those that are connected, to which ways and edges are limited: all of them, or with `since` work that is
                open or was closed from that day on, with all that is above it
    connected   by place: whether it is one of these
    asked       with `since`: the places of work that is open or was closed from that day on
    ends        with `since`, by place: the end (`domain.outlines`), for work that was closed before it is ENDED
    up          by place: where the first edge leads, NOWHERE without one
    forks       place -> where all its edges lead, in the order parent, closes, key, implements; of more than one only
    void        per item: references that count as not written
    barred      per item: references to what could not be read, behind which anything may stand
    unread      place of an item -> why its own reading is not of this run
    """

    def __init__(self, context: Context, *, traced: bool = True, since: date | None = None) -> None:
        """Not `traced`: references are not kept, so that `edges` cannot be asked for."""
        self.ids: list[str] = []
        self.index: dict[str, int] = {}
        self.outlines = array("i")
        self.places: array[int] = array("i")
        self.connected = bytearray()
        self.up = array("i")
        self.forks: dict[int, tuple[int, ...]] = {}
        self.void: dict[int, list[Dead]] = {}
        self.barred: dict[int, list[Dead]] = {}
        self.unread: dict[int, str] = {}
        self._context = context
        self._containers = {connector for connector, _ in context.failed_containers}
        self._aliases: dict[str, str] = {}
        self.asked = array("i")
        self.ends: list[int] = []
        self._ends = None if since is None else _Ends(since)
        self._known: dict[str | None, int] = {None: NOWHERE}  # becomes `index`
        self._targets: list[str | None] = []
        self._waiting: list[int] = []  # whose edge is known once all items have their places
        self._several: dict[int, tuple[Reference, ...]] = {}  # the references of those that have more than one
        self._chased: set[int] = set()
        self._refused: set[int] = set()  # held, but a reference may not lead there
        self._references: dict[int, tuple[Reference, ...]] | None = {} if traced else None
        self._parents: dict[int, str | None] = {}  # of those whose parent is not simply what `up` says
        self._edges: dict[int, tuple[Edge, ...]] = {}

    def take(self, items: Outlines) -> int:
        """Gives each item its place, the next one; returns that of the first. They are not kept."""
        first, context = len(self.ids), self._context
        self.ids += items.ids
        places = range(first, len(self.ids))
        outlines = array("i", items.outlines)
        if items.connector not in context.connectors:
            self._refused.update(places)
        if items.connector in context.failed:
            why = f"{items.connector} could not be read to its end in this run"
            self.unread.update(dict.fromkeys(places, why))
        elif items.connector in self._containers:
            for offset, stored in items.whole.items():
                container = stored.item.container
                if (items.connector, container) in context.failed_containers:
                    why = intern(f"{container} ({items.connector}) could not be read in this run")
                    self.unread[first + offset] = why
        for offset, stored in items.whole.items():
            if stored.chased:
                self._chased.add(first + offset)
                outlines[offset] = uncounted(outlines[offset])
                if context.unreachable.get(items.ids[offset]) == "forbidden":
                    self._refused.add(first + offset)
            for old in stored.aliases:
                self._aliases[old] = max(items.ids[offset], self._aliases.get(old, ""))
            if references := stored.item.references:
                if len(references) > 1:
                    self._several[first + offset] = references
                if self._references is not None:
                    self._references[first + offset] = references
        self.outlines += outlines
        self._targets += items.targets
        # to look for one among a million costs more than all else that is done for an item
        asked: Sequence[int] = places
        if self._ends is not None:
            ends = list(map(self._ends.__getitem__, outlines))
            asked = [place for place, end in zip(places, ends, strict=True) if end not in SUPPORTS_NOTHING]
            self.ends += ends
            self.asked.extend(asked)
        self.up += array("i", [NOT_FOLLOWED]) * len(outlines)
        self.connected += bytes(len(outlines))
        self._connect(asked)
        self._waiting += self._look_up(asked)
        self._known.update(zip(items.ids, places, strict=True))
        return first

    def connect(self) -> None:
        """Turns references into edges, once all items have their places."""
        self._aliases |= self._context.aliases
        self.index = cast("dict[str, int]", self._known)
        lost = self._look_up(self._waiting)
        done = 0
        while True:
            new, done = self.places[done:], len(self.places)
            leading: dict[int, tuple[Reference, ...]] = {place: (self._only(place),) for place in lost}
            if refused := self._refused:
                leading |= {place: (self._only(place),) for place in new if self.up[place] in refused}
            if self._several:
                leading |= {place: self._several[place] for place in new if place in self._several}
            for place, references in leading.items():
                self._lead(place, references)
            above = {to for place in leading for to in self.ways(place) if not self.connected[to]}
            if not above:
                break
            self._connect(above)
            lost = self._look_up(above)
        del self._known[None]
        self._targets, self._waiting, self._several = [], [], {}

    def _connect(self, places: Collection[int]) -> None:
        self.places.extend(places)
        connected = self.connected
        for place in places:
            connected[place] = 1

    def _look_up(self, places: Collection[int]) -> list[int]:
        """Goes where these lead, and where that leads; connects what is new there. Returns those of which it is not
        known (yet)."""
        up, connected, targets, place_of = self.up, self.connected, self._targets, self._known.get
        missed = []
        while places:
            above = []
            found = map(place_of, map(targets.__getitem__, places), repeat(NOT_FOLLOWED))
            for place, to in zip(places, found, strict=True):
                if to >= 0 and to != place:
                    up[place] = to
                    if not connected[to]:
                        connected[to] = 1
                        above.append(to)
                elif to == NOWHERE:
                    up[place] = NOWHERE
                else:
                    missed.append(place)
            self.places.extend(above)
            places = above
        return missed

    def ways(self, place: int) -> Sequence[int]:
        """Where an item's edges lead."""
        ways = self.forks.get(place)
        if ways is not None:
            return ways
        up = self.up[place]
        return () if up == NOWHERE else (up,)

    def nowhere(self) -> dict[int, tuple[str, ...]]:
        """By place, the ids that an item refers to in vain: nobody bears them, or they may not be followed."""
        found: dict[int, tuple[str, ...]] = {}
        for dead in (self.void, self.barred):
            for place, references in dead.items():
                ids = dict.fromkeys(id_ for r in references for id_ in (r.to, r.reference.target))
                found[place] = (*found.get(place, ()), *ids)
        return found

    def parent(self, place: int) -> str | None:
        """The present id of the structural parent, whether it is held or not."""
        return self.parents((place,))[0]

    def parents(self, places: Iterable[int]) -> list[str | None]:
        """`parent` of each of these."""
        ids, up, outlines, known = self.ids, self.up, self.outlines, self._parents
        return [known[p] if p in known else ids[up[p]] if outlines[p] & PARENT else None for p in places]

    def above(self, place: int) -> int:
        """The place of the structural parent, NOWHERE where it is not held."""
        if place in self._parents:
            return self.index.get(self._parents[place] or "", NOWHERE)
        return self.up[place] if self.outlines[place] & PARENT else NOWHERE

    def all_above(self, places: Collection[int]) -> set[int]:
        """The places of their structural parents, as far as they are held."""
        up, outlines = self.up, self.outlines
        found = {up[p] for p in places if outlines[p] & PARENT}
        return found.union(map(self.above, self._parents.keys() & places)) - {NOWHERE}

    def edges(self, place: int) -> tuple[Edge, ...]:
        """Where an item leads, in the order parent, closes, key, implements."""
        assert self._references is not None
        edges = self._edges.get(place)
        if edges is None:
            edges = self._edges[place] = self._follow(place, self._references.get(place, ()))[0]
        return edges

    def present(self, id_: str) -> str:
        """The id under which an item is known now."""
        for _ in range(10):  # renamed again and again, but never in a loop
            if id_ in self.index or id_ not in self._aliases:
                break
            id_ = self._aliases[id_]
        return id_

    def _lead(self, place: int, references: tuple[Reference, ...]) -> None:
        """For an item whose references do not simply lead to the one that bears their target's id."""
        parents = (self.present(r.target) for r in references if r.structural and r.via is _PARENT)
        self._parents[place] = next((id_ for id_ in parents if id_ != self.ids[place]), None)
        edges, void, barred = self._follow(place, references)
        self.up[place] = edges[0].to if edges else NOWHERE
        if len(edges) > 1:
            self.forks[place] = tuple([edge.to for edge in edges])
        if void:
            self.void[place] = void
        if barred:
            self.barred[place] = barred

    def _only(self, place: int) -> Reference:
        """The one reference of an item, as far as its outline tells where it is not kept."""
        if self._references is not None:
            return self._references[place][0]
        outline = self.outlines[place]
        via = _PARENT if outline & PARENT else Via.KEY
        return Reference(via=via, target=self._targets[place] or "", structural=bool(outline & STRUCTURAL))

    def _follow(self, place: int, references: Iterable[Reference]) -> tuple[tuple[Edge, ...], list[Dead], list[Dead]]:
        """Edges, void and barred references."""
        edges: dict[int, Edge] = {}
        void: list[Dead] = []
        barred: list[Dead] = []
        for reference in sorted(references, key=lambda r: _ORDER.get(r.via, len(_ORDER))):
            to = self.present(reference.target)
            known = self.index.get(to)
            connector = to.partition(":")[0]
            if connector not in self._context.connectors:
                void.append(Dead(reference, to, f"void: no connector named {connector!r}"))
                continue
            state = self._context.unreachable.get(to) or self._context.unreachable.get(reference.target)
            if known is not None and not (state == "forbidden" and known in self._chased):
                if known != place:
                    edges.setdefault(known, Edge(known, reference))
                continue
            if state == "missing" and not reference.structural:
                void.append(Dead(reference, to, "void: no such ticket"))
                continue
            why = {"forbidden": "may not be read (forbidden)", "missing": "does not exist or is hidden from okrsync"}
            barred.append(Dead(reference, to, why.get(state or "", "could not be read in this run")))
        return tuple(edges.values()), void, barred


class _Ends(dict[int, int]):
    """By outline, the end, where what was closed before a day is ENDED."""

    def __init__(self, since: date) -> None:
        self._first = since.toordinal()

    def __missing__(self, outline: int) -> int:
        closed = end(outline)
        self[outline] = known = ENDED if ENDED < closed < self._first else closed
        return known
