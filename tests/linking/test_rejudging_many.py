"""Of thousands of items, what is kept lies in many pieces: the findings stay those of judging everything."""

from __future__ import annotations

import json
import os
import random
from datetime import timedelta

import pytest
from judging_world import DONE, LONG_DONE, a_session, fill, text_of, told, work
from linking_world import NOW
from msgspec import structs

from okrsync import judging, rejudging
from okrsync.domain.trackers import Batch

pytestmark = pytest.mark.soak

SEED = int(os.environ.get("OKRSYNC_SOAK_SEED", "20261122"))
TICKETS, PULL_REQUESTS, ROUNDS = 2000, 1000, 40
LABELS = ["web", "old", "kr:O1.KR2", "initiative:INIT-2", "initiative:NOPE", "exempt:parity", "objective:O2"]
TITLES = ["Something", "Upgrade Netty", "P-12: a change"]
ENDS = [{"state": "open", "archived": False}] * 5 + [DONE, LONG_DONE, {"archived": True}]


class Company:
    """Work on which people do this and that. `made` counts what came later."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.made = 0
        self.items = {}
        for n in range(TICKETS):
            ways = (
                [("parent", f"jira:P-{self.chance.randrange(n // 8 + 1)}")] if self.chance.random() < 0.8 and n else []
            )
            self._put(work(f"jira:P-{n}", *ways, labels=self._labels()))
        for n in range(PULL_REQUESTS):
            self._put(work(f"github:a/b#{n + 1}", *self._ways(0.9), labels=self._labels()))

    def _put(self, item):
        self.items[item.uid] = item
        return item

    def _labels(self):
        return [self.chance.choice(LABELS)] if self.chance.random() < 0.15 else []

    def _ways(self, likely):
        if self.chance.random() > likely:
            return []
        targets = [f"jira:P-{self.chance.randrange(TICKETS + 100)}" for _ in range(self.chance.choice([1, 1, 1, 2]))]
        return [(self.chance.choice(["parent", "key", "closes"]), target) for target in targets]

    def change(self):
        """What there is in another way now, and the uids of what is gone."""
        items, gone = [], []
        for uid in self.chance.sample(sorted(self.items), self.chance.choice([1, 10, 60])):
            item, what = self.items[uid], self.chance.randrange(7)
            if what == 0:
                item = structs.replace(item, title=self.chance.choice(TITLES))
            elif what == 1:
                item = structs.replace(item, labels=tuple(self._labels()))
            elif what == 2:
                item = structs.replace(item, references=work(item.id, *self._ways(0.8)).references)
            elif what == 3:
                item = structs.replace(item, **self.chance.choice(ENDS))
            elif what == 4:
                item = structs.replace(item, updated=item.updated + timedelta(hours=1), author="lin")
            elif what == 5:
                self.made += 1
                item = work(f"jira:P-{TICKETS + self.made}", *self._ways(0.7), labels=self._labels())
            else:
                gone.append(uid)
                continue
            items.append(self._put(item))
        return items, gone


def test_after_whatever_was_done_to_many_the_findings_are_those_of_judging_everything(tmp_path):
    company = Company(SEED)
    with a_session(tmp_path, text_of(ages=False)) as session:
        started = {c: [i for i in company.items.values() if i.connector == c] for c in ("jira", "github")}
        fill(session, started)
        for number in range(ROUNDS):
            found = json.loads(b"".join(rejudging.findings(session, fewest=0).texts))
            assert found == told(judging.judge(session)), f"seed {SEED}, round {number}"
            items, gone = company.change()
            for item in items:
                session.store.save_batches(item.connector, [Batch(slice="all", items=(item,))], read_at=NOW)
            session.store.tombstone(gone)
