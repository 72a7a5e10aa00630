"""A world and a workspace made of recorded facts: Apache Kafka's merged pull requests and its tickets.

The folder holds `pull_requests.jsonl`, `issues.jsonl` and `kips.json`; it is not part of the product. Its
improvement proposals (KIPs) stand in for initiatives: real ones, named in real titles.
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

from .server import Sandbox
from .workspace import point_at
from .world import StoryClock, World

STILL_OPEN = timedelta(days=90)  # tickets touched so shortly before the data ends are taken for open
INITIATIVES = 12
REPO, PROJECT = "apache/kafka", "KAFKA"

# what the proposals are about, in brief, and the key result each would move
KIPS = {
    "KIP-848": ("The next consumer rebalance protocol", "K1.KR1"),
    "KIP-881": ("Rack-aware assignment for consumers", "K1.KR1"),
    "KIP-924": ("Task assignment of Streams can be chosen", "K1.KR2"),
    "KIP-932": ("Queues for Kafka", "K2.KR1"),
    "KIP-618": ("Exactly-once for source connectors", "K2.KR2"),
    "KIP-890": ("Transactions defended by the server", "K2.KR2"),
    "KIP-853": ("Controllers join and leave", "K3.KR1"),
    "KIP-919": ("Admin tools talk to controllers", "K3.KR1"),
    "KIP-951": ("Clients find leaders at once", "K3.KR2"),
    "KIP-714": ("Metrics from clients", "K4.KR1"),
    "KIP-1028": ("An official container image", "K4.KR2"),
    "KIP-768": ("Sign-in by OpenID Connect", "K4.KR2"),
}
OBJECTIVES: list[dict[str, Any]] = [
    {
        "id": "K1",
        "title": "Rebalancing goes unnoticed",
        "key_results": [
            {"id": "K1.KR1", "title": "Cut the pause of a rebalance from 45 to 5 seconds", "baseline": 45, "target": 5},
            {"id": "K1.KR2", "title": "Cut restores after a deployment from 100 to 40", "baseline": 100, "target": 40},
        ],
    },
    {
        "id": "K2",
        "title": "Nothing is processed twice",
        "key_results": [
            {"id": "K2.KR1", "title": "Raise queue workloads served from 0 to 20", "baseline": 0, "target": 20},
            {"id": "K2.KR2", "title": "Cut hanging transactions from 14 to 0 a month", "baseline": 14, "target": 0},
        ],
    },
    {
        "id": "K3",
        "title": "Clusters run without ZooKeeper",
        "key_results": [
            {"id": "K3.KR1", "title": "Raise clusters without ZooKeeper from 30% to 80%", "baseline": 30, "target": 80},
            {"id": "K3.KR2", "title": "Cut time to a new leader from 30 to 3 seconds", "baseline": 30, "target": 3},
        ],
    },
    {
        "id": "K4",
        "title": "Operators see and trust what runs",
        "key_results": [
            {"id": "K4.KR1", "title": "Raise clients with metrics from 0% to 50%", "baseline": 0, "target": 50},
            {
                "id": "K4.KR2",
                "title": "Cut the set-up of a test cluster from 60 to 10 min",
                "baseline": 60,
                "target": 10,
            },
        ],
    },
]


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
    recorded tickets: open where touched within the last 90 days of the data, else done."""
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
    world.add_person("triage", "Triage")
    world.jira.add_project(PROJECT, "Kafka")
    tickets = list(_lines(folder / "issues.jsonl", Ticket))
    edge = max(_utc(t.updated) for t in tickets) - STILL_OPEN
    for ticket in tickets:
        updated = _utc(ticket.updated)
        world.jira.add_issue(
            PROJECT,
            ticket.summary,
            key=ticket.key,
            type="Task",
            status="In Progress" if updated >= edge else "Done",
            created=_utc(ticket.created),
            updated=updated,
            reporter="triage",
        )
    return world


def _last_quarter(folder: Path) -> tuple[str, date, date]:
    """Name, first and last day of the quarter in which the data ends."""
    last = max(_utc(r.merged_at) for r in _lines(folder / "pull_requests.jsonl", PullRequest)).date()
    number = (last.month - 1) // 3
    starts = date(last.year, 3 * number + 1, 1)
    following = date(last.year + (number == 3), (3 * number + 3) % 12 + 1, 1)
    return f"{last.year}-Q{number + 1}", starts, following - timedelta(days=1)


def _most_named(folder: Path) -> list[str]:
    counts = msgspec.json.decode((folder / "kips.json").read_bytes(), type=dict[str, int])
    return sorted(counts, key=lambda k: (-counts[k], list(counts).index(k)))[:INITIATIVES]


def replay_workspace(target: Path, sandbox: Sandbox, folder: Path) -> Path:
    """A workspace for `kafka_world`: the quarter in which the data ends, its most-named KIPs as initiatives
    for four objectives, and one rule per KIP on titles. Returns `target`."""
    name, starts, ends = _last_quarter(folder)
    kips = _most_named(folder)
    goals = {
        "cycle": {"id": name, "starts": starts, "ends": ends},
        "bets": [{"id": "B1", "title": "The log that runs itself", "owner": "Triage", "weight": 100}],
        "objectives": [{**o, "level": "company", "supports": ["B1"], "owner": "Triage"} for o in OBJECTIVES],
        "initiatives": [
            {
                "id": f"INIT-{kip}",
                "title": f"{KIPS[kip][0]} ({kip})" if kip in KIPS else kip,
                "supports": [KIPS[kip][1] if kip in KIPS else "K4.KR1"],
                "owner": "Triage",
            }
            for kip in kips
        ],
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
        for kip in kips
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
