"""Looking at all items without reading their descriptions."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from sqlalchemy import Connection, Executable, select, text

from okrsync.domain.work import Glimpse, WorkItem

from .database import chunks
from .encoding import NO_BRIEF, glimpse, glimpse_of_data
from .queries import AT_ONCE
from .schema import LIVE, AnyRow, items

_BRIEFS = (items.c.id, items.c.chased, items.c.brief)
# SQLite would go by another index, and from one end of the table to another
_IN_ONE_GO = text("SELECT id, chased, brief FROM items INDEXED BY ix_items_live_brief WHERE tombstoned_at IS NULL")


class Look:
    """What every method does stands in `domain.storage.Look`."""

    def __init__(self, connection: Connection, connectors: Iterable[str]) -> None:
        self._connection = connection
        self._connectors = frozenset(connectors)

    def all(self, fields: frozenset[str]) -> Iterator[Glimpse]:
        return self._glimpses(fields, None)

    def some(self, ids: Container[str], fields: frozenset[str]) -> Iterator[WorkItem]:
        return (glimpsed.item for glimpsed in self._glimpses(fields, ids))

    def _glimpses(self, fields: frozenset[str], ids: Container[str] | None) -> Iterator[Glimpse]:
        decode = glimpse(fields | {"connector"})
        others: list[str] = []
        connectors = self._connectors
        for id_, chased, brief in self._briefs():
            if ids is not None and id_ not in ids:
                continue
            try:
                item = decode(brief)
            except NO_BRIEF:
                others.append(id_)
                continue
            if item.connector in connectors:
                yield Glimpse(item, chased)
        yield from self._whole(fields, others)

    def _briefs(self) -> Iterator[AnyRow]:
        if self._connection.dialect.name == "sqlite":
            return self._stream(_IN_ONE_GO.columns(*_BRIEFS))
        return self._stream(select(*_BRIEFS).where(LIVE))

    def _whole(self, fields: frozenset[str], ids: Iterable[str]) -> Iterator[Glimpse]:
        """By the JSON: where a rule asks for descriptions, or an older version stored the item."""
        decode = glimpse_of_data(fields | {"connector"})
        for part in chunks(ids):
            asked = select(items.c.data, items.c.chased).where(items.c.id.in_(part), LIVE)
            for data, chased in self._connection.execute(asked):
                item = decode(data)
                if item.connector in self._connectors:
                    yield Glimpse(item, chased)

    def _stream(self, asked: Executable) -> Iterator[AnyRow]:
        return iter(self._connection.execution_options(yield_per=AT_ONCE).execute(asked))
