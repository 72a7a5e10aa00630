"""Findings are judged without keeping items: with the same result as judging everything with all its evidence."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linking_world import NOW
from msgspec import structs
from test_linking_properties import LABELS, MILESTONES, NOWHERE, PLACES, UNREACHABLE, a_reference, items_of

from examples import examples
from okrsync import judging
from okrsync.bootstrap import open_session
from okrsync.domain.changes import Change, JournalState, Op
from okrsync.domain.trackers import Batch
from okrsync.domain.work import Command, Kind, Trailer

WORKSPACE = {
    "config/okrsync.yaml": "store: sqlite:///okrsync.db\n",
    "config/okrs/q2.yaml": """
cycle: {id: 2026-Q2, starts: 2026-04-01, ends: 2026-06-30}
objectives:
  - {id: OLD, title: Spring, level: company}
initiatives:
  - {id: INIT-OLD, title: Past, supports: [OLD]}
""",
    "config/okrs/q4.yaml": """
cycle: {id: 2026-Q4, starts: 2026-10-01, ends: 2026-12-31}
bets:
  - {id: B1, title: Self-serve payments}
objectives:
  - id: O1
    title: Checkout keeps merchants
    level: company
    supports: [B1]
    key_results:
      - {id: O1.KR1, title: From 61% to 68%, baseline: 61, target: 68}
      - {id: O1.KR2, title: From 0.7% to 0.4%, baseline: 0.7, target: 0.4}
  - {id: O2, title: A web team objective, level: team, team: Web, supports: [O1]}
  - {id: O3, title: Quite another one, level: company, supports: [B1]}
initiatives:
  - {id: INIT-1, title: One-page checkout, supports: [O1.KR1], work: ["jira:P-1"]}
  - {id: INIT-2, title: Web speed, supports: [O2]}
""",
    "connectors/jira.yaml": "type: jira\nurl: https://jira.example\nemail: a@jira.example\nprojects: [P]\n",
    "connectors/github.yaml": "type: github\nurl: https://api.github.com\nrepos: [a/b]\n",
    "mappings/rules.yaml": """
rules:
  - {name: past, when: {labels: old}, exempt: tech-debt, until: 2026-11-01}
  - {name: lapsed, when: {labels: [old, web]}, link: INIT-2, until: 2026-11-01}
  - {name: web, when: {labels: web, kind: [issue, epic]}, link: INIT-2}
  - {name: upgrades, when: {title: "(?i)^upgrade", author: {none: ada}}, exempt: parity}
  - {name: new, when: {created: {newer: 2d}, project: P}, link: INIT-OLD}
  - {name: team, when: {repo: b}, team: Web}
