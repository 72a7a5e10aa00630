"""Looking at all items without reading their descriptions."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import compress, count
from typing import Any

from sqlalchemy import Connection, case, func, literal, or_, select, text

from okrsync.domain.outlines import OUTLINED, SPEAKS, Outlines, outline
from okrsync.domain.storage import Changes
from okrsync.domain.work import Glimpse, WorkItem

from . import changes
from .database import among, chunks
from .encoding import NO_BRIEF, glimpse, glimpse_of_data
from .schema import FROM_LOOKED_AT, LIVE, items

_AT_ONCE = 4000
_NONE = b"\0"  # no brief begins so
_ASKED = or_(items.c.chased, items.c.outline.is_(None), items.c.outline.op("&")(SPEAKS) == SPEAKS)
_BRIEF = func.coalesce(items.c.brief, literal(_NONE))
_OUTLINE = case((items.c.chased, -1 - items.c.outline), else_=items.c.outline)  # negative: it is chased
_OUTLINE_ON_SQLITE = "CASE WHEN chased THEN -1 - outline ELSE outline END"
# The connector is told by the ids, as no other column of the index says it; all between `jira:` and `jira;` begin so.
_OF_CONNECTOR = "id >= :connector || ':' AND id < :connector || ';'"
_IN_ONE_GO = f"SELECT id, target, {_OUTLINE_ON_SQLITE}, %s {FROM_LOOKED_AT} AND {_OF_CONNECTOR}"
_BRIEF_ON_SQLITE = "coalesce(brief, x'00')"
_ASKED_ON_SQLITE = f"CASE WHEN chased OR outline IS NULL OR outline & {SPEAKS} THEN {_BRIEF_ON_SQLITE} END"
_NAMED = "id IN (SELECT value FROM json_each(:ids))"
_SOME_ON_SQLITE = f"SELECT id, brief {FROM_LOOKED_AT} AND {_NAMED}"
_SOME_IN_ONE_GO = f"SELECT id, target, {_OUTLINE_ON_SQLITE}, %s {FROM_LOOKED_AT} AND {_NAMED}"


class Look:
    """What every method does stands in `domain.storage.Look`."""

    def __init__(self, connection: Connection, connectors: Iterable[str]) -> None:
        self._connection = connection
        self._connectors = tuple(connectors)

    def outlines(
        self,
        fields: frozenset[str],
        whole: frozenset[str] = frozenset(),
        ids: Collection[str] | None = None,
    ) -> Iterator[Outlines]:
        for connector in self._connectors:
            for rows in self._rows(connector, ids, whole=connector in whole):
                yield self._outlines(connector, rows, fields)

    def _outlines(self, connector: str, rows: Sequence[Any], fields: frozenset[str]) -> Outlines:
        """Of rows as `_rows` gives them."""
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
            if self._on_sqlite:
                found = self._connection.execute(text(_SOME_ON_SQLITE), {"ids": json.dumps(part)})
            else:
                asked = select(items.c.id, items.c.brief).where(among(self._connection, items.c.id, part), LIVE)
                found = self._connection.execute(asked)
            for id_, brief in found.cursor.fetchall():
                try:
                    item = decode(brief)
                except NO_BRIEF:
                    others.append(id_)
                    continue
                if item.connector in self._connectors:
                    yield item
        yield from (item for item, _ in self._of_data(others, fields))

    def named(self, uids: Iterable[str]) -> set[str]:
        return {
            id_
            for part in chunks(uids)
            for id_ in self._connection.execute(select(items.c.id).where(items.c.uid.in_(part), LIVE)).scalars()
        }

    def mark(self) -> str:
        return changes.mark(self._connection)

    def changed(
        self, mark: str, most: int, fields: frozenset[str], whole: frozenset[str] = frozenset()
    ) -> Changes | None:
        number = changes.since(self._connection, mark)
        if number is None:
            return None
        newer = items.c.change > number
        if self._connection.execute(select(func.count()).where(newer)).scalar_one() > most:
            return None
        brief = case((or_(items.c.connector.in_(whole), _ASKED), _BRIEF))
        asked = select(LIVE, items.c.connector, items.c.id, items.c.target, _OUTLINE, brief).where(newer)
        gone: set[str] = set()
        held: dict[str, list[Sequence[Any]]] = {connector: [] for connector in self._connectors}
        for live, connector, *row in self._connection.execute(asked).cursor.fetchall():
            if not live:
                gone.add(row[0])
            elif connector in held:
                held[connector].append(row)
        outlines = (self._outlines(connector, rows, fields) for connector, rows in held.items() if rows)
        for part in chunks(sorted(gone)):  # another may have got the id
            among_them = among(self._connection, items.c.id, part)
            gone.difference_update(self._connection.execute(select(items.c.id).where(among_them, LIVE)).scalars())
        return Changes(outlines, frozenset(gone))

    def fades(self, mark: str) -> bool:
        return changes.fades(self._connection, mark)

    def _rows(self, connector: str, ids: Collection[str] | None, *, whole: bool) -> Iterator[Sequence[Any]]:
        """Id, target, outline and, of all or of those that have to be looked at themselves, the brief."""
        if ids is not None:
            yield from self._rows_of(connector, ids, whole=whole)
        elif self._on_sqlite:
            asked = text(_IN_ONE_GO % (_BRIEF_ON_SQLITE if whole else _ASKED_ON_SQLITE))
            # the driver's own rows: others would cost as much again as reading
            cursor = self._connection.execute(asked, {"connector": connector}).cursor
            while rows := cursor.fetchmany(_AT_ONCE):
                yield rows
        else:
            brief = _BRIEF if whole else case((_ASKED, _BRIEF))
            query = select(items.c.id, items.c.target, _OUTLINE, brief).where(items.c.connector == connector, LIVE)
            yield from self._connection.execute(query.execution_options(yield_per=_AT_ONCE)).partitions()

    def _rows_of(self, connector: str, ids: Iterable[str], *, whole: bool) -> Iterator[Sequence[Any]]:
        for part in chunks(sorted(id_ for id_ in ids if id_.startswith(f"{connector}:"))):
            if self._on_sqlite:
                asked = text(_SOME_IN_ONE_GO % (_BRIEF_ON_SQLITE if whole else _ASKED_ON_SQLITE))
                rows = self._connection.execute(asked, {"ids": json.dumps(part)}).cursor.fetchall()
            else:
                brief = _BRIEF if whole else case((_ASKED, _BRIEF))
                query = select(items.c.id, items.c.target, _OUTLINE, brief).where(LIVE, items.c.connector == connector)
                rows = self._connection.execute(query.where(among(self._connection, items.c.id, part))).all()
            if rows:
                yield rows

    def _of_data(self, ids: Iterable[str], fields: frozenset[str]) -> Iterator[tuple[WorkItem, bool]]:
        """By the JSON, and whether it is chased: where a rule asks for descriptions, or an older version stored it."""
        decode = glimpse_of_data(fields | {"id", "connector"})
        for part in chunks(ids):
            asked = select(items.c.data, items.c.chased).where(items.c.id.in_(part), LIVE)
            for data, chased in self._connection.execute(asked):
                item = decode(data)
                if item.connector in self._connectors:
                    yield item, chased

    @property
    def _on_sqlite(self) -> bool:
        return self._connection.dialect.name == "sqlite"
