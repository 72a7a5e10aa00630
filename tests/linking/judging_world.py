"""A workspace and random stores of work to judge, in every way that linking knows."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from hypothesis import strategies as st
from linking_world import NOW
from msgspec import structs
from test_linking_properties import LABELS, MILESTONES, NOWHERE, PLACES, UNREACHABLE, a_reference, items_of

from okrsync import reports
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


def text_of(*, by_body=False, ages=True, linked=None):
    """The files: whether a rule asks for what no brief holds, or for the time; what `remote_links` is in the YAML."""
    files = dict(WORKSPACE)
    if linked:
        files["connectors/jira.yaml"] += f"remote_links: {linked}\n"
    if by_body:
        files["mappings/rules.yaml"] = files["mappings/rules.yaml"].replace("budgets:", f"{BY_BODY}budgets:")
    if not ages:
        lines = files["mappings/rules.yaml"].splitlines(keepends=True)
        files["mappings/rules.yaml"] = "".join(line for line in lines if "created:" not in line)
    return files


@contextmanager
def a_session(folder, files, *, clock=lambda: NOW, env=None):
    for name, text in files.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with open_session(Path(folder), env=env or {}, clock=clock) as session:
        yield session


def fill(session, counted, chased=(), failed=(), board=None, *, unreadable=(), older=()):
    """`board`: the place of a dashboard issue and what its tracker calls it; `older`: ids of items that another version
    stored."""
    for connector, items in counted.items():
        session.store.save_batches(connector, [Batch(slice="all", items=tuple(items))], read_at=NOW)
    session.store.save_chased(chased, read_at=NOW, moved={"jira:OLD-9": "jira:P-3"})
    unreachable = {id_: why for id_, why in UNREACHABLE.items() if id_ in NOWHERE}
    session.store.save_unreachable(
        missing=[i for i, why in unreachable.items() if why == "missing"],
        forbidden=[i for i, why in unreachable.items() if why == "forbidden"],
        found=[],
    )
    if older:
        with closing(sqlite3.connect(session.store.file)) as database, database:
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
        change = Change(op=Op.CREATE_ISSUE, target=place, uid=f"dashboard:{place}", value="", because="dashboard")
        (seq,) = session.store.intend([change], run="r1", at=NOW)
        session.store.settle(seq, JournalState.CONFIRMED, at=NOW, comment_id=ref)


def told(judged):
    """The JSON of `findings` by judging everything with all its evidence."""
    run = reports.RunInfo(id=judged.run, at=judged.at)
    return reports.findings_json(judged.view, judged.findings, run)


def work(id_, *refs, **fields):
    (bare,) = items_of({id_: {"refs": list(refs), "labels": fields.pop("labels", ()), "milestone": ""}})
    fields = {"title": "Something", "created": NOW - timedelta(days=9)} | fields
    return structs.replace(bare.item, **fields)


LONG_DONE = {"state": "closed", "closed_at": NOW - timedelta(days=80)}
DONE = {"state": "closed", "closed_at": NOW - timedelta(days=5)}
BOARDS = [None, None, ("github:a/b", "2"), ("jira:P", "P-1"), ("jira:P", "2002"), ("jira:OLD", "OLD-9")]
