"""Small companies for which rules are proposed: goals, work and how it stands."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from okrsync.domain.findings import View
from okrsync.domain.goals import Goals, GoalsFile, Node
from okrsync.domain.links import Alignment, Target, Verdict
from okrsync.domain.work import Kind, StoredItem, WorkItem

NOW = datetime(2026, 11, 16, 8, 15, tzinfo=UTC)
GOALS: dict[str, Any] = {
    "cycle": {"id": "2026-Q4", "starts": date(2026, 10, 1), "ends": date(2026, 12, 31)},
    "bets": [{"id": "B1", "title": "Grow"}],
    "objectives": [
        {
            "id": "O1",
            "title": "Checkout keeps merchants",
            "supports": ["B1"],
            "team": "Payments",
            "key_results": [{"id": "O1.KR1", "title": "Raise conversion from 61% to 68%"}],
        },
        {
            "id": "O2",
            "title": "Nobody waits",
            "supports": ["B1"],
            "key_results": [{"id": "O2.KR1", "title": "Authorisations within 250 ms"}],
        },
    ],
    "initiatives": [
        {"id": "INIT-CHECKOUT", "title": "One-page checkout", "supports": ["O1.KR1"]},
        {"id": "INIT-WALLETS", "title": "Wallets at the till", "supports": ["O1.KR1"]},
        {"id": "INIT-TERMINAL", "title": "Terminals at the till", "supports": ["O2.KR1"]},
        {"id": "INIT-LOYALTY", "title": "Loyalty points", "supports": ["O1.KR1"], "status": "stopped"},
    ],
}


def item(key: str, title: str, *, serves: str = "", parent: str = "", team: str = "", **fields: Any):
    kind = fields.pop("kind", Kind.ISSUE)
    work = WorkItem(
        id=f"jira:{key}",
        uid=f"jira:{key}",
        connector="jira",
        key=key,
        container=key.partition("-")[0],
        kind=kind,
        type={Kind.EPIC: "Epic"}.get(kind, fields.pop("type", "Task")),
        title=title,
        url="",
        created=NOW,
        updated=NOW,
        **fields,
    )
    verdict = Verdict(
        id=work.id,
        alignment=Alignment.LINKED if serves else Alignment.UNLINKED,
        targets=(Target(node=serves, initiative=serves),) if serves else (),
        parent=f"jira:{parent}" if parent else None,
        team=team,
    )
    return work, verdict


def view(*work: tuple[WorkItem, Verdict], goals: dict[str, Any] = GOALS) -> View:
    file = GoalsFile.model_validate(goals)
    common: dict[str, Any] = {"cycle": file.cycle}
    nodes = [
        *(Node(kind="bet", id=b.id, title=b.title, parents=(), owner=None, value=b, **common) for b in file.bets),
        *(
            Node(kind="objective", id=o.id, title=o.title, parents=o.supports, owner=None, value=o, **common)
            for o in file.objectives
        ),
        *(
            Node(kind="key_result", id=k.id, title=k.title, parents=(o.id,), owner=None, value=k, **common)
            for o in file.objectives
            for k in o.key_results
        ),
        *(
            Node(kind="initiative", id=i.id, title=i.title, parents=i.supports, owner=None, value=i, **common)
            for i in file.initiatives
        ),
    ]
    assert file.cycle is not None
    return View(
        now=NOW,
        goals=Goals(nodes, [file.cycle], today=NOW.date(), grace=timedelta(days=14)),
        items={w.id: StoredItem(item=w, read_at=NOW, moved_at=NOW) for w, _ in work},
        verdicts={w.id: v for w, v in work},
    )
