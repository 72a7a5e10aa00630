"""Looking at the items that a PostgreSQL server holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, case, func, literal, or_, select

from okrsync.domain.outlines import SPEAKS

from .briefs import AT_ONCE, NONE, Briefs, Row
from .changes import KEY
from .database import among
from .queries import get_meta
from .schema import LIVE, items

_BRIEF = func.coalesce(items.c.brief, literal(NONE))
_ASKED = or_(items.c.chased, items.c.outline.is_(None), items.c.outline.op("&")(SPEAKS) == SPEAKS)
_OUTLINE = case((items.c.chased, -1 - items.c.outline), else_=items.c.outline)
_ROW = (items.c.id, items.c.target, _OUTLINE)


def _rows_of(connector: str, *, whole: bool) -> Select[Any]:
    return select(*_ROW, _BRIEF if whole else case((_ASKED, _BRIEF))).where(LIVE, items.c.connector == connector)


class ServerLook(Briefs):
    """Through a connection that is in a transaction."""

    def __init__(self, connection: Connection, connectors: Iterable[str]) -> None:
        super().__init__(connectors)
        self._connection = connection

    def _all(self, connector: str, *, whole: bool) -> Iterator[Sequence[Row]]:
        asked = _rows_of(connector, whole=whole).execution_options(yield_per=AT_ONCE)
        yield from self._connection.execute(asked).partitions()

    def _these(self, connector: str, ids: Sequence[str], *, whole: bool) -> Sequence[Row]:
        asked = _rows_of(connector, whole=whole).where(among(self._connection, items.c.id, ids))
        return self._connection.execute(asked).all()

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
