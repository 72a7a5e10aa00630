"""`okrsync pull` in a process of its own, at the moment for which `world.py` made its items."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

from okrsync.__main__ import lean_start

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)

if __name__ == "__main__":
    with lean_start():
        from okrsync.cli.app import end, run

    began = datetime.now(UTC)
    end(run(["pull", "--workspace", sys.argv[1]], clock=lambda: NOW + (datetime.now(UTC) - began), sleep=time.sleep))
