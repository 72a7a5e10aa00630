"""`python -m okrsync.sandbox`: serves the example company until stdin closes, SIGTERM, or the time limit.

Prints one line of JSON: what `GET /_sandbox` answers. Its tokens are pretended ones.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import sys
import threading
from datetime import UTC, datetime

from .server import Sandbox
from .story import company
from .world import STORY_NOW, StoryClock


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m okrsync.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of Jira; GitHub gets the next one (default: free ones)")
    parser.add_argument("--now", default="", help="ISO time of the story, or `real` (default: its Monday morning)")
    parser.add_argument("--still", action="store_true", help="the clock stands; else it runs on from --now")
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop after so long (default: 3600)")
    options = parser.parse_args(argv)
    now = STORY_NOW
    if options.now:
        try:
            now = datetime.now(UTC) if options.now == "real" else datetime.fromisoformat(options.now)
        except ValueError:
            parser.error(f"--now: {options.now!r} is no ISO time; write it as 2026-11-16T09:00:00Z, or `real`")
        now = now.replace(tzinfo=now.tzinfo or UTC)
    if not 0 <= options.port < 65535:
        parser.error(f"--port: {options.port} and the one after it are not both ports; use 1 to 65534")
    ports = (options.port, options.port + 1 if options.port else 0)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    sandbox = Sandbox(company(now), clock=StoryClock(now, ticking=not options.still), ports=ports)
    try:
        sandbox.start()
    except OSError as error:
        parser.exit(1, f"{parser.prog}: ports {ports[0]} and {ports[1]}: {error.strerror}\n")
    try:
        shown = {
            "jira_url": sandbox.jira_url,
            "github_url": sandbox.github_url,
            "email": sandbox.email,
            "token": sandbox.token,
        }
        sys.stdout.write(json.dumps(shown) + "\n")
        sys.stdout.flush()
        _wait(stop, options.seconds)
    finally:
        sandbox.stop()
    return 0


def _wait(stop: threading.Event, seconds: float) -> None:
    """Until told to stop, the time is over, or whoever started us has closed our stdin."""
    step, passed = 0.1, 0.0
    while passed < seconds and not stop.wait(step):
        passed += step
        readable, _, _ = select.select([sys.stdin], [], [], 0)
        if readable and not os.read(sys.stdin.fileno(), 4096):
            return


if __name__ == "__main__":
    sys.exit(main())
