"""A pretended Jira for the tests of the connector: the sandbox on loopback, with every request checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
from pydantic import SecretStr

from contracts import Checked, jira_contract
from okrsync.connectors.jira import JiraTracker
from okrsync.domain.settings import JiraSettings
from okrsync.domain.trackers import Batch, Memory, SliceState
from okrsync.domain.work import WorkItem
from okrsync.sandbox.faults import Fault, Faults
from okrsync.sandbox.server import Sandbox
from okrsync.sandbox.world import STORY_NOW, StoryClock, World

SECRET = SimpleNamespace(token=SecretStr("sandbox-token"))
SEARCH = r"/api/\d/search"  # not project/search


class Meddled(httpx.BaseTransport):
    """Hands requests on; what happens `before` one of them, and what is made of the answer `after` it."""

    def __init__(self, house: JiraHouse) -> None:
        self._inner = httpx.HTTPTransport()
        self._house = house

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._house.before(request)
        response = self._inner.handle_request(request)
        response.read()
        return self._house.after(request, response)

    def close(self) -> None:
        self._inner.close()


class JiraHouse:
    """World, sandbox and tracker. `naps` are the waits that the tracker asked for; they move the clock. `before` and
    `after` see every request, in the thread that sends it."""

    def __init__(self, *, cloud: bool) -> None:
        self.clock = StoryClock()
        self.world = World(self.clock, cloud=cloud)
        self.jira = self.world.jira
        self.jira.add_project("PAY", "Payments")
        self.jira.add_project("WEB", "Web")
        self.faults = Faults()
        self.sandbox = Sandbox(self.world, clock=self.clock, faults=self.faults)
        self.naps: list[float] = []
        self.before: Callable[[httpx.Request], None] = lambda request: None
        self.after: Callable[[httpx.Request, httpx.Response], httpx.Response] = lambda request, response: response

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))

    def break_(self, kind: Any, path: str, **more: Any) -> Fault:
        return self.faults.add(Fault(kind=kind, source="jira", path=path, **more))

    def tracker(
        self,
        secret: Any = SECRET,
        *,
        memory: Memory | None = None,
        budget: timedelta | None = None,
        **settings: Any,
    ) -> JiraTracker:
        """`budget`: how long the run has from now on; without one it never comes nearer to its end."""
        ends = self.clock() + budget if budget else None
        self.wire = Checked(Meddled(self), jira_contract())
        email = self.world.email if self.jira.cloud else None
        given = {"projects": ("PAY", "WEB"), "email": email, "url": self.sandbox.jira_url, **settings}
        return JiraTracker(
            JiraSettings(name="jira", type="jira", **given),
            secret,
            clock=self.clock,
            sleep=self.sleep,
            deadline=lambda: ends or self.clock() + timedelta(minutes=30),
            client=httpx.Client(transport=self.wire),
            memory=memory,
        )


@contextmanager
def house(*, cloud: bool) -> Iterator[JiraHouse]:
    it = JiraHouse(cloud=cloud)
    with it.sandbox:
        yield it


def fill(it: JiraHouse, count: int = 250, project: str = "PAY") -> None:
    """So many issues, one opened each hour from 400 days ago on."""
    for n in range(count):
        it.jira.add_issue(project, f"work {n}", created=STORY_NOW - timedelta(days=400) + timedelta(hours=n))


class Held:
    """What a store would hold after the batches: by slice, uid -> item."""

    def __init__(self) -> None:
        self.states: dict[str, SliceState] = {}
        self.items: dict[str, dict[str, WorkItem]] = {}
        self.problems: dict[str, str] = {}
        self.suspect: set[str] = set()
        self.warnings: list[str] = []

    def take(self, batches: Iterator[Batch], *, stop_after: int | None = None) -> Held:
        self.problems, self.suspect = {}, set()
        for n, batch in enumerate(batches, 1):
            held = self.items.setdefault(batch.slice, {})
            state = self.states.get(batch.slice, SliceState())
            held.update((i.uid, i) for i in batch.items)
            if batch.present is not None:
                for uid in held.keys() - set(batch.present):
                    del held[uid]
            if batch.problem:
                self.problems[batch.slice] = batch.problem
            if batch.suspect:
                self.suspect.add(batch.slice)
            self.warnings += batch.warnings
            self.states[batch.slice] = SliceState(
                watermark=batch.watermark or state.watermark,
                resume=None if batch.watermark else batch.resume or state.resume,
                held=len(held),
            )
            if n == stop_after:
                break
        return self

    @property
    def ids(self) -> set[str]:
        return {item.id for held in self.items.values() for item in held.values()}
