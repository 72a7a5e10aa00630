"""The lease: one process at a time over one store. Both kinds die with their process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from okrsync.domain.storage import LeaseHeld, StoreError

from .database import missing
from .errors import location, plain_errors

Sleep = Callable[[float], None]
Probe = Callable[[], bool]

_POLL = 0.5  # seconds
_CLASS = 0x6F6B726C  # "okrl"; the second half of the key is the schema, so that two stores may share a database
_HOLD = text("SELECT pg_try_advisory_lock(CAST(:class AS int), hashtext(current_schema()))")
_HELD = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND classid = CAST(CAST(:class AS int) AS oid) AND pid = pg_backend_pid()"
)
# An idle lease is no reason to hang up (the setting exists since PostgreSQL 14).
_STAY = text(
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('idle_session_timeout', 'statement_timeout')"
)
# A server that vanishes without a word is noticed within seconds: writing has to stop then.
_WATCHFUL = {
    "connect_timeout": "10",
    "application_name": "okrsync lease",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}


@contextmanager
def file_lease(database: Path, *, wait: float, sleep: Sleep = time.sleep) -> Iterator[Probe]:
    """A lock on `<database>.lease`. The probe turns False when that file was replaced: the next process would
    lock the new one."""
    path = Path(f"{database}.lease")
    lock = FileLock(path, timeout=0, thread_local=False)

    def take() -> bool:
        try:
            lock.acquire()
        except Timeout:
            return False
        except OSError as error:
            raise StoreError(f"the lease {path} cannot be taken: {error.strerror}") from error
        return True

    _poll(take, str(database), wait, sleep)
    mine = _inode(path)
    try:
        yield lambda: lock.is_locked and mine is not None and _inode(path) == mine
    finally:
        lock.release()


@contextmanager
def server_lease(url: URL, *, wait: float, sleep: Sleep = time.sleep) -> Iterator[Probe]:
    """An advisory lock on a connection of its own. The probe asks the server; once lost is lost for good."""
    engine = create_engine(
        url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args=missing(url, _WATCHFUL),
        hide_parameters=True,
    )
    with plain_errors(url):
        connection = engine.connect()
    try:
        with plain_errors(url):
            connection.execute(_STAY)
            _poll(lambda: bool(connection.execute(_HOLD, {"class": _CLASS}).scalar()), location(url), wait, sleep)
        yield _asking(connection)
    finally:
        with suppress(SQLAlchemyError):  # a lost connection needs no closing
            connection.close()
        engine.dispose()


def _poll(take: Callable[[], bool], where: str, wait: float, sleep: Sleep) -> None:
    waited = 0.0
    while not take():
        if waited >= wait:
            raise LeaseHeld(f"another okrsync process is at work on {where}; try again when it is done")
        pause = min(_POLL, wait - waited)
        sleep(pause)
        waited += pause


def _asking(connection: Connection) -> Probe:
    lost = False

    def held() -> bool:
        nonlocal lost
        if not lost:
            try:
                lost = connection.execute(_HELD, {"class": _CLASS}).scalar() != 1
            except SQLAlchemyError:
                lost = True  # SQLAlchemy would connect anew, without the lock
        return not lost

    return held


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
