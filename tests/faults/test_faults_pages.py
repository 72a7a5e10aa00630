"""Lists that shift, repeat, end early or refuse to go on; indexes and clocks that lag; accounts that see nothing."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import timedelta

import pytest
from fault_house import House, covers

from okrsync.sandbox import STORY_NOW, Fault, World

# All together they take minutes; the parts they go through are tested in tests/connectors and tests/story as well.
pytestmark = pytest.mark.soak

TICKETS, ISSUES = 210, 130  # three pages and two


def crowd(world: World) -> None:
    """More than one page of each."""
    long_ago = STORY_NOW - timedelta(days=30)
    web = world.github.repo("acme/web")
    assert web is not None
    for n in range(TICKETS):
        world.jira.add_issue("PAY", f"ticket {n}", created=long_ago + timedelta(minutes=n), reporter="lin")
    for n in range(ISSUES):
        world.github.add_item(web, f"issue {n}", created=long_ago + timedelta(minutes=n), author="lin")


def retitle(house: House) -> None:
    """Everything changes, so that the next run reads pages of changes from each source."""
    house.clock.advance(minutes=5)
    for id_ in expected(house):
        house.world.edit_title(id_, house.world.find(id_).title + " again", "lin")


def expected(house: House) -> dict[str, str]:
    items = house.world.snapshot()["items"]
    return {id_: item["title"] for id_, item in items.items() if item["state"] not in ("closed", "Done")}


def titles(house: House) -> dict[str, str]:
    """By id, as the work CSV has them; each id once."""
    with (house.root / "reports" / "okrsync.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert not [id_ for id_, count in Counter(row["id"] for row in rows).items() if count > 1], "an item twice"
    return {row["id"]: row["title"] for row in rows if row["status"] not in ("closed", "Done")}


@pytest.fixture
def crowded(house: House) -> House:
    """Read only: what is read is the subject."""
    house.env["OKRSYNC_WRITEBACK__ENABLED"] = "false"
    crowd(house.world)
    return house


NEXT = {
    "jira": {"source": "jira", "path": "/search", "sent": "nextPageToken"},
    "github": {"source": "github", "path": r"[?&](page=[2-9]|after=)"},
}
TWICE = {
    "the same page twice": "repeat_page",
    "an empty page in the middle": "empty_page",
    "a repeated token": "repeat_token",
}


@covers("pages")
@pytest.mark.parametrize("source", NEXT)
@pytest.mark.parametrize("what", TWICE)
def test_a_page_that_is_wrong_once_costs_nothing(crowded: House, source: str, what: str) -> None:
    """| the same page twice, an empty page in the middle, a repeated token | each item once, none missing, at the
    latest in the next run | while changes are read"""
    assert crowded.sync().exit == 0
    retitle(crowded)
    first = source == "github" and TWICE[what] == "repeat_token"  # a last page names no next one
    where = {"source": source, "path": r"acme/web/issues\?"} if first else NEXT[source]
    crowded.strike(Fault(kind=TWICE[what], times=1, **where))
    crowded.sync()
    assert crowded.sandbox.faults.list()[0].hits
    crowded.sandbox.faults.clear()
    assert crowded.sync().exit == 0
    assert titles(crowded) == expected(crowded)


@covers("pages")
@pytest.mark.parametrize(
    ("source", "kind"),
    [("jira", "repeat_page"), ("jira", "repeat_token"), ("github", "repeat_page"), ("github", "repeat_token")],
)
def test_a_list_without_end_is_left(crowded: House, source: str, kind: str) -> None:
    """| the same page for ever | loop guard: suspended, healed in the next run |"""
    assert crowded.sync().exit == 0
    retitle(crowded)
    crowded.strike(Fault(kind=kind, source=source, path="/search" if source == "jira" else r"acme/web/issues\?"))
    ran = crowded.sync()
    assert len([r for r in crowded.sandbox.requests if r.source == source]) < 200
    crowded.sandbox.faults.clear()
    assert ran.exit == 3, ran
    assert crowded.sync().exit == 0
    assert titles(crowded) == expected(crowded)


@covers("pages")
@pytest.mark.parametrize("source", NEXT)
def test_an_expired_token_begins_the_slice_anew(crowded: House, source: str) -> None:
    """| an expired page token | restart of the slice, in the same run or the next |"""
    assert crowded.sync().exit == 0
    retitle(crowded)
    status = 400 if source == "jira" else 422
    crowded.strike(Fault(kind="status", status=status, times=1, **NEXT[source]))
    crowded.sync()
    assert crowded.sandbox.faults.list()[0].hits
    crowded.sandbox.faults.clear()
    assert crowded.sync().exit == 0
    assert titles(crowded) == expected(crowded)


@covers("pages")
@pytest.mark.parametrize("first", [True, False], ids=["first pull", "changes"])
def test_items_that_move_while_pages_are_read_are_neither_lost_nor_doubled(crowded: House, first: bool) -> None:
    """| items moving between pages | stable order and a closing pass |"""
    if not first:
        assert crowded.sync().exit == 0
        retitle(crowded)
    acts = [
        ("jira", "/search", "close", {"id_": "jira:PAY-10", "by": "lin"}),
        ("jira", "/search", "edit_title", {"id_": "jira:PAY-11", "title": "moved to the end", "by": "lin"}),
        ("github", r"acme/web/issues\?", "close", {"id_": "github:acme/web#10", "by": "lin"}),
        ("github", r"acme/web/issues\?", "edit_title", {"id_": "github:acme/web#11", "title": "moved", "by": "lin"}),
    ]
    crowded.strike(
        *(Fault(kind="act", source=s, path=p, do=do, args=args, times=1) for s, p, do, args in acts)  # type: ignore[arg-type]
    )
    crowded.sync()
    assert all(f.hits for f in crowded.sandbox.faults.list())
    crowded.sandbox.faults.clear()
    assert crowded.sync().exit == 0
    assert titles(crowded) == expected(crowded)


@covers("deep pages")
def test_where_page_numbers_end_cursors_go_on(crowded: House) -> None:
    """| 422 on deep page numbers | cursors (`after=` in Link) |"""
    crowded.strike(Fault(kind="status", status=422, source="github", path=r"[?&]page=[2-9]\b(?!.*after=)"))
    ran = crowded.sync()
    assert ran.exit == 0, (ran.out, ran.err)
    assert titles(crowded) == expected(crowded)


# --- lag and clocks


@covers("lag")
def test_what_the_index_shows_late_is_read_late_and_not_lost(house: House) -> None:
    """| Jira's lagging index, minute-grained `updated` | overlap: seen as soon as the index shows it |"""
    house.settle()
    house.world.jira.index_lag = timedelta(minutes=7)
    house.clock.advance(minutes=3)
    house.people_work()
    house.clock.advance(minutes=2)
    assert house.run("sync").exit == 0
    house.world.edit_title("jira:PAY-2", "One page, later", "lin")
    house.sync()
    assert house.sync().exit == 0
    house.right()


