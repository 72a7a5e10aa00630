"""Values the store's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event

from okrsync.domain.changes import Change, Op, Plan
from okrsync.domain.comments import Comment, paragraph
from okrsync.domain.storage import Saved, Store
from okrsync.domain.trackers import Batch
from okrsync.domain.work import Kind, WorkItem
from okrsync.store import open_store

NOW = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def opened(url: str, **options: Any) -> Store:
    return open_store(url, label_prefix="okr/", clock=lambda: NOW, **options)


def item(number: int, **changed: Any) -> WorkItem:
    """`jira:PAY-<number>` with uid `jira:<1000 + number>`."""
    key = changed.pop("key", f"PAY-{number}")
    values: dict[str, Any] = {
        "id": f"jira:{key}",
        "uid": f"jira:{1000 + number}",
        "connector": "jira",
        "key": key,
        "container": key.split("-")[0],
        "kind": Kind.ISSUE,
        "title": f"Task {number}",
        "url": f"https://acme.example/browse/{key}",
        "created": NOW - 30 * DAY,
        "updated": NOW - 2 * DAY,
    }
    return WorkItem(**{**values, **changed})


def save(store: Store, *items: WorkItem, slice_: str = "PAY", at: datetime = NOW, **more: Any) -> Saved:
    return store.save_batches("jira", [Batch(slice=slice_, items=items, **more)], read_at=at)


def label(op: Op, value: str, uid: str = "jira:1001", target: str = "jira:PAY-1") -> Change:
    return Change(op=op, target=target, uid=uid, value=value, because="OKR101")


def comment(op: Op, words: str, uid: str = "jira:1001", comment_id: str | None = None) -> Change:
    content = Comment((paragraph(words),))
    return Change(
        op=op,
        target="jira:PAY-1",
        uid=uid,
        value=content.text,
        because="OKR101",
        comment=content,
        comment_id=comment_id,
    )


def plan(checksum: str, *changes: Change, **more: Any) -> Plan:
    return Plan(checksum=checksum, changes=changes, **more)


class Killed(BaseException):
    """Stands for the process dying: nothing in the program catches it."""


@contextmanager
def killed_at(statement: int) -> Iterator[None]:
    """The driver never gets the n-th statement (from 0) that changes something."""
    seen = 0

    def count(_connection: object, _cursor: object, sql: str, *_rest: object) -> None:
        nonlocal seen
        if sql.lstrip().split(None, 1)[0].upper() in ("INSERT", "UPDATE", "DELETE"):
            if seen == statement:
                raise Killed
            seen += 1

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", count)
