"""Looking at the items of an SQLite file, by the driver alone: rows as SQLAlchemy has them would cost as much again as
reading does."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from okrsync.domain.outlines import SPEAKS

from .briefs import AT_ONCE, NONE, Briefs, Row
from .changes import KEY
from .chunks import chunks

FROM_LOOKED_AT = "FROM items INDEXED BY ix_items_live_brief WHERE tombstoned_at IS NULL"
"""SQLite would go by another index, and from one end of the table to another."""
_FROM_LIVE = "FROM items WHERE tombstoned_at IS NULL"
_FROM_NEWER = "FROM items INDEXED BY ix_items_change_outline WHERE change > :number"
_NAMED = "IN (SELECT value FROM json_each(:names))"
_OUTLINE = "CASE WHEN chased THEN -1 - outline ELSE outline END"
_BRIEF = "coalesce(brief, x'00')"
_SPEAKING = f"chased OR outline IS NULL OR outline & {SPEAKS}"
_ASKED = f"CASE WHEN {_SPEAKING} THEN {_BRIEF} END"
# The connector is told by the ids, as no other column of the indexes says it; all between `jira:` and `jira;` begin so.
_OF_CONNECTOR = "id >= :connector || ':' AND id < :connector || ';'"
_ALL = f"SELECT id, target, {_OUTLINE}, %s {FROM_LOOKED_AT} AND {_OF_CONNECTOR}"
_SOME = f"SELECT id, target, {_OUTLINE}, %s {FROM_LOOKED_AT} AND id {_NAMED}"
_BRIEFS = f"SELECT id, brief {FROM_LOOKED_AT} AND id {_NAMED}"
_NEWER = f"SELECT tombstoned_at IS NULL, {_SPEAKING}, id, target, {_OUTLINE} {_FROM_NEWER}"


def _connector(id_: str) -> str:
    return id_.partition(":")[0]


def remembered(connection: sqlite3.Connection, key: str) -> str | None:
    """What the small memory holds."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else row[0]


class FileLook(Briefs):
    """Through a connection that is in a transaction."""

    def __init__(self, connection: sqlite3.Connection, connectors: Iterable[str]) -> None:
        super().__init__(connectors)
        self._connection = connection

    def _all(self, connector: str, *, whole: bool) -> Iterator[Sequence[Row]]:
        cursor = self._connection.execute(_ALL % (_BRIEF if whole else _ASKED), {"connector": connector})
        while rows := cursor.fetchmany(AT_ONCE):
            yield rows

    def _these(self, connector: str, ids: Sequence[str], *, whole: bool) -> Sequence[Row]:  # noqa: ARG002  # told by the ids
        return self._of(_SOME % (_BRIEF if whole else _ASKED), ids)

    def _newer(self, number: int, whole: frozenset[str]) -> list[Sequence[Any]]:
        found = self._connection.execute(_NEWER, {"number": number}).fetchall()
        asked = sorted(id_ for live, speaks, id_, *_ in found if live and (speaks or _connector(id_) in whole))
        briefs = {id_: brief or NONE for part in chunks(asked) for id_, brief in self._briefs(part)}
        return [(live, _connector(id_), id_, *row, briefs.get(id_)) for live, _, id_, *row in found]

    def _number_newer(self, number: int) -> int:
        found: int = self._connection.execute(f"SELECT count(*) {_FROM_NEWER}", {"number": number}).fetchone()[0]
        return found

    def _briefs(self, ids: Sequence[str]) -> list[Sequence[Any]]:
        return self._of(_BRIEFS, ids)

    def _data(self, ids: Sequence[str]) -> list[Sequence[Any]]:
        return self._of(f"SELECT data, chased {_FROM_LIVE} AND id {_NAMED}", ids)

    def _named(self, uids: Sequence[str]) -> Iterator[str]:
        return (id_ for (id_,) in self._of(f"SELECT id {_FROM_LIVE} AND uid {_NAMED}", uids))

    def _live(self, ids: Sequence[str]) -> Iterator[str]:
        return (id_ for (id_,) in self._of(f"SELECT id {_FROM_LIVE} AND id {_NAMED}", ids))

    def _told(self) -> str | None:
        return remembered(self._connection, KEY)

    def _of(self, statement: str, names: Sequence[str]) -> list[Sequence[Any]]:
        """However many names: they are one parameter, so that the statement is the same each time and parsed once."""
        return self._connection.execute(statement, {"names": json.dumps(names)}).fetchall()
