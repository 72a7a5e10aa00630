"""Which item points at which, by dense places: there may be a million items, and most have one way up or none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sys import intern

from msgspec import Struct

from okrsync.domain.work import Glimpse, Reference, StoredItem, Via, WorkItem

from .context import Context

NOWHERE = -1
"""The place that an item without any edge points at."""
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
    """Filled through `taking`, complete after `connect`.

    ids         by place, in the order of input, which matters to no answer
    index       id -> place
    up          by place: where the first edge leads, NOWHERE without one
    forks       place -> where all its edges lead, in the order parent, closes, key, implements; of more than one only
    void        per item: references that count as not written
    barred      per item: references to what could not be read, behind which anything may stand
    unread      place of an item -> why its own reading is not of this run
    """

    def __init__(self, context: Context, *, traced: bool = True) -> None:
        """Not `traced`: references are not kept, so that `edges` cannot be asked for."""
        self.ids: list[str] = []
        self.index: dict[str, int] = {}
        self.up: list[int] = []
        self.forks: dict[int, tuple[int, ...]] = {}
        self.void: dict[int, list[Dead]] = {}
        self.barred: dict[int, list[Dead]] = {}
        self.unread: dict[int, str] = {}
        self._context = context
        self._aliases: dict[str, str] = {}
        self._failing = bool(context.failed or context.failed_containers)
        self._chased: set[int] = set()
        self._refused: set[int] = set()  # held, but a reference may not lead there
        self._references: dict[int, tuple[Reference, ...]] | None = {} if traced else None
        self._waiting: dict[int, tuple[Reference, ...]] = {}  # whose edges are known once all items are
        self._climbs = bytearray()  # by place: whether `up` is the structural parent
        self._parents: dict[int, str] = {}  # of the others that have one
        self._edges: dict[int, tuple[Edge, ...]] = {}

    def taking(self, items: Iterable[StoredItem | Glimpse]) -> Iterator[StoredItem | Glimpse]:
        """Gives each item its place, the next one, and passes it on; it is not kept."""
        ids, index, up, climbs, refused = self.ids, self.index, self.up, self._climbs, self._refused
        kept, connectors = self._references, self._context.connectors
        for place, stored in enumerate(items, len(ids)):
            item = stored.item
            id_ = item.id
            ids.append(id_)
            index[id_] = place
            to, climb = NOWHERE, 0
            if references := item.references:
                if kept is not None:
                    kept[place] = references
                reference = references[0]
                found = index.get(reference.target, place) if len(references) == 1 else place
                if found != place and found not in refused:
                    to, climb = found, reference.structural and reference.via is _PARENT
                else:
                    self._waiting[place] = references
            up.append(to)
            climbs.append(climb)
            if item.connector not in connectors:
                refused.add(place)
            if stored.chased:
                self._chased.add(place)
                if self._context.unreachable.get(id_) == "forbidden":
                    refused.add(place)
            for old in stored.aliases:
                self._aliases[old] = max(id_, self._aliases.get(old, ""))
            if self._failing and (why := self._not_read(item)):
                self.unread[place] = why
            yield stored

    def connect(self) -> None:
        """Turns into edges the references that had to wait until all items have their places."""
        self._aliases |= self._context.aliases
        for place, references in self._waiting.items():
            reference = references[0]
            found = self.index.get(reference.target, place) if len(references) == 1 else place
            if found != place and found not in self._refused:
                self.up[place] = found
                self._climbs[place] = reference.structural and reference.via is _PARENT
                continue
            parents = (self.present(r.target) for r in references if r.structural and r.via is _PARENT)
            if parent := next((id_ for id_ in parents if id_ != self.ids[place]), None):
                self._parents[place] = parent
            edges, void, barred = self._follow(place, references)
            if edges:
                self.up[place] = edges[0].to
            if len(edges) > 1:
                self.forks[place] = tuple([edge.to for edge in edges])
            if void:
                self.void[place] = void
            if barred:
                self.barred[place] = barred
        self._waiting = {}

    def parent(self, place: int) -> str | None:
        """The present id of the structural parent, whether it is held or not."""
        return self.ids[self.up[place]] if self._climbs[place] else self._parents.get(place)

    def is_parent(self) -> bytearray:
        """By place: whether other items have it as their structural parent."""
        found = bytearray(len(self.ids))
        for to, climbs in zip(self.up, self._climbs, strict=True):
            if climbs:
                found[to] = 1
        for id_ in self._parents.values():
            if (place := self.index.get(id_)) is not None:
                found[place] = 1
        return found

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

    def _not_read(self, item: WorkItem) -> str:
        if item.connector in self._context.failed:
            return intern(f"{item.connector} could not be read to its end in this run")
        if (item.connector, item.container) in self._context.failed_containers:
            return intern(f"{item.container} ({item.connector}) could not be read in this run")
        return ""

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
