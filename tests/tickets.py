"""What the tickets look like once everything was written; for tests that disturb the writing."""

from __future__ import annotations

from typing import Any

import pytest

from product import Product, story

ALL = {"OKRSYNC_WRITEBACK__COMMENTS__BACKLOG": "true", "OKRSYNC_WRITEBACK__COMMENTS__PER_DAY": "1000"}
"""So that every comment is written that there is to write."""


def tickets(product: Product) -> dict[str, Any]:
    """Labels and number of comments of every ticket."""
    items = product.sandbox.world.snapshot()["items"]
    return {id_: (sorted(item["labels"]), len(item["comments"])) for id_, item in items.items()}


@pytest.fixture(scope="session")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The tickets where nothing was disturbed."""
    clock, sandbox = story()
    with sandbox:
        calm = Product(tmp_path_factory.mktemp("calm"), sandbox, clock, env=ALL)
        assert calm.first_cycle().exit == 0
        return tickets(calm)
