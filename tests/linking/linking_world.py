"""A small company for the tests of linking: goals of three cycles, and short ways to write down work."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from okrsync.domain.goals import Bet, Cycle, Goals, Initiative, KeyResult, Node, Objective
from okrsync.domain.work import Kind, Reference, StoredItem, Trailer, Via, WorkItem
from okrsync.linking import Context

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
Q2 = Cycle(id="2026-Q2", starts=date(2026, 4, 1), ends=date(2026, 6, 30))
Q4 = Cycle(id="2026-Q4", starts=date(2026, 10, 1), ends=date(2026, 12, 31))


def nodes_of(cycle, bets=(), objectives=(), initiatives=()):
    for bet in bets:
        yield node("bet", bet, cycle, ())
    for objective in objectives:
        yield node("objective", objective, cycle, objective.supports)
        for kr in objective.key_results:
            yield node("key_result", kr, cycle, (objective.id,))
    for initiative in initiatives:
        yield node("initiative", initiative, cycle, initiative.supports)


def node(kind, value, cycle, parents):
    return Node(kind=kind, id=value.id, title=value.title, cycle=cycle, parents=parents, owner=value.owner, value=value)


def goals(today=TODAY, work=(), grace=timedelta(days=14)):
    q4 = nodes_of(
        Q4,
        [Bet(id="B1", title="Self-serve payments")],
        [
            Objective(
                id="O1",
                title="Checkout keeps merchants",
                supports=("B1",),
                team="Payments",
                key_results=(
                    KeyResult(id="O1.KR1", title="61% to 68%", target=68),
                    KeyResult(id="O1.KR2", title="0.4%"),
                ),
            ),
            Objective(id="O2", title="A web team objective", level="team", supports=("O1",), team="Web"),
            # objectives that support each other in a loop
            Objective(id="O3", title="Round", level="team", supports=("O4",)),
            Objective(id="O4", title="and round", level="team", supports=("O3",)),
        ],
        [
            Initiative(id="INIT-1", title="One-page checkout", supports=("O1.KR1",), work=work),
            Initiative(id="INIT-2", title="Web speed", supports=("O2",)),
            Initiative(id="INIT-DONE", title="Done", supports=("O1.KR1",), status="done", ended=date(2026, 10, 15)),
            Initiative(
                id="INIT-JUST", title="Just done", supports=("O1.KR1",), status="done", ended=date(2026, 11, 15)
            ),
        ],
    )
    q2 = nodes_of(
        Q2, (), [Objective(id="OLD", title="Spring")], [Initiative(id="INIT-OLD", title="Past", supports=("OLD",))]
    )
    return Goals([*q4, *q2], [Q2, Q4], today=today, grace=grace)


def context(**changes):
    return Context(**({"today": TODAY, "connectors": frozenset({"jira", "github"})} | changes))


def item(id_, *refs, labels=(), trailers=(), kind=Kind.ISSUE, **more):
    """`refs`: ("parent", target), ("key", target) ...; keys stand in text, the others are structural.
    `trailers`: ("okr", "O1", "INIT-2")."""
    connector, _, key = id_.partition(":")
    container = key.partition("#")[0] if "#" in key else key.rpartition("-")[0]
    fields = {
        "id": id_,
        "uid": id_,
        "connector": connector,
        "key": key,
        "container": container,
        "kind": kind,
        "title": f"Title of {key}",
        "url": f"https://example.test/{key}",
        "created": NOW,
        "updated": NOW,
        "labels": tuple(labels),
        "trailers": tuple(Trailer(kind=t[0], ids=tuple(t[1:])) for t in trailers),
        "references": tuple(
            Reference(via=Via(via), target=target, structural=via != "key", detail=f"said so ({via})")
            for via, target in refs
        ),
    }
    return WorkItem(**(fields | more))


def stored(*args, chased=False, aliases=(), **more):
    return StoredItem(item=item(*args, **more), read_at=NOW, moved_at=NOW, chased=chased, aliases=aliases)


def pull_request(title="A change", body="", branch="", **more):
    more = {"url": "https://github.com/acme/web/pull/1"} | more
    return item("github:acme/web#1", kind=Kind.PULL_REQUEST, title=title, body=body, branch=branch, **more)
