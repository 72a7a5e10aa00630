"""Health, metrics and the latest report over HTTP, read-only: `/healthz`, `/readyz`, `/metrics`, `/`."""

from __future__ import annotations

import html
import re
import socket
import threading

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from .. import store
from ..domain.storage import StoreError
from ..domain.trackers import Clock
from ..logs import get_logger
from .health import unready, unwell
from .loop import Daemon
from .metrics import Metrics

log = get_logger()

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# The report names its own policy, with the hash of its script, in its head: before anything that strangers wrote.
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]{1,2000})">')
_HEAD = 4096


def application(daemon: Daemon, metrics: Metrics, clock: Clock) -> ASGIApp:
    """Only GET and HEAD; anything else is refused. Shows nothing of the file system but the report."""

    def healthz(_: Request) -> Response:
        return _verdict(unwell(daemon.pulse, clock()))

    def readyz(_: Request) -> Response:
        return _verdict(unready(daemon.pulse, clock()) or _store_silent(daemon, clock))

    def exposition(request: Request) -> Response:
        text, content_type = metrics.exposition(request.headers.get("accept", ""))
        return Response(text, headers={**_HEADERS, "Content-Type": content_type})

    def report(_: Request) -> Response:
        try:
            text = daemon.report.read_text("utf-8") if daemon.report is not None else ""
        except OSError:
            text = ""
        if not text:
            return _plain("There is no report yet: a run writes it, if `reports.formats` names html.", 404)
        return HTMLResponse(text, headers={**_HEADERS, "Content-Security-Policy": _policy(text)})

    routes = {"/healthz": healthz, "/readyz": readyz, "/metrics": exposition, "/": report}
    return Starlette(routes=[Route(path, endpoint, methods=["GET"]) for path, endpoint in routes.items()])


def _plain(text: str, status: int) -> Response:
    return PlainTextResponse(text + "\n", status, headers={**_HEADERS, "Content-Security-Policy": _NOTHING})


def _verdict(reason: str) -> Response:
    return _plain(reason or "ok", 503 if reason else 200)


def _policy(page: str) -> str:
    found = _POLICY.search(page[:_HEAD])
    return f"{html.unescape(found[1])}; frame-ancestors 'none'" if found else _NOTHING


def _store_silent(daemon: Daemon, clock: Clock) -> str:
    """Asked once a cycle has ended, so that no tables are made here. The reason goes to the log: it may name hosts."""
    settings = daemon.settings
    try:
        opened = store.open_store(settings.store, label_prefix=settings.writeback.label_prefix, clock=clock)
        try:
            opened.get_meta("sources")
        finally:
            opened.close()
    except StoreError as problem:
        log.warning("the store does not answer", problem=str(problem))
        return "the store does not answer"
    return ""


class Server:
    """Serves an application in a thread of its own. `url` tells where, once started."""

    def __init__(self, app: ASGIApp, listen: str) -> None:
        self._host, _, port = listen.rpartition(":")
        self._host = self._host.strip("[]")
        self._port = int(port)
        self.url = ""
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=100,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listens before it returns. Raises OSError where the address cannot be had."""
        family, kind, protocol, _, address = socket.getaddrinfo(
            self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        opened = socket.socket(family, kind, protocol)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
            opened.listen(64)
        except OSError:
            opened.close()
            raise
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.url = f"http://{host}:{opened.getsockname()[1]}"
        self._thread = threading.Thread(
            target=lambda: self._server.run(sockets=[opened]), name="okrsync-http", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._server.should_exit = True
            self._thread.join(timeout=3)
