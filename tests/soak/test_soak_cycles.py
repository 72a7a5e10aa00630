"""Two hundred cycles with random faults, people at work, kills and time passing; every so often the faults stop, and
what stands there has to be what a fresh okrsync makes of the same world.

OKRSYNC_SOAK_SEED and OKRSYNC_SOAK_CYCLES replay and lengthen it. Which requests meet at the same time is the one
thing that a seed does not fix.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from soak_people import People
from soak_storm import SOURCES, Storm
from soak_truth import SETTINGS, alignments, compare, snapshot, told

from databases import databases
from okrsync.sandbox import STORY_NOW, Sandbox, company
from product import Product, Ran, StoryClock

pytestmark = pytest.mark.soak

SEED = int(os.environ.get("OKRSYNC_SOAK_SEED", "20261116"))
CYCLES = {"sqlite": 120, "postgresql": 80}
EVERY = 20  # cycles between two comparisons
PATIENCE = 8.0  # seconds that a child may take before it is killed anyway
SCRIPT = Path(__file__).parent.parent / "run_cli.py"


class Soak:
    """One workspace in bad weather. `events` is what happened, for the message of a failure."""

    def __init__(self, folder: Path, kind: str, url: str, seed: int) -> None:
        self.kind, self.url, self.folder = kind, url, folder
        self.dice = random.Random(seed)
        self.seed, self.cycle = seed, 0
        self.events: list[str] = []
        self.clock = StoryClock(STORY_NOW)
        self.storm = Storm(self.clock)
        self.world = company(STORY_NOW)
        self.sandbox = Sandbox(self.world, clock=self.clock, faults=self.storm)
        self.people = People(self.world, folder / "soaked", self.dice, self.log)
        self.seen: dict[str, set[int]] = {}
        self.expected: dict[str, Any] = {}

    def log(self, text: str) -> None:
        self.events.append(f"{self.cycle:4} {self.clock():%d %H:%M} {text}")

    def fail(self, problems: list[str]) -> None:
        if problems:
            events = "\n".join(self.events[-int(os.environ.get("OKRSYNC_SOAK_EVENTS", "60")) :])
            told = "\n".join(problems[:40])
            pytest.fail(f"seed {self.seed}, {self.kind}, cycle {self.cycle}:\n{told}\n\nlast events:\n{events}", False)

    # --- the story --------------------------------------------------------------------------------------------

    def run(self, cycles: int) -> None:
        with self.sandbox:
            self.product = Product(self.folder / "soaked", self.sandbox, self.clock, env=SETTINGS)
            self.product.env["OKRSYNC_STORE"] = self.url
            while self.cycle < cycles:
                self.cycle += 1
                self.pass_time()
                for _ in range(self.dice.choice((0, 1, 1, 2, 3))):
                    self.people.act()
                self.one_cycle()
                if self.cycle % EVERY == 0 or self.cycle == cycles:
                    self.settle()

    def pass_time(self) -> None:
        hours = self.dice.choices((0.02, 0.25, 1.5, 30, 72), (3, 10, 3, 1, 0.3))[0]
        self.clock.advance(hours=hours * self.dice.uniform(0.5, 1.5))
        if self.dice.random() < 0.1:
            self.people.restore()

    def one_cycle(self) -> None:
        dice = self.dice
        before = snapshot(self.world)
        self.note()
        closed = self.people.closed()
        unlinked = self.people.bearing("okr/unlinked")
        sent = len(self.sandbox.writes)
        edits = self.people.edits
        self.people.imitated.clear()
        way = dice.choices(("sync", "apply", "pull", "killed", "two"), (80, 5, 4, 7, 2))[0]
        for _ in range(dice.choice((0, 1, 1, 2, 4))):
            self.log("fault: " + self.storm.brew(dice, waiting=way not in ("killed", "two")))
        for _ in range(dice.choice((0, 0, 0, 1, 2))):
            self.storm.at(dice.choice(SOURCES), dice.randint(1, 12), self.meanwhile)
        if self.kind == "postgresql" and dice.random() < 0.08:
            self.storm.at("*", dice.randint(1, 20), self.restart_database)
        ran = self.go(way)
        self.storm.calm()
        self.check(ran, closed, sent, touched=self.people.edits != edits)
        if gained := self.people.bearing("okr/unlinked") - unlinked - self.people.imitated:
            self.check_gained(gained, before)

    def go(self, way: str) -> Ran | None:
        if way == "sync":
            accept = ["--accept-shrink"] if self.dice.random() < 0.05 and not self.storm.list() else []
            ran = self.product.run("sync", "--format", "json", *accept)
        elif way in ("apply", "pull"):
            ran = self.product.run(way)
        else:
            ran = self.in_a_child(killed=way == "killed")
        self.log(f"{way}: {told(ran) if ran and way == 'sync' else ran.exit if ran else 'killed'}")
        return ran

    def in_a_child(self, *, killed: bool) -> Ran | None:
        """A sync in a process of its own that is killed at some request; or that another one meets."""
        env = {**os.environ, **self.product.env, "OKRSYNC_TEST_NOW": self.clock().isoformat()}
        command = [sys.executable, str(SCRIPT), "sync", "--workspace", str(self.product.root)]
        seen = len(self.sandbox.requests)
        child = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            ran = None
            if killed:
                self.storm.at("*", self.dice.randint(1, 60), child.kill)
            else:
                while len(self.sandbox.requests) == seen and child.poll() is None:
                    time.sleep(0.01)  # until it holds the lease
                ran = self.product.run("sync", "--format", "json")
            _, err = child.communicate(timeout=PATIENCE)
            self.fail(["a traceback in the child:\n" + err.decode()] if b"Traceback" in err else [])
        except subprocess.TimeoutExpired:
            pass
        finally:
            child.kill()
            child.communicate()
        self.clock.advance(minutes=1)
        return ran

    def meanwhile(self) -> None:
        self.log("meanwhile")
        self.people.act()
        self.note()

    def restart_database(self) -> None:
        import psycopg

        self.log("the database restarts")
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    # --- what holds at any time -------------------------------------------------------------------------------

    def note(self) -> None:
        """What is people's, as they left it."""
        self.expected = self.people.theirs()

    def check(self, ran: Ran | None, closed: dict, sent: int, *, touched: bool) -> None:
        wrong: list[str] = []
        now = self.people.theirs()
        wrong += [
            f"people's: {self.expected.get(u)} is now {now.get(u)}" for u in now if self.expected.get(u) != now[u]
        ]
        if not touched:
            after = self.people.closed()
            wrong += [
                f"closed or archived: {closed[u]} is now {after.get(u)}" for u in closed if closed[u] != after.get(u)
            ]
        for uid, ids in self.people.our_comments().items():
            ever = self.seen.setdefault(uid, set())
            ever.update(ids)
            if len(ids) > 1 or len(ever) > 1 + self.people.deleted.get(uid, 0):
                wrong.append(
                    f"{uid}: {len(ids)} comments of ours, {len(ever)} ever, {self.people.deleted.get(uid, 0)} deleted"
                )
        if ran is not None:
            if "Traceback" in ran.err:
                wrong.append(ran.err)
            if ran.exit not in (0, 1, 3, 4):
                wrong.append(f"exit {ran.exit}: {ran.err}")
            if ran.exit == 1 and self.kind == "sqlite":  # PostgreSQL may have gone while we wrote
                wrote = [w for w in self.sandbox.writes[sent:] if (w.status or 500) < 300]
                wrong += [f"nothing could be read, and yet: {w.method} {w.path}" for w in wrote]
        self.fail(wrong)

    def check_gained(self, gained: set[str], before: object) -> None:
        """Whatever is called unlinked now is so, or was so when the cycle began."""
        root = self.product.root
        for world in (self.world, before):
            true = alignments(world, root, self.folder / "judge")
            gained = {id_ for id_ in gained if true.get(id_, "") not in ("unlinked", "")}
            if not gained:
                return
        self.fail([f"{id_} became okr/unlinked, and it is {true[id_]}" for id_ in sorted(gained)])

    # --- and when it is quiet ---------------------------------------------------------------------------------

    def settle(self) -> None:
        self.people.restore()
        self.clock.advance(days=1, minutes=5)
        self.note()
        closed = self.people.closed()
        for n in range(6):
            ran = self.product.sync()
            self.log(f"quiet: {told(ran)}")
            self.check(ran, closed, len(self.sandbox.writes), touched=False)
            if ran.exit == 0 and ran.json["plan"]["counts"]["items"] == 0 and n:
                break
            if "--accept-shrink" in ran.out:
                self.log(f"quiet: {told(self.product.sync('--accept-shrink'))}")
        else:
            self.fail([f"it does not come to rest: {ran.exit} {ran.out[-1500:]} {ran.err[-1500:]}"])
        self.fail(compare(self.product, self.url, self.people, self.folder / "fresh"))


@pytest.fixture(params=list(CYCLES))
def soak(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Soak]:
    for make in databases(request.param, tmp_path):
        yield Soak(tmp_path, request.param, make(), SEED)


def test_cycles(soak: Soak) -> None:
    cycles = int(os.environ.get("OKRSYNC_SOAK_CYCLES", "0")) or CYCLES[soak.kind]
    soak.run(cycles)
