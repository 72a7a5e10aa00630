"""Findings are judged without keeping items: with the same result as judging everything with all its evidence."""

from __future__ import annotations

import json
from datetime import timedelta
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging_world import BOARDS, DONE, LONG_DONE, a_session, a_world, fill, stored, text_of, told, work
from linking_world import NOW
from msgspec import structs
from test_linking_properties import PLACES, items_of

from examples import examples
from okrsync import judging, rejudging
from okrsync.domain.work import Command


def judged_both_ways(counted, chased=(), failed=(), board=None, *, by_body=False, linked=None, **ways):
    """As JSON: with all evidence, and for findings alone."""
    with TemporaryDirectory() as folder, a_session(folder, text_of(by_body=by_body, linked=linked)) as session:
        fill(session, counted, chased, failed, board, **ways)
        return told(judging.judge(session)), json.loads(b"".join(rejudging.findings(session).texts))


def counts(judged, *of):
    return tuple(judged["summary"][name] for name in of)


@given(
    world=a_world,
    failed=st.sampled_from([(), (), ("github",)]),
    board=st.sampled_from(BOARDS),
    unreadable=st.sampled_from([(), (), (("jira", "P"),), (("github", "a/b"), ("jira", "Q"))]),
    older=st.just([]) | st.lists(st.sampled_from(PLACES), unique=True),
    by_body=st.booleans(),
)
@examples(160)
def test_findings_are_the_same_without_keeping_items(world, failed, board, unreadable, older, by_body):
    counted, chased = stored(world)
    ways = {"unreadable": unreadable, "older": older, "by_body": by_body}
    whole, slim = judged_both_ways(counted, chased, failed, board, **ways)
    assert slim == whole


@pytest.mark.parametrize("board", BOARDS[2:])
def test_a_dashboard_is_no_work_by_whichever_name_it_is_known(board):
    ids = ("jira:P-1", "jira:P-2", "jira:P-3", "github:a/b#2")
    world = {id_: {"refs": [], "labels": [], "milestone": ""} for id_ in ids}
    counted = {"jira": [], "github": []}
    for bare in items_of(world):
        uid = "jira:2002" if bare.item.id == "jira:P-2" else bare.item.uid
        counted[bare.item.connector].append(structs.replace(bare.item, uid=uid))
    whole, slim = judged_both_ways(counted, board=board)
    assert slim == whole
    assert slim["summary"]["open"] == 3


