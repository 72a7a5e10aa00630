"""A small company of a few tickets, small enough that every fault gets a whole story of its own: a run that is right,
people who go on working, a run under the fault, and the run in which everything is right again.

`covers` ties a test to the rows of the table of faults (`ROWS`).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from msgspec import structs

from okrsync.sandbox import STORY_NOW, Fault, Sandbox, World
from product import Product, Ran, StoryClock

F = TypeVar("F", bound=Callable[..., object])

ROWS = {
    "401": "401",
    "403": "403 permission / 403 or 429 rate limit",
    "429": "429 without Retry-After, as HTML, as JSON; Retry-After as seconds or as a date",
    "github limits": "GitHub primary and secondary limit; GraphQL 200 with `RATE_LIMITED` or with partial data and errors",
    "broken": "5xx, timeout, connection reset, truncated body, invalid JSON, HTML with status 200",
    "endless": "a response that never ends, a body of gigabytes",
    "pages": "the same page twice, items moving between pages, an empty page in the middle, a repeated or expired page token",
    "deep pages": "GitHub's page limit (422 on deep page numbers)",
    "lag": "Jira's lagging index, minute-grained `updated` in the user's time zone, clock skew",
    "anonymous": "anonymous or wrong account: 200 with nothing",
    "moved": "deleted, moved, transferred item; renamed repository (301, 307 on writes); repository or project turned private",
    "read-only": "archived repository, locked issue, permission to read but not to write",
    "refused": "409, 422, 400 on a write",
    "lost": "response lost after the write was done; crash (kill -9) anywhere; two processes at once",
    "store": "disk full, database locked or gone",
    "labels": "label over 50 characters (GitHub), spaces (Jira), emoji",
    "dismissed": "comment deleted, label removed by a human",
    "hostile": "titles and bodies with `<script>`, `=cmd()`, `@name`, `#12`, `PAY-1`, NUL, zero-width, RTL, 1 MB",
    "secrets": "secrets",
    "elsewhere": "redirect to another host, a URL in data",
    "workspace": "YAML bombs, duplicate keys, 10 MB files, binary files",
}
"""Name -> the first column of the table."""


def covers(*rows: str) -> Callable[[F], F]:
    """Says of which rows a test is one."""
    assert set(rows) <= ROWS.keys(), rows

    def mark(test: F) -> F:
        test.covers = rows  # type: ignore[attr-defined]
        return test

    return mark


GOALS = """
cycle: {id: 2026-Q4, starts: 2026-10-01, ends: 2026-12-31}
bets: [{id: B1, title: Self-serve payments, owner: Ada Park}]
objectives:
  - id: O1
    title: Checkout keeps merchants
    level: company
    supports: [B1]
    owner: Ada Park
    key_results: [{id: O1.KR1, title: Raise conversion from 61% to 68%, owner: Lin Wu, baseline: 61, target: 68}]
  - id: O2
    title: Disputes are rare
    level: company
    supports: [B1]
    owner: Ada Park
    key_results: [{id: O2.KR1, title: Bring disputes below 0.4%, owner: Lin Wu, baseline: 0.7, target: 0.4}]
"""
SETTINGS = """
writeback:
  enabled: true
  comments: {backlog: true, after: 0d, rules: [unlinked-work]}
  limits: {share: 1.0}
