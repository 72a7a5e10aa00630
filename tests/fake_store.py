"""An in-memory store: the part of the protocol that planning and write-back need, folded from a plain journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from msgspec.structs import replace

from okrsync.domain.changes import DASHBOARD_OPS, Change, Dismissal, JournalEntry, JournalState, Op, Owned, Plan
from okrsync.domain.work import StoredItem, WorkItem

_OPEN = (JournalState.INTENDED, JournalState.UNKNOWN)


class FakeStore:
    """Holds counted items (`put`), plans, approvals, the journal and dismissals."""

    def __init__(self) -> None:
        self.stored: dict[str, StoredItem] = {}
        self.entries: list[JournalEntry] = []
        self.dismissed: dict[tuple[str, str], Dismissal] = {}
        self.plans: dict[str, Plan] = {}
        self.approvals: set[str] = set()
        self.meta: dict[str, str] = {}
        self.held_lease = True

    # --- for tests

    def put(self, item: WorkItem, *, read_at: datetime, moved_at: datetime | None = None) -> None:
        """As a pull would: the item as read from the server."""
        earlier = self.stored.get(item.uid)
        moved = moved_at or (earlier.moved_at if earlier else item.updated)
        self.stored[item.uid] = StoredItem(item=item, read_at=read_at, moved_at=moved)

    # --- the protocol

    @contextmanager
    def lease(self, *, wait: float = 0.0) -> Iterator[Callable[[], bool]]:
        yield lambda: self.held_lease

    def items(self) -> list[StoredItem]:
        return sorted(self.stored.values(), key=lambda s: s.item.id)

    def refresh(self, items: Iterable[WorkItem], *, read_at: datetime) -> None:
        for item in items:
            self.put(item, read_at=read_at)

    def note_labels(self, uid: str, *, added: Sequence[str], removed: Sequence[str]) -> None:
        stored = self.stored.get(uid)
        if stored is not None:
            labels = [label for label in stored.item.labels if label not in removed]
            labels += [label for label in added if label not in labels]
            self.stored[uid] = replace(stored, item=replace(stored.item, labels=tuple(labels)))

    def note_all_labels(self, changes: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> None:
        for uid, (added, removed) in changes.items():
            self.note_labels(uid, added=added, removed=removed)

    def tombstone(self, uids: Sequence[str]) -> None:
        for uid in uids:
            self.stored.pop(uid, None)

    def get_meta(self, key: str) -> str | None:
        return self.meta.get(key)

    def set_meta(self, key: str, value: str) -> None:
        self.meta[key] = value

    def save_plan(self, plan: Plan, *, run: str, at: datetime) -> None:
        self.plans[plan.checksum] = plan
        for dismissal in plan.dismissals:
            self.dismiss(dismissal)

    def plan(self, checksum: str) -> Plan | None:
        return self.plans.get(checksum)

    def approve(self, checksum: str, *, at: datetime) -> int:
        changes = self.plans[checksum].changes
        self.approvals |= {change.key for change in changes}
        return len(changes)

    def approved(self) -> frozenset[str]:
        return frozenset(self.approvals)

    def intend(self, changes: Sequence[Change], *, run: str, at: datetime) -> list[int]:
        seqs = []
        for change in changes:
            seqs.append(len(self.entries))
            self.entries.append(
                JournalEntry(
                    seq=seqs[-1],
                    run=run,
                    op=change.op.value,
                    target=change.target,
                    uid=change.uid,
                    value=change.value,
                    content_hash=change.comment.hash if change.comment else "",
                    comment_id=change.comment_id,
                    state=JournalState.INTENDED,
                    at=at,
                )
            )
        return seqs

    def settle(
        self, seq: int, state: JournalState, *, at: datetime, comment_id: str | None = None, detail: str = ""
    ) -> None:
        entry = self.entries[seq]
        self.entries[seq] = replace(
            entry,
            state=state,
            comment_id=comment_id or entry.comment_id,
            confirmed_at=at if state is JournalState.CONFIRMED else entry.confirmed_at,
            detail=detail,
        )

    def settle_all(self, seqs: Sequence[int], state: JournalState, *, at: datetime, detail: str = "") -> None:
        for seq in seqs:
            self.settle(seq, state, at=at, detail=detail)

    def owned(self) -> dict[str, Owned]:
        uids = dict.fromkeys(entry.uid for entry in self.entries)
        return {uid: _fold(uid, [e for e in self.entries if e.uid == uid]) for uid in uids}

    def unsettled(self) -> list[JournalEntry]:
        return [entry for entry in self.entries if entry.state in _OPEN]

    def journal(self) -> list[JournalEntry]:
        return list(self.entries)

    def dashboard_entries(self) -> list[JournalEntry]:
        return [entry for entry in self.entries if entry.op in DASHBOARD_OPS]

    def comments_created(self, since: datetime) -> int:
        return sum(
            e.op == Op.CREATE_COMMENT and e.state is JournalState.CONFIRMED and e.at >= since for e in self.entries
        )

    def dismissals(self) -> Mapping[tuple[str, str], Dismissal]:
        return dict(self.dismissed)

    def dismiss(self, dismissal: Dismissal) -> None:
        self.dismissed[dismissal.uid, dismissal.what] = dismissal

    def close(self) -> None:
        pass


def _fold(uid: str, entries: Sequence[JournalEntry]) -> Owned:
    labels: dict[str, datetime] = {}
    pending: dict[str, None] = {}
    comment: tuple[str | None, str | None, datetime | None] = (None, None, None)
    unknown = False
    for entry in entries:
        confirmed = entry.state is JournalState.CONFIRMED
        if entry.op in (Op.ADD_LABEL, Op.REMOVE_LABEL):
            if entry.state in _OPEN:
                pending[entry.value] = None
            elif confirmed:
                pending.pop(entry.value, None)
                if entry.op == Op.ADD_LABEL:
                    labels[entry.value] = entry.confirmed_at
                else:
                    labels.pop(entry.value, None)
        elif entry.op in (Op.CREATE_COMMENT, Op.UPDATE_COMMENT):
            if confirmed:
                comment, unknown = (entry.comment_id, entry.content_hash, entry.confirmed_at), False
            elif entry.op == Op.CREATE_COMMENT and entry.state in _OPEN:
                unknown = True
    return Owned(
        uid=uid,
        labels=labels,
        comment_id=comment[0],
        comment_hash=comment[1],
        comment_at=comment[2],
        comment_unknown=unknown,
        pending=tuple(pending),
    )
