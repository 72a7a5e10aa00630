"""Finished runs, since when findings are open, and the values of key results over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from okrsync.domain.findings import Finding, KrValue
from okrsync.domain.storage import RunRecord
from okrsync.domain.text import clean
from okrsync.domain.work import Kind

from .chunks import chunks
from .database import upsert
from .schema import LIVE, findings, items, kr_values, runs

_WORK = frozenset(kind.value for kind in Kind)
_OPEN = findings.c.closed_run.is_(None)

# code, kind of subject, and the subject's uid (work) or id (goals)
_Key = tuple[str, str, str]


def record_run(c: Connection, run: RunRecord, found: Sequence[Finding], values: Sequence[KrValue]) -> None:
    """Only a complete run closes findings: what an incomplete one does not see may still be there."""
    run_id = clean(run.id)
    data = clean(msgspec.json.encode(run).decode())
    upsert(c, runs, [{"id": run_id, "at": run.at, "complete": run.complete, "data": data}])

    seen = _keys(c, found)
    open_: dict[_Key, str] = {
        (row.code, row.kind, row.subject): row.opened_run for row in c.execute(select(findings).where(_OPEN))
    }
    names = ("code", "kind", "subject")
    fresh = [
        {**dict(zip(names, key, strict=True)), "opened_run": run_id, "closed_run": None}
        for key in sorted(seen - open_.keys())
    ]
    upsert(c, findings, fresh)
    if run.complete:
        gone = [
            {**dict(zip(names, key, strict=True)), "opened_run": open_[key], "closed_run": run_id}
            for key in sorted(open_.keys() - seen)
        ]
        upsert(c, findings, gone)
    _keep_values(c, run_id, run.at, values)


def all_runs(c: Connection, limit: int) -> list[RunRecord]:
    """Newest first."""
    newest = select(runs.c.data).order_by(runs.c.at.desc(), runs.c.id.desc()).limit(limit)
    decode = msgspec.json.Decoder(RunRecord).decode
    return [decode(data) for data in c.execute(newest).scalars()]


def since(c: Connection) -> dict[_Key, str]:
    """Finding.key -> run that first saw it; work goes by the id it has now."""
    subject = func.coalesce(items.c.id, findings.c.subject).label("id")
    columns = (findings.c.code, findings.c.kind, subject, findings.c.opened_run)
    joined = select(*columns).outerjoin(items, items.c.uid == findings.c.subject)
    return {(code, kind, id_): run for code, kind, id_, run in c.execute(joined.where(_OPEN))}


def values_since(c: Connection, moment: datetime) -> list[KrValue]:
    """Oldest first."""
    order = select(kr_values).where(kr_values.c.at >= moment).order_by(kr_values.c.at, kr_values.c.run)
    return [
        KrValue(run=row.run, kr=row.kr, cycle=row.cycle, current=row.current, as_of=row.as_of)
        for row in c.execute(order.order_by(kr_values.c.cycle, kr_values.c.kr))
    ]


def _keys(c: Connection, found: Sequence[Finding]) -> set[_Key]:
    """Work items are remembered by uid: a moved or renamed one keeps its history."""
    work = {clean(f.subject.id) for f in found if f.subject.kind in _WORK}
    uids = {
        row.id: row.uid
        for part in chunks(work)
        for row in c.execute(select(items.c.id, items.c.uid).where(items.c.id.in_(part), LIVE))
    }
    return {(f.code, f.subject.kind, uids.get(clean(f.subject.id), clean(f.subject.id))) for f in found}


def _keep_values(c: Connection, run_id: str, at: datetime, values: Sequence[KrValue]) -> None:
    """A value that stays the same is kept once a UTC day: runs come every few minutes, values change by the week."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    today = select(kr_values).where(kr_values.c.at >= day, kr_values.c.at <= at).order_by(kr_values.c.at)
    last: dict[tuple[str, str], tuple[Any, Any]] = {
        (row.cycle, row.kr): (row.current, row.as_of) for row in c.execute(today)
    }
    rows = [
        {"run": run_id, "cycle": v.cycle, "kr": v.kr, "at": at, "current": v.current, "as_of": v.as_of}
        for v in values
        if last.get((v.cycle, v.kr)) != (v.current, v.as_of)
    ]
    upsert(c, kr_values, rows)
