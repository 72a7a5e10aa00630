"""Looking at all items: what is seen is what is held, whatever was done to it and by whichever version."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from msgspec import msgpack, structs
from sqlalchemy import text
from store_samples import DAY, NOW, item, opened, save

from examples import examples
from okrsync.domain.outlines import Outlines, outline
from okrsync.domain.storage import Look, Store, StoreError
from okrsync.domain.trackers import Batch
from okrsync.domain.work import Command, Kind, Reference, Trailer, Via, WorkItem
from okrsync.store import migrate
from okrsync.store.database import Database, parse_url

FIELDS = frozenset(WorkItem.__struct_fields__) - {"body", "uid", "key", "estimate"}
RICH = item(
    7,
    title="Überblick 🎉",
    body="a description",
    kind=Kind.EPIC,
    state="closed",
    labels=("checkout", "okr/O1"),
    okr=("O1.KR1",),
    closed_at=NOW - DAY,
    restricted=True,
    references=(
        Reference(via=Via.PARENT, target="jira:PAY-1", structural=True),
        Reference(via=Via.KEY, target="jira:PAY-2", structural=False, detail="title"),
    ),
    trailers=(Trailer(kind="okr", ids=("O1",)),),
    commands=(Command(author="ada", entitled=True, text="/okr link O1", at=NOW, comment="1"),),
)


def told(held: Iterable[tuple[WorkItem, bool]], fields: Iterable[str]) -> dict[str, Any]:
    def value(of: WorkItem, name: str) -> Any:
        if name != "references":
            return getattr(of, name)
        return [(r.via, r.target, r.structural, r.detail) for r in of.references]

    return {i.id: ({name: value(i, name) for name in fields}, chased) for i, chased in held}


def seen(store: Store, fields: frozenset[str], connectors: Iterable[str] = ("jira",)) -> dict[str, Any]:
    """All of them whole."""
    with store.look(connectors) as look:
        whole = [g for some in look.outlines(fields, frozenset(connectors)) for g in some.whole.values()]
    return told(((g.item, g.chased) for g in whole), fields)


def held(store: Store, fields: frozenset[str]) -> dict[str, Any]:
    return told(((s.item, s.chased) for s in store.items()), fields)


@pytest.mark.parametrize("fields", [FIELDS - {"started", "status_changed", "locked", "public", "service_desk"}, FIELDS])
def test_every_field_is_as_it_was_stored(store: Store, fields: frozenset[str]) -> None:
    save(store, RICH, item(1))
    store.save_chased([item(2)], read_at=NOW, moved={})
    assert seen(store, fields | {"body", "id"}) == held(store, fields | {"body", "id"})
    assert seen(store, fields | {"id"}) == held(store, fields | {"id"})
    assert seen(store, fields, ["github"]) == {}


def test_some_are_found_by_their_ids(store: Store) -> None:
    save(store, RICH, item(1), item(2))
    for name, value in (("title", "Überblick 🎉"), ("body", "a description")):
        with store.look(["jira"]) as look:
            found = [(i.id, getattr(i, name)) for i in look.some({"jira:PAY-7"}, frozenset({"id", name}))]
        assert found == [("jira:PAY-7", value)]


an_act = st.tuples(
    st.sampled_from(["save", "chase", "label", "bury", "read", "move", "forget"]),
    st.integers(1, 4),
    st.sampled_from(["one", "another"]),
)


def do(store: Store, act: str, number: int, title: str) -> None:
    made = item(number, title=title)
    if act == "save":
        save(store, made)
    elif act == "chase":
        store.save_chased([made], read_at=NOW, moved={})
    elif act == "label":
        store.note_labels(made.uid, added=[f"okr/{title}"], removed=["okr/one"])
    elif act == "bury":
        store.tombstone([made.uid])
    elif act == "read":
        store.refresh([made], read_at=NOW)
    elif act == "move":
        save(store, item(number, key=f"WEB-{number}", title=title))
    else:
        store.forget_scope("jira", ["PAY"])


@given(st.lists(an_act, max_size=12))
@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_is_seen(store: Store, acts: list[tuple[str, int, str]]) -> None:
    fields = frozenset({"id", "title", "labels"})
    for act, number, title in acts:
        before, known = held(store, fields), store.aliases()
        with store.look(["jira"]) as look:
            mark = look.mark()
        do(store, act, number, title)
        after = held(store, fields)
        assert seen(store, fields) == after
        with store.look(["jira"]) as look:
            changes = look.changed(mark, 9, fields, frozenset({"jira"}))
            assert changes is not None
            changed = told(((g.item, g.chased) for some in changes.held for g in some.whole.values()), fields)
            few = sorted(after)[:2]
            some = [i for rows in look.outlines(fields, frozenset({"jira"}), few) for i in rows.ids]
        assert sorted(some) == sorted(after)[:2]
        differing = {id_ for id_ in before.keys() | after.keys() if before.get(id_) != after.get(id_)}
        now_aliases = {old for old, new in store.aliases().items() if known.get(old) != new}
        assert differing <= changed.keys() | changes.gone | now_aliases
        assert changed == {id_: after[id_] for id_ in changed}
        assert changes.gone.isdisjoint(after)


def changed(look: Look, mark: str, most: int = 9) -> list[str] | None:
    """Ids."""
    changes = look.changed(mark, most, frozenset())
    return changes and sorted({*changes.gone, *(id_ for some in changes.held for id_ in some.ids)})


def first_mark(store: Store) -> str:
    with store.look(["jira"]) as look:
        return look.mark()


def changed_since(store: Store, mark: str) -> list[Outlines]:
    with store.look(["jira"]) as look:
        changes = look.changed(mark, 9, frozenset({"id"}))
        assert changes is not None
        return list(changes.held)


def test_what_changed_since_another_state_of_another_database_cannot_be_told(store: Store) -> None:
    with store.look(["jira"]) as look:
        first = look.mark()
        assert changed(look, first) == []
        number, _, token = first.partition(" ")
        assert changed(look, f"{number} {token[::-1]}x") is None
        assert changed(look, f"{int(number) + 1} {token}") is None
    save(store, item(1))
    with store.look(["jira"]) as look:
        assert changed(look, first) == ["jira:PAY-1"]
    for n in range(300):
        save(store, item(2, title=str(n)))
    with store.look(["jira"]) as look:
        assert changed(look, first) is None
        assert changed(look, look.mark()) == []


def test_where_too_much_changed_it_is_not_told(store: Store) -> None:
    with store.look(["jira"]) as look:
        first = look.mark()
    save(store, item(1), item(2), item(3))
    store.tombstone([item(3).uid])
    with store.look(["jira"]) as look:
        assert changed(look, first, most=3) == ["jira:PAY-1", "jira:PAY-2", "jira:PAY-3"]
        assert changed(look, first, most=2) is None


def test_an_id_that_another_item_got_is_not_gone(store: Store) -> None:
    save(store, item(1), item(2))
    with store.look(["jira"]) as look:
        mark = look.mark()
    store.tombstone([item(2).uid])
    save(store, item(1, key="PAY-2"))
    with store.look(["jira"]) as look:
        changes = look.changed(mark, 9, frozenset())
        assert changes is not None
        assert ([id_ for some in changes.held for id_ in some.ids], changes.gone) == (["jira:PAY-2"], frozenset())


def test_reading_the_same_again_is_no_change(store: Store) -> None:
    save(store, item(1))
    with store.look(["jira"]) as look:
        mark = look.mark()
    save(store, item(1))
    with store.look(["jira"]) as look:
        assert (look.mark(), changed(look, mark)) == (mark, [])


def test_one_look_sees_one_state(database_url: str) -> None:
    store, other = opened(database_url), opened(database_url)
    save(store, item(1), item(2, title="before"))
    with store.look(["jira"]) as look:
        ids = {id_ for some in look.outlines(frozenset({"id"})) for id_ in some.ids}
        other.tombstone(["jira:1001"])
        save(other, item(2, title="after"))
        assert {i.id: i.title for i in look.some(ids, frozenset({"id", "title"}))} == {
            "jira:PAY-1": "Task 1",
            "jira:PAY-2": "before",
        }
    assert seen(store, frozenset({"title"}))["jira:PAY-2"] == ({"title": "after"}, False)
    store.close()
    other.close()


def test_what_another_version_stored_is_seen_too(database_url: str) -> None:
    store = opened(database_url)
    mark = first_mark(store)
    save(store, RICH, item(1), item(2))
    whole = held(store, FIELDS)
    targets = {r.target for s in store.items() for r in s.item.references}
    assert targets
    database = Database(parse_url(database_url))
    with database.write() as connection:
        gone = "brief = NULL, target = NULL, outline = NULL"
        connection.execute(text(f"UPDATE items SET {gone} WHERE uid IN ('jira:1007', 'jira:1001')"))
        of_others = {"brief": msgpack.encode(["jira:PAY-2", "another", "layout"])}
        connection.execute(text("UPDATE items SET brief = :brief WHERE uid = 'jira:1002'"), of_others)
    fields = frozenset({"id", "title", "references", "restricted"})
    assert seen(store, fields) == held(store, fields)
    assert outlines(store) == outlines_of(store) == of_all(changed_since(store, mark))
    assert set(store.targets()) == targets
    with store.look(["jira"]) as look:
        assert [i.title for i in look.some({"jira:PAY-7"}, fields)] == ["Überblick 🎉"]
    assert held(store, FIELDS) == whole
    store.close()
    database.close()


@pytest.mark.parametrize("revision", ["0003", "0004"])
def test_an_upgrade_fills_the_briefs_of_what_is_held(database_url: str, revision: str) -> None:
    store = opened(database_url)
    save(store, RICH, *(item(n) for n in range(10, 15)))
    store.close()
    database = Database(parse_url(database_url))
    with database.write() as connection:  # as that revision left it
        for index in ("live_brief", "change_outline", "change"):
            connection.execute(text(f"DROP INDEX IF EXISTS ix_items_{index}"))
        connection.execute(text("DELETE FROM meta WHERE key = 'changes'"))
        for column in ("change", "target", "outline", *(["brief"] if revision == "0003" else [])):
            connection.execute(text(f"ALTER TABLE items DROP COLUMN {column}"))
        connection.execute(text("ALTER TABLE items ADD COLUMN fingerprint TEXT NOT NULL DEFAULT ''"))
        if revision == "0004":
            connection.execute(text("UPDATE items SET brief = :brief"), {"brief": msgpack.encode(["another layout"])})
            if database.path is not None:
                connection.execute(text("CREATE INDEX ix_items_live_brief ON items (id, chased, brief)"))
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    store = opened(database_url)
    with database.read() as connection:
        assert migrate.revision(connection) == migrate.REVISIONS[-1]
        unfilled = "SELECT count(*) FROM items WHERE brief IS NULL OR outline IS NULL"
        assert connection.execute(text(unfilled)).scalar_one() == 0
    fields = frozenset({"id", "title", "references", "commands", "closed_at"})
    assert seen(store, fields) == held(store, fields)
    assert outlines(store) == outlines_of(store)
    store.close()
    database.close()


def outlines(store: Store) -> dict[str, tuple[str | None, int]]:
    with store.look(["jira"]) as look:
        return of_all(look.outlines(frozenset({"id"})))


def of_all(told: Iterable[Outlines]) -> dict[str, tuple[str | None, int]]:
    return {
        id_: (target, number)
        for some in told
        for id_, target, number in zip(some.ids, some.targets, some.outlines, strict=True)
    }


def whole_of(told: Iterable[Outlines]) -> dict[str, bool]:
    return {glimpse.item.id: glimpse.chased for some in told for glimpse in some.whole.values()}


def outlines_of(store: Store) -> dict[str, tuple[str | None, int]]:
    return {s.item.id: outline(s.item) for s in store.items()}


def test_only_what_may_say_something_and_what_is_chased_is_whole(store: Store) -> None:
    one = Reference(via=Via.PARENT, target="jira:PAY-1", structural=True)
    mark = first_mark(store)
    save(store, RICH, item(1), item(2, references=(one,)), item(3, labels=("kr:O1.KR1",)), item(4, state="closed"))
    store.save_chased([item(5), item(6, labels=("kr:O1.KR1",))], read_at=NOW, moved={})
    with store.look(["jira"]) as look:
        whole = whole_of(look.outlines(frozenset({"id"})))
    assert whole == {"jira:PAY-7": False, "jira:PAY-3": False, "jira:PAY-5": True, "jira:PAY-6": True}
    assert outlines(store) == outlines_of(store)
    assert whole_of(changed_since(store, mark)) == whole


def test_connectors_with_like_names_are_not_taken_for_each_other(store: Store) -> None:
    mark = first_mark(store)
    save(store, item(1))
    for other in ("jir", "jira-2", "jira2"):
        theirs = structs.replace(item(2), id=f"{other}:PAY-2", uid=f"{other}:2", connector=other)
        store.save_batches(other, [Batch(slice="PAY", items=(theirs,))], read_at=NOW)
    assert list(outlines(store)) == list(of_all(changed_since(store, mark))) == ["jira:PAY-1"]


def test_an_id_is_told_by_its_uid(store: Store) -> None:
    save(store, item(1), item(2))
    store.tombstone(["jira:1002"])
    with store.look(["jira"]) as look:
        assert look.named({"jira:1001", "jira:1002", "jira:PAY-1"}) == {"jira:PAY-1"}


def test_a_damaged_file_is_told_in_plain_words(tmp_path: Path) -> None:
    path = tmp_path / "okrsync.db"
    store = opened(f"sqlite:///{path}")
    save(store, *(item(n, labels=("kr:O1.KR1",)) for n in range(2000)))
    store.close()
    with path.open("r+b") as file:
        file.seek(40 * 16384)  # behind the tables' definitions
        file.write(b"\xff" * (path.stat().st_size - 40 * 16384))
    store = opened(f"sqlite:///{path}")
    with pytest.raises(StoreError, match="is damaged"), store.look(["jira"]) as look:
        list(look.outlines(frozenset({"id"})))
    store.close()
