"""Database errors in plain words: what is wrong with which database, and what to do. No secret, no SQL, no data."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from okrsync.domain.storage import StoreError

_LOCKED = "is locked by another process; let it finish, then run again"
_FULL = "cannot grow: the disk is full; free some space, then run again (nothing of this step was stored)"
_SIGN_IN = "refuses to sign in: check the user and password in the store URL"
_NO_DATABASE = "does not exist on that server; create it, or correct the store URL"
_UNREACHABLE = "cannot be reached, or the connection was lost: is the server running, are host and port right?"
_FORBIDDEN = "may not be used in this way by this user: grant it the right to create and change tables there"

# By the beginning of SQLite's error name, https://www.sqlite.org/rescode.html
_SQLITE = {
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_FULL": _FULL,
    "SQLITE_READONLY": "may not be written: check the owner and mode of the file and of its folder",
    "SQLITE_PERM": "may not be opened: check the owner and mode of the file and of its folder",
    "SQLITE_CANTOPEN": "cannot be opened: check that the folder exists and that this user may write in it",
    "SQLITE_IOERR": "cannot be read or written: the disk reports an error",
    "SQLITE_NOTADB": "is not an SQLite database; name another file, or move this one away",
    "SQLITE_CORRUPT": "is damaged; restore it from a backup, or move it away to start with an empty one",
}

# By the beginning of the SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL = {
    "53100": _FULL,
    "53300": "accepts no more connections; raise max_connections, or close some",
    "28": _SIGN_IN,
    "3D000": _NO_DATABASE,
    "42501": _FORBIDDEN,
    "25006": "is read-only: the store URL has to name the primary server",
    "55P03": _LOCKED,
    "40P01": _LOCKED,
    "57014": _LOCKED,
    "57P": _UNREACHABLE,
    "08": _UNREACHABLE,
}

# A refused connection carries no SQLSTATE, only libpq's text.
_CONNECTING = {
    "authentication failed": _SIGN_IN,
    "no password supplied": _SIGN_IN,
    "no pg_hba.conf entry": _SIGN_IN,
    "too many clients": _POSTGRESQL["53300"],
    "remaining connection slots": _POSTGRESQL["53300"],
    'database "': _NO_DATABASE,
    'role "': _SIGN_IN,
}


def location(url: URL) -> str:
    """Where the database is, without user and password: a path, or `host:port/name`."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    host = url.host or url.query.get("host") or "localhost"
    return f"{host}{f':{url.port}' if url.port else ''}/{url.database or ''}"


def explain(error: SQLAlchemyError | sqlite3.Error, url: URL) -> str:
    """One sentence for people."""
    where = f"the database {location(url)}"
    cause = error.orig if isinstance(error, DBAPIError) else error if isinstance(error, sqlite3.Error) else None
    name = str(getattr(cause, "sqlite_errorname", "") or "")
    state = str(getattr(cause, "sqlstate", "") or "")
    for code, table in ((name, _SQLITE), (state, _POSTGRESQL)):
        for start, words in table.items():
            if code.startswith(start):
                return f"{where} {words}"
    # the text of an SQLAlchemyError may hold the statement and its data; the driver's first line does not
    said = (str(cause).strip().splitlines() or [""])[0] if cause is not None else type(error).__name__
    if not name and not state and url.get_backend_name() == "postgresql":
        for part, words in _CONNECTING.items():
            if part in said:
                return f"{where} {words}"
        if isinstance(error, DBAPIError) and (error.connection_invalidated or "connection" in said):
            return f"{where} {_UNREACHABLE}"
    if url.password:
        said = said.replace(str(url.password), "***")
    return f"{where} cannot be used: {said[:200]}"


@contextmanager
def plain_errors(url: URL) -> Iterator[None]:
    """Whatever SQLAlchemy or a driver raises inside leaves as StoreError."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise StoreError(explain(error, url)) from error
