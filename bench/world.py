"""What the benchmark reads: N Jira issues and N GitHub items (half of them pull requests), served until stdin closes.

`python bench/world.py N` prints one line of JSON: urls, e-mail and token. Latency is set over the control interface.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

from okrsync.sandbox import Sandbox, StoryClock, World

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
TEXT = "The order summary jumps while the page loads, and the button moves under the finger. " * 20


def world(number: int) -> World:
    """Titles, texts and labels of a usual size; pull requests name tickets, tickets have epics."""
    made = World(StoryClock(NOW))
    made.add_person("ada", "Ada Park")
    made.jira.add_project("PAY", "Payments")
    repo = made.github.add_repo("acme/app", permissions={made.bot: "write"})
    for n in range(1, number + 1):
        created = NOW - timedelta(minutes=20 * (number - n) + 60)
        epic = n % 50 == 1
        made.jira.add_issue(
            "PAY",
            f"Order summary on small screens, part {n}",
            type="Epic" if epic else "Story",
            parent=None if epic else f"PAY-{n - (n - 1) % 50}",
            body=TEXT,
            labels=["checkout", "ux"][: n % 3],
            created=created,
            reporter="ada",
        )
        made.github.add_item(
            repo,
            f"PAY-{n}: order summary on small screens",
            pull=n % 2 == 0,
            branch=f"feature/pay-{n}" if n % 2 == 0 else "",
            body=TEXT,
            author="ada",
            labels=["bug"][: n % 2],
            created=created,
        )
    return made


def main(number: int) -> None:
    with Sandbox(world(number)) as sandbox:
        urls = {"jira_url": sandbox.jira_url, "github_url": sandbox.github_url}
        print(json.dumps({**urls, "email": sandbox.email, "token": sandbox.token}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
