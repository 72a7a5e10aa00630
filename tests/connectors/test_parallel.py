"""Requests in parallel: order kept, memory bounded, the first error ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from okrsync.connectors.parallel import in_order


def test_answers_come_in_order_whatever_finishes_first() -> None:
    last = threading.Event()

    def call(n: int) -> Callable[[], int]:
        def answer() -> int:
            if n == 3:
                last.set()
            if n == 0:
                assert last.wait(10), "the others run meanwhile"
            return n

        return answer

    assert list(in_order([call(n) for n in range(4)], at_a_time=4)) == [0, 1, 2, 3]


def test_no_more_are_begun_than_are_taken() -> None:
    begun: list[int] = []
    answers = in_order(((lambda n=n: begun.append(n) or n) for n in range(100)), at_a_time=3)
    assert next(answers) == 0
    assert len(begun) <= 3
    answers.close()
    assert len(begun) <= 3


def test_the_first_error_ends_it() -> None:
    begun: list[int] = []

    def call(n: int) -> int:
        begun.append(n)
        if n == 1:
            raise ValueError("page 1")
        return n

    answers = in_order(((lambda n=n: call(n)) for n in range(50)), at_a_time=2)
    assert next(answers) == 0
    with pytest.raises(ValueError, match="page 1"):
        next(answers)
    assert len(begun) <= 4