budgets: {parity: 0.1}
""",
}
SPELLED = [" KR : o1.kr2", "OBJECTIVE-o1", "Initiative /INIT-1", "exempt - discovery", "kr-", "initiatives: INIT-1"]
BY_BODY = '  - {name: launch, when: {body: "(?i)launch"}, link: O1.KR2}\n'


def seldom(strategy, otherwise):
    """Most items say nothing themselves."""
    return st.integers(0, 7).flatmap(lambda n: st.just(otherwise) if n else strategy)


a_way = a_reference | st.tuples(st.sampled_from(["parent", "closes", "key"]), st.sampled_from(NOWHERE))
a_piece = st.fixed_dictionaries(
    {
        "refs": st.lists(a_way, max_size=1) | st.lists(a_way, max_size=3, unique=True),
        "labels": st.just([])
        | st.lists(st.sampled_from(["old", "web", "Web", *SPELLED, *LABELS]), max_size=3, unique=True),
        "milestone": seldom(st.sampled_from(list(MILESTONES)), ""),
    }
)
a_command = st.tuples(
    st.sampled_from(
        ["/okr link INIT-2", "/okr exempt parity until 2026-11-01", "/okr link NOPE", "thanks", "/okr unlink"]
    ),
    st.booleans(),
)
more = st.fixed_dictionaries(
    {
        "okr": seldom(st.sampled_from([("O2",), ("O3",), ("INIT-99",)]), ()),
        "trailers": seldom(
            st.sampled_from([(Trailer(kind=k, ids=(i,)),) for k, i in (("kr", "O1.KR1"), ("okr", "x"))]), ()
        ),
        "commands": seldom(st.lists(a_command, min_size=1, max_size=2).map(tuple), ()),
        "body": st.sampled_from(["", "for the launch of it"]),
        "title": st.sampled_from(["Upgrade Netty", "upgrade", "Something else", "P-1: a change", "p 12: a change"]),
        "author": st.sampled_from(["ada", "lin"]),
        "kind": st.sampled_from([Kind.ISSUE, Kind.EPIC, Kind.PULL_REQUEST]),
        "created": st.sampled_from([NOW - timedelta(days=1), NOW - timedelta(days=9)]),
        "state": st.sampled_from(["open", "closed"]),
        "dropped": seldom(st.just(True), False),
        "archived": seldom(st.just(True), False),
        "days": st.integers(0, 90),
    }
)
a_world = st.dictionaries(st.sampled_from(PLACES), st.tuples(a_piece, more, st.integers(0, 6)), min_size=1)


def stored(world):
    """Counted items by connector, and chased ones."""
    counted: dict[str, list] = {"jira": [], "github": []}
    chased = []
    for bare in items_of({id_: piece for id_, (piece, _, _) in world.items()}):
        item = bare.item
        _, facts, chance = world[item.id]
        closed = facts["state"] != "open"
        fields = {k: v for k, v in facts.items() if k != "days"}
        if item.id == "jira:P-2":
            fields["uid"] = "jira:2002"
        fields["closed_at"] = NOW - timedelta(days=facts["days"]) if closed else None
        fields["commands"] = tuple(
            Command(author="ada", entitled=entitled, text=text, at=NOW + timedelta(minutes=n), comment=str(n))
            for n, (text, entitled) in enumerate(facts["commands"])
        )
        made = type(item)(**({f: getattr(item, f) for f in item.__struct_fields__} | fields))
        (chased if chance == 0 else counted[item.connector]).append(made)
    return counted, chased


def judged_both_ways(counted, chased=(), failed=(), board=None, *, unreadable=(), older=(), by_body=False):
    """With all evidence, and for findings alone. `board`: the place of a dashboard issue and what its tracker calls it;
    `older`: ids of items that another version stored, `by_body`: whether a rule asks for what no brief holds."""
    with TemporaryDirectory() as folder:
        for name, text in WORKSPACE.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("budgets:", f"{BY_BODY}budgets:") if by_body else text)
        with open_session(Path(folder), env={}, clock=lambda: NOW) as session:
            for connector, items in counted.items():
                session.store.save_batches(connector, [Batch(slice="all", items=tuple(items))], read_at=NOW)
            session.store.save_chased(chased, read_at=NOW, moved={"jira:OLD-9": "jira:P-3"})
            unreachable = {id_: why for id_, why in UNREACHABLE.items() if id_ in NOWHERE}
            session.store.save_unreachable(
                missing=[i for i, why in unreachable.items() if why == "missing"],
                forbidden=[i for i, why in unreachable.items() if why == "forbidden"],
                found=[],
            )
            with closing(sqlite3.connect(Path(folder) / "okrsync.db")) as database, database:
                for n, id_ in enumerate(older):
                    columns = ("brief = x'93010203'", "brief = NULL, target = NULL, outline = NULL")[n % 2]
                    database.execute(f"UPDATE items SET {columns} WHERE id = ?", (id_,))
            sources = [
                {"name": c, "complete": c not in failed, "unreadable": [u for of, u in unreadable if of == c]}
                for c in ("jira", "github")
            ]
            session.store.set_meta("sources", json.dumps(sources))
            session.store.set_meta("projects", json.dumps({"P": "jira"}))
            if board:
                place, ref = board
                change = Change(
                    op=Op.CREATE_ISSUE, target=place, uid=f"dashboard:{place}", value="", because="dashboard"
                )
                (seq,) = session.store.intend([change], run="r1", at=NOW)
                session.store.settle(seq, JournalState.CONFIRMED, at=NOW, comment_id=ref)
            return judging.judge(session), judging.judge_findings(session)


BOARDS = [None, None, ("github:a/b", "2"), ("jira:P", "P-1"), ("jira:P", "2002"), ("jira:OLD", "OLD-9")]


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
    assert slim.findings == whole.findings
    assert slim.summary == whole.summary
    assert all(slim.view.verdicts[f.subject.id].lost == () for f in slim.findings if f.subject.id in world)


@pytest.mark.parametrize("board", BOARDS[2:])
def test_a_dashboard_is_no_work_by_whichever_name_it_is_known(board):
    ids = ("jira:P-1", "jira:P-2", "jira:P-3", "github:a/b#2")
    world = {id_: {"refs": [], "labels": [], "milestone": ""} for id_ in ids}
    counted = {"jira": [], "github": []}
    for bare in items_of(world):
        uid = "jira:2002" if bare.item.id == "jira:P-2" else bare.item.uid
        counted[bare.item.connector].append(structs.replace(bare.item, uid=uid))
    whole, slim = judged_both_ways(counted, board=board)
    assert slim.findings == whole.findings
    assert slim.summary == whole.summary
    assert slim.summary.open == 3


def test_work_that_is_counted_together_counts_as_often_as_it_is_there():
    def item(number, **fields):
        (bare,) = items_of({f"jira:P-{number}": {"refs": [], "labels": [], "milestone": ""}})
        return structs.replace(bare.item, **fields)

    exempt = [item(n, title="Upgrade Netty", author="lin") for n in range(10, 34)]
    linked = [item(n, labels=("initiative:INIT-2",)) for n in range(40, 50)]
    done = [item(n, labels=("kr:O1.KR2",), state="closed", closed_at=NOW - timedelta(days=9)) for n in range(50, 53)]
    whole, slim = judged_both_ways({"jira": [*exempt, *linked, *done, item(60, created=NOW - timedelta(days=9))]})
    assert slim.findings == whole.findings
    assert slim.summary == whole.summary
    assert (slim.summary.open, slim.summary.exempt, slim.summary.linked, slim.summary.unlinked) == (35, 24, 10, 1)
    (budget,) = (f for f in slim.findings if f.code == "OKR410")
    assert (budget.evidence["exempt"], budget.evidence["open"]) == (24, 35)
    assert "O1.KR2" not in {f.subject.id for f in slim.findings if f.code == "OKR201"}
    assert len(slim.view.known) < 6


def work(id_, *refs, **fields):
    (bare,) = items_of({id_: {"refs": list(refs), "labels": fields.pop("labels", ()), "milestone": ""}})
    fields = {"title": "Something", "created": NOW - timedelta(days=9)} | fields
    return structs.replace(bare.item, **fields)


LONG_DONE = {"state": "closed", "closed_at": NOW - timedelta(days=80)}
DONE = {"state": "closed", "closed_at": NOW - timedelta(days=5)}


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
    assert slim.findings == whole.findings
    assert slim.summary == whole.summary
    assert (slim.summary.linked, slim.summary.stale, slim.summary.unlinked, slim.summary.unknown) == expected


def test_a_parent_is_told_by_its_present_id_and_nobody_is_his_own():
    own = work("jira:P-2", ("parent", "jira:P-2"))
    moved = work("jira:P-4", ("parent", "jira:OLD-9"), labels=["objective:O3"])
    for judged in judged_both_ways({"jira": [own, moved, work("jira:P-3", labels=["objective:O1"])]}):
        parents = {f.subject.id: (f.code, f.evidence["parent"]) for f in judged.findings if "parent" in f.evidence}
        assert parents == {"jira:P-2": ("OKR101", None), "jira:P-4": ("OKR104", "jira:P-3")}
