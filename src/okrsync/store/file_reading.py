"""What judging asks of an SQLite file, by the driver alone: SQLAlchemy takes longer to load than all that is asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from okrsync.domain.changes import (
    BEHIND_DASHBOARDS,
    DASHBOARD_OPS,
    DASHBOARD_UID,
    JournalEntry,
    JournalState,
)
from okrsync.domain.storage import Look, Reading, plain_file

from .encoding import moment_of
from .file_errors import BUSY_SECONDS, plain_errors
from .file_look import FileLook, remembered
from .revisions import REVISIONS

_ENTRY = JournalEntry.__struct_fields__
_OF_DASHBOARDS = "FROM journal WHERE uid >= :first AND uid < :behind ORDER BY seq"
_SINCE = (
    "SELECT code, kind, coalesce(items.id, subject), opened_run"
    " FROM findings LEFT JOIN items ON items.uid = subject WHERE closed_run IS NULL"
)
_ALIASES = "SELECT alias, items.id FROM aliases JOIN items USING (uid) WHERE tombstoned_at IS NULL ORDER BY alias"


def open_reading(url: str) -> Reading | None:
    """None for all that only `open_store` can open, or tell what is wrong with: a server, a file that is not there,
    cannot be used or has not the tables of today."""
    path = plain_file(url)
    if path is None or not Path(path).is_file():
        return None
    try:
        connection = sqlite3.connect(f"file:{path}?mode=rw", timeout=BUSY_SECONDS, isolation_level=None, uri=True)
    except sqlite3.Error:
        return None
    try:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.Error:
        found = []
    if found != [(REVISIONS[-1],)]:
        connection.close()
        return None
    return FileReading(connection, Path(path))


class FileReading:
    """What every method does and raises stands in `domain.storage.Reading`."""

    def __init__(self, connection: sqlite3.Connection, file: Path) -> None:
        self._connection = connection
        self._file = file

    def close(self) -> None:
        self._connection.close()

    @property
    def file(self) -> Path | None:
        return self._file

    @contextmanager
    def look(self, connectors: Iterable[str]) -> Iterator[Look]:
        with plain_errors(self._file):
            self._connection.execute("BEGIN")
            try:
                yield FileLook(self._connection, connectors)
            finally:
                self._connection.rollback()

    def aliases(self) -> dict[str, str]:
        return dict(self._rows(_ALIASES))

    def unreachable(self) -> dict[str, str]:
        return dict(self._rows("SELECT id, reason FROM unreachable ORDER BY id"))

    def get_meta(self, key: str) -> str | None:
        with plain_errors(self._file):
            return remembered(self._connection, key)

    def since(self) -> dict[tuple[str, str, str], str]:
        return {(code, kind, id_): run for code, kind, id_, run in self._rows(_SINCE)}

    def dashboard_entries(self) -> list[JournalEntry]:
        found = self._rows(
            f"SELECT {', '.join(_ENTRY)} {_OF_DASHBOARDS}", first=DASHBOARD_UID, behind=BEHIND_DASHBOARDS
        )
        entries = (dict(zip(_ENTRY, row, strict=True)) for row in found)
        return [_entry(**entry) for entry in entries if entry["op"] in DASHBOARD_OPS]

    def _rows(self, statement: str, **given: object) -> Sequence[Any]:
        with plain_errors(self._file):
            return self._connection.execute(statement, given).fetchall()


def _entry(state: str, at: str, confirmed_at: str | None, **entry: Any) -> JournalEntry:
    when = moment_of(at)
    assert when is not None
    return JournalEntry(state=JournalState(state), at=when, confirmed_at=moment_of(confirmed_at), **entry)
