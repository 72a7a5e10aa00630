"""One whole story on both databases: the same labels, the same findings, nothing left to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from product import Product, story


def test_a_whole_sync_on_each_database(tmp_path: Path, database_url: str) -> None:
    clock, sandbox = story()
    with sandbox:
        product = Product(tmp_path / "workspace", sandbox, clock, env={"OKRSYNC_STORE": database_url})
        written = product.first_cycle()
        assert written.exit == 0, written
        assert written.json["applied"]["done"] > 100
        sent = len(sandbox.writes)
        again = product.sync()
        assert again.exit == 0, again
        assert len(sandbox.writes) == sent, "a sync without changes writes nothing"
        status = product.run("status", "--format", "json").json
        assert status["last_run"]["complete"]
        assert product.run("undo", "--yes").exit == 0
        assert not any(x.startswith("okr/") for v in sandbox.world.snapshot()["items"].values() for x in v["labels"])


@pytest.mark.parametrize("url", ["postgresql+psycopg://user:canary-secret@127.0.0.1:1/none", "mysql://x"])
def test_a_database_that_cannot_be_used_is_told_without_the_password(tmp_path: Path, url: str) -> None:
    clock, sandbox = story()
    with sandbox:
        ran = Product(tmp_path / "workspace", sandbox, clock, env={"OKRSYNC_STORE": url}).sync()
    assert ran.exit == (1 if url.startswith("postgresql") else 2)
    assert "canary-secret" not in ran.out + ran.err
    assert "Traceback" not in ran.err
