"""What the connector tests share: a clock that only sleeping moves, and scripted servers at the transport."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from okrsync.connectors.transport import Answer, Transport

TOKEN = "ghp_verysecrettoken123"
GOOD = httpx.Response(200, json={"a": 1})
START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Time:
    """`sleep` moves `now`; `slept` says by how much each time."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start
        self.slept: list[float] = []
        self.ends = start + timedelta(minutes=30)

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    def deadline(self) -> datetime:
        return self.ends


class Script(httpx.BaseTransport):
    """Answers requests one after the other; a step is a response, an exception to raise, or a function of the
    request. The last step repeats."""

    def __init__(self, *steps: Any) -> None:
        self._steps = list(steps)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, httpx.Response):
            # each attempt gets a response of its own
            return httpx.Response(step.status_code, headers=step.headers, content=step.content)
        result: httpx.Response = step(request)
        return result


class Numbered(httpx.BaseTransport):
    """Takes the cursors out of GitHub's page links, as older servers have none. `stripped` counts them."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.stripped = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        link = response.headers.get("link", "")
        if "after=" in link:
            self.stripped += 1
            response.headers["link"] = re.sub(r"&after=[^&>]*", "", link)
        return response


class Chunks(httpx.SyncByteStream):
    """A body that comes in pieces; `between` runs before each."""

    def __init__(self, chunks: Iterator[bytes], between: Callable[[], None] = lambda: None) -> None:
        self._chunks = chunks
        self._between = between

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._between()
            yield chunk


def transport(server: httpx.BaseTransport, time: Time, url: str = "https://api.example/v3", **kwargs: Any) -> Transport:
    options: dict[str, Any] = {
        "source": "github",
        "headers": {},
        "authorize": lambda: {"Authorization": f"Bearer {TOKEN}"},
        "secret_variable": "OKRSYNC_GITHUB_TOKEN",
        "clock": time.clock,
        "sleep": time.sleep,
        "deadline": time.deadline,
        "client": httpx.Client(transport=server),
        **kwargs,
    }
    return Transport(url, **options)


def ask(server: Script, method: str = "GET", time: Time | None = None, **kwargs: Any) -> Answer[Any]:
    return transport(server, time or Time()).request(method, "x/y", type=dict[str, Any], **kwargs)
