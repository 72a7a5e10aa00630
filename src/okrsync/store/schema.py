"""The tables, as the newest migration leaves them. Times are aware and UTC on both databases."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeDecorator

from .encoding import moment_of


class Moment(TypeDecorator[datetime]):
    """An aware UTC time. SQLite keeps it as text without a zone, `2026-11-16 09:00:00.000000`, which sorts by time.

    The two `*_processor` replace, for SQLite, what TypeDecorator would put together from three functions: four times
    stand in each row of `items`, and a third of the time that storing took went into them.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else _aware(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        return _to_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        return moment_of if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


_json = msgspec.json.Encoder().encode


def _aware(value: datetime) -> datetime:
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone; the store keeps UTC times only")
    return value.astimezone(UTC)


@functools.lru_cache(maxsize=1024)  # pages are read at one moment, and most items never moved since they were updated
def _to_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    # b'"2026-11-16T09:00:00.123456Z"', the fraction only where there is one; isoformat costs ten times as much
    told = _json(_aware(value))
    return f"{told[1:11].decode()} {told[12:20].decode()}{told[20:-2].decode() or '.000000'}"


# Ids, uids and keys compare byte by byte on both databases, whatever locale the server was set up with.
Key = Text().with_variant(Text(collation="C"), "postgresql")
# SQLite numbers rows by itself only in a column declared exactly INTEGER.
Sequence = BigInteger().with_variant(Integer(), "sqlite")

AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"

metadata = MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s"})


def _required(name: str, type_: Any, *args: Any, **kwargs: Any) -> Column[Any]:
    return Column(name, type_, *args, nullable=False, **kwargs)


# `data` is the WorkItem as JSON, `brief` a packed list of all but its text, `target` and `outline` what is asked of
# every item (`domain.outlines`); these three are None where an older version stored it. `change` is the number of the
# transaction that last changed the row otherwise than in when it was read (`changes`). The other columns are those that
# are queried. `slice` is the one through which the item was last read, empty for chased ones.
items = Table(
    "items",
    metadata,
    _required("uid", Key, primary_key=True),
    _required("id", Key),
    _required("connector", Key),
    _required("slice", Key),
    _required("container", Key),
    _required("open", Boolean),
    _required("chased", Boolean),
    Column("tombstoned_at", Moment),
    _required("updated", Moment),
    _required("read_at", Moment),
    _required("moved_at", Moment),
    _required("data", Text),
    Column("target", Text),
    Column("outline", Integer),
    Column("brief", LargeBinary),
    Column("change", BigInteger, nullable=False, server_default="0"),
)
LIVE = items.c.tombstoned_at.is_(None)
COUNTED = LIVE & items.c.chased.is_(False)
_WHERE_LIVE = {"where": "tombstoned_at IS NULL"}
Index("ix_items_live_id", items.c.id, unique=True, info=_WHERE_LIVE)
Index(None, items.c.connector, items.c.slice)
# A look at all items, or at all that changed, reads an index alone: rows of SQLite lie together with their `data`.
# PostgreSQL keeps that elsewhere, and its indexes hold no long values.
_OUTLINE = (items.c.chased, items.c.target, items.c.outline)
Index("ix_items_live_brief", items.c.id, *_OUTLINE, items.c.brief, info=_WHERE_LIVE).ddl_if(dialect="sqlite")
Index("ix_items_change_outline", items.c.change, items.c.id, items.c.tombstoned_at, *_OUTLINE).ddl_if(dialect="sqlite")
Index("ix_items_change", items.c.change).ddl_if(dialect="postgresql")

aliases = Table(
    "aliases",
    metadata,
    _required("alias", Key, primary_key=True),
    _required("uid", Key, ForeignKey("items.uid"), index=True),
)

slices = Table(
    "slices",
    metadata,
    _required("connector", Key, primary_key=True),
    _required("slice", Key, primary_key=True),
    Column("watermark", Text),
    Column("resume", Text),
    Column("swept_at", Moment),
)

# `reason` is `missing` or `forbidden`.
unreachable = Table("unreachable", metadata, _required("id", Key, primary_key=True), _required("reason", Text))

meta = Table("meta", metadata, _required("key", Key, primary_key=True), _required("value", Text))

# `data` is the RunRecord as JSON.
runs = Table(
    "runs",
    metadata,
    _required("id", Key, primary_key=True),
    _required("at", Moment),
    _required("complete", Boolean),
    _required("data", Text),
)

# `data` is the Snapshot as compressed JSON.
snapshots = Table(
    "snapshots",
    metadata,
    _required("run", Key, ForeignKey("runs.id"), primary_key=True),
    _required("at", Moment, index=True),
    _required("data", LargeBinary),
)

# One row per time a finding was open. `subject` is the uid for work items, so that a move does not restart it.
findings = Table(
    "findings",
    metadata,
    _required("code", Key, primary_key=True),
    _required("kind", Key, primary_key=True),
    _required("subject", Key, primary_key=True),
    _required("opened_run", Key, ForeignKey("runs.id"), primary_key=True),
    Column("closed_run", Key, ForeignKey("runs.id")),
)
Index("ix_findings_open", findings.c.subject, info={"where": "closed_run IS NULL"})

kr_values = Table(
    "kr_values",
    metadata,
    _required("run", Key, ForeignKey("runs.id"), primary_key=True),
    _required("cycle", Key, primary_key=True),
    _required("kr", Key, primary_key=True),
    _required("at", Moment, index=True),
    Column("current", Float),
    Column("as_of", Date),
)

# `data` is the Plan as compressed JSON; `journal_seq` the journal's end when the plan was last made.
plans = Table(
    "plans",
    metadata,
    _required("checksum", Key, primary_key=True),
    _required("run", Key),
    _required("at", Moment, index=True),
    _required("journal_seq", BigInteger),
    _required("data", LargeBinary),
)

# One row per approved change. It is done once a journal entry behind `after_seq` with this key was confirmed.
approvals = Table(
    "approvals",
    metadata,
    _required("checksum", Key, ForeignKey("plans.checksum"), primary_key=True),
    _required("change_key", Key, primary_key=True),
    _required("at", Moment),
    _required("after_seq", BigInteger),
)

# `settled_at` is when the state last changed, `confirmed_at` stays when a confirmed write is undone.
journal = Table(
    "journal",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    _required("run", Key),
    _required("op", Text),
    _required("target", Key),
    _required("uid", Key, index=True),
    _required("value", Text),
    _required("content_hash", Text),
    Column("comment_id", Text),
    _required("change_key", Key, index=True),
    _required("state", Text, index=True),
    _required("at", Moment),
    Column("confirmed_at", Moment),
    Column("settled_at", Moment),
    _required("detail", Text),
    sqlite_autoincrement=True,  # a number is never given twice
)

# `after_seq` is the journal's end when the dismissal was concluded: it speaks of writes up to there.
dismissals = Table(
    "dismissals",
    metadata,
    _required("uid", Key, primary_key=True),
    _required("what", Key, primary_key=True),
    _required("state", Text),
    _required("at", Moment),
    _required("after_seq", BigInteger),
)


def create(connection: Connection) -> None:
    """All tables, in an empty database. The conditions of partial indexes are given to the dialect only here:
    `postgresql_where=` above would load everything there is for PostgreSQL at each start."""
    for table in metadata.tables.values():
        for index in table.indexes:
            if "where" in index.info:
                index.dialect_options[connection.dialect.name]["where"] = text(index.info["where"])
    metadata.create_all(connection, checkfirst=False)
