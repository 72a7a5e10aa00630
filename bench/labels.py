"""What the first labelling of many Jira issues costs in requests: `sync` by the command line, in this process.

`python bench/labels.py [ISSUES] [LABELS]`, by default 10,000 and 15. Three spreads of the issues over the labels:
evenly; most of them under one label; the worst there is (full tasks, and each label a few issues more). Every issue is
looked at afterwards. Time is the sandbox's: tasks take 20 ms an issue, and waits cost nothing.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import dropwhile
from pathlib import Path

from okrsync.cli import run
from okrsync.sandbox import Sandbox, StoryClock, World

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
CONFIG = """
writeback: {enabled: true, comments: {rules: []}, limits: {changes: 1000000, share: 1.0}}
reports: {formats: [json]}
"""
CONNECTOR = "type: jira\nurl: {url}\nemail: {email}\nprojects: [PAY]\n"


def spreads(issues: int, labels: int) -> dict[str, list[int]]:
    """Issues for each label."""
    even = [issues // labels + (n < issues % labels) for n in range(labels)]
    few = issues * 3 // 10 // (labels - 1)
    most = [issues - few * (labels - 1), *[few] * (labels - 1)]
    rest = max(3, 1000 // labels)
    worst = [issues - rest * (labels - 1), *[rest] * (labels - 1)]
    return {"evenly": even, "70% under one": most, "worst": worst}


def workspace(folder: Path, sandbox: Sandbox, labels: int) -> None:
    objectives = [{"id": f"O{n}", "title": f"Objective {n}", "level": "team"} for n in range(1, labels)]
    for name, text in {
        "config/okrsync.yaml": CONFIG,
        "config/okrs/now.yaml": json.dumps({"objectives": objectives}),
        "connectors/jira.yaml": CONNECTOR.format(url=sandbox.jira_url, email=sandbox.email),
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def world(spread: list[int]) -> World:
    """The first label's issues have no goal (`okr/unlinked`), the others' name an objective."""
    made = World(StoryClock(NOW))
    made.jira.add_project("PAY", "Payments")
    made.jira.bulk_pace = timedelta(milliseconds=20)
    goals = [n for n, count in enumerate(spread) for _ in range(count)]
    for number, goal in enumerate(goals):
        created = NOW - timedelta(minutes=20 * (len(goals) - number) + 60)
        made.jira.add_issue("PAY", f"Work {number}", labels=[f"objective:O{goal}"] if goal else [], created=created)
    return made


def measure(spread: list[int]) -> tuple[Counter[str], int]:
    """Requests by kind, from the first write to the end of the run; issues with a wrong label."""
    made = world(spread)
    clock = made.clock
    assert isinstance(clock, StoryClock)

    def sleep(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    with Sandbox(made, clock=clock) as sandbox, tempfile.TemporaryDirectory(prefix="okrsync-bench-") as name:
        folder = Path(name)
        workspace(folder, sandbox, len(spread))
        env = {"OKRSYNC_JIRA_TOKEN": sandbox.token}

        def sync(*args: str) -> dict[str, object]:
            sleep(900)
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                arguments = ["sync", "--format", "json", "--workspace", name, *args]
                run(arguments, env=env, clock=clock, sleep=sleep)
            said: dict[str, object] = json.loads(out.getvalue())
            return said

        planned = sync("--full")
        if not isinstance(planned["applied"], dict) or not planned["applied"]["done"]:
            raise SystemExit(f"the gate let nothing through: {planned['gate']}")
        requests = list(dropwhile(lambda r: not writes(r.method, r.path), sandbox.requests))
        kinds = Counter(kind(r.method, r.path) for r in requests)
    wrong = sum(
        wanted(issue.labels) != {label for label in issue.labels if label.startswith("okr/")}
        for issue in made.jira.issues.values()
    )
    return kinds, wrong


def wanted(labels: list[str]) -> set[str]:
    goals = {label.partition(":")[2] for label in labels if label.startswith("objective:")}
    return {f"okr/{goal}" for goal in goals} or {"okr/unlinked"}


def writes(method: str, path: str) -> bool:
    return "/bulk/" in path or method == "PUT"


def kind(method: str, path: str) -> str:
    return f"{method} {re.sub(r'/[0-9]+$', '/...', path)}"


def main(issues: int, labels: int) -> None:
    for name, spread in spreads(issues, labels).items():
        began = time.monotonic()
        kinds, wrong = measure(spread)
        print(f"{issues} issues, {labels} labels, {name}: {kinds.total()} requests, {time.monotonic() - began:.0f} s")
        for what, count in sorted(kinds.items()):
            print(f"    {count:>4}  {what}")
        print(f"    {wrong} issues with a wrong label")


if __name__ == "__main__":
    main(*(int(given) for given in sys.argv[1:]) if len(sys.argv) > 2 else (10_000, 15))
