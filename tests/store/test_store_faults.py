"""Databases that are locked, full, gone, forbidden or something else: StoreError, and nothing half done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import make_url
from store_samples import NOW, Killed, item, killed_at, label, opened, save

from database_faults import connected, full, locked, with_short_waits
from okrsync.domain.changes import Op
from okrsync.domain.storage import StoreError
from okrsync.domain.trackers import SliceState

NewDatabase = Callable[[], str]


@pytest.mark.parametrize(("fault", "words"), [(locked, "locked by another process"), (full, "free some space")])
def test_a_fault_leaves_rows_and_watermark_as_they_were(
    database_url: str, fault: Callable[[str], AbstractContextManager[None]], words: str
) -> None:
    url = with_short_waits(database_url)
    store = opened(url)
    save(store, item(1), watermark="w1")
    page = [item(n, body="x" * 5000) for n in range(1, 60)]
    with fault(url), pytest.raises(StoreError, match=words):
        save(store, *page, watermark="w2")
    assert [s.item for s in store.items()] == [item(1)]
    assert store.slices("jira") == {"PAY": SliceState(watermark="w1", held=1)}
    assert save(store, *page, watermark="w2").new == 58  # the next run is right
    assert store.slices("jira")["PAY"].watermark == "w2"
    store.close()


def test_a_locked_journal_stops_before_anything_is_sent(database_url: str) -> None:
    url = with_short_waits(database_url)
    store = opened(url)
    with locked(url), pytest.raises(StoreError, match="locked"):
        store.intend([label(Op.ADD_LABEL, "okr/O1")], run="r1", at=NOW)
    assert store.journal() == []
    store.close()


@pytest.mark.parametrize("statement", range(4))
def test_a_kill_inside_a_batch_leaves_nothing_of_it(database_url: str, statement: int) -> None:
    store = opened(database_url)
    save(store, item(1), item(2), watermark="w1")
    with pytest.raises(Killed), killed_at(statement):
        save(store, item(1, key="PAY-9"), item(3, key="PAY-1"), present=frozenset({"jira:1001"}), watermark="w2")
    store.close()
    store = opened(database_url)
    assert [s.item for s in store.items()] == [item(1), item(2)]
    assert store.aliases() == {}
    assert store.slices("jira")["PAY"].watermark == "w1"
    store.close()


def test_a_writer_waits_for_another_one(database_url: str) -> None:
    """A transaction that reads first and writes later must not fail because somebody wrote in between."""
    stores = [opened(database_url) for _ in range(2)]
    failures: list[StoreError] = []

    def work(number: int) -> None:
        try:
            for turn in range(15):
                save(stores[number], item(number, title=f"turn {turn}"), slice_=f"S{number}")
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {s.item.title for s in stores[0].items()} == {"turn 14"}
    for store in stores:
        store.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://root:s3cret@db/x", "cannot be kept in 'mysql'"),
        ("s3cret", "cannot be read"),
        ("postgresql+psycopg://u:s3cret@host:port/x", "cannot be read"),
        ("sqlite://", "name an SQLite file"),
        ("sqlite:///:memory:", "name an SQLite file"),
        ("sqlite:////proc/okrsync/okrsync.db", "cannot be made"),
        ("postgresql+psycopg://ada:s3cret@127.0.0.1:1/okrs", r"127\.0\.0\.1:1/okrs cannot be reached"),
        ("postgresql://ada@127.0.0.1:1/okrs?password=s3cret", "cannot be reached"),
    ],
)
def test_what_cannot_be_opened_is_said_without_the_password(url: str, words: str) -> None:
    with pytest.raises(StoreError, match=words) as caught:
        opened(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)
def test_a_file_that_is_no_database_is_left_alone(new_database: NewDatabase) -> None:
    url = new_database()
    path = Path(str(make_url(url).database))
    path.parent.mkdir()
    path.write_text("Dear diary, " * 100)
    with pytest.raises(StoreError, match="is not an SQLite database"):
        opened(url)
    assert path.read_text().startswith("Dear diary")


@pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)
def test_a_folder_in_the_place_of_the_file(new_database: NewDatabase) -> None:
    url = new_database()
    Path(str(make_url(url).database)).mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be opened"):
        opened(url)


@pytest.mark.parametrize("new_database", ["postgresql"], indirect=True)
def test_a_server_says_no_in_plain_words(new_database: NewDatabase) -> None:
    url = make_url(new_database())
    with pytest.raises(StoreError, match="does not exist on that server"):
        opened(url.set(database="nowhere").render_as_string(hide_password=False))
    with pytest.raises(StoreError, match="refuses to sign in") as caught:
        opened(url.set(username="mallory", password="s3cret").render_as_string(hide_password=False))
    assert "s3cret" not in str(caught.value)
    with connected(url.render_as_string(hide_password=False)) as server:
        server.execute("DROP ROLE IF EXISTS guest")
        server.execute("CREATE ROLE guest LOGIN")
    with pytest.raises(StoreError, match="may not be used in this way"):
        opened(url.set(username="guest").render_as_string(hide_password=False))


@pytest.mark.parametrize("new_database", ["postgresql"], indirect=True)
def test_a_restarted_server_is_found_again(new_database: NewDatabase) -> None:
    url = new_database()
    store = opened(url)
    save(store, item(1))
    with connected(url) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'okrsync' AND datname = current_database()"
        )
    assert len(store.items()) == 1
    store.close()
