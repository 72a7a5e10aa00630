"""One believable quarter, for looking at reports and for testing them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from findings.goal_world import NOW, aligned, closed, goals, item, linked, target, view
from okrsync.domain.findings import SourceReport, Summary, View
from okrsync.domain.links import UnknownId
from okrsync.domain.settings import ReportSettings, RulesSettings
from okrsync.domain.storage import RunRecord
from okrsync.domain.work import Kind, StoredItem
from okrsync.findings import evaluate
from okrsync.reports import Report, RunInfo, build
from okrsync.reports.moves import CAUSES, Cause, Move

RUN = RunInfo(id="20261120T081500Z-7f3a", at=NOW)

FILE: dict[str, Any] = {
    "bets": [
        {"id": "B1", "title": "Win the mid-market with self-serve payments", "owner": "Ada Park", "weight": 60},
        {"id": "B2", "title": "Be the calmest platform to operate", "owner": "Kim Osei", "weight": 30},
    ],
    "objectives": [
        {
            "id": "O1",
            "title": "Checkout is the reason merchants stay",
            "level": "company",
            "supports": ["B1"],
            "owner": "Ada Park",
            "team": "Payments",
            "weight": 40,
            "key_results": [
                {
                    "id": "O1.KR1",
                    "title": "Raise checkout conversion from 61% to 68%",
                    "owner": "Lin Wu",
                    "baseline": 61,
                    "target": 68,
                    "current": 63.5,
                    "unit": "%",
                    "as_of": date(2026, 11, 15),
                    "confidence": 0.6,
                },
                {
                    "id": "O1.KR2",
                    "title": "Bring chargebacks below 0.4% of volume",
                    "owner": "Sam Roy",
                    "baseline": 0.7,
                    "target": 0.4,
                    "unit": "%",
                    "supported_elsewhere": {
                        "what": "bank negotiations",
                        "owner": "Sam Roy",
                        "review_by": date(2026, 12, 15),
                    },
                },
                {
                    "id": "O1.KR3",
                    "title": "Sign 40 merchants from the waiting list",
                    "owner": "Payments team",
                    "baseline": 0,
                    "target": 40,
                    "current": 9,
                },
            ],
        },
        {
            "id": "T1",
            "title": "Paying takes one page on every phone",
            "level": "team",
            "supports": ["O1"],
            "team": "Web",
            "owner": "Noor Haddad",
            "weight": 20,
            "key_results": [
                {
                    "id": "T1.KR1",
                    "title": "Cut median time to pay from 74 s to 40 s",
                    "owner": "Noor Haddad",
                    "baseline": 74,
                    "target": 40,
                    "current": 52,
                    "unit": "s",
                    "as_of": date(2026, 11, 18),
                },
            ],
        },
        {
            "id": "O2",
            "title": "Nobody is woken at night for a reason we knew",
            "level": "company",
            "supports": ["B2"],
            "owner": "Kim Osei",
            "weight": 30,
            "key_results": [
                {
                    "id": "O2.KR1",
                    "title": "Halve the pages between 22:00 and 06:00",
                    "owner": "Jo Brandt",
                    "baseline": 46,
                    "target": 23,
                    "current": 41,
                    "unit": "pages a week",
                    "confidence": 0.3,
                },
                {"id": "O2.KR2", "title": "Restore a region within XX minutes", "owner": "Jo Brandt"},
            ],
        },
        {"id": "O3", "title": "Hiring feels like us", "level": "company", "owner": "TBD"},
    ],
    "initiatives": [
        {
            "id": "INIT-CHECKOUT",
            "title": "One-page checkout",
            "supports": ["O1.KR1", "T1.KR1"],
            "owner": "Lin Wu",
            "team": "Web",
        },
        {"id": "INIT-QUIET", "title": "Quiet nights", "supports": ["O2.KR1"], "owner": "Jo Brandt", "team": "Platform"},
        {"id": "INIT-LEDGER", "title": "New ledger", "supports": ["O1"], "owner": "Sam Roy"},
        {
            "id": "INIT-OLD",
            "title": "Wallet pilot",
            "supports": ["O1.KR1"],
            "owner": "Lin Wu",
            "status": "stopped",
            "ended": date(2026, 10, 20),
        },
    ],
}

CHECKOUT = target(
    "INIT-CHECKOUT",
    "INIT-CHECKOUT",
    key_results=("O1.KR1", "T1.KR1"),
    objectives=("O1", "T1"),
    ancestors=("O1",),
    bets=("B1",),
)
QUIET = target("INIT-QUIET", "INIT-QUIET", key_results=("O2.KR1",), objectives=("O2",), bets=("B2",))
OLD = target(
    "INIT-OLD",
    "INIT-OLD",
    key_results=("O1.KR1",),
    objectives=("O1",),
    bets=("B1",),
    active=False,
    ended=date(2026, 10, 20),
    cycle="2026-Q4",
)

TITLES = (
    "Remember the last used card",
    "Apple Pay on the one-page form",
    "Show fees before the last step",
    "Retry declined cards once",
    "Address lookup for Swiss merchants",
    "Move receipts to the new mail service",
    "Refund from the order list",
    "Tidy the settlement export",
)


def sample_view(*, failed: bool = False) -> View:
    bump = aligned("exempt", exempt_class="operational-health", team="Web")
    merged = {"title": "Ship the new card form", "pull": True, "state": "merged", "status": "merged"}
    quiet = "Silence the disk alert that heals itself"
    below = aligned("unlinked", parent="jira:WEB-1", team="Web")
    audit = aligned("exempt", exempt_class="compliance")
    lapsed = ("compliance", date(2026, 10, 31))
    apart = {"parent": "jira:OPS-1", "own_objectives": ("T1",), "parent_objectives": ("O2",)}
    slip = UnknownId(
        via="label", id="INIT-CHEKOUT", detail="initiative:INIT-CHEKOUT", suggestion="; did you mean 'INIT-CHECKOUT'?"
    )
    work: list[tuple[StoredItem, dict[str, Any]]] = [
        *(
            (item(f"jira:PAY-{n}", title=TITLES[n % 8], started=n > 12), linked(CHECKOUT, team="Payments"))
            for n in range(1, 46)
        ),
        *((item(f"github:acme/ops#{n}", title=quiet, pull=n % 2 == 0), linked(QUIET)) for n in range(1, 15)),
        *((closed(f"github:acme/web#{n}", date(2026, 11, n), **merged), linked(CHECKOUT)) for n in range(1, 9)),
        (item("jira:WEB-1", title="Rework the merchant settings", kind=Kind.EPIC), aligned("unlinked", team="Web")),
        *((item(f"jira:WEB-{n}", title=TITLES[n % 8], started=n > 20), below) for n in range(2, 27)),
        *((item(f"jira:WEB-{n}", title=TITLES[n % 8]), aligned("unlinked", team="Web")) for n in range(30, 36)),
        *((item(f"github:acme/tools#{n}", title="Try the faster bundler"), aligned("unlinked")) for n in range(40, 44)),
        *((item(f"jira:PAY-{n}", title="Wallet: feedback"), aligned("stale", targets=(OLD,))) for n in range(60, 66)),
        *((item(f"github:acme/web#{n}", title=f"Bump library {n}", pull=True), bump) for n in range(101, 118)),
        *((item(f"jira:LAW-{n}", title="Answer the auditor", restricted=True), audit) for n in range(1, 7)),
        (item("jira:WEB-50", title="Cookie banner"), aligned("unlinked", expired=lapsed, team="Web")),
        (item("jira:PAY-90", title="Loyalty points"), linked(CHECKOUT, unknown_ids=(slip,))),
        (item("jira:PAY-91", title="Gift cards"), linked(CHECKOUT, **apart)),
    ]
    github = SourceReport(name="github", complete=True, items=44)
    if failed:
        missed = aligned("unknown", why="github could not be read")
        work += [(item(f"github:acme/api#{n}", title="Unread"), missed) for n in range(1, 40)]
        github = SourceReport(name="github", complete=False, items=44, error="rate limited until 09:00Z")
    return view(goals(FILE), *work, sources=(SourceReport(name="jira", complete=True, items=90), github))


def sample_history() -> list[RunRecord]:
    found = []
    for n in range(60):
        share = 0.38 + n * 0.003 + (n % 7) * 0.006
        gone = n == 25
        summary = Summary(
            open=125,
            linked=int(share * 100),
            stale=6,
            exempt=23,
            unlinked=94 - int(share * 100),
            unknown=40 if gone else 2,
            alignment_rate=share,
        )
        found.append(
            RunRecord(
                id=f"run-{n:02}",
                at=NOW - timedelta(days=60 - n),
                cycle="2026-Q4",
                complete=not gone,
                summary=summary,
                in_progress=summary,
                sources=(),
            )
        )
    return found[::-1]


def sample_moves() -> tuple[Move, ...]:
    """A quiet quarter of an hour, and a week in which everything changed."""
    last = [Cause(name=name, points=0) for name in CAUSES]
    week = [
        Cause(name="work", points=6.5, entered=12, left=7, gained=3, lost=1),
        Cause(name="goals", points=-4.1, lost=6, details=("ended: INIT-OLD", "added: T1, T1.KR1")),
        Cause(name="mapping", points=19.2, gained=21, other=2, details=("added: checkout work, quiet nights",)),
        Cause(name="coverage", points=0.4, gained=1, details=("new in scope: github:acme/ops",)),
    ]
    return (
        Move(
            since="last run",
            run="run-59",
            at=NOW - timedelta(minutes=15),
            before=0.6712,
            after=0.6712,
            causes=tuple(last),
        ),
        Move(
            since="last week", run="run-53", at=NOW - timedelta(days=7), before=0.4513, after=0.6712, causes=tuple(week)
        ),
    )


def sample_report(*, failed: bool = False, settings: ReportSettings | None = None) -> Report:
    seen = sample_view(failed=failed)
    return build(
        seen,
        evaluate(seen, RulesSettings()),
        run=RUN,
        settings=settings or ReportSettings(),
        history=sample_history(),
        moves=sample_moves(),
    )


def many_unlinked(items: int) -> Report:
    """As many unlinked items, in trees of two, over 40 teams."""
    work = []
    for n in range(0, items, 2):
        team = f"Team {n % 40}"
        work.append((item(f"jira:BIG-{n}", title=f"Root number {n}"), aligned("unlinked", team=team)))
        below = aligned("unlinked", team=team, parent=f"jira:BIG-{n}")
        work.append((item(f"jira:BIG-{n + 1}", title=f"Task number {n + 1}"), below))
    seen = view(goals(FILE), *work)
    return build(seen, evaluate(seen, RulesSettings()), run=RUN, settings=ReportSettings())
