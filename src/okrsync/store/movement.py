"""Whether a new reading of an item shows work (or talk) of people, or only our own writes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from okrsync.domain.work import WorkItem

# Our own write explains an `updated` of about its own time only: whatever the server stamps later was somebody
# else. The slack covers the sending and clocks that disagree.
_SLACK = timedelta(minutes=10)
_NEVER = datetime.min.replace(tzinfo=UTC)


def first_moved(item: WorkItem) -> datetime:
    """For an item never seen before: nothing is known of who updated it."""
    last = max(item.created, item.updated)
    if item.closed_at is not None and item.closed_at > last:
        last = item.closed_at
    if item.status_changed is not None and item.status_changed > last:
        last = item.status_changed
    return last


def next_moved(
    old: WorkItem,
    new: WorkItem,
    *,
    moved_at: datetime,
    read_at: datetime,
    writes: Iterable[tuple[datetime, datetime]],
    prefix: str,
) -> datetime:
    """`moved_at` after a reading that differs from the one before (read at `read_at`).

    writes  our own on this item that were or may have been sent: (written down, settled), by our clock
    """
    if new.updated <= old.updated:
        return moved_at  # the same state, or an older one from a lagging index
    if _of_people(old, prefix) == _of_people(new, prefix):
        since = min(old.updated, read_at)  # read_at where our clock runs behind the server's
        if any(since <= sent and new.updated <= settled + _SLACK for sent, settled in writes):
            return moved_at
    return max(moved_at, new.updated)


def _of_people(item: WorkItem, prefix: str) -> WorkItem:
    labels = tuple(label for label in item.labels if not label.casefold().startswith(prefix.casefold()))
    return msgspec.structs.replace(item, updated=_NEVER, labels=labels)
