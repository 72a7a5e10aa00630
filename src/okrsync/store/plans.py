"""Plans as they were shown, and the approvals people gave them."""

from __future__ import annotations

import zlib
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, exists, select

from okrsync.domain.changes import Plan
from okrsync.domain.text import clean

from .database import upsert
from .journal import last_seq, save_dismissals
from .schema import approvals, journal, plans

# A large plan that differs in every run would fill the disk; an approved one is always kept.
KEPT = 500


def save_plan(c: Connection, plan: Plan, *, run: str, at: datetime) -> None:
    """A plan made again is one row, with the newest time; its dismissals are remembered in any case."""
    row = {
        "checksum": plan.checksum,
        "run": clean(run),
        "at": at,
        "journal_seq": last_seq(c),
        "data": zlib.compress(msgspec.json.encode(plan)),
    }
    upsert(c, plans, [row])
    save_dismissals(c, plan.dismissals)
    newest = select(plans.c.checksum).order_by(plans.c.at.desc(), plans.c.checksum).limit(KEPT)
    approved = exists().where(approvals.c.checksum == plans.c.checksum)
    c.execute(delete(plans).where(plans.c.checksum.not_in(newest), ~approved))


def load_plan(c: Connection, checksum: str) -> Plan | None:
    data = c.execute(select(plans.c.data).where(plans.c.checksum == checksum)).scalar()
    return None if data is None else msgspec.json.decode(zlib.decompress(data), type=Plan)


def approve(c: Connection, checksum: str, *, at: datetime) -> int:
    """Approving the same plan again revives nothing that was done since it was made: a checksum left standing in
    the environment is no licence for ever. Once the very same plan has been made anew, it can be approved anew."""
    checksum = clean(checksum)  # typed by a person
    plan = load_plan(c, checksum)
    if plan is None:
        raise KeyError(f"no plan {checksum} is stored")
    made_at = select(plans.c.journal_seq).where(plans.c.checksum == checksum)
    after_seq = c.execute(made_at).scalar_one()
    keys = {clean(change.key) for change in plan.changes}
    row = {"checksum": checksum, "at": at, "after_seq": after_seq}
    upsert(c, approvals, [{**row, "change_key": key} for key in sorted(keys)])
    return len(plan.changes)


def approved(c: Connection) -> frozenset[str]:
    """Keys not done yet. Done is what was ever confirmed: undoing it does not bring the approval back."""
    done = exists().where(
        journal.c.change_key == approvals.c.change_key,
        journal.c.seq > approvals.c.after_seq,
        journal.c.confirmed_at.is_not(None),
    )
    return frozenset(c.execute(select(approvals.c.change_key).where(~done)).scalars())
