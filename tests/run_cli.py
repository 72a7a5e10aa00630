"""`okrsync` in a process of its own with the clock set: OKRSYNC_TEST_NOW=2026-11-16T09:00:00+00:00 run_cli.py VERB ..."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime

from okrsync.cli.app import end, run

if __name__ == "__main__":
    offset = datetime.fromisoformat(os.environ.pop("OKRSYNC_TEST_NOW")) - datetime.now(UTC)
    end(run(sys.argv[1:], clock=lambda: datetime.now(UTC) + offset, sleep=time.sleep))
