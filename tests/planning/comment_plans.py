"""Plans for the one comment, from what is held and judged."""

from __future__ import annotations

from collections.abc import Sequence

from fake_world import (
    NOW,
    days,
    findings_of,
    settings,
    stored,
    view,
)
from okrsync.domain.changes import Change, Owned, Plan
from okrsync.domain.links import Verdict
from okrsync.domain.work import StoredItem, WorkItem
from okrsync.planning import Inputs, plan

NO_LABELS = {"unlinked": None, "stale": None, "linked": None}
ALL = ("unlinked-work", "stale-link", "unknown-okr-id", "disagreeing-links")
ONE, TWO, THREE = (f"github:acme/web#{n}" for n in (1, 2, 3))


def made(
    held: Sequence[StoredItem | WorkItem], verdicts: Sequence[Verdict], rules: Sequence[str] = ALL, **more: object
) -> Plan:
    comments = {"rules": rules} | more.pop("comments", {})
    seen = view([h if isinstance(h, StoredItem) else stored(h) for h in held], verdicts)
    inputs = {
        "settings": settings(labels=NO_LABELS, comments=comments, **more.pop("config", {})),
        "writable": lambda _: True,
        "enabled_at": NOW - days(100),
    }
    return plan(seen, findings_of(seen), Inputs(**(inputs | more)))


def ops(result: Plan) -> list[tuple[str, str]]:
    return [(c.op.value, c.target) for c in result.changes]


def reasons(result: Plan) -> list[tuple[str, str]]:
    return [(h.target, h.why.removeprefix("comment: ").partition(" (")[0]) for h in result.held]


CREATE, UPDATE = "create_comment", "update_comment"


def written(change: Change, **fields: object) -> dict[str, Owned]:
    """The memory after this change was made."""
    usual = {
        "uid": change.uid,
        "comment_id": "c1",
        "comment_hash": change.comment.hash,
        "comment_at": NOW - days(1),
    }
    return {change.uid: Owned(**(usual | fields))}
