"""The example company, ready for the daemon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from product import Product, story
from tickets import wanted

__all__ = ["wanted"]


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    clock, sandbox = story()
    with sandbox:
        yield Product(tmp_path / "workspace", sandbox, clock)
