"""A world and a workspace made of recorded facts: Apache Kafka's merged pull requests and its tickets.

The folder holds `pull_requests.jsonl`, `issues.jsonl` and `kips.json`; it is not part of the product. Its
improvement proposals (KIPs) and largest tickets stand in for initiatives: real ones, named in real titles.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from ruamel.yaml import YAML

from .replay_goals import BETS, initiatives, objectives
from .server import Sandbox
from .workspace import point_at
from .world import StoryClock, World

STILL_OPEN = timedelta(days=90)  # tickets touched so shortly before the data ends are taken for open
REPO, PROJECT = "apache/kafka", "KAFKA"


class PullRequest(Struct):
    """One line of `pull_requests.jsonl`; the rest of it is for scoring."""

    number: int
    title: str
    merged_at: datetime
    author: str


class Ticket(Struct):
    """One line of `issues.jsonl`."""

    key: str
    summary: str
    created: datetime
    updated: datetime
    kips: list[str] = []


T = TypeVar("T", PullRequest, Ticket)


def _lines(path: Path, kind: type[T]) -> Iterator[T]:
    decoder = msgspec.json.Decoder(kind)
    for line in path.read_bytes().splitlines():
        if line.strip():
            yield decoder.decode(line)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def kafka_world(folder: Path, now: datetime) -> World:
    """Repository apache/kafka with the recorded pull requests, all merged, and Jira project KAFKA with the
    recorded tickets, tied by label to the KIPs that the record names for them: open where touched within the last
    90 days of the data, else done."""
    world = World(StoryClock(now))
    repo = world.github.add_repo(REPO, private=False, permissions={world.bot: "write"})
    for row in _lines(folder / "pull_requests.jsonl", PullRequest):
        if row.author not in world.people:
            world.add_person(row.author, row.author)
        merged = _utc(row.merged_at)
        world.github.add_item(
            repo,
            row.title,
            number=row.number,
            pull=True,
            author=row.author,
            created=merged - timedelta(days=7),
            updated=merged,
            merged=merged,
            branch="patch",  # the record has none
        )
    world.jira.add_project(PROJECT, "Kafka")
    tickets = list(_lines(folder / "issues.jsonl", Ticket))
    edge = max(_utc(t.updated) for t in tickets) - STILL_OPEN
    for ticket in tickets:
        updated = _utc(ticket.updated)
        world.jira.add_issue(  # without reporter: the record names none, and nothing may be told from one
            PROJECT,
            ticket.summary,
            key=ticket.key,
            type="Task",
            status="In Progress" if updated >= edge else "Done",
            created=_utc(ticket.created),
            updated=updated,
            labels=[f"initiative:INIT-{kip}" for kip in ticket.kips],
        )
    return world


def _last_quarter(folder: Path) -> tuple[str, date, date]:
    """Name, first and last day of the quarter in which the data ends."""
    last = max(_utc(r.merged_at) for r in _lines(folder / "pull_requests.jsonl", PullRequest)).date()
    number = (last.month - 1) // 3
    starts = date(last.year, 3 * number + 1, 1)
    following = date(last.year + (number == 3), (3 * number + 3) % 12 + 1, 1)
    return f"{last.year}-Q{number + 1}", starts, following - timedelta(days=1)


def _named(folder: Path) -> dict[str, int]:
    """Every KIP of the record and how often it is named, the most-named first."""
    counts = msgspec.json.decode((folder / "kips.json").read_bytes(), type=dict[str, int])
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))


def replay_workspace(target: Path, sandbox: Sandbox, folder: Path) -> Path:
    """A workspace for `kafka_world`: the quarter in which the data ends, the goals of `replay_goals`, and one rule on
    titles per KIP that is named more than once. Returns `target`."""
    name, starts, ends = _last_quarter(folder)
    kips = _named(folder)
    goals = {
        "cycle": {"id": name, "starts": starts, "ends": ends},
        "bets": BETS,
        "objectives": objectives(),
        "initiatives": initiatives(kips, "jira"),
    }
    rules = [
        {
            "name": kip,
            "when": {"title": rf"(?i)\b{kip}\b"},
            "link": f"INIT-{kip}",
            "examples": {
                "matches": [{"title": f"Implement {kip}: part 1"}],
                "misses": [{"title": f"{kip}0 else"}],
            },
        }
        for kip, number in kips.items()
        if number > 1
    ]
    rules.append({"name": "minor fixes", "when": {"title": r"^MINOR\b"}, "exempt": "tech-debt"})
    span = "1500d"  # the record covers three years
    files: dict[str, Any] = {
        f"config/okrs/{name}.yaml": goals,
        "config/okrsync.yaml": {"store": "sqlite:///okrsync.db", "writeback": {"enabled": False}},
        "connectors/jira.yaml": {
            "type": "jira",
            "url": sandbox.jira_url,
            "email": sandbox.email,
            "projects": [PROJECT],
            "since": span,
        },
        "connectors/github.yaml": {"type": "github", "url": sandbox.github_url, "repos": [REPO], "since": span},
        "mappings/kips.yaml": {"rules": rules},
    }
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.width = 200
    for path, content in files.items():
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        text = io.StringIO()
        yaml.dump(content, text)
        place.write_text(text.getvalue(), "utf-8")
    point_at(target, sandbox)
    return target
