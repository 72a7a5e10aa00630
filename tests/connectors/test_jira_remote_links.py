"""Remote links of Jira's issues: which issues are asked, how often, and what the answers may look like."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest
from jira_world import Held, JiraHouse, fill

from okrsync.connectors.remembering import Forgetful
from okrsync.domain.trackers import SignInFailed, SourceFailed
from okrsync.domain.work import WorkItem

URL = "https://github.com/acme/web/pull/{}"


def link(jira: JiraHouse, key: str, *numbers: int) -> None:
    for number in numbers:
        jira.world.add_remote_link(f"jira:{key}", URL.format(number), "okrsync-bot")


def asked(jira: JiraHouse) -> list[str]:
    """Keys of the issues that the tracker asked for, in order."""
    paths = [r.url.path for r in jira.wire.requests if r.url.path.endswith("/remotelink")]
    return sorted(jira.jira.issues[int(path.split("/")[-2])].key for path in paths)


def later(jira: JiraHouse, minutes: int = 15) -> None:
    jira.clock.advance(timedelta(minutes=minutes))


class Pulls:
    """One run after the other, with what a store and the tracker's memory would hold."""

    def __init__(self, jira: JiraHouse, **settings: Any) -> None:
        self.jira = jira
        self.settings = {"remote_links": True, **settings}
        self.memory = Forgetful()
        self.held = Held()

    def __call__(self, *, stop_after: int | None = None, **how: bool) -> list[str]:
        tracker = self.jira.tracker(memory=self.memory, **self.settings)
        self.held.warnings.clear()
        self.held.take(tracker.pull(self.held.states, **how), stop_after=stop_after)
        return asked(self.jira)

    @property
    def links(self) -> dict[str, tuple[str, ...]]:
        items: list[WorkItem] = [item for held in self.held.items.values() for item in held.values()]
        return {item.key: item.remote_links for item in items if item.remote_links}


def test_each_issue_is_asked_once_open_or_closed(jira: JiraHouse) -> None:
    fill(jira, 130)
    jira.jira.set_status(jira.jira.find("PAY-7"), "Done")  # type: ignore[arg-type]  # it is there
    jira.jira.add_issue("WEB", "one")
    link(jira, "PAY-7", 12, 3)
    link(jira, "WEB-1", 12)
    pulls = Pulls(jira)
    assert pulls() == sorted([*(f"PAY-{n}" for n in range(1, 131)), "WEB-1"])
    assert pulls.links == {
        "PAY-7": ("github.com/acme/web#12", "github.com/acme/web#3"),
        "WEB-1": ("github.com/acme/web#12",),
    }
    assert pulls.held.warnings == []


def test_without_the_option_nobody_is_asked(jira: JiraHouse) -> None:
    fill(jira, 3)
    link(jira, "PAY-1", 1)
    for off in (False, (), ("OPS",)):
        pulls = Pulls(jira, remote_links=off)
        assert (pulls(), pulls.links) == ([], {})


def test_a_change_is_asked_and_what_is_brought_again_is_not(jira: JiraHouse) -> None:
    fill(jira, 30)
    jira.clock.advance(timedelta(hours=1))
    pulls = Pulls(jira)
    pulls()
    later(jira)
    link(jira, "PAY-3", 1)
    assert pulls() == ["PAY-3"]
    assert pulls.links == {"PAY-3": ("github.com/acme/web#1",)}
    # it was changed in the moment of the question: another link may bear the same `updated`
    jira.jira.find("PAY-3").remote_links.clear()  # type: ignore[union-attr]  # it is there
    later(jira)
    assert pulls() == ["PAY-3"]
    assert pulls.links == {}
    for _ in range(3):
        later(jira)
        assert pulls() == []
    jira.world.add_remote_link("jira:PAY-3", URL.format(5), "okrsync-bot")
    later(jira)
    assert (pulls(), pulls.links) == (["PAY-3"], {"PAY-3": ("github.com/acme/web#5",)})
    jira.world.remove_remote_link("jira:PAY-3", URL.format(5), "okrsync-bot")
    later(jira)
    assert (pulls(), pulls.links) == (["PAY-3"], {})


def test_what_is_known_is_told_again_and_asked_with_a_sweep(jira: JiraHouse) -> None:
    fill(jira, 2)
    link(jira, "PAY-2", 1)
    pulls = Pulls(jira)
    later(jira)
    assert pulls() == ["PAY-1", "PAY-2"]
    later(jira)
    pulls.held.items.clear()  # whatever the pull brings again has its links
    assert pulls() == []
    assert pulls.links == {"PAY-2": ("github.com/acme/web#1",)}
    assert pulls(sweep=True) == ["PAY-2"]
    assert pulls(full=True) == ["PAY-1", "PAY-2"]
    pulls.memory.remember("remote links", "{nothing that we wrote")
    assert pulls() == ["PAY-2"]


