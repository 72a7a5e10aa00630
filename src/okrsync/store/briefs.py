"""Looking at all items without reading their descriptions: what is the same on every database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import compress, count
from operator import itemgetter
from typing import Any, TypeAlias

from okrsync.domain.outlines import OUTLINED, Outlines, outline
from okrsync.domain.storage import Changes
from okrsync.domain.work import Glimpse, WorkItem

from . import changes
from .chunks import chunks
from .encoding import NO_BRIEF, glimpse, glimpse_of_data

Row: TypeAlias = Sequence[Any]
"""Id, target, outline (negative where the item is chased: -1 minus it) and, of those that have to be looked at
themselves, the brief, else None."""
AT_ONCE = 4000
NONE = b"\0"
"""For a brief that is not there; no brief begins so."""


class Briefs(ABC):
    """What every method does stands in `domain.storage.Look`; what is asked of the database is another matter on
    each."""

    def __init__(self, connectors: Iterable[str]) -> None:
        self._connectors = tuple(connectors)

    @abstractmethod
    def _all(self, connector: str, *, whole: bool) -> Iterator[Sequence[Row]]:
        """Of all live items, AT_ONCE at a time; where they are to be `whole`, each with its brief."""

    @abstractmethod
    def _these(self, connector: str, ids: Sequence[str], *, whole: bool) -> Sequence[Row]:
        """Likewise of those with one of these ids."""

    @abstractmethod
    def _newer(self, number: int, whole: frozenset[str]) -> Iterable[Sequence[Any]]:
        """Of what changed later, buried items too: whether it is live, the connector, and the row."""

    @abstractmethod
    def _number_newer(self, number: int) -> int: ...

    @abstractmethod
    def _briefs(self, ids: Sequence[str]) -> Iterable[Sequence[Any]]:
        """Ids and briefs of live items."""

    @abstractmethod
    def _data(self, ids: Sequence[str]) -> Iterable[Sequence[Any]]:
        """JSON of live items, and whether each is chased."""

    @abstractmethod
    def _named(self, uids: Sequence[str]) -> Iterable[str]:
        """Ids of live items."""

    @abstractmethod
    def _live(self, ids: Sequence[str]) -> Iterable[str]:
        """Those under which something is live."""

    @abstractmethod
    def _told(self) -> str | None:
        """What the small memory holds of changes."""

    def outlines(
        self,
        fields: frozenset[str],
        whole: frozenset[str] = frozenset(),
        ids: Collection[str] | None = None,
    ) -> Iterator[Outlines]:
        for connector in self._connectors:
            for rows in self._rows(connector, ids, whole=connector in whole):
                yield self._outlines(connector, rows, fields)

    def _rows(self, connector: str, ids: Collection[str] | None, *, whole: bool) -> Iterator[Sequence[Row]]:
        if ids is None:
            yield from self._all(connector, whole=whole)
            return
        for part in chunks(sorted(id_ for id_ in ids if id_.startswith(f"{connector}:"))):
            if rows := self._these(connector, part, whole=whole):
                yield rows

    def _outlines(self, connector: str, rows: Sequence[Row], fields: frozenset[str]) -> Outlines:
        decode = glimpse(fields)
        names, targets, outlines, briefs = map(list, zip(*rows, strict=True))
        seen: dict[int, Glimpse] = {}
        others: dict[str, int] = {}
        for offset in compress(count(), briefs):
            try:
                item = decode(briefs[offset])
            except NO_BRIEF:
                others[names[offset]] = offset
                continue
            chased = outlines[offset] < 0
            if chased:
                outlines[offset] = -1 - outlines[offset]
            seen[offset] = Glimpse(item, chased)
        for item, chased in self._of_data(others, fields | OUTLINED):
            offset = others[item.id]
            targets[offset], outlines[offset] = outline(item)
            seen[offset] = Glimpse(item, chased)
        return Outlines(connector, names, targets, outlines, seen)

    def some(self, ids: Iterable[str], fields: frozenset[str]) -> Iterator[WorkItem]:
        decode = glimpse(fields)
        others: list[str] = []
        for part in chunks(sorted(ids)):  # neighbours lie on the same page
            for id_, brief in self._briefs(part):
                try:
                    item = decode(brief)
                except NO_BRIEF:
                    others.append(id_)
                    continue
                if item.connector in self._connectors:
                    yield item
        yield from (item for item, _ in self._of_data(others, fields))

    def _of_data(self, ids: Iterable[str], fields: frozenset[str]) -> Iterator[tuple[WorkItem, bool]]:
        """By the JSON, and whether it is chased: where a rule asks for descriptions, or an older version stored it."""
        decode = glimpse_of_data(fields | {"id", "connector"})
        for part in chunks(ids):
            for data, chased in self._data(part):
                item = decode(data)
                if item.connector in self._connectors:
                    yield item, bool(chased)

    def named(self, uids: Iterable[str]) -> set[str]:
        return {id_ for part in chunks(uids) for id_ in self._named(part)}

    def mark(self) -> str:
        return changes.mark(self._told())

    def changed(
        self, mark: str, most: int, fields: frozenset[str], whole: frozenset[str] = frozenset()
    ) -> Changes | None:
        number = changes.since(self._told(), mark)
        if number is None or self._number_newer(number) > most:
            return None
        gone: set[str] = set()
        held: dict[str, list[Row]] = {connector: [] for connector in self._connectors}
        for live, connector, *row in self._newer(number, whole):
            if not live:
                gone.add(row[0])
            elif connector in held:
                held[connector].append(row)
        for rows in held.values():
            rows.sort(key=itemgetter(0))  # whoever looks them up finds neighbours together
        outlines = (self._outlines(connector, rows, fields) for connector, rows in held.items() if rows)
        for part in chunks(sorted(gone)):  # another may have got the id
            gone.difference_update(self._live(part))
        return Changes(outlines, frozenset(gone))

    def fades(self, mark: str) -> bool:
        return changes.fades(self._told(), mark)
