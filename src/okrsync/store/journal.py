"""The journal of writes, what it says is ours, and what people dismissed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, func, insert, select, update

from okrsync.domain.changes import (
    BEHIND_DASHBOARDS,
    DASHBOARD_OPS,
    DASHBOARD_UID,
    Change,
    Dismissal,
    JournalEntry,
    JournalState,
    Op,
    Owned,
)
from okrsync.domain.text import clean

from .chunks import chunks
from .database import upsert
from .encoding import decode
from .schema import LIVE, AnyRow, dismissals, items, journal

_OPEN = (JournalState.INTENDED.value, JournalState.UNKNOWN.value)
_DASHBOARD = sorted(op.value for op in DASHBOARD_OPS)
_DETAIL = 500  # characters of a foreign answer that are kept


def intend(c: Connection, changes: Sequence[Change], *, run: str, at: datetime) -> list[int]:
    rows = [
        {
            "run": clean(run),
            "op": str(change.op),
            "target": clean(change.target),
            "uid": clean(change.uid),
            "value": clean(change.value),
            "content_hash": change.comment.hash if change.comment else "",
            "comment_id": change.comment_id,
            "change_key": _key(change),
            "state": JournalState.INTENDED.value,
            "at": at,
            "detail": "",
        }
        for change in changes
    ]
    if not rows:
        return []
    numbered = insert(journal).returning(journal.c.seq, sort_by_parameter_order=True)
    return list(c.execute(numbered, rows).scalars())


def _key(change: Change) -> str:
    """What an approval holds for; deletions have none, as they are never planned."""
    return clean(change.key) if isinstance(change.op, Op) else ""


def settle(
    c: Connection, seqs: Sequence[int], state: JournalState, *, at: datetime, comment_id: str | None = None, detail: str
) -> None:
    """Raises KeyError for a number never given."""
    values: dict[str, Any] = {"state": state.value, "settled_at": at, "detail": clean(detail)[:_DETAIL]}
    if state is JournalState.CONFIRMED:
        values["confirmed_at"] = at
    if comment_id is not None:
        values["comment_id"] = clean(comment_id)
    for part in chunks(seqs):
        if c.execute(update(journal).where(journal.c.seq.in_(part)).values(**values)).rowcount != len(part):
            raise KeyError(f"the journal does not hold all of the entries {part}")


def entries(c: Connection, *, unsettled: bool = False, dashboard: bool = False) -> list[JournalEntry]:
    """Oldest first."""
    query = select(journal).order_by(journal.c.seq)
    if unsettled:
        query = query.where(journal.c.state.in_(_OPEN))
    if dashboard:
        # a range, for which there is an index, since a journal may hold a million labels
        query = query.where(journal.c.uid >= DASHBOARD_UID, journal.c.uid < BEHIND_DASHBOARDS)
        query = query.where(journal.c.op.in_(_DASHBOARD))
    return [
        JournalEntry(
            seq=row.seq,
            run=row.run,
            op=row.op,
            target=row.target,
            uid=row.uid,
            value=row.value,
            content_hash=row.content_hash,
            comment_id=row.comment_id,
            state=JournalState(row.state),
            at=row.at,
            confirmed_at=row.confirmed_at,
            detail=row.detail,
        )
        for row in c.execute(query)
    ]


def last_seq(c: Connection) -> int:
    return c.execute(select(func.max(journal.c.seq))).scalar() or 0


def comments_created(c: Connection, since: datetime) -> int:
    """Those that were refused do not count; those of unknown outcome do, they may have notified people."""
    where = (journal.c.op == Op.CREATE_COMMENT.value) & (journal.c.at >= since)
    where &= journal.c.state != JournalState.FAILED.value
    return c.execute(select(func.count()).where(where)).scalar_one()


# --- dismissals --------------------------------------------------------------------------------------------


def save_dismissals(c: Connection, concluded: Iterable[Dismissal]) -> None:
    """One that is already known leaves things as they are, so that a plan may be stored twice."""
    known = all_dismissals(c)
    fresh = [d for d in concluded if known.get((d.uid, d.what)) != d]
    seq = last_seq(c) if fresh else 0
    rows = {
        (d.uid, d.what): {"uid": d.uid, "what": clean(d.what), "state": d.state, "at": d.at, "after_seq": seq}
        for d in fresh
    }
    upsert(c, dismissals, list(rows.values()))


def all_dismissals(c: Connection) -> dict[tuple[str, str], Dismissal]:
    return {
        (row.uid, row.what): Dismissal(uid=row.uid, what=row.what, state=row.state, at=row.at)
        for row in c.execute(select(dismissals))
    }


# --- what is ours ------------------------------------------------------------------------------------------


class _Fold(Struct):
    """One uid's writes so far. A label comes with the time and the journal number that confirmed it."""

    labels: dict[str, tuple[datetime, int]] = {}
    pending: dict[str, None] = {}
    comment_at: datetime | None = None
    comment_id: str | None = None
    comment_hash: str | None = None
    comment_unknown: bool = False


