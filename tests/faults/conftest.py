"""The small company on loopback, once per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_house import House, HouseClock, small_company

from databases import database_url
from okrsync.sandbox import Sandbox

__all__ = ["database_url"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = HouseClock()
    with Sandbox(small_company(clock), clock=clock) as sandbox:
        yield House(tmp_path / "workspace", sandbox, clock)
