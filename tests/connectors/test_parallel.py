"""Requests and readings in parallel: order kept, memory bounded, the first error ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from okrsync.connectors.parallel import in_order, in_turn


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


# --- readings in turn


def test_readings_come_one_after_the_other_whatever_runs_ahead() -> None:
    last = threading.Event()

    def reading(n: int) -> Iterator[tuple[int, int]]:
        if n == 3:
            last.set()
        if n == 0:
            assert last.wait(10), "the others run meanwhile"
        yield from ((n, value) for value in range(20))

    starts = [(lambda n=n: reading(n)) for n in range(10)]
    assert list(in_turn(starts, at_a_time=4)) == [(n, value) for n in range(10) for value in range(20)]


def test_readings_run_ahead_by_a_few_values_and_end_with_the_taker() -> None:
    made: list[int] = []
    closed: list[int] = []

    def reading(n: int) -> Iterator[int]:
        try:
            for value in range(1000):
                made.append(value)
                yield value
        finally:
            closed.append(n)

    values = in_turn(((lambda n=n: reading(n)) for n in range(50)), at_a_time=3)
    assert next(values) == 0
    values.close()
    assert len(made) <= 3 * 6
    assert len(closed) <= 3


def test_an_error_comes_in_its_turn_and_ends_all() -> None:
    begun: list[int] = []

    def reading(n: int) -> Iterator[int]:
        begun.append(n)
        yield n
        if n == 1:
            raise ValueError("reading 1")

    values = in_turn(((lambda n=n: reading(n)) for n in range(50)), at_a_time=2)
    assert [next(values), next(values)] == [0, 1]
    with pytest.raises(ValueError, match="reading 1"):
        next(values)
    assert len(begun) <= 4
