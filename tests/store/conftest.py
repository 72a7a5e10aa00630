"""Every test that asks for `store` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from store_samples import opened

from databases import database_url, new_database
from okrsync.domain.storage import Store

__all__ = ["database_url", "new_database"]


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = opened(database_url)
    yield store
    store.close()
