"""Database errors in plain words: what is wrong with which database, and what to do. No secret, no SQL, no data."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from okrsync.domain.storage import StoreError

from . import file_errors
from .file_errors import FULL, LOCKED

_SIGN_IN = "refuses to sign in: check the user and password in the store URL"
_NO_DATABASE = "does not exist on that server; create it, or correct the store URL"
_UNREACHABLE = "cannot be reached, or the connection was lost: is the server running, are host and port right?"
_FORBIDDEN = "may not be used in this way by this user: grant it the right to create and change tables there"

# By the beginning of the SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL = {
    "53100": FULL,
    "53300": "accepts no more connections; raise max_connections, or close some",
    "28": _SIGN_IN,
    "3D000": _NO_DATABASE,
    "42501": _FORBIDDEN,
    "25006": "is read-only: the store URL has to name the primary server",
    "55P03": LOCKED,
    "40P01": LOCKED,
    "57014": LOCKED,
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
    cause = error.orig if isinstance(error, DBAPIError) else error if isinstance(error, sqlite3.Error) else None
    if isinstance(cause, sqlite3.Error):
        return file_errors.explain(cause, location(url))
    where = f"the database {location(url)}"
    state = str(getattr(cause, "sqlstate", "") or "")
    for start, words in _POSTGRESQL.items():
        if state.startswith(start):
            return f"{where} {words}"
    # the text of an SQLAlchemyError may hold the statement and its data; the driver's first line does not
    said = (str(cause).strip().splitlines() or [""])[0] if cause is not None else type(error).__name__
    if not state and url.get_backend_name() == "postgresql":
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
