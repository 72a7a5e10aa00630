"""Reading what is held: items, aliases, slices, unreachable ids, small memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, func, select, text

from okrsync.domain.outlines import SPEAKS
from okrsync.domain.text import clean
from okrsync.domain.trackers import SliceState
from okrsync.domain.work import StoredItem

from .chunks import chunks
from .database import among, upsert
from .encoding import decode
from .file_look import FROM_LOOKED_AT
from .schema import COUNTED, LIVE, aliases, items, meta, slices, unreachable

AT_ONCE = 1000
_LONGEST_ID = 500  # nothing longer names an item; PostgreSQL could not index it


def all_items(c: Connection) -> list[StoredItem]:
    """Live items, chased ones too, ordered by id (by code point, on every database). Which are live is asked here: told
    so, SQLite would go by an index, from one end of the table to another."""
    names: dict[str, list[str]] = {}
    for alias, uid in c.execute(select(aliases.c.alias, aliases.c.uid)):
        names.setdefault(uid, []).append(alias)
    columns = (items.c.uid, items.c.data, items.c.read_at, items.c.moved_at, items.c.chased, items.c.tombstoned_at)
    stored = [
        StoredItem(
            item=decode(data),
            read_at=read_at,
            moved_at=moved_at,
            chased=chased,
            aliases=tuple(sorted(names[uid])) if uid in names else (),
        )
        for uid, data, read_at, moved_at, chased, buried in c.execute(select(*columns))
        if buried is None
    ]
    return sorted(stored, key=lambda s: s.item.id)


class _Target(Struct):
    target: str


class _Tied(Struct):
    """Of the JSON in `data` only this is decoded: the text of a description is stepped over."""

    references: tuple[_Target, ...] = ()


_tied = msgspec.json.Decoder(_Tied).decode
_ONLY_TARGETS = text(f"SELECT DISTINCT target {FROM_LOOKED_AT}")
# Where no target stands, none or several may be: of these, and of what an older version stored, the JSON tells.
_SEVERAL = items.c.outline.is_(None) | (items.c.target.is_(None) & (items.c.outline.op("&")(SPEAKS) == SPEAKS))


def all_targets(c: Connection) -> Iterator[str]:
    """Read in pieces: the rows of all items at once may be gigabytes."""
    only = _ONLY_TARGETS if c.dialect.name == "sqlite" else select(items.c.target).where(LIVE).distinct()
    yield from (target for target in c.execute(only).scalars() if target is not None)
    several = select(items.c.data).where(LIVE, _SEVERAL).execution_options(yield_per=AT_ONCE)
    for data in c.execute(several).scalars():
        yield from (reference.target for reference in _tied(data).references)


def read_before(c: Connection, ids: Iterable[str], moment: datetime) -> frozenset[str]:
    found: set[str] = set()
    for part in chunks(ids):
        asked = select(items.c.id).where(among(c, items.c.id, part), LIVE, items.c.read_at < moment)
        found.update(c.execute(asked).scalars())
    return frozenset(found)


def counted_among(c: Connection, ids: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    for part in chunks(ids):
        found.update(c.execute(select(items.c.id).where(among(c, items.c.id, part), COUNTED)).scalars())
    return frozenset(found)


def all_aliases(c: Connection) -> dict[str, str]:
    present = select(aliases.c.alias, items.c.id).join(items, items.c.uid == aliases.c.uid)
    rows = c.execute(present.where(LIVE))
    return dict(sorted((alias, id_) for alias, id_ in rows))


def slice_states(c: Connection, connector: str) -> dict[str, SliceState]:
    count = select(items.c.slice, func.count()).where(items.c.connector == connector, COUNTED)
    held = {row[0]: row[1] for row in c.execute(count.group_by(items.c.slice))}
    return {
        row.slice: SliceState(
            watermark=row.watermark, resume=row.resume, swept_at=row.swept_at, held=held.get(row.slice, 0)
        )
        for row in c.execute(select(slices).where(slices.c.connector == connector).order_by(slices.c.slice))
    }


def counted(c: Connection, connector: str) -> int:
    return c.execute(select(func.count()).where(items.c.connector == connector, COUNTED)).scalar_one()


def save_unreachable(c: Connection, *, missing: Iterable[str], forbidden: Iterable[str], found: Iterable[str]) -> None:
    """`found` wins over `forbidden`, `forbidden` over `missing`."""
    reasons = {clean(id_): "missing" for id_ in missing} | {clean(id_): "forbidden" for id_ in forbidden}
    readable = {clean(id_) for id_ in found}
    rows = [{"id": id_, "reason": reason} for id_, reason in sorted(reasons.items()) if len(id_) <= _LONGEST_ID]
    upsert(c, unreachable, rows)
    for part in chunks(readable):
        c.execute(delete(unreachable).where(unreachable.c.id.in_(part)))


def all_unreachable(c: Connection) -> dict[str, str]:
    return {row.id: row.reason for row in c.execute(select(unreachable).order_by(unreachable.c.id))}


def get_meta(c: Connection, key: str) -> str | None:
    return c.execute(select(meta.c.value).where(meta.c.key == key)).scalar()


def set_meta(c: Connection, key: str, value: str) -> None:
    upsert(c, meta, [{"key": clean(key), "value": clean(value)}])
