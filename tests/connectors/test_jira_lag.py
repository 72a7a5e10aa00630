"""Nothing is missed: an index that lags by up to a quarter of an hour and differently for each issue, `updated` cut to
the minute, and a clock of ours that is wrong by days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx
from hypothesis import example, given
from hypothesis import strategies as st
from jira_world import SECRET, Held
from starlette.datastructures import Headers, QueryParams

from examples import examples
from okrsync.connectors.jira import JiraTracker
from okrsync.domain.settings import JiraSettings
from okrsync.sandbox import jira_read
from okrsync.sandbox.jira_state import JiraState
from okrsync.sandbox.records import Issue
from okrsync.sandbox.wire import Call, http_date
from okrsync.sandbox.world import STORY_NOW, StoryClock, World

MOST = 15  # minutes
PROJECTS = ("PAY", "WEB")


class Lagging(JiraState):
    """Each issue has a lag of its own, in minutes, chosen by its number."""

    lags: tuple[int, ...] = (0,)

    def indexed(self) -> list[Issue]:
        now = self.clock()
        seen = (
            issue
            if issue.updated <= now - timedelta(minutes=self.lags[issue.id % len(self.lags)])
            else self._before.get(issue.id)
            for issue in self.issues.values()
        )
        return [issue for issue in seen if issue is not None]


class InProcess(httpx.BaseTransport):
    """The pretended Jira without a socket."""

    def __init__(self, world: World) -> None:
        self._world = world
        rows = [*jira_read.ROUTES, *(jira_read.CLOUD_ROUTES if world.jira.cloud else jira_read.DC_ROUTES)]
        self._handlers = {(method, path): handler for method, path, handler in rows}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        handler = self._handlers[request.method, "/" + path.partition("/rest/api/")[2].partition("/")[2]]
        call = Call(
            world=self._world,
            method=request.method,
            base="https://jira.acme.example",
            path=path,
            params={},
            query=QueryParams(request.url.query.decode()),
            headers=Headers(request.headers),
            raw=request.read(),
        )
        answer = handler(call)
        headers = {"Date": http_date(self._world.clock()), "Content-Type": "application/json"}
        return httpx.Response(answer.status_code, headers=headers, content=bytes(answer.body))


def jira(*, cloud: bool, lags: tuple[int, ...]) -> tuple[World, Lagging, StoryClock]:
    clock = StoryClock()
    world = World(clock, cloud=cloud)
    world.jira = state = Lagging(world.clock, cloud=cloud, index_lag=timedelta(minutes=MOST))
    state.lags = lags
    for n, project in enumerate(PROJECTS):
        state.add_project(project, project)
        for _ in range(3):
            state.add_issue(project, "first", created=STORY_NOW - timedelta(days=3 + n))
    return world, state, clock


# what goes wrong does so where an edit comes shortly before or after a pull, or a lag later
minutes = st.sampled_from((0.0, 0.4, 1.0, 5.3, 9.7, 12.0, 14.2, 40.0)).map(lambda m: timedelta(minutes=m))
acts = st.one_of(
    st.tuples(st.just("edit"), st.integers(0, 3)),
    st.tuples(st.just("edit"), st.integers(0, 3)),
    st.tuples(st.just("create"), st.sampled_from(PROJECTS)),
    st.tuples(st.just("bulk edit"), st.sampled_from(PROJECTS)),
    st.tuples(st.just("pull"), st.booleans()),
    st.tuples(st.just("pull"), st.booleans()),
)


@examples(100)
@given(
    cloud=st.booleans(),
    lags=st.lists(st.sampled_from((0, 6, MOST)), min_size=1, max_size=3).map(tuple),
    skew=st.integers(-3 * 24 * 60, 3 * 24 * 60).map(lambda m: timedelta(minutes=m)),
    steps=st.lists(st.tuples(minutes, acts), max_size=12),
)
@example(  # the older edit shows only after the younger one was read
    cloud=True,
    lags=(MOST, 0),
    skew=timedelta(),
    steps=[
        (timedelta(minutes=40), ("edit", 0)),
        (timedelta(minutes=14.2), ("edit", 1)),
        (timedelta(minutes=0.4), ("pull", False)),
    ],
)
def test_whatever_lags_and_whoever_is_late_nothing_is_missed(
    cloud: bool, lags: tuple[int, ...], skew: timedelta, steps: list[tuple[timedelta, tuple[str, object]]]
) -> None:
    world, state, clock = jira(cloud=cloud, lags=lags)

    def connect() -> JiraTracker:
        ours: Callable[[], object] = lambda: world.clock() + skew  # noqa: E731
        return JiraTracker(
            JiraSettings(
                name="jira",
                type="jira",
                url="https://jira.acme.example",
                email="okrsync@acme.example" if cloud else None,
                projects=PROJECTS,
            ),
            SECRET,
            clock=ours,  # type: ignore[arg-type]  # a clock
            sleep=lambda seconds: None,
            deadline=lambda: world.clock() + skew + timedelta(minutes=30),
            client=httpx.Client(transport=InProcess(world)),
        )

    tracker, held = connect(), Held()
    for count, (wait, (act, which)) in enumerate(steps):
        clock.advance(wait)
        issues = list(state.issues.values())
        if act == "edit":
            assert isinstance(which, int)
            issue = issues[which % len(issues)]
            state.touch(issue)
            issue.title = f"edit {count}"
        elif act == "create":
            state.add_issue(str(which), f"new {count}")
        elif act == "bulk edit":
            for _ in range(30):
                state.add_issue(str(which), f"of many {count}")
        else:
            if which:  # by a process of its own
                tracker = connect()
            held.take(tracker.pull(held.states))
            assert (held.problems, held.suspect) == ({}, set())
    clock.advance(timedelta(minutes=MOST))
    held.take(tracker.pull(held.states))
    shown = {item.key: item.title for items in held.items.values() for item in items.values()}
    assert shown == {issue.key: issue.title for issue in state.issues.values()}
    before = {key: held_state.watermark for key, held_state in held.states.items()}
    clock.advance(timedelta(minutes=MOST + 1))
    held.take(connect().pull(held.states))
    moved = [key for key, held_state in held.states.items() if held_state.watermark != before[key]]
    clock.advance(timedelta(days=2))
    held.take(connect().pull(held.states))
    assert not [key for key in moved if "canary=" not in (held.states[key].watermark or "")], "an idle mark stays"
