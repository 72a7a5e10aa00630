"""Several requests at a time, answers in order; several readings at a time, each in order, one after the other."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")

AT_A_TIME = 8
"""Both servers slow down or refuse beyond some ten at once; eight keep the line busy at 100 ms of latency."""


def in_order(calls: Iterable[Callable[[], T]], at_a_time: int = AT_A_TIME) -> Iterator[T]:
    """What the calls return, in their order; never more than `at_a_time` run or wait to be taken, so that memory
    stays bounded however many there are. The first error ends it: what runs is waited for, the rest never starts.
    """
    pool = ThreadPoolExecutor(max_workers=at_a_time, thread_name_prefix="okrsync-read")
    running: deque[Future[T]] = deque()
    try:
        for call in calls:
            running.append(pool.submit(call))
            if len(running) == at_a_time:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_AHEAD = 4  # pages: what waits to be taken is all the memory that reading ahead costs


class _Stream(Generic[T]):
    """One iterator, run ahead in a thread of the pool. The lock of `changed` guards all of it."""

    def __init__(self, start: Callable[[], Iterator[T]]) -> None:
        self._start = start
        self._changed = threading.Condition()
        self._waiting: deque[T] = deque()
        self._ended = False
        self._unwanted = False
        self._error: BaseException | None = None

    def run(self) -> None:
        error: BaseException | None = None
        source: Iterator[T] | None = None
        try:
            if not self._unwanted:
                source = self._start()
                for value in source:
                    if not self._put(value):
                        break
        except BaseException as problem:  # noqa: BLE001  # handed to the thread that takes
            error = problem
        finally:
            close = getattr(source, "close", None)
            if close is not None:
                close()  # in this thread: a generator is never closed while it runs
            with self._changed:
                self._error, self._ended = error, True
                self._changed.notify_all()

    def _put(self, value: T) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < _AHEAD or self._unwanted)
            self._waiting.append(value)
            self._changed.notify_all()
            return not self._unwanted

    def values(self) -> Iterator[T]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    if self._error is not None:
                        raise self._error
                    return
                value = self._waiting.popleft()
                self._changed.notify_all()
            yield value

    def stop(self) -> None:
        with self._changed:
            self._unwanted = True
            self._changed.notify_all()


def in_turn(starts: Iterable[Callable[[], Iterator[T]]], at_a_time: int = AT_A_TIME) -> Iterator[T]:
    """What the iterators yield, all of the first, then all of the second; while one is taken from, those after it run
    ahead by a few values. An error comes where it would come if nothing ran ahead, and ends it: what runs is stopped at
    its next value and waited for, the rest never starts.
    """
    pool = ThreadPoolExecutor(max_workers=at_a_time, thread_name_prefix="okrsync-slice")
    running: deque[_Stream[T]] = deque()
    rest = iter(starts)
    try:
        while True:
            while len(running) < at_a_time and (start := next(rest, None)) is not None:
                stream = _Stream(start)
                pool.submit(stream.run)
                running.append(stream)
            if not running:
                return
            yield from running[0].values()
            running.popleft()
    finally:
        for stream in running:
            stream.stop()
        pool.shutdown(wait=True, cancel_futures=True)
