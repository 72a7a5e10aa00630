"""`kill -9` at random moments of `apply`, thirty times over, then one `sync`: nothing twice, nothing lost."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from product import Product, story
from tickets import ALL, tickets

pytestmark = pytest.mark.soak

KILLS = 30
SCRIPT = Path(__file__).parent.parent / "run_cli.py"


def test_kills_during_apply(tmp_path: Path, wanted: dict[str, Any]) -> None:
    """Each round starts `apply` in a process of its own and kills it after a random time while it writes."""
    clock, sandbox = story()
    dice = random.Random(20261116)
    killed_while_writing = 0
    with sandbox:
        product = Product(tmp_path / "stormy", sandbox, clock, env=ALL)
        checksum = product.sync().json["plan"]["checksum"]
        assert product.run("approve", checksum).exit == 0
        env = {**os.environ, **product.env, "OKRSYNC_TEST_NOW": clock().isoformat()}
        sandbox.faults.latency = 0.02
        for _ in range(KILLS):
            sent = len(sandbox.writes)
            process = subprocess.Popen(
                [sys.executable, str(SCRIPT), "apply", "--workspace", str(product.root)],
                env=env,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            while len(sandbox.writes) == sent and process.poll() is None:
                time.sleep(0.01)  # until it writes, or has nothing to write
            time.sleep(dice.uniform(0.0, 0.15))
            killed_while_writing += process.poll() is None
            process.kill()
            process.wait()
        sandbox.faults.latency = 0.0
        clock.advance(hours=1)
        for _ in range(3):
            last = product.sync()
        assert last.exit == 0, last
        assert last.json["plan"]["counts"]["items"] == 0
        for id_, item in sandbox.world.snapshot()["items"].items():
            ours = [c for c in item["comments"] if c["author"] == sandbox.world.bot]
            assert len(ours) <= 1, id_
        assert tickets(product) == wanted
        assert killed_while_writing >= 10, "the kills must fall into the writing"
