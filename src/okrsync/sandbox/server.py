"""Serves a world on loopback: both servers on ports of their own, in one background thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import deque
from datetime import datetime
from types import TracebackType
from typing import Any

import msgspec
import uvicorn
from msgspec import Struct
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from okrsync.domain.trackers import Clock

from .control import act, control_app
from .disturb import Disturbance
from .faults import Faults
from .github_app import github_app
from .jira_app import jira_app
from .world import World

REMEMBERED = 50_000  # requests; a long daemon must not fill the memory
READING_POSTS = ("/search", "/search/jql", "/issue/bulkfetch", "/search/approximate-count", "/jql/parse", "/graphql",
                 "/access_tokens")  # fmt: skip


class Seen(Struct, kw_only=True):
    """A request as it came; `status` is None while unanswered, and where the connection was cut."""

    source: str
    method: str
    path: str
    at: datetime
    status: int | None = None


class Write(Seen, kw_only=True):
    """A request that could alter something, whether it succeeded or not. `body` is JSON, or text, or None."""

    body: Any = None


class _Server(uvicorn.Server):
    """Ends as soon as it is told to, and cuts what is connected; uvicorn's own looks ten times a second whether it
    shall end, and then lets connections finish."""

    def __init__(self, config: uvicorn.Config, transports: dict[tuple[str, int], asyncio.Transport]) -> None:
        super().__init__(config)
        self._transports = transports
        self._loop = asyncio.new_event_loop()
        self._told = asyncio.Event()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self.serve(sockets))

    def end(self) -> None:
        """From any thread."""
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        await self.on_tick(0)  # makes the headers of every answer
        await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for sock in sockets or ():
            sock.close()
        for transport in list(self._transports.values()):
            transport.abort()


class Sandbox:
    """A running Jira and GitHub. A context manager; `start` and `stop` do the same by hand.

    jira_url, github_url  where they listen, once started; `/_sandbox/` on both is the control interface
    token, email          the credentials that are accepted
    writes, requests      what was asked of them, oldest first (the last 50,000)
    """

    def __init__(
        self, world: World, *, clock: Clock | None = None, faults: Faults | None = None, ports: tuple[int, int] = (0, 0)
    ) -> None:
        self.world = world
        if clock is not None:
            world.clock = clock
        self.faults = faults or Faults()
        self.jira_url = self.github_url = ""
        self._ports = ports
        self._writes: deque[Write] = deque(maxlen=REMEMBERED)
        self._requests: deque[Seen] = deque(maxlen=REMEMBERED)
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def token(self) -> str:
        return self.world.token

    @property
    def email(self) -> str:
        return self.world.email

    @property
    def writes(self) -> list[Write]:
        return list(self._writes)

    @property
    def requests(self) -> list[Seen]:
        return list(self._requests)

    def forget(self) -> None:
        """Empties `writes` and `requests`."""
        self._writes.clear()
        self._requests.clear()

    # --- life -------------------------------------------------------------------------------------------------

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Listens on both ports before it returns. Raises OSError where a given port is taken."""
        sockets: list[socket.socket] = []
        for port in self._ports:
            # the protocol is named because asyncio switches Nagle's delay off only where it is
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                for opened in (*sockets, sock):
                    opened.close()
                raise
            # accepted from here on; the first requests wait in the backlog until the loop runs
            sock.listen(512)
            sockets.append(sock)
        jira_port, github_port = (s.getsockname()[1] for s in sockets)
        self.jira_url, self.github_url = f"http://127.0.0.1:{jira_port}", f"http://127.0.0.1:{github_port}"
        config = uvicorn.Config(
            self._app({jira_port: ("jira", jira_app(self.world)), github_port: ("github", github_app(self.world))}),
            http=self._protocol(),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",  # faults cut connections on purpose
            access_log=False,
            date_header=False,  # the story's clock dates the answers
            server_header=False,
        )
        self._server = server = _Server(config, self._transports)
        self._thread = threading.Thread(target=lambda: server.run(sockets=sockets), name="okrsync-sandbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Idempotent. Open connections are cut."""
        if self._server is not None and self._thread is not None:
            self._server.end()
            self._thread.join(timeout=5)
        self._server = self._thread = None

    def _protocol(self) -> type[H11Protocol]:
        transports = self._transports

        class Protocol(H11Protocol):
            """Keeps the transports, so that a fault can reset a connection."""

            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
                super().connection_made(transport)
                transports[transport.get_extra_info("peername")[:2]] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                transports.pop(self.client or ("", 0), None)
                super().connection_lost(exc)

        return Protocol

    # --- one request ------------------------------------------------------------------------------------------

    def _app(self, apps: dict[int, tuple[str, ASGIApp]]) -> ASGIApp:
        control = control_app(self)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            source, inner = apps[scope["server"][1]]
            if scope["path"].startswith("/_sandbox"):
                await control(scope, receive, send)
                return
            body = await _body(receive)
            seen = self._remember(source, scope, body)

            async def answered(message: Message) -> None:
                if message["type"] == "http.response.start":
                    seen.status = message["status"]
                await send(message)

            transport = self._transports.get(tuple(scope["client"]))
            server = self._server
            await Disturbance(
                fault=self.faults.take(source, seen.method, seen.path, body),
                latency=self.faults.latency,
                source=source,
                now=self.world.clock(),
                transport=transport,
                ended=lambda: transport is None or transport.is_closing() or server is None or server.should_exit,
                act=lambda do, args: act(self.world, do, args),
            ).run(inner, scope, _replay(body), answered)

        return app

    def _remember(self, source: str, scope: Scope, body: bytes) -> Seen:
        query = scope["query_string"].decode("latin-1")
        method, path = scope["method"], scope["path"]
        common = {
            "source": source,
            "method": method,
            "path": f"{path}?{query}" if query else path,
            "at": self.world.clock(),
        }
        seen = Seen(**common)
        if method not in ("GET", "HEAD", "OPTIONS") and not (method == "POST" and path.endswith(READING_POSTS)):
            seen = Write(**common, body=_decoded(body))
            self._writes.append(seen)
        self._requests.append(seen)
        return seen


def _decoded(body: bytes) -> Any:
    if not body:
        return None
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body.decode("utf-8", "replace")


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _replay(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
