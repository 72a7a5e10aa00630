"""Opening the whole store."""

from __future__ import annotations

import time
from collections.abc import Callable

from okrsync.domain.storage import Store
from okrsync.domain.trackers import Clock


def open_store(url: str, *, label_prefix: str, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> Store:
    """Opens the store and brings its tables up to date.

    url           sqlite:///path (the folder is made) or postgresql+psycopg://user:password@host/name
    label_prefix  labels under it are our own and do not count as somebody moving an item
    sleep         between two tries for the lease

    Raises StoreError when the database cannot be used, or is newer than this program.
    """
    from .repository import opened  # noqa: PLC0415  # SQLAlchemy is slow to load

    return opened(url, label_prefix=label_prefix, clock=clock, sleep=sleep)
