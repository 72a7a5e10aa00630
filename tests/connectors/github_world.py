"""A pretended GitHub for the tests of the connector: the sandbox on loopback, with every request checked against the
official contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
from pydantic import SecretStr

from contracts import Checked, github_contract
from okrsync.connectors.github import GitHubTracker
from okrsync.domain.settings import GitHubSettings
from okrsync.domain.trackers import Batch, Memory, SliceState
from okrsync.sandbox.faults import Fault, Faults
from okrsync.sandbox.records import Item
from okrsync.sandbox.server import Sandbox
from okrsync.sandbox.world import StoryClock, World

SECRET = SimpleNamespace(token=SecretStr("sandbox-token"), private_key=None)
REPO = "acme/web"


class GitHubPlace:
    """World, sandbox and tracker; a `Place` of the conformance suite. `slept` are the waits that the tracker asked
    for; they move the clock."""

    container = REPO
    incremental = True

    def __init__(self) -> None:
        self.clock = StoryClock()
        self.world = World(self.clock)
        self.world.add_person("ada", "Ada Park")
        self.state = self.world.github
        self.repo = self.state.add_repo(REPO)
        self.faults = Faults()
        self.sandbox = Sandbox(self.world, clock=self.clock, faults=self.faults)
        self.slept: list[float] = []
        self.serial = 0

    def start(self) -> None:
        self.sandbox.start()
        self.tracker = self.connect()

    def connect(
        self,
        secret: Any = SECRET,
        network: httpx.BaseTransport | None = None,
        memory: Memory | None = None,
        **settings: Any,
    ) -> GitHubTracker:
        self.wire = Checked(network or httpx.HTTPTransport(), github_contract())
        given = {"repos": (REPO,), **settings}
        return GitHubTracker(
            GitHubSettings(name="github", type="github", url=self.sandbox.github_url, **given),
            secret,
            clock=self.clock,
            sleep=self.sleep,
            deadline=lambda: self.clock() + timedelta(minutes=30),
            client=httpx.Client(transport=self.wire),
            memory=memory,
        )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))

    def break_(self, kind: Any, path: str = "", **more: Any) -> None:
        self.faults.add(Fault(kind=kind, source="github", path=path, **more))

    def item(self, id_: str) -> Item:
        found = self.world.find(id_)
        assert isinstance(found, Item)
        return found

    @property
    def asked(self) -> list[str]:
        """`GET /repos/acme/web/issues`: requests without their queries."""
        return [line.partition("?")[0] for line in self.wire.lines]

    # --- as people see it

    def add(self, title: str, labels: tuple[str, ...] = (), **more: Any) -> str:
        return "github:" + self.state.name(self.state.add_item(self.repo, title, labels=list(labels), **more))

    def retitle(self, id_: str, title: str) -> None:
        self.world.edit_title(id_, title, "ada")

    def delete(self, id_: str) -> None:
        self.state.delete(self.item(id_))

    def labels(self, id_: str) -> set[str]:
        return set(self.item(id_).labels)

    def comments(self, id_: str) -> list[str]:
        return [str(c.id) for c in self.item(id_).comments]

    def person_comments(self, id_: str, text: str) -> None:
        self.world.comment(id_, text, "ada")

    def person_deletes(self, id_: str, comment_id: str) -> None:
        self.world.delete_comment(id_, int(comment_id), "ada")

    def later(self) -> None:
        self.clock.advance(timedelta(hours=1))


@contextmanager
def github_place() -> Iterator[GitHubPlace]:
    place = GitHubPlace()
    place.start()
    try:
        yield place
    finally:
        place.tracker.close()
        place.sandbox.stop()


def many(place: GitHubPlace, count: int, days: int = 200, **more: Any) -> list[str]:
    """Opened one a minute, long ago: none lies within an overlap."""
    place.clock.advance(timedelta(days=-days))
    ids = []
    for n in range(count):
        place.clock.advance(timedelta(minutes=1))
        ids.append(place.add(f"item {n}", **more))
    place.clock.advance(timedelta(days=days, minutes=-count))
    return ids


def read(place: GitHubPlace, slices: dict[str, SliceState] | None = None, **how: bool) -> list[Batch]:
    return list(place.tracker.pull(slices or {}, **how))