def test_a_killed_pull_goes_on(cloud: JiraHouse) -> None:
    fill(cloud, 350)
    link(cloud, "PAY-5", 1)
    link(cloud, "PAY-345", 2)
    pulls = Pulls(cloud)
    first = pulls(stop_after=2)
    second = pulls()
    assert len(set(first) | set(second)) == 350
    assert len(first) + len(second) <= 450  # the page that had come, but was not stored
    assert set(pulls.links) == {"PAY-5", "PAY-345"}


@pytest.mark.parametrize(
    "body",
    [[], [{}], [{"object": None}], [{"object": {"url": None}}, {"object": {"url": 7}}], [{"object": "x", "id": "y"}]],
)
def test_odd_links_are_none(jira: JiraHouse, body: Any) -> None:
    fill(jira, 1)
    good = {"object": {"url": URL.format(1), "title": "x"}}

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        return httpx.Response(200, json=[*body, good]) if request.url.path.endswith("/remotelink") else response

    jira.after = after
    pulls = Pulls(jira)
    pulls()
    assert pulls.links == {"PAY-1": ("github.com/acme/web#1",)}


def test_no_more_requests_at_a_time_than_a_host_takes(jira: JiraHouse) -> None:
    fill(jira, 120)
    lock, all_at_once = threading.Lock(), threading.Event()
    under_way: set[int] = set()
    most = 0

    def before(request: httpx.Request) -> None:
        nonlocal most
        with lock:
            under_way.add(id(request))
            most = max(most, len(under_way))
            if most >= 8:
                all_at_once.set()
        if request.url.path.endswith("/remotelink"):
            assert all_at_once.wait(10), "fewer issues are asked for their links at a time"

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        with lock:
            under_way.discard(id(request))
        return response

    jira.before, jira.after = before, after
    Pulls(jira)()
    assert 1 < most <= 8


def test_403_is_said_once_for_each_project_and_404_means_none(jira: JiraHouse) -> None:
    fill(jira, 120)
    jira.jira.add_issue("WEB", "one")
    link(jira, "PAY-1", 1)
    jira.jira.linking = False
    pulls = Pulls(jira)
    pulls()
    assert sorted(w.partition(":")[0] for w in pulls.held.warnings) == ["PAY", "WEB"]
    assert all("Issue linking is currently disabled" in w for w in pulls.held.warnings)
    assert pulls.links == {}
    jira.jira.linking = True
    jira.break_("status", "/remotelink", status=404)
    pulls(full=True)
    assert (pulls.held.warnings, pulls.links, pulls.held.problems) == ([], {}, {})


def test_what_was_refused_is_asked_again(jira: JiraHouse) -> None:
    fill(jira, 1)
    link(jira, "PAY-1", 1)
    jira.jira.linking = False
    pulls = Pulls(jira)
    later(jira)
    pulls()
    jira.jira.linking = True
    assert pulls() == ["PAY-1"]
    assert pulls.links == {"PAY-1": ("github.com/acme/web#1",)}


def test_a_rate_limit_is_waited_for(jira: JiraHouse) -> None:
    fill(jira, 3)
    link(jira, "PAY-2", 1)
    jira.break_("status", "/remotelink", status=429, headers={"Retry-After": "7"}, times=1)
    pulls = Pulls(jira)
    pulls()
    assert max(jira.naps) >= 7
    assert set(pulls.links) == {"PAY-2"}


@pytest.mark.parametrize(("status", "error"), [(500, SourceFailed), (401, SignInFailed), (413, SourceFailed)])
def test_any_other_failure_is_the_sources(jira: JiraHouse, status: int, error: type[Exception]) -> None:
    fill(jira, 3)
    jira.break_("status", "/remotelink", status=status)
    pulls = Pulls(jira)
    with pytest.raises(error):
        pulls()
    assert pulls.held.states == {}  # no watermark has moved
    assert pulls.memory.recall("remote links") is None


def test_a_fetch_asks_nothing(jira: JiraHouse) -> None:
    fill(jira, 2)
    link(jira, "PAY-1", 1)
    got = jira.tracker(remote_links=True).fetch(["jira:PAY-1"])
    assert got.items["jira:PAY-1"].remote_links == ()
    assert asked(jira) == []