reports: {formats: [csv]}
"""
JIRA = "type: jira\nurl: {url}\n{account}projects: [PAY, OPS]\n"
GITHUB = "type: github\nurl: {url}\nrepos: [acme/web, acme/api]\n"

# what each open item is, and which labels of ours it bears once a run was right
SETTLED = {
    "jira:PAY-1": ("linked", "okr/O1"),
    "jira:PAY-2": ("linked", "okr/O1"),
    "jira:PAY-3": ("unlinked", "okr/unlinked"),
    "jira:PAY-4": ("unlinked", "okr/unlinked"),
    "jira:OPS-1": ("unlinked", "okr/unlinked"),
    "github:acme/web#1": ("linked", "okr/O1"),
    "github:acme/web#2": ("unlinked", "okr/unlinked"),
    "github:acme/web#3": ("linked", "okr/O1"),
    "github:acme/web#4": ("unlinked", "okr/unlinked"),
    "github:acme/api#1": ("unlinked", "okr/unlinked"),
}
# what people tie to a goal by hand before a fault strikes
TIED = {"jira": "jira:PAY-4", "github": "github:acme/web#4"}
# a pull request that is linked through its ticket alone
THROUGH_JIRA = "github:acme/web#3"


class HouseClock(StoryClock):
    """The story's clock, which can be made to run with every look at it."""

    def __init__(self) -> None:
        super().__init__()
        self._when: Callable[[], bool] | None = None
        self._looks = 0

    def hasten(self, when: Callable[[], bool] | None) -> None:
        """From when this says so; after 2,000 looks at the latest, so that nothing ever hangs. None: no longer."""
        self._when, self._looks = when, 0

    def __call__(self) -> datetime:
        if self._when is not None:
            self._looks += 1
            if self._looks > 2_000 or self._when():
                self.now += timedelta(seconds=5)
        return self.now


def small_company(clock: StoryClock, *, cloud: bool = True) -> World:
    world = World(clock, cloud=cloud)
    world.add_person("lin", "Lin Wu")
    made = {"created": STORY_NOW - timedelta(days=30), "updated": STORY_NOW - timedelta(days=20)}
    jira, github = world.jira, world.github
    jira.add_project("PAY", "Payments")
    jira.add_project("OPS", "Operations")
    jira.add_issue("PAY", "Checkout", type="Epic", labels=["objective:O1"], reporter="lin", **made)
    jira.add_issue("PAY", "One page", parent="PAY-1", reporter="lin", **made)
    jira.add_issue("PAY", "Tidy the cupboard", reporter="lin", **made)
    jira.add_issue("PAY", "Answer disputes", reporter="lin", **made)
    jira.add_issue("OPS", "Rotate logs", reporter="lin", **made)
    web, api = github.add_repo("acme/web"), github.add_repo("acme/api")
    github.add_item(web, "Faster form", author="lin", labels=["objective:O1"], **made)
    github.add_item(web, "Old banner", author="lin", **made)
    github.add_item(web, "PAY-2: one page", pull=True, branch="one-page", author="lin", **made)
    github.add_item(web, "Evidence upload", author="lin", **made)
    github.add_item(api, "Flaky test", author="lin", **made)
    return world


