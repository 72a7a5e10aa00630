"""Databases that are locked or full, as long as a block lasts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import event, make_url
from sqlalchemy.pool import Pool


def with_short_waits(url: str) -> str:
    parsed = make_url(url)
    short = {"timeout": "0.05"} if parsed.get_backend_name() == "sqlite" else {"options": "-clock_timeout=50ms"}
    return parsed.update_query_dict(short).render_as_string(hide_password=False)


def connected(url: str) -> psycopg.Connection[tuple[object, ...]]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain)


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Somebody else is writing, and does not stop."""
    if url.startswith("sqlite"):
        other = sqlite3.connect(str(make_url(url).database), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.close()
        return
    with connected(url) as server:
        server.execute("LOCK TABLE items, slices, journal IN EXCLUSIVE MODE")
        yield
        server.rollback()


@contextmanager
def full(url: str) -> Iterator[None]:
    """The disk has no room left: SQLite may not add a page, PostgreSQL answers as it does then."""
    if url.startswith("sqlite"):

        def no_more_pages(connection: sqlite3.Connection, _record: object, *_: object) -> None:
            connection.execute("PRAGMA max_page_count = 1")

        def room_again(connection: sqlite3.Connection, *_: object) -> None:
            connection.execute("PRAGMA max_page_count = 1000000")

        event.listen(Pool, "checkout", no_more_pages)
        event.listen(Pool, "checkin", room_again)
        yield
        event.remove(Pool, "checkout", no_more_pages)
        event.remove(Pool, "checkin", room_again)
        return
    with connected(url) as server:
        server.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"
        )
        server.execute("CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON slices EXECUTE FUNCTION full_disk()")
        server.commit()
        yield
        server.execute("DROP TRIGGER full_disk ON slices")
