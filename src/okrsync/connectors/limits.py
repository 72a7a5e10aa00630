"""What a rate limit covers, by the words of each server; and the points that GitHub counts by the minute.

A limit on one endpoint or on one issue must not stop all the rest, and an exhausted quota must. The servers say which
it is: Jira Cloud by `RateLimit-Reason`
(https://developer.atlassian.com/cloud/jira/platform/rate-limiting/), GitHub by `X-RateLimit-Resource`
(https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api).
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import httpx

from okrsync.domain.trackers import Clock, Throttled

EVERYTHING = "everything"
_MINUTE = timedelta(minutes=1)
_ISSUE = re.compile(r"/issue/([^/]+)")
_NUMBERED = re.compile(r"/[^/]*\d[^/]*")
_READS = ("GET", "HEAD", "OPTIONS")


def limited_scope(method: str, path: str, headers: httpx.Headers) -> str:
    """What has to wait, by the answer to `method` and `path` that says so:

    jira-burst-based          requests with this method to this endpoint
    jira-per-issue-on-write   writes to this issue
    jira-quota-*, none        everything; the same for a reason that is not known
    X-RateLimit-Remaining: 0  with X-RateLimit-Resource: what draws on that resource (GitHub's primary limit)
    """
    reason = headers.get("ratelimit-reason", "").lower()
    if reason == "jira-burst-based":
        return _endpoint(method, path)
    if reason == "jira-per-issue-on-write":
        return _written(method, path) or _endpoint(method, path)
    resource = headers.get("x-ratelimit-resource", "")
    if resource and not reason and headers.get("x-ratelimit-remaining") == "0":
        return f"resource {resource.lower()}"
    return EVERYTHING


def scopes(method: str, path: str) -> tuple[str, ...]:
    """Every scope that a request falls under."""
    return EVERYTHING, _endpoint(method, path), f"resource {_resource(path)}", _written(method, path) or EVERYTHING


def _endpoint(method: str, path: str) -> str:
    return f"{method} {_NUMBERED.sub('/*', path)}"


def _written(method: str, path: str) -> str:
    issue = _ISSUE.search(path)
    return f"write {issue[1]}" if issue and method not in _READS else ""


def _resource(path: str) -> str:
    if path.endswith("/graphql"):
        return "graphql"
    return "search" if "/search/" in path else "core"


class Holds:
    """Until when the server told each scope to wait. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._not_before: dict[str, datetime] = {}
        self._refused: dict[str, datetime] = {}

    def __bool__(self) -> bool:
        return bool(self._not_before)

    def hold(self, scope: str, seconds: float) -> None:
        """Nothing of this scope is sent for so long."""
        until = self._clock() + timedelta(seconds=seconds)
        with self._lock:
            self._not_before[scope] = max(self._not_before.get(scope, until), until)

    def refuse(self, scope: str, seconds: float) -> None:
        """As `hold`, where the server has already refused a request that could not wait so long."""
        self.hold(scope, seconds)
        with self._lock:
            self._refused[scope] = self._clock() + timedelta(seconds=seconds)

    def refused(self, scopes: Collection[str], latest: datetime) -> bool:
        """Whether a request under these scopes would be refused up to `latest`."""
        with self._lock:
            return any(s in self._refused and self._refused[s] > latest for s in scopes)

    def until(self, scopes: Collection[str], now: datetime) -> datetime:
        """When a request that falls under these scopes may go; `now` where nothing holds it."""
        with self._lock:
            self._not_before = {scope: until for scope, until in self._not_before.items() if until > now}
            return max((self._not_before[s] for s in scopes if s in self._not_before), default=now)


class Points:
    """GitHub's limit by the minute: 900 points over REST, where reading costs 1 and writing 5, and 2,000 over GraphQL,
    where a query costs 1. Waiting for one's turn is free, being told to wait is not. Thread-safe."""

    REST, GRAPHQL, WRITE = 900, 2000, 5

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rest = _Window(self.REST)
        self._graphql = _Window(self.GRAPHQL)

    def take(self, method: str, path: str, latest: datetime, sleep: Callable[[float], None]) -> None:
        """Waits for the turn of a request. Raises Throttled at once where that is later than `latest`."""
        graphql = _resource(path) == "graphql"
        window, cost = (self._graphql, 1) if graphql else (self._rest, 1 if method in _READS else self.WRITE)
        now = self._clock()
        with self._lock:
            turn = window.reserve(cost, now)
        if turn > latest:
            raise Throttled("the requests of a minute are used up, and the next one lies beyond the end of this run")
        if turn > now:
            sleep((turn - now).total_seconds())


class _Window:
    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._spent = 0
        self._taken: deque[tuple[datetime, int]] = deque()

    def reserve(self, cost: int, now: datetime) -> datetime:
        turn = max(now, self._taken[-1][0]) if self._taken else now
        while self._taken and (self._taken[0][0] <= turn - _MINUTE or self._spent + cost > self._budget):
            moment, given = self._taken.popleft()
            self._spent -= given
            turn = max(turn, moment + _MINUTE)
        self._taken.append((turn, cost))
        self._spent += cost
        return turn


def counts_points(host: str) -> bool:
    """github.com and its data-residency hosts; Enterprise Server limits nothing unless its administrator says so."""
    return host == "api.github.com" or host.endswith(".ghe.com")
