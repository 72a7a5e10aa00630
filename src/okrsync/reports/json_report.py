"""The report as JSON, and the shape that `okrsync findings --format json` shares with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from okrsync.domain.findings import Finding, SourceReport, Summary, View
from okrsync.domain.goals import Cycle
from okrsync.domain.text import iso

from .csv_report import values
from .model import Report, RunInfo, shown_findings
from .moves import Move
from .tree import ObjectiveRow
from .work import TeamRow


def findings_json(view: View, findings: Sequence[Finding], run: RunInfo, *, restricted: bool = False) -> dict[str, Any]:
    """`{"run", "summary", "findings"}`. Titles of restricted items are left out unless asked for."""
    shown = shown_findings(view, findings, restricted=restricted)
    return _head(
        run,
        shown,
        cycle=view.goals.cycle,
        complete=view.complete,
        sources=view.sources,
        summary=Summary.of(view),
    )


def _head(
    run: RunInfo,
    findings: Sequence[Finding],
    *,
    cycle: Cycle | None,
    complete: bool,
    sources: Sequence[SourceReport],
    summary: Summary,
) -> dict[str, Any]:
    return {
        "run": {
            "id": run.id,
            "at": iso(run.at),
            "cycle": cycle.id if cycle else None,
            "complete": complete,
            "sources": [s.json() for s in sources],
        },
        "summary": msgspec.structs.asdict(summary),
        "findings": [f.json() for f in findings],
    }


def report_json(report: Report) -> dict[str, Any]:
    """The shape of `findings_json` with `work` (the CSV's columns), `goals`, `history` and what the page shows
    besides: `headline`, `moves`, `unlinked`, `efforts`, `exempt`, `unread`."""
    return {
        **_head(
            report.run,
            report.findings,
            cycle=report.cycle,
            complete=report.complete,
            sources=report.sources,
            summary=report.summary,
        ),
        "work": [values(row) for row in report.work],
        "goals": {
            "cycle": _cycle(report.cycle),
            "bets": [_plain(b, without=("objectives",)) for b in report.bets],
            "objectives": [
                _plain(o, without=("below", "also", "key_results"))
                | {"key_results": [_plain(k, without=("examples",)) for k in o.key_results]}
                for o in _flat((*(o for b in report.bets for o in b.objectives), *report.loose))
            ],
            "initiatives": [_plain(i) for i in report.initiatives],
        },
        "history": [
            {
                "run": p.run,
                "at": iso(p.at),
                "cycle": p.cycle,
                "complete": p.complete,
                "summary": msgspec.structs.asdict(p.summary),
                "in_progress": msgspec.structs.asdict(p.in_progress) if p.in_progress else None,
            }
            for p in report.history
        ],
        "headline": {
            "alignment_rate": report.rate,
            "withheld": report.withheld,
            "in_progress": msgspec.structs.asdict(report.in_progress),
            "backlog": msgspec.structs.asdict(report.backlog),
        },
        "moves": [_move(m) for m in report.moves],
        "unlinked": [_team(t) for t in report.teams],
        "efforts": [_plain(e, without=("rows",)) | {"goals": [_plain(r) for r in e.rows]} for e in report.efforts],
        "exempt": [_plain(e) for e in report.exempt],
        "unread": [_plain(u) for u in report.unread],
    }


def render_json(report: Report) -> str:
    return json.dumps(report_json(report), ensure_ascii=False, indent=2) + "\n"


def _team(team: TeamRow) -> dict[str, Any]:
    """`suggestions`: of the first roots, those that may belong to an initiative."""
    return {
        "team": team.name,
        "known": team.known,
        "roots": len(team.roots),
        "items": team.items,
        "suggestions": [
            {"id": root.row.id, "suggestions": [one.json() for one in root.suggestions]}
            for root in team.roots
            if root.suggestions
        ],
    }


def _move(move: Move) -> dict[str, Any]:
    causes = [_plain(c) for c in move.causes]
    at = iso(move.at) if move.at else None
    return _plain(move, without=("causes",)) | {"at": at, "points": move.points, "causes": causes}


def _cycle(cycle: Cycle | None) -> dict[str, str] | None:
    if cycle is None:
        return None
    return {"id": cycle.id, "starts": cycle.starts.isoformat(), "ends": cycle.ends.isoformat()}


def _plain(row: msgspec.Struct, without: Sequence[str] = ()) -> dict[str, Any]:
    """A row's fields; `closed` is spelled `closed_in_cycle` as in the findings' evidence."""
    names = {"closed": "closed_in_cycle"}
    fields = {names.get(k, k): v for k, v in msgspec.structs.asdict(row).items() if k not in without}
    return {
        k: v.isoformat() if isinstance(v, date) else list(v) if isinstance(v, tuple) else v for k, v in fields.items()
    }


def _flat(rows: Sequence[ObjectiveRow]) -> list[ObjectiveRow]:
    """Each objective before those below it."""
    found: list[ObjectiveRow] = []
    waiting = list(reversed(rows))
    while waiting:
        row = waiting.pop()
        found.append(row)
        waiting.extend(reversed(row.below))
    return found
