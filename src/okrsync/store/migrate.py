"""Brings a database to the newest revision, one process at a time.

An empty one gets the tables as they are now (a test holds that the scripts end in the same); Alembic upgrades older
ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, insert, inspect, text

from okrsync.domain.storage import StoreError

from .changes import KEY, first_change
from .database import Database
from .errors import location
from .revisions import REVISIONS
from .schema import create, meta

_LOCK_KEY = 0x6F6B7273  # "okrs"; with the schema's name it is the advisory lock's key
_PATIENCE = 60.0  # seconds to wait for another process that upgrades


def migrate(database: Database) -> None:
    """Creates or upgrades the tables. Raises StoreError for a database newer than this program."""
    with _alone(database):
        with database.read() as connection:
            found = revision(connection)
        _refuse_newer(database, found)
        if found == REVISIONS[-1]:
            return
        with database.write() as connection:
            if database.path is None:
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key, hashtext(current_schema()))"), {"key": _LOCK_KEY}
                )
                found = revision(connection)
                _refuse_newer(database, found)
            if found is None:
                _create(connection)
            else:
                upgrade(connection)


def _create(connection: Connection) -> None:
    create(connection)
    connection.execute(insert(meta).values(key=KEY, value=first_change()))
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:newest)"), {"newest": REVISIONS[-1]})


def revision(connection: Connection) -> str | None:
    """The revision a database is at, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(connection: Connection, to: str = "head") -> None:
    """Runs the scripts inside the connection's transaction: all of them or none."""
    from alembic import command, config  # noqa: PLC0415 - slow to load, and needed only where tables change

    scripts = config.Config()
    folder = str(Path(__file__).parent / "migrations")
    scripts.set_main_option("script_location", folder.replace("%", "%%"))
    scripts.set_main_option("path_separator", "os")
    scripts.attributes["connection"] = connection
    command.upgrade(scripts, to)


def _refuse_newer(database: Database, found: str | None) -> None:
    if found is not None and found not in REVISIONS:
        raise StoreError(
            f"the database {location(database.url)} was written by a newer okrsync (revision {found}, this one knows"
            f" up to {REVISIONS[-1]}); install that version, or name another store"
        )


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    """For an SQLite file a lock beside it: switching a new file to WAL fails at once where two try. PostgreSQL
    takes an advisory lock inside the upgrading transaction."""
    if database.path is None:
        yield
        return
    lock = FileLock(f"{database.path}.lock", timeout=_PATIENCE)
    try:
        lock.acquire()
    except Timeout:
        raise StoreError(
            f"the database {database.path} is being upgraded by another process; try again later"
        ) from None
    except OSError as error:
        raise StoreError(f"the folder of the database {database.path} cannot be written: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()
