"""One database: its URL, its engine, and its two kinds of transaction."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ARRAY,
    JSON,
    URL,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    LargeBinary,
    Table,
    Text,
    any_,
    bindparam,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import ArgumentError, StatementError

from okrsync.domain.storage import StoreError

from .errors import plain_errors
from .file_errors import BUSY_SECONDS

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

# how long PostgreSQL waits for another writer, unless the server, the role or the URL sets lock_timeout
LOCK_SECONDS = 30


def parse_url(url: str) -> URL:
    """Raises StoreError for what is neither an SQLite file nor PostgreSQL by psycopg."""
    example = "use sqlite:///okrsync.db or postgresql+psycopg://user@host/name"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError(f"the store URL cannot be read; {example}") from None
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        if not parsed.database or parsed.database.startswith((":memory:", "file:")):
            raise StoreError("the store URL has to name an SQLite file; use sqlite:///okrsync.db")
        return parsed
    raise StoreError(f"the store cannot be kept in {parsed.drivername!r}; {example}")


class Database:
    """Read and write transactions over one small pool; nothing is connected before the first one."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.engine = _sqlite(url) if self.path else _postgresql(url)
        self._writing = self.engine.execution_options(okrsync_write=True)

    @property
    def path(self) -> Path | None:
        """The file, None for PostgreSQL."""
        return Path(str(self.url.database)) if self.url.get_backend_name() == "sqlite" else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with plain_errors(self.url), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A read transaction in which every statement sees the same state, whatever others commit meanwhile."""
        engine = self.engine if self.path else self.engine.execution_options(isolation_level="REPEATABLE READ")
        with plain_errors(self.url), engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Commits at the end; whatever is raised inside rolls everything back."""
        with plain_errors(self.url), self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def _sqlite(url: URL) -> Engine:
    path = Path(str(url.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder {path.parent} of the database cannot be made: {error.strerror}") from error
    waits = {} if "timeout" in url.query else {"timeout": BUSY_SECONDS}
    engine = create_engine(
        url,
        connect_args={"check_same_thread": False, **waits},
        pool_size=2,
        max_overflow=2,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own BEGIN is late and never IMMEDIATE: a transaction that reads first could then fail at
        # its first write, without waiting, because somebody else wrote in between.
        connection.isolation_level = None
        # an item with its text is a few kilobytes: in pages of 4,096 bytes most of them overflow, at twice the price;
        # a file that is there keeps its own size
        for pragma in ("page_size=16384", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("okrsync_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    engine = create_engine(
        url,
        connect_args=missing(url, {"connect_timeout": "10", "application_name": "okrsync"}),
        pool_size=2,
        max_overflow=2,
        pool_pre_ping=True,  # a daemon outlives restarts of the server
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT set_config('lock_timeout', '{LOCK_SECONDS}s', false)"
                " WHERE current_setting('lock_timeout') = '0'"
            )
        connection.commit()  # a rollback would take the setting back

    return engine


def missing(url: URL, defaults: Mapping[str, str]) -> dict[str, str]:
    """Connection options that the URL does not set itself."""
    return {name: value for name, value in defaults.items() if name not in url.query}


def among(c: Connection, column: Column[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """Whether a column of text holds one of these values, however many: they are one parameter, so that the statement
    is the same each time and compiled once."""
    if c.dialect.name == "postgresql":
        # what `IN (SELECT ...)` finds beside an OR is looked for in the whole table there
        return column == any_(bindparam(None, list(values), ARRAY(Text), unique=True))
    given = func.json_each(bindparam(None, list(values), JSON, unique=True))
    return column.in_(select(given.table_valued("value").c.value))


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows, or updates those whose primary key is there; every row names the same columns."""
    if rows:
        names = tuple(rows[0])
        upsert_values(connection, table, names, [[row[name] for name in names] for row in rows])


def upsert_values(connection: Connection, table: Table, names: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> None:
    """The same of rows that hold only values, in the order of `names`."""
    if not rows:
        return
    statement, made = _upserting(connection.dialect, table, names)
    try:
        parameters = made(rows)
    except ValueError as error:  # a time without a zone
        raise StatementError(str(error), None, None, error) from error
    connection.exec_driver_sql(statement, parameters)


@functools.lru_cache(maxsize=64)
def _upserting(
    dialect: Dialect, table: Table, names: tuple[str, ...]
) -> tuple[str, Callable[[Sequence[Sequence[Any]]], list[Any]]]:
    """The statement as the driver takes it, and what makes rows into its parameters: of thousands of rows with many
    columns SQLAlchemy would spend longer on the parameters than SQLite on storing them."""
    statement = _insert(dialect, table)
    key = [column.name for column in table.primary_key]
    rest = {name: statement.excluded[name] for name in names if name not in key}
    if rest:
        statement = statement.on_conflict_do_update(index_elements=key, set_=rest)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    compiled = statement.compile(dialect=dialect, column_keys=names)
    order = compiled.positiontup or names
    preparing = [(names.index(name), _preparing(dialect, table.c[name])) for name in order]

    def values(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        columns = list(zip(*rows, strict=True))
        # by columns, since a call for each of their values costs more than what it does
        return list(zip(*(prepare(columns[at]) if prepare else columns[at] for at, prepare in preparing), strict=True))

    def named(rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        return [dict(zip(order, row, strict=True)) for row in values(rows)]

    return str(compiled), values if dialect.positional else named


def _preparing(dialect: Dialect, column: Column[Any]) -> Callable[[Sequence[Any]], Iterable[Any]] | None:
    """What makes values of a column into parameters; None where they are that already."""
    if dialect.name == "sqlite" and isinstance(column.type, Boolean | LargeBinary):
        # the driver takes truth values and bytes as well, but asks of each first whether it is to be adapted, at five
        # times the price of handing over one of these
        make: type[int | bytearray] = int if isinstance(column.type, Boolean) else bytearray
        return lambda column: [None if v is None else make(v) for v in column] if None in column else map(make, column)
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    return partial(_processed, process) if process else None


def _processed(process: Callable[[Any], Any], column: Sequence[Any]) -> Iterable[Any]:
    if column.count(column[0]) == len(column):  # when pages were read, say
        return repeat(process(column[0]), len(column))
    return map(process, column)


def _insert(dialect: Dialect, table: Table) -> sqlite.Insert | postgresql.Insert:
    if dialect.name != "postgresql":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415  # slow to load

    return postgresql.insert(table)
