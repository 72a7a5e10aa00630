"""The example company on loopback, once per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from databases import database_url
from product import Product, story

__all__ = ["database_url"]


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    clock, sandbox = story()
    with sandbox:
        yield Product(tmp_path / "workspace", sandbox, clock)
