"""Opening databases: new, older, newer, several starters at once."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from store_samples import DAY, NOW, item, label, opened, save

from okrsync.domain.changes import Op
from okrsync.domain.storage import StoreError
from okrsync.store import migrate
from okrsync.store.database import Database, parse_url
from okrsync.store.schema import metadata

ON_SQLITE = {"ix_items_live_brief": True, "ix_items_change_outline": True, "ix_items_change": False}
SCRIPTS = Path(migrate.__file__).parent / "migrations"


def differences(connection: Connection) -> list[Any]:
    """From the program's tables; an index for one database alone is none on the other."""
    others = {name for name, on_sqlite in ON_SQLITE.items() if on_sqlite != (connection.dialect.name == "sqlite")}

    def compared(_object: object, name: str | None, *_: object) -> bool:
        return name not in others

    held = {index["name"] for index in inspect(connection).get_indexes("items")}
    different = compare_metadata(MigrationContext.configure(connection, opts={"include_object": compared}), metadata)
    return [*different, *(held & others)]


def test_the_scripts_end_in_the_tables_the_program_uses(database_url: str) -> None:
    database = Database(parse_url(database_url))
    with database.write() as connection:
        migrate.upgrade(connection)
    with database.read() as connection:
        assert differences(connection) == []
        assert migrate.revision(connection) == migrate.REVISIONS[-1]
    database.close()


def test_a_new_database_is_like_one_made_by_the_scripts(database_url: str) -> None:
    opened(database_url).close()
    database = Database(parse_url(database_url))
    with database.write() as connection:
        assert differences(connection) == []
        migrate.upgrade(connection)  # nothing left to do
        assert migrate.revision(connection) == migrate.REVISIONS[-1]
    database.close()


def test_every_script_is_listed() -> None:
    scripts = [script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()]
    assert tuple(reversed(scripts)) == migrate.REVISIONS


def test_an_older_database_is_upgraded_with_its_data(database_url: str) -> None:
    database = Database(parse_url(database_url))
    with database.write() as connection:
        migrate.upgrade(connection, "0001")
        connection.execute(text("INSERT INTO meta VALUES ('first', '2025-01-01')"))
        connection.execute(text("INSERT INTO slices (connector, slice, watermark) VALUES ('jira', 'PAY', 'w1')"))
    database.close()

    store = opened(database_url)
    assert store.get_meta("first") == "2025-01-01"
    assert store.slices("jira")["PAY"].watermark == "w1"
    assert store.intend([label(Op.ADD_LABEL, "okr/O1")], run="r1", at=NOW) == [1]
    store.close()


def test_a_newer_database_is_refused_and_left_alone(database_url: str) -> None:
    store = opened(database_url)
    save(store, item(1))
    store.close()
    database = Database(parse_url(database_url))
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    with pytest.raises(StoreError, match=r"newer okrsync \(revision 0999"):
        opened(database_url)
    with database.read() as connection:
        assert migrate.revision(connection) == "0999"
    database.close()


def test_an_upgrade_that_fails_leaves_nothing_behind(database_url: str) -> None:
    database = Database(parse_url(database_url))
    with database.write() as connection:
        connection.execute(text("CREATE TABLE runs (mine INTEGER)"))
    with pytest.raises(StoreError, match="runs"):
        opened(database_url)
    with database.read() as connection:
        assert migrate.revision(connection) is None
        connection.execute(text("SELECT mine FROM runs"))
    database.close()


def test_several_starters_do_not_collide(database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(opened, [database_url] * 4))
    for number, store in enumerate(stores):
        save(store, item(number))
    assert len(stores[0].items()) == 4
    for store in stores:
        store.close()


def test_several_processes_do_not_collide(database_url: str) -> None:
    code = (
        "import sys, datetime, okrsync.store as s; s.open_store(sys.argv[1], label_prefix='okr/', clock=None).close()"
    )
    starters = [subprocess.Popen([sys.executable, "-c", code, database_url]) for _ in range(2)]
    assert [starter.wait(60) for starter in starters] == [0, 0]


def test_times_without_a_zone_are_refused(database_url: str) -> None:
    store = opened(database_url)
    with pytest.raises(StoreError):
        save(store, item(1), at=(NOW - DAY).replace(tzinfo=None))
    assert store.items() == []
    store.close()


def test_opening_an_up_to_date_database_does_without_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a folder/with % in it/okrsync.db"
    opened(url).close()
    code = (
        "import sys, okrsync.store as s; s.open_store(sys.argv[1], label_prefix='okr/', clock=None).close();"
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, url], check=False).returncode == 0
