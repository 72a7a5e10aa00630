"""What judging is told of items in two columns: enough to leave most of them alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from okrsync.domain.outlines import (
    ENDED,
    OPEN,
    PARENT,
    SPEAKS,
    STRUCTURAL,
    UNCOUNTED,
    end,
    outline,
    outlined,
    uncounted,
)
from okrsync.domain.work import Command, Kind, Reference, StoredItem, Trailer, Via, WorkItem

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ABOVE = Reference(via=Via.PARENT, target="jira:PAY-1", structural=True)
CLOSES = Reference(via=Via.CLOSES, target="jira:PAY-2", structural=True)
NAMED = Reference(via=Via.KEY, target="jira:PAY-3", structural=False)
COMMAND = Command(author="ada", entitled=True, text="/okr link O1", at=NOW, comment="1")


def item(**fields):
    always = {
        "id": "jira:PAY-7",
        "uid": "jira:7",
        "connector": "jira",
        "key": "PAY-7",
        "container": "PAY",
        "kind": Kind.ISSUE,
        "title": "A title",
        "url": "",
        "created": NOW,
        "updated": NOW,
    }
    return WorkItem(**(always | fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"okr": ("O1",)},
        {"trailers": (Trailer(kind="okr", ids=("O1",)),)},
        {"commands": (COMMAND,)},
        {"milestone_body": "OKR: O1"},
        {"references": (ABOVE, NAMED)},
        *({"labels": ("bug", label)} for label in ("initiative:I", "KR / 1", " Objective-x", "exempt-y")),
    ],
)
def test_what_may_say_something_itself_has_to_be_looked_at(fields):
    assert outline(item(**fields))[1] & SPEAKS


@pytest.mark.parametrize(
    "labels", [(), ("bug", "initiatives:I", "okr/O1", "my kr:1", "krypton-1", "objective", "exempt:")]
)
def test_other_labels_say_nothing(labels):
    assert outline(item(labels=labels)) == (None, OPEN << 3)


@pytest.mark.parametrize(
    ("references", "target", "bits"),
    [
        ((), None, 0),
        ((ABOVE,), "jira:PAY-1", STRUCTURAL | PARENT),
        ((CLOSES,), "jira:PAY-2", STRUCTURAL),
        ((NAMED,), "jira:PAY-3", 0),
        ((ABOVE, CLOSES), None, SPEAKS),
    ],
)
def test_an_outline_says_where_the_one_reference_leads_and_who_states_it(references, target, bits):
    assert outline(item(references=references)) == (target, bits | OPEN << 3)


LATE = datetime(2026, 11, 20, 23, 30, tzinfo=timezone(timedelta(hours=-5)))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, OPEN),
        ({"closed_at": NOW}, OPEN),
        ({"state": "closed", "closed_at": NOW}, date(2026, 11, 20).toordinal()),
        ({"state": "merged", "closed_at": LATE}, date(2026, 11, 21).toordinal()),
        ({"state": "closed", "closed_at": NOW, "dropped": True}, ENDED),
        ({"state": "closed"}, ENDED),
        ({"archived": True}, UNCOUNTED),
        ({"archived": True, "state": "closed", "closed_at": NOW}, UNCOUNTED),
    ],
)
def test_an_outline_says_how_work_ended_by_the_utc_day(fields, said):
    made = outline(item(references=(ABOVE,), labels=("kr:1",), **fields))[1]
    assert end(made) == said
    assert end(uncounted(made)) == UNCOUNTED
    assert uncounted(made) == SPEAKS | STRUCTURAL | PARENT


def test_items_that_are_there_are_whole_and_apart_by_connector():
    held = [
        StoredItem(item=item(**fields), read_at=NOW, moved_at=NOW)
        for fields in ({}, {"id": "github:a/b#1", "connector": "github"}, {"id": "jira:PAY-8", "references": (NAMED,)})
    ]
    jira, github = outlined(held)
    assert (jira.connector, jira.ids, list(jira.targets)) == (
        "jira",
        ["jira:PAY-7", "jira:PAY-8"],
        [None, "jira:PAY-3"],
    )
    assert (github.connector, github.whole) == ("github", {0: held[1]})
    assert list(outlined([])) == []
