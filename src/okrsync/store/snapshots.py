"""How work in progress stood at the end of runs: kept for a fortnight, a day each."""

from __future__ import annotations

import zlib
from datetime import UTC, date, datetime, timedelta

import msgspec
from sqlalchemy import Connection, delete, select

from okrsync.domain.storage import Snapshot
from okrsync.domain.text import clean

from .database import upsert
from .schema import snapshots

# Reports compare with the run before and with the one of a week ago, which may have been a few days earlier.
DAYS = 15
_LATEST = 2


def save(c: Connection, snapshot: Snapshot) -> None:
    """Keeps it, and of the others what `Store.record_run` says."""
    row = {"run": clean(snapshot.run), "at": snapshot.at, "data": zlib.compress(msgspec.json.encode(snapshot))}
    upsert(c, snapshots, [row])
    held = [(r.run, r.at) for r in c.execute(select(snapshots.c.run, snapshots.c.at).order_by(*_NEWEST_FIRST))]
    kept = {run for run, _ in held[:_LATEST]}
    last: dict[date, str] = {}
    for run, at in held:
        if at >= snapshot.at - timedelta(days=DAYS):
            last.setdefault(at.astimezone(UTC).date(), run)
    gone = [run for run, _ in held if run not in kept | set(last.values())]
    if gone:
        c.execute(delete(snapshots).where(snapshots.c.run.in_(gone)))


def load(c: Connection, until: datetime, other_than: str) -> Snapshot | None:
    found = select(snapshots.c.data).where(snapshots.c.at <= until, snapshots.c.run != clean(other_than))
    data = c.execute(found.order_by(*_NEWEST_FIRST).limit(1)).scalar()
    return None if data is None else msgspec.json.decode(zlib.decompress(data), type=Snapshot)


_NEWEST_FIRST = (snapshots.c.at.desc(), snapshots.c.run.desc())
