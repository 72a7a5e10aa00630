"""Holds every read of a connection to the moment at which its request has to be done.

httpx bounds each read by itself: a server that sends one byte of a header now and then is never too slow for it. Here
the time that is left bounds the next read, whatever it is a part of.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import httpcore
import httpx

from okrsync.domain.trackers import Clock


class Until(threading.local):
    """When what this thread sends has to be done; a connection is read by the thread that wrote the request."""

    moment: datetime | None = None


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, until: Until, clock: Clock) -> None:
        self._inner = inner
        self._until = until
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._until, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def _left(self, timeout: float | None) -> float | None:
        if self._until.moment is None:
            return timeout
        left = (self._until.moment - self._clock()).total_seconds()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer did not end in time")
        return left if timeout is None else min(timeout, left)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, inner: httpcore.NetworkBackend, until: Until, clock: Clock) -> None:
        self._inner = inner
        self._until = until
        self._clock = clock

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream, self._until, self._clock)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.connect_unix_socket(path, timeout, socket_options), self._until, self._clock)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


def bound_reads(client: httpx.Client, clock: Clock) -> Until:
    """Puts the bound under every connection that the client will open, by proxy or straight. httpx has no argument
    for it; a client without such connections (a test's) stays as it is."""
    until = Until()
    for transport in (client._transport, *client._mounts.values()):  # noqa: SLF001  # see above
        pool = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        if isinstance(backend, httpcore.NetworkBackend):
            pool._network_backend = _Backend(backend, until, clock)  # type: ignore[union-attr]  # noqa: SLF001
    return until
