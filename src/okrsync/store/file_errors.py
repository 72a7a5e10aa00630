"""What SQLite complains of, in plain words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from okrsync.domain.storage import StoreError

BUSY_SECONDS = 10.0
"""How long SQLite waits for another writer; `?timeout=` in the URL says otherwise."""
LOCKED = "is locked by another process; let it finish, then run again"
FULL = "cannot grow: the disk is full; free some space, then run again (nothing of this step was stored)"

# By the beginning of SQLite's error name, https://www.sqlite.org/rescode.html
_WORDS = {
    "SQLITE_BUSY": LOCKED,
    "SQLITE_LOCKED": LOCKED,
    "SQLITE_FULL": FULL,
    "SQLITE_READONLY": "may not be written: check the owner and mode of the file and of its folder",
    "SQLITE_PERM": "may not be opened: check the owner and mode of the file and of its folder",
    "SQLITE_CANTOPEN": "cannot be opened: check that the folder exists and that this user may write in it",
    "SQLITE_IOERR": "cannot be read or written: the disk reports an error",
    "SQLITE_NOTADB": "is not an SQLite database; name another file, or move this one away",
    "SQLITE_CORRUPT": "is damaged; restore it from a backup, or move it away to start with an empty one",
}


def explain(error: sqlite3.Error, file: str) -> str:
    """One sentence for people."""
    name = str(getattr(error, "sqlite_errorname", "") or "")
    said = (str(error).strip().splitlines() or [""])[0]
    words = (words for start, words in _WORDS.items() if name.startswith(start))
    return f"the database {file} {next(words, f'cannot be used: {said[:200]}')}"


@contextmanager
def plain_errors(file: Path) -> Iterator[None]:
    """Whatever the driver raises inside leaves as StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(explain(error, str(file))) from error
