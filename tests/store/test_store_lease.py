"""The lease: one process over one store, gone with its process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url
from store_samples import opened

from okrsync.domain.storage import LeaseHeld, Store, StoreError

HOLDER = """
import sys, okrsync.store as s
store = s.open_store(sys.argv[1], label_prefix="okr/", clock=None)
with store.lease() as held:
    print(held(), flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(url: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lease until its standard input ends."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        yield holder
    finally:
        holder.kill()
        holder.communicate()


def test_one_holder_at_a_time(store: Store) -> None:
    with store.lease() as held:
        assert held()
        with pytest.raises(LeaseHeld, match="another okrsync process"), store.lease():
            pass
        assert held()
    with store.lease() as held:
        assert held()


def test_a_second_process_cannot_take_it_and_can_after_kill_9(database_url: str) -> None:
    store = opened(database_url)
    with held_elsewhere(database_url) as holder:
        with pytest.raises(LeaseHeld), store.lease():
            pass
        store.set_meta("reading and writing", "go on")
        holder.kill()
        holder.wait()
        with store.lease(wait=10) as held:  # a server notices the death a moment later
            assert held()
    store.close()


def test_waiting_polls_and_gives_up_in_time(database_url: str) -> None:
    pauses: list[float] = []
    store = opened(database_url, sleep=pauses.append)
    with held_elsewhere(database_url), pytest.raises(LeaseHeld), store.lease(wait=1.2):
        pass
    assert sum(pauses) == pytest.approx(1.2)
    store.close()


def until_released(url: str) -> None:
    """A server may be busy, and learn late that a process is gone: that time passes here, not while polling."""
    if url.startswith("postgresql"):
        address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address) as connection:
            connection.execute(
                "SELECT pg_advisory_lock(classid::int, objid::int) FROM pg_locks WHERE locktype = 'advisory'"
            )


def test_waiting_ends_when_the_holder_does(database_url: str) -> None:
    with held_elsewhere(database_url) as holder:

        def sleep(_seconds: float) -> None:
            holder.kill()
            holder.wait()
            until_released(database_url)

        store = opened(database_url, sleep=sleep)
        with store.lease(wait=60) as held:
            assert held()
        store.close()


def test_the_lease_is_free_again_after_a_failed_run(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.lease():
        raise ZeroDivisionError
    with store.lease() as held:
        assert held()


@pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)
def test_a_replaced_lock_file_is_a_lost_lease(new_database: object) -> None:
    assert callable(new_database)
    url = new_database()
    store = opened(url)
    path = Path(f"{make_url(url).database}.lease")
    with store.lease() as held:
        path.rename(path.with_suffix(".old"))
        assert not held()
        path.touch()
        assert not held()
    store.close()


@pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)
def test_a_lease_that_cannot_be_taken_is_a_store_error(new_database: object) -> None:
    assert callable(new_database)
    url = new_database()
    store = opened(url)
    Path(f"{make_url(url).database}.lease").mkdir()
    with pytest.raises(StoreError, match="lease"), store.lease():
        pass
    store.close()


@pytest.mark.parametrize("new_database", ["postgresql"], indirect=True)
def test_a_lost_connection_is_a_lost_lease(new_database: object) -> None:
    assert callable(new_database)
    url = new_database()
    store = opened(url)
    with store.lease() as held:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'okrsync lease' AND datname = current_database()"
            )
        assert not held()
        assert not held()
        with store.lease() as again:
            assert again()
        assert not held()
    store.close()