def owned(c: Connection) -> dict[str, Owned]:
    """By uid, and `<connector>:<container>` for label definitions; uids of which nothing is left are missing."""
    settled = (journal.c.state != JournalState.FAILED.value) & journal.c.op.not_in(_DASHBOARD)
    folds: dict[str, _Fold] = {}
    for row in c.execute(select(journal).where(settled).order_by(journal.c.seq)):
        fold = folds.setdefault(row.uid, _Fold())
        if row.op.endswith("_comment"):
            _fold_comment(fold, row)
        else:
            _fold_label(fold, row)
    _drop_dismissed(c, folds)
    found = ((uid, _as_owned(uid, fold)) for uid, fold in folds.items())
    return {uid: ours for uid, ours in found if ours.labels or ours.pending or ours.comment_id or ours.comment_unknown}


def _fold_label(fold: _Fold, row: AnyRow) -> None:
    adds = row.op in (Op.ADD_LABEL.value, Op.CREATE_LABEL.value)
    if row.state in _OPEN:
        fold.pending[row.value] = None
        return
    fold.pending.pop(row.value, None)
    if row.state == JournalState.CONFIRMED.value and adds:
        fold.labels[row.value] = (row.confirmed_at, row.seq)
    elif adds or row.state == JournalState.CONFIRMED.value:  # an adding that was undone, or a removal
        fold.labels.pop(row.value, None)


def _fold_comment(fold: _Fold, row: AnyRow) -> None:
    confirmed = row.state == JournalState.CONFIRMED.value
    if row.op == "delete_comment":
        if confirmed:
            _forget_comment(fold)
    elif row.state == JournalState.UNDONE.value:
        _forget_comment(fold)
    elif confirmed:
        fold.comment_at = row.confirmed_at
        fold.comment_id = row.comment_id or fold.comment_id
        fold.comment_hash = row.content_hash
        fold.comment_unknown = False
    elif row.op == Op.CREATE_COMMENT.value:
        fold.comment_unknown = True
    else:
        fold.comment_hash = None  # edited or not: writing it again is harmless, taking it for written is not


def _forget_comment(fold: _Fold) -> None:
    fold.comment_at = fold.comment_id = fold.comment_hash = None
    fold.comment_unknown = False


def _drop_dismissed(c: Connection, folds: dict[str, _Fold]) -> None:
    """A label that a person took off after we had confirmed it is no longer ours, unless the item bears it: a
    dismissal is also renewed when it has lapsed, whether or not the label was written again since. The journal
    number decides where both times are the same."""
    taken: dict[str, list[str]] = {}
    for row in c.execute(select(dismissals)):
        at, seq = folds[row.uid].labels.get(row.what, (None, 0)) if row.uid in folds else (None, 0)
        if at is not None and at <= row.at and seq <= row.after_seq:
            taken.setdefault(row.uid, []).append(row.what)
    for part in chunks(taken):
        held = select(items.c.uid, items.c.data).where(items.c.uid.in_(part), LIVE)
        borne = {uid: {label.casefold() for label in decode(data).labels} for uid, data in c.execute(held)}
        for uid in part:
            for label in taken[uid]:
                if label.casefold() not in borne.get(uid, ()):
                    del folds[uid].labels[label]


def _as_owned(uid: str, fold: _Fold) -> Owned:
    return Owned(
        uid=uid,
        labels={label: written[0] for label, written in fold.labels.items()},
        comment_id=fold.comment_id,
        comment_hash=fold.comment_hash,
        comment_at=fold.comment_at,
        comment_unknown=fold.comment_unknown,
        pending=tuple(fold.pending),
    )
