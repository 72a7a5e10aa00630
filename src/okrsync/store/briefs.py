"""Looking at all items without reading their descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, count
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, literal, or_, select, text

from okrsync.domain.outlines import OUTLINED, SPEAKS, Outlines, outline
from okrsync.domain.work import Glimpse, WorkItem

from .database import among, chunks
from .encoding import NO_BRIEF, glimpse, glimpse_of_data
from .schema import LIVE, items

_AT_ONCE = 4000
_NONE = b"\0"  # no brief begins so
_ASKED = or_(items.c.chased, items.c.outline.is_(None), items.c.outline.op("&")(SPEAKS) == SPEAKS)
_BRIEF = func.coalesce(items.c.brief, literal(_NONE))
_COLUMNS = (items.c.id, items.c.chased, items.c.target, items.c.outline)
# SQLite would go by another index, and from one end of the table to another. It is told the connector by the ids, as
# no other column of this index says it; all between `jira:` and `jira;` begin so.
_BY_INDEX = "FROM items INDEXED BY ix_items_live_brief WHERE tombstoned_at IS NULL AND"
_IN_ONE_GO = "SELECT id, chased, target, outline, {} {} id >= :connector || ':' AND id < :connector || ';'"
_ASKED_ON_SQLITE = f"CASE WHEN chased OR outline IS NULL OR outline & {SPEAKS} THEN coalesce(brief, x'00') END"
_SOME_ON_SQLITE = text(f"SELECT id, brief {_BY_INDEX} id IN :ids").bindparams(bindparam("ids", expanding=True))


class Look:
    """What every method does stands in `domain.storage.Look`."""

    def __init__(self, connection: Connection, connectors: Iterable[str]) -> None:
        self._connection = connection
        self._connectors = frozenset(connectors)

    def outlines(self, fields: frozenset[str], whole: frozenset[str] = frozenset()) -> Iterator[Outlines]:
        decode = glimpse(fields)
        for connector in sorted(self._connectors):
            for rows in self._rows(connector, whole=connector in whole):
                ids, chased, targets, outlines, briefs = map(list, zip(*rows, strict=True))
                seen: dict[int, Glimpse] = {}
                others: dict[str, int] = {}
                for offset in compress(count(), briefs):
                    try:
                        seen[offset] = Glimpse(decode(briefs[offset]), bool(chased[offset]))
                    except NO_BRIEF:
                        others[ids[offset]] = offset
                for item in self._of_data(others, fields | OUTLINED):
                    offset = others[item.id]
                    targets[offset], outlines[offset] = outline(item)
                    seen[offset] = Glimpse(item, bool(chased[offset]))
                yield Outlines(connector, ids, targets, outlines, seen)

    def some(self, ids: Iterable[str], fields: frozenset[str]) -> Iterator[WorkItem]:
        decode = glimpse(fields)
        others: list[str] = []
        for part in chunks(ids):
            if self._on_sqlite:
                found = self._connection.execute(_SOME_ON_SQLITE, {"ids": part})
            else:
                asked = select(items.c.id, items.c.brief).where(among(self._connection, items.c.id, part), LIVE)
                found = self._connection.execute(asked)
            for id_, brief in found:
                try:
                    item = decode(brief)
                except NO_BRIEF:
                    others.append(id_)
                    continue
                if item.connector in self._connectors:
                    yield item
        yield from self._of_data(others, fields)

    def named(self, uids: Iterable[str]) -> set[str]:
        return {
            id_
            for part in chunks(uids)
            for id_ in self._connection.execute(select(items.c.id).where(items.c.uid.in_(part), LIVE)).scalars()
        }

    def _rows(self, connector: str, *, whole: bool) -> Iterator[Sequence[Any]]:
        """Id, chased, target, outline and, of all or of those that have to be looked at themselves, the brief."""
        if self._on_sqlite:
            asked = text(_IN_ONE_GO.format("coalesce(brief, x'00')" if whole else _ASKED_ON_SQLITE, _BY_INDEX))
            # a row at a time would cost as much again as reading it
            cursor = self._connection.execute(asked, {"connector": connector}).cursor
            while rows := cursor.fetchmany(_AT_ONCE):
                yield rows
        else:
            brief = _BRIEF if whole else case((_ASKED, _BRIEF))
            query = select(*_COLUMNS, brief).where(items.c.connector == connector, LIVE)
            yield from self._connection.execution_options(yield_per=_AT_ONCE).execute(query).partitions()

    def _of_data(self, ids: Iterable[str], fields: frozenset[str]) -> Iterator[WorkItem]:
        """By the JSON: where a rule asks for descriptions, or an older version stored the item."""
        decode = glimpse_of_data(fields | {"id", "connector"})
        for part in chunks(ids):
            for data in self._connection.execute(select(items.c.data).where(items.c.id.in_(part), LIVE)).scalars():
                item = decode(data)
                if item.connector in self._connectors:
                    yield item

    @property
    def _on_sqlite(self) -> bool:
        return self._connection.dialect.name == "sqlite"
