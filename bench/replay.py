"""`make replay DATA=folder`: the full `sync` over HTTP against recorded pull requests and issues of Apache Kafka.

folder is the one that holds `kafka/pull_requests.jsonl` and `kafka/issues.jsonl` (or that folder itself).
Prints counts by alignment, and precision and recall of the ticket keys found in titles against `own_keys`.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from okrsync import logs, proposing
from okrsync import sync as story
from okrsync.bootstrap import open_session
from okrsync.domain.work import Via
from okrsync.sandbox import Sandbox, StoryClock
from okrsync.sandbox.replay import kafka_world, replay_workspace

NOW = datetime(2024, 10, 25, 9, 0, tzinfo=UTC)  # the recorded data ends here


def main(data: Path, target: Path) -> int:
    folder = data if (data / "pull_requests.jsonl").exists() else data / "kafka"
    if not (folder / "pull_requests.jsonl").exists():
        print(f"{folder} holds no pull_requests.jsonl; say where the recorded data is: make replay DATA=folder")
        return 2
    logs.configure({}, verbose=False)
    clock = StoryClock(NOW)
    started = time.monotonic()
    world = kafka_world(folder, NOW)
    shutil.rmtree(target, ignore_errors=True)
    with Sandbox(world, clock=clock) as sandbox:
        replay_workspace(target, sandbox, folder)
        env = {"OKRSYNC_JIRA_TOKEN": sandbox.token, "OKRSYNC_GITHUB_TOKEN": sandbox.token}
        with open_session(target, env=env, clock=clock, sleep=lambda s: clock.advance(timedelta(seconds=s))) as session:
            result = story.sync(session)
            proposed = proposing.propose(session, result.judged)
            stored = session.store.items()
        requests = len(sandbox.requests)
    seconds = time.monotonic() - started
    print(f"read {result.pulled.new if result.pulled else 0} items in {requests} requests, whole run {seconds:.1f} s")
    print(f"exit {result.exit}; open work: {result.judged.summary}")
    verdicts = result.judged.view.verdicts
    counts = Counter((s.item.kind.value, verdicts[s.item.id].alignment.value) for s in stored if not s.chased)
    rules, before, after = sum(not p.team for p in proposed.proposals), proposed.before, proposed.after
    print(
        f"bootstrap proposes {rules} rules: of {before.unlinked} unlinked items they link "
        f"{after.linked - before.linked}, exempt {after.exempt - before.exempt} and leave {after.unlinked}"
    )
    print("all work by kind and alignment, open and closed:")
    for (kind, alignment), number in sorted(counts.items()):
        print(f"  {kind:<13} {alignment:<9} {number:>6}")
    found = {
        int(s.item.key.rpartition("#")[2]): {r.target.partition(":")[2] for r in s.item.references if r.via is Via.KEY}
        for s in stored
        if s.item.key.startswith("apache/kafka#")
    }
    return _score(folder, found)


def _score(folder: Path, found: dict[int, set[str]]) -> int:
    hits = misses = wrong = titles = 0
    for line in (folder / "pull_requests.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["judged"] == "either":
            continue
        titles += 1
        own, ours = set(row["own_keys"]), found.get(row["number"], set())
        hits += len(own & ours)
        misses += len(own - ours)
        wrong += len(ours - own)
        if own != ours:
            print(f"  differs: {row['title']!r}: found {sorted(ours)}, expected {sorted(own)}")
    precision, recall = hits / (hits + wrong), hits / (hits + misses)
    print(f"ticket keys in {titles} titles: {hits} right, {wrong} wrong, {misses} missed")
    print(f"precision {precision:.4f}, recall {recall:.4f}")
    return 0 if precision >= 0.99 and recall >= 0.98 else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data"), Path(".replay")))