def test_work_that_is_counted_together_counts_as_often_as_it_is_there():
    def item(number, **fields):
        (bare,) = items_of({f"jira:P-{number}": {"refs": [], "labels": [], "milestone": ""}})
        return structs.replace(bare.item, **fields)

    exempt = [item(n, title="Upgrade Netty", author="lin") for n in range(10, 34)]
    linked = [item(n, labels=("initiative:INIT-2",)) for n in range(40, 50)]
    done = [item(n, labels=("kr:O1.KR2",), state="closed", closed_at=NOW - timedelta(days=9)) for n in range(50, 53)]
    whole, slim = judged_both_ways({"jira": [*exempt, *linked, *done, item(60, created=NOW - timedelta(days=9))]})
    assert slim == whole
    assert counts(slim, "open", "exempt", "linked", "unlinked") == (35, 24, 10, 1)
    (budget,) = (f for f in slim["findings"] if f["code"] == "OKR410")
    assert (budget["evidence"]["exempt"], budget["evidence"]["open"]) == (24, 35)
    assert "O1.KR2" not in {f["subject"]["id"] for f in slim["findings"] if f["code"] == "OKR201"}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        # what rules say of a parent that was closed long ago still ties the work below it
        ([work("jira:P-2", ("parent", "jira:P-3")), work("jira:P-3", labels=["web"], **LONG_DONE)], (1, 0, 0, 0)),
        (
            [
                work("jira:P-2", ("parent", "jira:P-3"), ("closes", "jira:P-4")),
                work("jira:P-3", **LONG_DONE),
                work("jira:P-4", labels=["web"], **LONG_DONE),
            ],
            (1, 0, 0, 0),
        ),
        # so does what stands above several of them, above one known by an old id, and above a dropped one
        (
            [
                work("jira:P-2", ("parent", "jira:P-3"), ("closes", "jira:P-4")),
                work("jira:P-3", ("parent", "jira:P-5"), **LONG_DONE),
                work("jira:P-4", ("closes", "jira:P-3"), ("key", "jira:P-6"), **LONG_DONE),
                work("jira:P-5", **LONG_DONE),
                work("jira:P-6", ("parent", "jira:P-7"), **LONG_DONE),
                work("jira:P-7", labels=["kr:O1.KR2"], **LONG_DONE),
            ],
            (1, 0, 0, 0),
        ),
        (
            [
                work("jira:P-2", ("parent", "jira:OLD-9")),
                work("jira:P-3", ("parent", "jira:P-4"), **LONG_DONE),
                work("jira:P-4", labels=["kr:O1.KR2"], dropped=True, **DONE),
            ],
            (1, 0, 0, 0),
        ),
        # what above them is unread makes unknown
        (
            [
                work("jira:P-2", ("parent", "jira:P-3")),
                work("jira:P-3", ("parent", "jira:P-4"), ("closes", "jira:P-5"), **LONG_DONE),
                work("jira:P-4", **LONG_DONE),
                work("jira:P-5", ("parent", "jira:HIDDEN-1"), **LONG_DONE),
            ],
            (0, 0, 0, 1),
        ),
        # the server names what is not there; text does
        ([work("jira:P-2", ("closes", "jira:GONE-1"))], (0, 0, 0, 1)),
        ([work("jira:P-2", ("key", "jira:GONE-1"))], (0, 0, 1, 0)),
        ([work("jira:P-2", ("parent", "jira:HIDDEN-1"))], (0, 0, 0, 1)),
        ([work("jira:P-2", ("parent", "jira:P-2"))], (0, 0, 1, 0)),
        ([work("jira:P-2", ("parent", "jira:OLD-9")), work("jira:P-3", labels=["kr:O1.KR2"])], (2, 0, 0, 0)),
        # the root of unlinked and of stale work, through what is closed
        (
            [
                work("jira:P-2", ("parent", "jira:P-3")),
                work("jira:P-3", ("parent", "jira:P-4"), **LONG_DONE),
                work("jira:P-4"),
            ],
            (0, 0, 2, 0),
        ),
        (
            [
                work("jira:P-2", ("parent", "jira:P-3")),
                work("jira:P-3", ("parent", "jira:P-4"), **LONG_DONE),
                work("jira:P-4", labels=["initiative:INIT-OLD"]),
            ],
            (0, 2, 0, 0),
        ),
        # closed work supports, linked or stale; that it is dropped or old makes it support nothing
        ([work("jira:P-2", labels=["kr:O1.KR2"], **DONE), work("jira:P-3", labels=["web"], **DONE)], (0, 0, 0, 0)),
        ([work("jira:P-2", labels=["kr:O1.KR2"], **LONG_DONE)], (0, 0, 0, 0)),
        ([work("jira:P-2", labels=["kr:O1.KR2"], dropped=True, **DONE)], (0, 0, 0, 0)),
        # what one item says is not taken for what another says
        (
            [
                work("jira:P-2", ("closes", "jira:P-4"), ("key", "jira:P-4")),
                work(
                    "jira:P-3", commands=(Command(author="a", entitled=True, text="/okr link O2", at=NOW, comment="1"),)
                ),
                work("jira:P-4", milestone_body="Objective: soon"),
                work("jira:P-5", milestone_body="OKR: O2"),
            ],
            (2, 0, 2, 0),
        ),
        # unlike its parent
        (
            [work("jira:P-2", ("parent", "jira:P-3"), labels=["objective:O2"]), work("jira:P-3", okr=("O1",))],
            (2, 0, 0, 0),
        ),
    ],
)
def test_each_way_leads_to_the_same_findings(items, expected):
    whole, slim = judged_both_ways({"jira": items})
    assert slim == whole
    assert counts(slim, "linked", "stale", "unlinked", "unknown") == expected


def test_a_parent_is_told_by_its_present_id_and_nobody_is_his_own():
    own = work("jira:P-2", ("parent", "jira:P-2"))
    moved = work("jira:P-4", ("parent", "jira:OLD-9"), labels=["objective:O3"])
    for judged in judged_both_ways({"jira": [own, moved, work("jira:P-3", labels=["objective:O1"])]}):
        found = [(f["subject"]["id"], f["code"], f["evidence"]) for f in judged["findings"]]
        parents = {id_: (code, evidence["parent"]) for id_, code, evidence in found if "parent" in evidence}
        assert parents == {"jira:P-2": ("OKR101", None), "jira:P-4": ("OKR104", "jira:P-3")}