class House(Product):
    """The company, its workspace and the command line over both."""

    def __init__(
        self, folder: Path, sandbox: Sandbox, clock: HouseClock, *, env: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(folder, sandbox, clock, env=env)
        self.clock: HouseClock = clock
        for path in (folder / "config" / "okrs").glob("*.yaml"):
            path.unlink()
        for path in (folder / "mappings").glob("*.yaml"):
            path.unlink()
        self.write("config/okrs/q4.yaml", GOALS)
        self.write("config/okrsync.yaml", SETTINGS)
        account = f"email: {sandbox.email}\n" if sandbox.world.jira.cloud else ""
        self.write("connectors/jira.yaml", JIRA.format(url=sandbox.jira_url, account=account))
        self.write("connectors/github.yaml", GITHUB.format(url=sandbox.github_url))
        self.expected = dict(SETTLED)

    @property
    def world(self) -> World:
        return self.sandbox.world

    def write(self, path: str, text: str) -> None:
        (self.root / path).write_text(text, encoding="utf-8")

    def strike(self, *faults: Fault) -> None:
        """Fresh copies: the table of a parametrised test stays as it is."""
        for fault in faults:
            self.sandbox.faults.add(structs.replace(fault))

    def hasten(self, healthy: str) -> None:
        """From now on each look at the clock takes five seconds, once the healthy source was read: what drips costs
        the test no time, and what does not drip is not late on its account. To be called after a quiet run."""
        begun = len(self.sandbox.requests)
        self.sync()
        quiet = sum(r.source == healthy for r in self.sandbox.requests[begun:])
        begun = len(self.sandbox.requests)

        def read() -> bool:
            answered = (r for r in self.sandbox.requests[begun:] if r.source == healthy and r.status is not None)
            return sum(1 for _ in answered) >= quiet

        self.clock.hasten(read)

    # --- the story

    def settle(self) -> None:
        """The run before any fault: everything is labelled and told."""
        ran = self.sync()
        assert ran.exit == 0, (ran.out, ran.err)
        self.as_expected()

    def people_work(self) -> None:
        """On both sides an unlinked item is tied to a goal by hand."""
        self.clock.advance(minutes=5)
        for id_ in TIED.values():
            self.world.add_label(id_, "objective:O2", "lin")
            self.expected[id_] = ("linked", "okr/O2")

    def suspended(self, source: str, *faults: Fault, says: str = "", heal: tuple[str, ...] = ()) -> Ran:
        """Under the faults the source counts as not read and the other one is right; without them all is."""
        self.settle()
        self.people_work()
        before = self.labels()
        sent = len(self.sandbox.writes)
        self.strike(*faults)
        ran = self.sync()
        self.is_suspended(ran, source, says)
        assert not [w for w in self.sandbox.writes[sent:] if w.source == source], "nothing is written to it"
        for id_, labels in self.labels().items():
            if id_.startswith(f"{source}:") or (source == "jira" and id_ == THROUGH_JIRA):
                assert labels == before[id_], f"{id_} was touched on the account of a source that was not read"
            else:
                assert labels == {self.expected[id_][1]}, f"{id_} of the other source is wrong"
        self.sandbox.faults.clear()
        healed = self.sync(*heal)
        assert healed.exit == 0, (healed.out, healed.err)
        self.right()
        return ran

    def is_suspended(self, ran: Ran, source: str, says: str = "") -> None:
        assert ran.exit == 3, (ran.out, ran.err)
        assert "Traceback" not in ran.err
        told = {s["name"]: s for s in ran.json["run"]["sources"]}
        assert not told[source]["complete"]
        assert says in told[source]["error"], told[source]["error"]
        assert all(s["complete"] for name, s in told.items() if name != source), told
        for id_, alignment in self.verdicts().items():
            if id_.startswith(f"{source}:") or (source == "jira" and id_ == THROUGH_JIRA):
                assert alignment == "unknown", id_
            else:
                assert alignment == self.expected[id_][0], id_

    def survived(self, *faults: Fault) -> Ran:
        """The faults strike, and the run is right all the same."""
        self.settle()
        self.people_work()
        self.strike(*faults)
        ran = self.sync()
        assert ran.exit == 0, (ran.out, ran.err)
        assert all(fault.hits for fault in self.sandbox.faults.list()), "no fault struck"
        self.sandbox.faults.clear()
        self.right()
        return ran

    # --- what is the case

    def right(self) -> None:
        """Everything is as expected, and the next run has nothing to do."""
        self.as_expected()
        sent = len(self.sandbox.writes)
        again = self.sync()
        assert again.exit == 0, (again.out, again.err)
        assert self.sandbox.writes[sent:] == [], "a run without changes writes nothing"

    def as_expected(self) -> None:
        """Every verdict and label, and no second comment."""
        assert self.verdicts() == {id_: alignment for id_, (alignment, _) in self.expected.items()}
        assert self.labels() == {id_: {label} for id_, (_, label) in self.expected.items()}
        for id_ in self.expected:
            assert len(self.comments(id_)) <= 1, id_

    def verdicts(self) -> dict[str, str]:
        """Alignments as the last run's CSV says, of the expected items."""
        with (self.root / "reports" / "okrsync.csv").open(encoding="utf-8", newline="") as file:
            return {row["id"]: row["alignment"] for row in csv.DictReader(file)}

    def labels(self) -> dict[str, set[str]]:
        items: dict[str, Any] = self.world.snapshot()["items"]
        return {id_: {x for x in items[id_]["labels"] if x.startswith("okr/")} for id_ in self.expected}

    def comments(self, id_: str) -> list[Any]:
        return [c for c in self.world.find(id_).comments if c.author == self.world.bot]
