"""Faults that the sandbox can be told to show, one kind at a time or many, also while it runs.

    faults = Faults()
    faults.add(Fault(kind="status", status=500, source="jira", path="/search/jql", times=2))
    faults.add(Fault(kind="drop_after", method="POST", path=r"/comments?$", times=1))
    faults.clear()

Kinds
  status             answers `status` with a body as the server words it (or `body`), and `headers`
  rate_limit_html    429 with an HTML page, as Jira Cloud's edge sends it; no Retry-After unless in `headers`
  secondary_limit    GitHub: 403 with its message; no Retry-After unless in `headers`
  primary_limit      GitHub: 403 with X-RateLimit-Remaining: 0 and a reset in `seconds`
  graphql_limited    GitHub: HTTP 200 whose GraphQL errors say RATE_LIMITED
  graphql_partial    GitHub: the true data with every second node null, and an error beside it
  html               200 with a page of HTML
  empty              200 with nothing in it, as an account sees that has lost its permissions
  empty_page         a page without rows that still names the one after it
  repeat_page        the first page again, whatever page was asked for
  repeat_token       the true answer, whose next page is the one just asked for
  truncated          the true answer, cut in half while Content-Length promises all
  invalid_json       the true answer cut in half, with a length that fits
  reset              the connection is reset before anything is answered
  drop_after         the request is carried out, then the connection is reset
  slow               the true answer after `seconds`
  endless            headers, then a body that never ends, a byte now and then
  endless_headers    a header that never ends, a byte now and then
  huge               a body of `size` bytes of JSON blanks, as fast as it goes
  act                the true answer; then somebody does `do` with `args`, as by POST /_sandbox/act, so that things
                     change while pages are read
"""

from __future__ import annotations

import re
import threading
from typing import Any, Literal

from msgspec import Struct

FaultKind = Literal[
    "status", "rate_limit_html", "secondary_limit", "primary_limit", "graphql_limited", "graphql_partial",
    "html", "empty", "empty_page", "repeat_page", "repeat_token", "truncated", "invalid_json", "reset", "drop_after",
    "slow", "endless", "endless_headers", "huge", "act",
]  # fmt: skip


class Fault(Struct, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong, and when.

    source   jira | github | * (both)
    path     RE that searches path and query, `/rest/api/3/search/jql?fields=id`
    method   only this HTTP method, in capitals; None: any
    sent     RE that searches the request's body, `nextPageToken`
    after    the first so many matching requests pass unharmed
    times    for so many matching requests; None: until cleared
    hits     how often it struck so far
    """

    kind: FaultKind
    source: Literal["jira", "github", "*"] = "*"
    path: str = ""
    method: str | None = None
    sent: str = ""
    after: int = 0
    times: int | None = None
    status: int = 500
    headers: dict[str, str] = {}
    body: str | None = None
    seconds: float = 1.0
    size: int = 200_000_000
    do: str = ""
    args: dict[str, Any] = {}
    hits: int = 0


class Faults:
    """The faults in force; thread-safe. `latency` (seconds) delays every answer of both servers."""

    def __init__(self, *faults: Fault, latency: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self.latency = latency
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> Fault:
        """Puts a fault in force; returned so that `hits` can be read. Raises re.error for a bad `path` or `sent`."""
        re.compile(fault.path)
        re.compile(fault.sent)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
            self.latency = 0.0

    def list(self) -> list[Fault]:
        with self._lock:
            return list(self._faults)

    def take(self, source: str, method: str, path: str, body: bytes = b"") -> Fault | None:
        """The fault that strikes this request, counted down; the one added first wins."""
        with self._lock:
            for fault in self._faults:
                if fault.source not in ("*", source) or fault.method not in (None, method):
                    continue
                if not re.search(fault.path, path) or fault.times == 0:
                    continue
                if fault.sent and not re.search(fault.sent, body.decode("utf-8", "replace")):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                fault.hits += 1
                return fault
        return None
