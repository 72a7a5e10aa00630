"""`make bench-scale`: `okrsync findings` over a store of generated work, beside resolving parents in plain lists.

Prints wall, CPU and peak memory; asserts nothing about time. `ITEMS=1000000` sets the number of items: trees of up to
five levels in Jira, 30% pull requests on GitHub that name a ticket, a third of all open. The floor resolves the same
number of items over dense integer parents in plain Python lists; `resolve` is what okrsync does between having read
all items and knowing how each of them stands. Then one item in a hundred changes, as a pull would have it: most get
another title, some end or are opened again, few say what they are for or leave what they hung on. `starting` is what
any `findings` takes, of a store with nothing in it. The least of five runs is told.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import structs

from okrsync import mappings
from okrsync.bootstrap import open_session
from okrsync.domain.outlines import Outlines
from okrsync.domain.trackers import Batch
from okrsync.domain.work import Kind, Reference, Via, WorkItem
from okrsync.findings import oldest
from okrsync.judging import ASKED, context_of, uncollected
from okrsync.linking import Resolution, standings_together
from okrsync.reading import last_sources
from okrsync.store import open_store

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PROJECTS, REPOS, INITIATIVES = 50, 100, 40
TEXT = "Steps, expected and actual results, and a link to the discussion. " * 6
LEVELS = ((Kind.EPIC, "Initiative"), (Kind.EPIC, "Epic"), (Kind.ISSUE, "Story"), (Kind.SUBTASK, "Sub-task"))
PAGE = 1000
ROUNDS = 5


def write_workspace(folder: Path) -> None:
    results = "".join(f"      - {{id: O{o}.KR1, title: From 1 to 2, baseline: 1, target: 2}}\n" for o in range(1))
    objectives = "".join(
        f"  - id: O{o}\n    title: Objective {o}\n    level: company\n    supports: [B1]\n    key_results:\n"
        + results.replace("O0", f"O{o}")
        for o in range(10)
    )
    initiatives = "".join(
        f"  - {{id: INIT-{i}, title: Part {i}, supports: [O{i % 10}.KR1]}}\n" for i in range(INITIATIVES)
    )
    rules = "".join(
        f"  - {{name: part {i}, when: {{project: P{i:02}, labels: area-{i % 7}}}, link: INIT-{i}}}\n" for i in range(10)
    )
    files = {
        "config/okrsync.yaml": "store: sqlite:///okrsync.db\n",
        "config/okrs/q4.yaml": "cycle: {id: 2026-Q4, starts: 2026-10-01, ends: 2026-12-31}\n"
        f"bets:\n  - {{id: B1, title: Win}}\nobjectives:\n{objectives}initiatives:\n{initiatives}",
        "connectors/jira.yaml": "type: jira\nurl: https://jira.example\nemail: a@jira.example\nprojects: [PAY]\n",
        "connectors/github.yaml": "type: github\nurl: https://api.github.com\norg: acme\n",
        "mappings/rules.yaml": f"rules:\n{rules}"
        '  - {name: bots, when: {author: ["dependabot[bot]"]}, exempt: operational-health}\n'
        '  - {name: upgrades, when: {title: "(?i)^upgrade "}, exempt: operational-health}\n'
        "  - {name: team, when: {project: [P00, P01, P02]}, team: Payments}\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def work(number: int) -> Iterator[WorkItem]:
    """Seven tickets to three pull requests. A ticket's parent is one of the level above it, so that no chain is longer
    than pull request, sub-task, story, epic, initiative."""
    chance = random.Random(1)
    tickets = number * 7 // 10
    shares = (tickets // 500, tickets // 20, tickets * 6 // 10, tickets)  # where each level ends
    for n in range(tickets):
        level = next(k for k, end in enumerate(shares) if n < end or k == 3)
        parent = chance.randrange(shares[level - 2] if level > 1 else 0, shares[level - 1]) if level else None
        if level == 2 and n % 12 == 0:
            parent = None  # work on its own
        yield ticket(n, level, parent, chance)
    for n in range(number - tickets):
        yield pull_request(n, chance.randrange(tickets) if n % 20 else None, chance)


def name(n: int) -> str:
    return f"P{n % PROJECTS:02}-{n // PROJECTS + 1}"


def ticket(n: int, level: int, parent: int | None, chance: random.Random) -> WorkItem:
    kind, type_ = LEVELS[level]
    key = name(n)
    labels = [f"area-{chance.randrange(30)}"]
    if level < 2 and n % 10:  # most of what stands at the top says what it is for
        labels.append(f"initiative:INIT-{n % INITIATIVES}")
    closed = level > 1 and n % 3 > 0
    created = NOW - timedelta(days=1 + n % 700, minutes=n % 1440)
    references = ()
    if parent is not None:
        references = (Reference(via=Via.PARENT, target=f"jira:{name(parent)}", structural=True, detail="parent"),)
    return WorkItem(
        id=f"jira:{key}",
        uid=f"jira:{100_000 + n}",
        connector="jira",
        key=key,
        container=key.partition("-")[0],
        kind=kind,
        title=f"Part {n}: what the {type_.lower()} is about",
        url=f"https://jira.example/browse/{key}",
        created=created,
        updated=created + timedelta(hours=20),
        body=TEXT,
        type=type_,
        status="Done" if closed else "To Do",
        state="closed" if closed else "open",
        labels=tuple(labels),
        author=f"Person {n % 997}",
        assignee=f"Person {n % 991}",
        priority="Medium",
        closed_at=created + timedelta(hours=19) if closed else None,
        references=references,
    )


def pull_request(n: int, about: int | None, chance: random.Random) -> WorkItem:
    repo = f"acme/service-{n % REPOS:03}"
    key = f"{repo}#{n // REPOS + 1}"
    merged = n % 3 > 0
    created = NOW - timedelta(days=1 + n % 700, minutes=n % 1440)
    bot = about is None and n % 3 == 0
    title = f"Upgrade part {n}" if about is None else f"{name(about)}: change part {n}"
    references = ()
    if about is not None:
        references = (Reference(via=Via.KEY, target=f"jira:{name(about)}", structural=False, detail="title"),)
    return WorkItem(
        id=f"github:{key}",
        uid=f"github:{n}",
        connector="github",
        key=key,
        container=repo,
        kind=Kind.PULL_REQUEST,
        title=title,
        url=f"https://github.com/{repo}/pull/{n // REPOS + 1}",
        created=created,
        updated=created + timedelta(hours=20),
        body=TEXT,
        type="Pull Request",
        status="merged" if merged else "open",
        state="merged" if merged else "open",
        branch=f"feature/part-{n}",
        labels=(f"size-{chance.randrange(5)}",),
        author="dependabot[bot]" if bot else f"person-{n % 997}",
        author_type="bot" if bot else "user",
        closed_at=created + timedelta(hours=19) if merged else None,
        references=references,
    )


def fill(folder: Path, number: int) -> None:
    store = open_store(f"sqlite:///{folder / 'okrsync.db'}", label_prefix="okr/", clock=lambda: NOW)
    page: dict[str, list[WorkItem]] = {"jira": [], "github": []}
    for item in work(number):
        page[item.connector].append(item)
        if len(page[item.connector]) == PAGE:
            store.save_batches(item.connector, [Batch(slice="all", items=tuple(page[item.connector]))], read_at=NOW)
            page[item.connector].clear()
    for connector, rest in page.items():
        last = Batch(slice="all", items=tuple(rest), watermark="end")
        store.save_batches(connector, [last], read_at=NOW)
    sources = [{"name": connector, "complete": True, "items": number} for connector in page]
    store.set_meta("sources", json.dumps(sources))
    store.set_meta("projects", json.dumps({f"P{n:02}": "jira" for n in range(PROJECTS)}))
    store.close()


def fill_nothing(folder: Path) -> None:
    write_workspace(folder)
    fill(folder, 0)


def change(folder: Path, number: int) -> None:
    chance = random.Random(2)
    picked = set(chance.sample(range(number), number // 100))
    store = open_store(f"sqlite:///{folder / 'okrsync.db'}", label_prefix="okr/", clock=lambda: NOW)
    changed: dict[str, list[WorkItem]] = {"jira": [], "github": []}
    for place, item in enumerate(work(number)):
        if place in picked:
            changed[item.connector].append(changed_item(item, chance.random()))
    for connector, items in changed.items():
        for first in range(0, len(items), PAGE):
            store.save_batches(connector, [Batch(slice="all", items=tuple(items[first : first + PAGE]))], read_at=NOW)
    store.close()


def changed_item(item: WorkItem, chance: float) -> WorkItem:
    if chance < 0.7:
        return structs.replace(item, title=f"{item.title}, again")
    if chance < 0.9:
        ended = {"state": "closed", "closed_at": NOW} if item.open else {"state": "open", "closed_at": None}
        return structs.replace(item, **ended)
    if chance < 0.95:
        return structs.replace(item, labels=(*item.labels, "initiative:INIT-3"))
    return structs.replace(item, references=())


# --- the floor ------------------------------------------------------------------------------------------------


def plain(number: int) -> tuple[list[int], list[int]]:
    """Dense parents (-1: none) and goals (-1: none)."""
    parents, goals = [-1] * number, [-1] * number
    ids = {}
    for place, item in enumerate(work(number)):
        ids[item.id] = place
        goals[place] = 1 if any(label.startswith("initiative:") for label in item.labels) else -1
        if item.references:
            parents[place] = ids[item.references[0].target]
    return parents, goals


def floor(parents: list[int], goals: list[int]) -> float:
    """Seconds to find what each item reaches."""
    number = len(parents)
    began = time.process_time()
    reached: list[int | None] = [None] * number
    for start in range(number):
        chain = []
        place = start
        while place >= 0 and reached[place] is None and goals[place] < 0:
            chain.append(place)
            reached[place] = -1  # a loop ends here
            place = parents[place]
        goal = -1 if place < 0 else goals[place] if goals[place] >= 0 else reached[place]
        for below in chain:
            reached[below] = goal
        if not chain:
            reached[start] = goal
    return time.process_time() - began


# --- okrsync --------------------------------------------------------------------------------------------------


def resolve(folder: Path) -> tuple[float, float]:
    """Seconds from having read all items to knowing how each of them stands, and those of them in which mapping rules
    are asked of what no explicit evidence reaches. Work that was closed before the cycle counts as standing in no way,
    and is gone through only where it is above other work; the floor goes through all."""
    read = 0.0
    with open_session(folder, env={}, clock=lambda: NOW) as session, uncollected():
        matcher = mappings.compile(session.workspace.mappings)
        context = context_of(session, last_sources(session), NOW)
        with session.store.look(["jira", "github"]) as look:

            def stream() -> Iterator[Outlines]:
                nonlocal read
                yield from look.outlines(ASKED)
                read = time.process_time()

            since = oldest(session.goals).date()
            resolution = Resolution(stream(), session.goals, None, context, traced=False, since=since)
            ends = resolution.ends(since)
            wanted = resolution.to_ask(ends)
            taken = time.process_time() - read
            items = list(look.some(wanted, ASKED.union(matcher.fields)))
            began = time.process_time()
            resolution.to_tell(ends)
            taken += time.process_time() - began
        began = time.process_time()
        answers = [answer for n in range(0, len(items), PAGE) for answer in matcher.match_all(items[n : n + PAGE], NOW)]
        asking = time.process_time() - began
        for item, answer in zip(items, answers, strict=True):
            resolution.ask(item, answer)
        standings_together(resolution, ends)
        return taken + time.process_time() - began, asking


def told(name: str, taken: list[tuple[float, float, float]], folder: Path) -> tuple[float, float]:
    """The least wall and CPU seconds of some runs, and the most MB."""
    wall, cpu = min(w for w, _, _ in taken), min(c for _, c, _ in taken)
    size = (folder / "findings.json").stat().st_size / 1e6
    print(
        f"{name:<24}{wall:>8.2f} s wall{cpu:>8.2f} s CPU{max(m for *_, m in taken):>7.0f} MB   {size:.0f} MB of JSON",
        flush=True,
    )
    return wall, cpu


def once(folder: Path) -> tuple[float, float, float]:
    """As `okrsync findings --format json > file`, in a process of its own. Wall and CPU seconds, MB."""
    command = [str(Path(sys.executable).parent / "okrsync"), "--workspace", str(folder), "findings", "--format", "json"]
    env = {**os.environ, "OKRSYNC_JIRA_TOKEN": "x", "OKRSYNC_GITHUB_TOKEN": "x", "OKRSYNC_LOG": "json"}
    began = time.monotonic()
    with (folder / "findings.json").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, env=env)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    if os.waitstatus_to_exitcode(status) not in (0, 3):  # 3: of the store with nothing in it, no source was read
        sys.exit(f"findings failed in {folder}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main(number: int, folder: Path) -> None:
    print(f"{number} items")
    write_workspace(folder)
    fill(folder, number)
    fill_nothing(folder / "nothing")
    nothing = folder / "nothing"
    began = told("starting", [once(nothing) for _ in range(ROUNDS)], nothing)
    once(folder)
    told("nothing changed", [once(folder) for _ in range(ROUNDS)], folder)
    change(folder, number)
    kept, before = folder / "okrsync.db.judged", folder / "judged-before"
    if kept.exists():  # of few items nothing is kept
        kept.replace(before)
    whole, changed = [], []
    for _ in range(ROUNDS):  # in turn, as a machine may be faster at one time than at another
        kept.unlink(missing_ok=True)
        whole.append(once(folder))
        if before.exists():
            shutil.copyfile(before, kept)
        changed.append(once(folder))
    first, again = told("findings, all anew", whole, folder), told("1% changed", changed, folder)
    apart = [(a - b) / (f - b) for a, f, b in zip(again, first, began, strict=True)]
    print(
        f"1% changed takes {again[0] / first[0]:.1%} of all anew (wall), {again[1] / first[1]:.1%} (CPU), "
        f"without starting {apart[0]:.0%} and {apart[1]:.0%}"
    )
    lists = plain(number)
    floors, ours = zip(*((floor(*lists), resolve(folder)) for _ in range(ROUNDS)), strict=True)
    least, (taken, asking) = min(floors), min(ours)
    print(f"{'floor, resolve':<24}{least:>8.2f} s CPU")
    print(
        f"{'okrsync, resolve':<24}{taken:>8.2f} s CPU   {taken / least:.1f} times the floor, "
        f"without asking rules ({asking:.2f} s) {(taken - asking) / least:.1f} times"
    )


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    target = given or Path(tempfile.mkdtemp(prefix="okrsync-bench-"))
    target.mkdir(parents=True, exist_ok=True)
    try:
        main(int(os.environ.get("ITEMS", "1000000")), target)
    finally:
        if given is None:
            shutil.rmtree(target)
