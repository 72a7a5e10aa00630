"""Carries a fault out on one request: between the network and the pretended server."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .faults import Fault
from .wire import http_date

HTML = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Oops - an error has occurred</title></head>'
    '<body class="error-page error429"><h1>We are having trouble</h1></body></html>'
)
_JIRA = {
    401: '{"message":"Client must be authenticated to access this resource.","status-code":401}',
    403: '{"errorMessages":["You do not have permission to perform this operation."],"errors":{}}',
    429: '{"errorMessages":["The request has been rate-limited. Please try again later."],"errors":{},"status":429}',
}
_GITHUB = {401: "Bad credentials", 403: "Resource not accessible by personal access token", 404: "Not Found"}
NAP = 0.05  # seconds
DRIP = 0.01  # seconds between the bytes of an endless answer
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


@dataclass(slots=True)
class Disturbance:
    """`ended` tells an endless answer to stop: the client went away or the sandbox stops. `act` lets somebody act."""

    fault: Fault | None
    latency: float
    source: str
    now: datetime
    transport: asyncio.Transport | None
    ended: Callable[[], bool]
    act: Callable[[str, dict[str, Any]], object]

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if self.latency:
            await asyncio.sleep(self.latency)
        fault = self.fault
        if fault is None:
            await app(scope, receive, send)
        elif fault.kind == "reset":
            self._reset()
        elif fault.kind == "drop_after":
            await _collect(app, scope, receive)
            self._reset()
        elif fault.kind == "slow":
            await self._sleep(fault.seconds)
            await app(scope, receive, send)
        elif fault.kind == "repeat_page":
            await app(_first_page(scope), _first_body(receive), send)
        elif fault.kind == "repeat_token":
            await self._circle(scope, receive, await _collect(app, scope, receive), send)
        elif fault.kind in ("truncated", "invalid_json", "graphql_partial", "empty", "empty_page"):
            await self._spoil(await _collect(app, scope, receive), send)
        elif fault.kind == "act":
            status, headers, body = await _collect(app, scope, receive)
            self.act(fault.do, fault.args)
            await _send(send, status, headers, body)
        elif fault.kind == "endless_headers":
            await self._drip()
        elif fault.kind in ("endless", "huge"):
            await self._pour(fault, send)
        else:
            await self._instead(fault, send)

    async def _sleep(self, seconds: float) -> None:
        """In short naps: a client that went away, or a stop of the sandbox, ends it."""
        for _ in range(max(1, round(seconds / NAP))):
            if self.ended():
                return
            await asyncio.sleep(min(seconds, NAP))

    def _reset(self) -> None:
        if self.transport is None:
            return
        sock = self.transport.get_extra_info("socket")
        if sock is not None:  # no lingering: the client sees RST, not a tidy end
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    async def _instead(self, fault: Fault, send: Send) -> None:
        status, kind, body, headers = fault.status, "application/json", fault.body, {}
        if fault.kind == "html":
            status, kind, body = 200, "text/html;charset=UTF-8", body or HTML
        elif fault.kind == "rate_limit_html":
            status, kind, body = 429, "text/html;charset=UTF-8", body or HTML
        elif fault.kind == "secondary_limit":
            status, body = 403, body or _github(SECONDARY)
            headers = {"X-RateLimit-Remaining": "4290", "X-RateLimit-Resource": "core"}
        elif fault.kind == "primary_limit":
            status, body = 403, body or _github("API rate limit exceeded for user ID 1000.")
            reset = int((self.now + timedelta(seconds=fault.seconds)).timestamp())
            headers = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
        elif fault.kind == "graphql_limited":
            status = 200
            body = '{"errors":[{"type":"RATE_LIMITED","message":"API rate limit already exceeded for user ID 1000."}]}'
        elif body is None:
            body = self._wording(status)
        headers = {"Date": http_date(self.now), "Content-Type": kind, **headers, **fault.headers}
        await _send(send, status, headers, body.encode())

    def _wording(self, status: int) -> str:
        if self.source == "github":
            return _github(_GITHUB.get(status, "Server Error" if status >= 500 else "Validation Failed"))
        return _JIRA.get(status, '{"errorMessages":["Internal server error"],"errors":{}}')

    async def _spoil(self, answer: tuple[int, dict[str, str], bytes], send: Send) -> None:
        assert self.fault is not None
        status, headers, body = answer
        half = body[: max(1, len(body) // 2)]
        if self.fault.kind == "truncated":
            headers["content-length"] = str(len(body) + 10)
            await _start(send, status, headers)
            await send({"type": "http.response.body", "body": half, "more_body": True})
            if self.transport is not None:
                self.transport.close()
            return
        if self.fault.kind == "invalid_json":
            body = half
        elif self.fault.kind == "empty":
            body = _emptied(body)
        elif self.fault.kind == "empty_page":
            body = _without_rows(body)
        else:
            body = _partial(body)
        if self.fault.kind != "empty_page":
            headers.pop("link", None)
        headers.pop("etag", None)
        headers["content-length"] = str(len(body))
        await _send(send, status, headers, body)

    async def _circle(
        self, scope: Scope, receive: Receive, answer: tuple[int, dict[str, str], bytes], send: Send
    ) -> None:
        """The link or the token to the next page leads to this one."""
        status, headers, body = answer
        if "link" in headers:
            here = f"{scope['path']}?{scope['query_string'].decode('latin-1')}"
            headers["link"] = re.sub(r"(https?://[^/]+)[^>]*(?=>; rel=\"next\")", rf"\g<1>{here}", headers["link"])
        with contextlib.suppress(msgspec.DecodeError):
            asked = msgspec.json.decode((await receive()).get("body", b"") or b"{}")
            told = msgspec.json.decode(body)
            if isinstance(told, dict) and told.get("nextPageToken") and asked.get("nextPageToken"):
                body = msgspec.json.encode({**told, "nextPageToken": asked["nextPageToken"]})
        headers["content-length"] = str(len(body))
        await _send(send, status, headers, body)

    async def _drip(self) -> None:
        """Beside the protocol of the server, which sends no half of a header."""
        if self.transport is None:
            return
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Drip: ")
        while not self.ended():
            self.transport.write(b"x")
            await asyncio.sleep(DRIP)
        self.transport.abort()

    async def _pour(self, fault: Fault, send: Send) -> None:
        await _start(send, 200, {"Content-Type": "application/json", "Date": http_date(self.now)})
        chunk, left = (b" ", 0) if fault.kind == "endless" else (b" " * 65536, fault.size)
        while not self.ended():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if fault.kind == "endless":
                await asyncio.sleep(DRIP)
            elif (left := left - len(chunk)) <= 0:
                await send({"type": "http.response.body", "body": b"[]", "more_body": False})
                return


def _github(message: str) -> str:
    return msgspec.json.encode({"message": message, "documentation_url": "https://docs.github.com/rest"}).decode()


def _emptied(body: bytes) -> bytes:
    """The same shape without its rows."""
    data = msgspec.json.decode(body)
    if isinstance(data, dict):
        data = {k: [] if isinstance(v, list) else 0 if k in ("total", "count") else v for k, v in data.items()}
        data.pop("nextPageToken", None)
        if "isLast" in data:
            data["isLast"] = True
        return msgspec.json.encode(data)
    return b"[]" if isinstance(data, list) else b"{}"


def _without_rows(body: bytes) -> bytes:
    """Everything but the rows: what leads to the next page stays."""
    data = msgspec.json.decode(body)
    if isinstance(data, dict):
        return msgspec.json.encode({k: [] if isinstance(v, list) else v for k, v in data.items()})
    return b"[]"


def _partial(body: bytes) -> bytes:
    """Every second row of every list of nodes becomes null, with an error beside the data."""
    reply = msgspec.json.decode(body)

    def thin(value: object) -> object:
        if isinstance(value, dict):
            return {
                k: [None if i % 2 else thin(row) for i, row in enumerate(v)]
                if k == "nodes" and isinstance(v, list)
                else thin(v)
                for k, v in value.items()
            }
        return value

    message = "Something went wrong while executing your query. Please include `0F0A:1` when reporting this issue."
    return msgspec.json.encode({"data": thin(reply.get("data")), "errors": [{"message": message}]})


def _first_page(scope: Scope) -> Scope:
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = [(k, v) for k, v in pairs if k not in ("page", "after", "nextPageToken", "startAt")]
    return {**scope, "query_string": urlencode(kept).encode()}


def _first_body(receive: Receive) -> Receive:
    async def changed() -> Message:
        message = await receive()
        with contextlib.suppress(msgspec.DecodeError):
            body = msgspec.json.decode(message.get("body", b""))
            if isinstance(body, dict):
                kept = {k: v for k, v in body.items() if k not in ("nextPageToken", "startAt")}
                message = {**message, "body": msgspec.json.encode(kept)}
        return message

    return changed


async def _collect(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[int, dict[str, str], bytes]:
    """Runs the application and keeps its whole answer."""
    status, headers, parts = 500, {}, []

    async def keep(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in message["headers"]}
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, keep)
    return status, headers, b"".join(parts)


async def _start(send: Send, status: int, headers: dict[str, str]) -> None:
    raw = [(k.lower().encode(), v.encode("latin-1")) for k, v in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def _send(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    await _start(send, status, {**headers, "content-length": str(len(body))})
    await send({"type": "http.response.body", "body": body, "more_body": False})
