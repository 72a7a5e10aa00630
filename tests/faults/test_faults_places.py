"""Items and places that move, vanish, close themselves or may only be read."""

from __future__ import annotations

import pytest
from fault_house import House, covers

from okrsync.sandbox import Fault

# All together they take minutes; the parts they go through are tested in tests/connectors and tests/story as well.
pytestmark = pytest.mark.soak


@covers("moved")
@pytest.mark.parametrize("id_", ["jira:PAY-3", "github:acme/web#2"])
def test_a_deleted_item_leaves_with_a_complete_sweep(house: House, id_: str) -> None:
    """| deleted item | tombstone only after a complete sweep or a definite 404; nothing is written to it |"""
    house.settle()
    house.clock.advance(minutes=5)
    house.world.delete(id_, "lin")
    sent = len(house.sandbox.writes)
    assert house.sync().exit == 0
    del house.expected[id_]
    house.clock.advance(days=1)
    assert house.sync().exit == 0
    house.as_expected()
    assert house.sandbox.writes[sent:] == []


@covers("moved")
def test_an_item_deleted_between_reading_and_writing(house: House) -> None:
    """| deleted item | the write meets a 404 or 410: that change is dropped, the others go on |"""
    for place, path in (("jira:PAY-3", r"/project|/search|/bulkfetch"), ("github:acme/web#2", r"acme/api/issues\?")):
        house.strike(Fault(kind="act", path=path, do="delete", args={"id_": place, "by": "lin"}, times=1, after=2))
    house.sync()
    house.sandbox.faults.clear()
    for id_ in ("jira:PAY-3", "github:acme/web#2"):
        if id_ not in house.world.snapshot()["items"]:
            del house.expected[id_]
    house.clock.advance(days=1)
    assert house.sync().exit == 0
    house.right()


@covers("moved")
def test_a_moved_ticket_stays_itself(house: House) -> None:
    """| moved item | followed to the new id: no second comment, no second label |"""
    house.settle()
    house.clock.advance(minutes=5)
    key = house.world.move_issue("jira:PAY-3", "OPS", "lin")
    house.expected[f"jira:{key}"] = house.expected.pop("jira:PAY-3")
    assert house.sync().exit == 0
    house.right()
    assert len(house.comments(f"jira:{key}")) == 1


@covers("moved")
def test_a_transferred_issue_is_followed(house: House) -> None:
    """| transferred item | its new id counts, the old one leaves; no second comment |"""
    house.settle()
    house.clock.advance(minutes=5)
    name = house.world.transfer("github:acme/web#2", "acme/api", "lin")
    house.expected[f"github:{name}"] = house.expected.pop("github:acme/web#2")
    house.clock.advance(days=1)
    assert house.sync().exit == 0
    house.right()
    assert len(house.comments(f"github:{name}")) == 1


@covers("moved")
@pytest.mark.parametrize("when", ["before the run", "before the writes"])
def test_a_renamed_repository_goes_by_its_present_name(house: House, when: str) -> None:
    """| renamed repository (301, 307 on writes) | followed on reading and writing; a warning names the new name |"""
    house.settle()
    house.clock.advance(minutes=5)
    house.world.add_label("github:acme/api#1", "objective:O2", "lin")
    rename = {"repo": "acme/api", "to": "acme/core", "by": "lin"}
    if when == "before the run":
        house.world.rename_repo(**rename)
    else:
        house.strike(
            Fault(kind="act", source="github", path=r"acme/api/issues\?", do="rename_repo", args=rename, times=1)
        )
    ran = house.sync()
    assert ran.exit == 0, (ran.out, ran.err)
    house.sandbox.faults.clear()
    del house.expected["github:acme/api#1"]
    house.expected["github:acme/core#1"] = ("linked", "okr/O2")
    again = house.sync()
    assert again.exit == 0, (again.out, again.err)
    assert "acme/core" in again.out + again.err
    house.right()


