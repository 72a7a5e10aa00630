"""A small world for rules and reports: goals from plain dictionaries, items and verdicts in one line each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from okrsync.domain.findings import SourceReport, View
from okrsync.domain.goals import Goals, GoalsFile, Node
from okrsync.domain.links import Alignment, Target, Verdict
from okrsync.domain.work import Kind, StoredItem, WorkItem

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)
Q4 = {"id": "2026-Q4", "starts": date(2026, 10, 1), "ends": date(2026, 12, 31)}
Q3 = {"id": "2026-Q3", "starts": date(2026, 7, 1), "ends": date(2026, 9, 30)}
YEAR = {"id": "2026", "starts": date(2026, 1, 1), "ends": date(2026, 12, 31)}


def nodes_of(file: GoalsFile, path: str = "config/okrs/q4.yaml") -> list[Node]:
    common: dict[str, Any] = {"cycle": file.cycle, "path": path, "line": 3}
    found = [Node(kind="bet", id=b.id, title=b.title, parents=(), owner=b.owner, value=b, **common) for b in file.bets]
    for o in file.objectives:
        found.append(
            Node(kind="objective", id=o.id, title=o.title, parents=o.supports, owner=o.owner, value=o, **common)
        )
        found += [
            Node(kind="key_result", id=k.id, title=k.title, parents=(o.id,), owner=k.owner, value=k, **common)
            for k in o.key_results
        ]
    found += [
        Node(kind="initiative", id=i.id, title=i.title, parents=i.supports, owner=i.owner, value=i, **common)
        for i in file.initiatives
    ]
    return found


def goals(
    *files: dict[str, Any],
    today: date = TODAY,
    chosen: str | None = None,
    grace: timedelta = timedelta(days=14),
) -> Goals:
    """Each file is a dictionary as in YAML; `cycle` is Q4 unless given (None: none)."""
    loaded = [GoalsFile.model_validate({"cycle": Q4, **f}) for f in files]
    cycles = {f.cycle.id: f.cycle for f in loaded if f.cycle}
    nodes = [n for f in loaded for n in nodes_of(f)]
    return Goals(nodes, cycles.values(), today=today, grace=grace, chosen=chosen)


def item(id_: str, **fields: Any) -> StoredItem:
    connector, key = id_.split(":", 1)
    pull = fields.pop("pull", False)
    defaults: dict[str, Any] = {
        "uid": f"{connector}:uid-{key}",
        "connector": connector,
        "key": key,
        "container": key.split("#")[0] if "#" in key else key.split("-")[0],
        "kind": Kind.PULL_REQUEST if pull else Kind.ISSUE,
        "title": f"Title of {key}",
        "url": f"https://acme.example/{key.replace('#', '/')}",
        "created": datetime(2026, 10, 20, tzinfo=UTC),
        "updated": datetime(2026, 11, 18, 9, 30, tzinfo=UTC),
        "status": "In Progress",
        "started": True,
    }
    work = WorkItem(id=id_, **{**defaults, **fields})
    return StoredItem(item=work, read_at=NOW, moved_at=work.updated)


def closed(id_: str, at: date, **fields: Any) -> StoredItem:
    moment = datetime(at.year, at.month, at.day, 12, tzinfo=UTC)
    return item(id_, **{"state": "closed", "status": "Done", "closed_at": moment, **fields})


def target(node: str, initiative: str | None = None, **fields: Any) -> Target:
    return Target(node=node, initiative=initiative, **fields)


def linked(*targets: Target, **fields: Any) -> dict[str, Any]:
    return {"alignment": Alignment.LINKED, "targets": targets, **fields}


def aligned(alignment: str, **fields: Any) -> dict[str, Any]:
    return {"alignment": Alignment(alignment), **fields}


def view(of: Goals, *work: tuple[StoredItem, dict[str, Any]], sources: tuple[SourceReport, ...] | None = None) -> View:
    """Each piece of work with the fields of its verdict."""
    return View(
        now=NOW,
        goals=of,
        items={s.item.id: s for s, _ in work},
        verdicts={s.item.id: Verdict(id=s.item.id, **fields) for s, fields in work},
        sources=(SourceReport(name="jira", complete=True, items=len(work)),) if sources is None else sources,
    )
