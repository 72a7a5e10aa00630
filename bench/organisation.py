"""`make bench-org`: okrsync's `pull` of an organisation, first, idle, and after 1% of its repositories changed.

Prints requests, wall and CPU; asserts nothing about time. `REPOS=500 ITEMS=20 LATENCY=0.1` set the number of
repositories, of items in each, and the seconds added to each answer.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from run import control, measure
from world import NOW, TEXT

from okrsync.sandbox import Sandbox, StoryClock, World

HERE = Path(__file__).parent


def world(repos: int, items: int) -> World:
    """Items of a usual size, half of them pull requests; the newest two hours old."""
    made = World(StoryClock(NOW))
    made.add_person("ada", "Ada Park")
    for r in range(repos):
        repo = made.github.add_repo(f"acme/service-{r:04}", permissions={made.bot: "write"})
        for n in range(items):
            created = NOW - timedelta(minutes=20 * (items - n) + 100)
            pull = n % 2 == 1
            branch = f"feature/{n}" if pull else ""
            made.github.add_item(repo, f"Part {n}", pull=pull, branch=branch, body=TEXT, author="ada", created=created)
    return made


def main(repos: int, items: int, latency: float) -> None:
    made = world(repos, items)
    folder = Path(tempfile.mkdtemp(prefix="okrsync-bench-"))
    try:
        with Sandbox(made) as sandbox:
            server = {"jira_url": sandbox.jira_url, "github_url": sandbox.github_url}
            control(server, "POST", "/faults", {"latency": latency})
            (folder / "connectors").mkdir()
            text = f"type: github\nurl: {sandbox.github_url}\norg: acme\n"
            (folder / "connectors" / "github.yaml").write_text(text)
            env = {**os.environ, "OKRSYNC_GITHUB_TOKEN": sandbox.token, "OKRSYNC_LOG": "json"}
            pull = [sys.executable, str(HERE / "pull.py"), str(folder)]
            print(f"{repos} repositories of {items} items, {latency * 1000:.0f} ms added to each answer\n")
            print(f"{'':<16}{'requests':>9}{'wall s':>9}{'CPU s':>8}{'peak MB':>9}")
            steps: list[tuple[str, Callable[[], None]]] = [
                ("first", lambda: None),
                ("idle", lambda: None),
                ("1% changed", lambda: touch(made, repos)),
                ("idle again", lambda: None),
            ]
            for name, prepare in steps:
                prepare()
                got = measure(server, pull, env)
                print(f"{name:<16}{got.requests:>9}{got.wall:>9.2f}{got.cpu:>8.2f}{got.peak:>9.0f}   {got.said}")
    finally:
        shutil.rmtree(folder)


def touch(made: World, repos: int) -> None:
    """Somebody retitles one item in every hundredth repository, one minute ago."""
    for r in range(0, repos, 100):
        made.edit_title(f"acme/service-{r:04}#1", "Another title", "ada")
        item = made.github.item(f"acme/service-{r:04}#1")
        assert item is not None
        item.updated = NOW - timedelta(minutes=1)


if __name__ == "__main__":
    environ = os.environ
    main(int(environ.get("REPOS", "500")), int(environ.get("ITEMS", "20")), float(environ.get("LATENCY", "0.1")))
