"""What judging asks of an SQLite file without opening the whole store: it is told the same."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from store_samples import DAY, NOW, item, label, opened, save

from okrsync.domain.changes import Change, JournalState, Op
from okrsync.domain.comments import Comment, paragraph
from okrsync.domain.findings import Finding, Severity, Subject, Summary
from okrsync.domain.storage import Reading, RunRecord, Store, StoreError, plain_file
from okrsync.domain.work import Command, Reference, Trailer, Via, WorkItem
from okrsync.store import open_reading, open_store

FIELDS = frozenset(WorkItem.__struct_fields__)
BRIEFLY = FIELDS - {"body", "uid", "key", "estimate"}
PLACE = "github:acme/strategy"


def fill(store: Store) -> None:
    """Of everything something, so that nothing is told right by being empty."""
    parent = (Reference(via=Via.PARENT, target="jira:PAY-1", structural=True, detail="parent"),)
    command = Command(author="ada", entitled=True, text="/okr link O1", at=NOW, comment="1")
    save(
        store,
        item(1, title="Überblick 🎉", body="a description", labels=("okr:O1",)),
        item(2, references=parent),
        item(3, state="closed", closed_at=NOW - DAY, references=parent),
        item(4, commands=(command,), trailers=(Trailer(kind="okr", ids=("O1",)),), restricted=True),
        item(5),
        item(6),
        item(7),
    )
    save(store, item(5, key="WEB-5"), item(6, key="zäh-6"), item(7, key="WEB-7"), slice_="WEB")  # renamed
    store.save_chased([item(8)], read_at=NOW, moved={"jira:OLD-8": "jira:PAY-8"})
    store.tombstone(["jira:1003", "jira:1007"])
    store.save_unreachable(missing=["jira:NO-2", "jira:NO-1"], forbidden=["jira:HR-1"], found=[])
    store.set_meta("projects", '{"ü": "1"}')
    found = [
        Finding(code=c, slug=c, severity=Severity.INFO, subject=Subject(kind=k, id=i), message="m", remedy="r")
        for c, k, i in (
            ("OKR101", "issue", "jira:PAY-2"),
            ("OKR101", "issue", "jira:WEB-5"),
            ("OKR201", "kr", "O1.KR1"),
        )
    ]
    summary = Summary(open=3, linked=1, stale=0, exempt=1, unlinked=1, unknown=0, alignment_rate=0.5)
    for run, some in (("r1", found), ("r2", found[1:])):
        record = RunRecord(id=run, at=NOW, cycle=None, complete=True, summary=summary, sources=())
        store.record_run(record, some, [])
    words = Comment((paragraph("what it says"),))
    board = Change(
        op=Op.CREATE_ISSUE, target=PLACE, uid=f"dashboard:{PLACE}", value="", because="dashboard", comment=words
    )
    other = label(Op.ADD_LABEL, "okr/O1", uid="dashboard:12")  # of a connector that bears this name
    done, _, _ = store.intend([board, other, board], run="r1", at=NOW)
    store.settle(done, JournalState.CONFIRMED, at=NOW + timedelta(microseconds=7), comment_id="7")


def told(reading: Reading, before: str) -> dict[str, Any]:
    def plain(item: WorkItem, fields: frozenset[str]) -> list[Any]:
        return [(name, repr(getattr(item, name))) for name in sorted(fields - {"references"})]

    def seen(outlines: Any) -> Any:
        return [
            (o.connector, o.ids, o.targets, o.outlines, [(n, g.chased, plain(g.item, BRIEFLY)) for n, g in o.whole.items()])
            for o in outlines
        ]  # fmt: skip

    with reading.look(["jira", "github"]) as look:
        changes = look.changed(before, 100, BRIEFLY)
        whole = look.changed(before, 100, BRIEFLY, frozenset({"jira"}))
        assert changes is not None
        assert whole is not None
        looks = {
            "all": seen(look.outlines(BRIEFLY)),
            "whole": seen(look.outlines(BRIEFLY, frozenset({"jira"}))),
            "these": seen(look.outlines(BRIEFLY, frozenset(), ["jira:PAY-2", "jira:PAY-1", "jira:PAY-9"])),
            "with text": [plain(i, FIELDS) for i in look.some(["jira:PAY-1", "jira:PAY-3"], FIELDS)],
            "named": look.named(["jira:1005", "jira:1003"]),
            "changed": (seen(changes.held), changes.gone),
            "changed whole": seen(whole.held),
            "too much": look.changed(before, 1, BRIEFLY),
            "mark": (look.mark(), look.fades(before)),
        }
    metas = {key: reading.get_meta(key) for key in ("projects", "nothing")}
    asked = (reading.aliases(), reading.unreachable(), reading.since(), reading.dashboard_entries())
    return {**looks, "asked": asked, "order": [list(a) for a in asked[:2]], "metas": metas, "file": reading.file}


def test_it_tells_what_the_store_tells(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a b.db"
    store = opened(url)
    with store.look([]) as look:
        before = look.mark()
    fill(store)
    reading = open_reading(url)
    assert reading is not None
    whole = told(store, before)
    assert told(reading, before) == whole
    assert all((*whole["asked"], *whole["changed"])), "something of everything"
    assert len(whole["all"][0][1]) == 6
    save(store, item(9))
    assert told(reading, before) == told(store, before) != whole, "it sees what is stored later"
    reading.close()
    store.close()


def test_a_look_sees_one_state(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    store = opened(url)
    save(store, item(1))
    reading = open_reading(url)
    assert reading is not None
    with reading.look(["jira"]) as look:
        before = [o.ids for o in look.outlines(frozenset())]
        save(store, item(2))
        assert [o.ids for o in look.outlines(frozenset())] == before == [["jira:PAY-1"]]
    with reading.look(["jira"]) as look:
        assert [o.ids for o in look.outlines(frozenset())] == [["jira:PAY-1", "jira:PAY-2"]]
    reading.close()
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://user@host/name",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:////tmp/x.db?timeout=5",
        "sqlite:////tmp/a%20b.db",
        "sqlite:////tmp/ü.db",
        "sqlite:////tmp/x.db\n",
        "nonsense",
    ],
)
def test_what_is_no_plain_file_is_left_to_the_store(url: str) -> None:
    assert plain_file(url) is None
    assert open_reading(url) is None


def test_what_the_store_has_to_make_upgrade_or_refuse_is_left_to_it(tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "x.db"
    assert open_reading(f"sqlite:///{missing}") is None
    assert not missing.parent.exists()
    assert open_reading(f"sqlite:///{tmp_path}") is None
    (tmp_path / "garbage.db").write_bytes(b"no database" * 1000)
    (tmp_path / "empty.db").write_bytes(b"")
    assert open_reading(f"sqlite:///{tmp_path}/garbage.db") is None
    assert open_reading(f"sqlite:///{tmp_path}/empty.db") is None
    assert (tmp_path / "empty.db").stat().st_size == 0
    for revision in ("0006", "9999"):
        url = f"sqlite:///{tmp_path}/{revision}.db"
        opened(url).close()
        with sqlite3.connect(f"{tmp_path}/{revision}.db") as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.close()
        assert open_reading(url) is None


def test_a_database_that_breaks_meanwhile_is_told_of_in_plain_words(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    url = f"sqlite:///{file}"
    opened(url).close()
    reading = open_reading(url)
    assert reading is not None
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE unreachable")
    connection.close()
    with pytest.raises(StoreError, match=f"the database {file} cannot be used: no such table"):
        reading.unreachable()
    with pytest.raises(StoreError, match="no such table"), reading.look(["jira"]):
        raise sqlite3.OperationalError("no such table: x")
    reading.close()
    with pytest.raises(StoreError, match="cannot be used"):
        open_store(url, label_prefix="okr/", clock=lambda: NOW).unreachable()
