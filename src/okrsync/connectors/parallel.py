"""Several requests at a time, answers in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

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
