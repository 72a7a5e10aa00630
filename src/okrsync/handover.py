"""From the threads that read sources to the one that stores: batches, and the end of each source."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from msgspec import Struct

from .domain.trackers import Batch, TrackerError

_POLL = 0.2  # seconds between two looks whether the other side has gone


class End(Struct):
    """A source was read to its end, or failed."""

    source: str
    error: TrackerError | None


Message = tuple[str, Batch] | End
"""The source's name and a batch, or its end."""


class Handover:
    """A short queue, so that memory stays bounded. `check` is called between two waits and may raise."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._queue: queue.Queue[Message] = queue.Queue(maxsize=8)
        self._closed = threading.Event()
        self._check = check

    def close(self) -> None:
        """Nobody takes messages any more."""
        self._closed.set()

    def put(self, message: Message) -> bool:
        """False once closed: the reader ends then."""
        while not self._closed.is_set():
            try:
                self._queue.put(message, timeout=_POLL)
                return True
            except queue.Full:
                continue
        return False

    def take(self) -> Message:
        """The next message; raises what `check` raises."""
        while True:
            self._check()
            try:
                return self._queue.get(timeout=_POLL)
            except queue.Empty:
                continue