@covers("moved")
@pytest.mark.parametrize("place", ["jira:OPS", "github:acme/api"])
def test_a_place_that_turned_private_is_no_deletion(house: House, place: str) -> None:
    """| repository or project turned private | its items are unknown, not gone, not unlinked; said; exit 3 |"""
    house.settle()
    house.people_work()
    source, _, name = place.partition(":")
    home = house.world.jira.projects[name] if source == "jira" else house.world.github.repo(name)
    assert home is not None
    home.visible = False
    sent = len(house.sandbox.writes)
    for _ in range(2):
        ran = house.sync()
        assert ran.exit == 3, (ran.out, ran.err)
        assert name in ran.out + ran.err
        for id_, verdict in house.verdicts().items():
            assert verdict == ("unknown" if id_.startswith(place) else house.expected[id_][0]), id_
        house.clock.advance(days=1)
    assert not [w for w in house.sandbox.writes[sent:] if name in w.path]
    home.visible = True
    assert house.sync().exit == 0
    house.right()


# --- may only be read


@covers("read-only")
def test_an_archived_repository_is_left_alone(house: House) -> None:
    """| archived repository | skipped for good, said once, no error |"""
    house.settle()
    archived = house.world.github.repo("acme/api")
    assert archived is not None
    house.clock.advance(minutes=5)
    house.world.add_label("github:acme/api#1", "objective:O2", "lin")
    archived.archived = True
    sent = len(house.sandbox.writes)
    ran = [house.sync() for _ in range(2)]
    assert [r.exit for r in ran] == [0, 0], ran
    assert house.sandbox.writes[sent:] == []
    assert "archived" in ran[0].out + ran[0].err
    assert "github:acme/api#1" not in house.verdicts()


@covers("read-only")
def test_a_repository_archived_between_reading_and_writing(house: House) -> None:
    """| archived repository | the refused writes are no error; nothing else suffers |"""
    house.settle()
    archived = house.world.github.repo("acme/api")
    assert archived is not None
    house.clock.advance(minutes=5)
    house.people_work()
    house.world.add_label("github:acme/api#1", "objective:O2", "lin")
    said = "Repository was archived so is read-only."
    body = f'{{"message": "{said}", "documentation_url": "https://docs.github.com/rest"}}'
    house.strike(Fault(kind="status", status=403, body=body, source="github", method="POST", path="acme/api"))
    first, second = house.sync(), house.sync()
    assert (first.exit, second.exit) == (0, 0), (first, second)
    assert "acme/api" in first.err
    assert "archived" in first.err
    assert "left alone" not in second.err, "said once"
    assert house.sandbox.faults.list()[0].hits == 1
    assert house.labels()["github:acme/web#4"] == {"okr/O2"}


@covers("read-only")
def test_a_locked_issue_gets_its_label_and_no_comment(house: House) -> None:
    """| locked issue | no comment, no error, nothing tried again |"""
    house.world.lock_item("github:acme/web#2", "lin")
    house.settle()
    assert house.comments("github:acme/web#2") == []
    assert house.comments("github:acme/web#4")
    house.right()


@covers("read-only")
@pytest.mark.parametrize("place", ["jira:OPS", "github:acme/api"])
def test_where_only_reading_is_permitted_nothing_is_tried_twice(house: House, place: str) -> None:
    """| permission to read but not to write | skipped, said once, exit 0; a day later asked again |"""
    source, _, name = place.partition(":")
    if source == "jira":
        house.world.jira.projects[name].writable = False
    else:
        repo = house.world.github.repo(name)
        assert repo is not None
        repo.permissions[house.world.bot] = "read"
    first = house.sync()
    assert first.exit == 0, (first.out, first.err)
    sent = len(house.sandbox.writes)
    second = house.sync()
    assert second.exit == 0, (second.out, second.err)
    assert house.sandbox.writes[sent:] == []
    for id_, labels in house.labels().items():
        assert labels == (set() if id_.startswith(place) else {house.expected[id_][1]}), id_
    if source == "jira":
        house.world.jira.projects[name].writable = True
    else:
        repo = house.world.github.repo(name)
        assert repo is not None
        repo.permissions[house.world.bot] = "write"
    house.clock.advance(hours=25)
    assert house.sync().exit == 0
    house.right()
