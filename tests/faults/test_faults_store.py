"""The database: full, locked, gone; on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from fault_house import TIED, House, HouseClock, covers, small_company

from database_faults import full, locked, with_short_waits
from okrsync.sandbox import Sandbox


@covers("store")
@pytest.mark.parametrize(("fault", "words"), [(locked, "locked"), (full, "space")])
def test_a_database_that_takes_nothing_more(
    tmp_path: Path, database_url: str, fault: Callable[[str], AbstractContextManager[None]], words: str
) -> None:
    """| disk full, database locked | rolled back, rows and watermark together; exit 1, nothing written to the sources;
    the next run is right |"""
    clock = HouseClock()
    url = with_short_waits(database_url)
    with Sandbox(small_company(clock), clock=clock) as sandbox:
        house = House(tmp_path / "workspace", sandbox, clock, env={"OKRSYNC_STORE": url})
        house.settle()
        house.people_work()
        # enough that the database has to grow
        for id_ in house.expected:
            house.world.edit_body(id_, "x " * 5000, "lin")
        sent = len(sandbox.writes)
        with fault(url):
            ran = house.sync()
        assert ran.exit == 1, (ran.out, ran.err)
        assert words in ran.err
        assert "Traceback" not in ran.err
        assert sandbox.writes[sent:] == []
        assert house.sync().exit == 0
        house.right()


@covers("store")
def test_a_database_that_is_gone(house: House) -> None:
    """| database gone | a new one; what is ours is found again: no second comment, no label twice |"""
    house.settle()
    house.people_work()
    for path in house.root.glob("okrsync.db*"):
        path.unlink()
    assert house.sync().exit == 0
    house.right()
    assert len(house.comments(TIED["jira"])) == 1


@covers("store")
def test_a_database_that_cannot_be_opened(house: House) -> None:
    """| the same | exit 1 in plain words; nothing is asked of the sources |"""
    (house.root / "okrsync.db").mkdir()
    ran = house.sync()
    assert ran.exit == 1, (ran.out, ran.err)
    assert "okrsync.db" in ran.err
    assert "Traceback" not in ran.err
    assert house.sandbox.requests == []