@covers("lag")
@pytest.mark.parametrize("hours", [-5, 3])
def test_a_server_whose_clock_is_off(house: House, hours: int) -> None:
    """| clock skew, the user's time zone | watermarks from server data only: nothing is missed |"""
    house.world.clock = lambda: house.clock() + timedelta(hours=hours)
    house.settle()
    house.people_work()
    assert house.sync().exit == 0
    house.right()
    house.world.remove_label("jira:PAY-4", "objective:O2", "lin")
    house.expected["jira:PAY-4"] = ("unlinked", "okr/unlinked")
    assert house.sync().exit == 0
    house.right()


# --- nothing at all


@covers("anonymous")
@pytest.mark.parametrize(
    "nothing",
    [
        Fault(kind="empty", source="jira"),
        Fault(kind="empty", source="jira", path="/search"),
        Fault(kind="empty", source="github", path="/issues"),
        Fault(kind="status", status=200, body="[]", source="github", path="/issues"),
    ],
    ids=["Jira, everything", "Jira's searches", "GitHub's issues", "GitHub, an empty list"],
)
def test_suddenly_nothing_is_suspect(house: House, nothing: Fault) -> None:
    """| anonymous or wrong account: 200 with nothing | suspect shrink: suspended and said; nothing is forgotten |"""
    house.suspended(nothing.source, nothing)


@covers("anonymous")
@pytest.mark.parametrize("source", ["jira", "github"])
def test_an_account_that_sees_nothing_any_more(house: House, source: str) -> None:
    """| wrong account | the same, found by what the account may see |"""
    house.settle()
    house.people_work()
    places = house.world.jira.projects if source == "jira" else house.world.github.repos
    for place in places.values():
        place.visible = False  # type: ignore[attr-defined]
    house.is_suspended(house.sync(), source)
    for place in places.values():
        place.visible = True  # type: ignore[attr-defined]
    assert house.sync().exit == 0
    house.right()


@covers("anonymous")
@pytest.mark.parametrize("source", ["jira", "github"])
def test_a_first_pull_that_finds_nothing_is_said_loudly(house: House, source: str) -> None:
    """| the same on a first pull | exit 3, said |"""
    path = "/search/jql" if source == "jira" else "/issues"
    house.strike(Fault(kind="empty", source=source, path=path))
    ran = house.sync()
    assert ran.exit == 3
    # GitHub says with a repository how many issues are open there, so that nothing is taken for read
    said, heals = ("holds no item", ("--full",)) if source == "jira" else ("shows none of 4 open issues", ())
    assert said in ran.out + ran.err
    house.sandbox.faults.clear()
    assert house.sync(*heals).exit == 0
    house.right()
