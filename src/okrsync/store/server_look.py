"""Looking at the items that a PostgreSQL server holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, case, func, literal, or_, select

from okrsync.domain.outlines import SPEAKS

from .briefs import NONE, Briefs, Row
from .changes import KEY
from .chunks import chunks
from .database import among
from .queries import get_meta
from .schema import LIVE, items

_AT_ONCE = 4000
_BRIEF = func.coalesce(items.c.brief, literal(NONE))
_ASKED = or_(items.c.chased, items.c.outline.is_(None), items.c.outline.op("&")(SPEAKS) == SPEAKS)
_OUTLINE = case((items.c.chased, -1 - items.c.outline), else_=items.c.outline)
_ROW = (items.c.id, items.c.target, _OUTLINE)


class ServerLook(Briefs):
    """Through a connection that is in a transaction."""

    def __init__(self, connection: Connection, connectors: Iterable[str]) -> None:
        super().__init__(connectors)
        self._connection = connection

    def _rows(self, connector: str, ids: Collection[str] | None, *, whole: bool) -> Iterator[Sequence[Row]]:
        query = select(*_ROW, _BRIEF if whole else case((_ASKED, _BRIEF))).where(LIVE, items.c.connector == connector)
        if ids is None:
            yield from self._connection.execute(query.execution_options(yield_per=_AT_ONCE)).partitions()
            return
        for part in chunks(sorted(id_ for id_ in ids if id_.startswith(f"{connector}:"))):
            if rows := self._connection.execute(query.where(among(self._connection, items.c.id, part))).all():
                yield rows

    def _newer(self, number: int, whole: frozenset[str]) -> Iterable[Sequence[Any]]:
        brief = case((or_(items.c.connector.in_(whole), _ASKED), _BRIEF))
        asked = select(LIVE, items.c.connector, *_ROW, brief).where(items.c.change > number)
        return self._connection.execute(asked).all()

    def _number_newer(self, number: int) -> int:
        return self._connection.execute(select(func.count()).where(items.c.change > number)).scalar_one()

    def _briefs(self, ids: Sequence[str]) -> Iterable[Sequence[Any]]:
        asked = select(items.c.id, items.c.brief).where(among(self._connection, items.c.id, ids), LIVE)
        return self._connection.execute(asked).all()

    def _data(self, ids: Sequence[str]) -> Iterable[Sequence[Any]]:
        return self._connection.execute(select(items.c.data, items.c.chased).where(items.c.id.in_(ids), LIVE)).all()

    def _named(self, uids: Sequence[str]) -> Iterable[str]:
        return self._connection.execute(select(items.c.id).where(items.c.uid.in_(uids), LIVE)).scalars()

    def _live(self, ids: Sequence[str]) -> Iterable[str]:
        asked = select(items.c.id).where(among(self._connection, items.c.id, ids), LIVE)
        return self._connection.execute(asked).scalars()

    def _told(self) -> str | None:
        return get_meta(self._connection, KEY)
