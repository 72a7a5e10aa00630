"""From the threads that read sources to the one that stores: batches, and the end of each source."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from msgspec import Struct

from .domain.trackers import Batch, TrackerError

_POLL = 0.2  # seconds between two looks whether the other side has gone
_MOMENT = 0.1  # seconds that a page may wait for the next ones
_TOGETHER = 8  # pages in one transaction; a killed run reads these again, those that wait and those on their way


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

    def take(self) -> list[Message]:
        """The next messages, in order: what comes within a moment of the first one, since a transaction for several
        pages costs little more than one for each. Raises what `check` raises."""
        taken: list[Message] = []
        until = 0.0
        while len(taken) < _TOGETHER and not (taken and isinstance(taken[-1], End)):
            self._check()
            try:
                taken.append(self._queue.get(timeout=max(0.0, until - time.monotonic()) if taken else _POLL))
            except queue.Empty:
                if taken:
                    break
            else:
                until = until or time.monotonic() + _MOMENT
        return taken
