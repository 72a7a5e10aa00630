"""How writes are spread: over a minute, an hour, several runs; and when it is better not to wait."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from netfakes import START, Time

from examples import examples
from okrsync.connectors.pacing import Pacer
from okrsync.connectors.remembering import Forgetful
from okrsync.domain.trackers import Memory, NoTimeLeft

DAY = START + timedelta(days=1)


def pacer(time: Time, memory: Memory | None = None, *, per_minute: int = 60, per_hour: int = 450) -> Pacer:
    return Pacer(per_minute=per_minute, per_hour=per_hour, clock=time.clock, sleep=time.sleep, memory=memory)


def take_all(one: Pacer) -> int:
    """As many as go in this run."""
    for count in range(1000):
        try:
            one.take(DAY)
        except NoTimeLeft:
            return count
    raise AssertionError("nothing holds it back")


def test_an_hour_counts_over_all_runs() -> None:
    time, memory = Time(), Forgetful()
    assert take_all(pacer(time, memory)) == 450
    time.sleep(900)
    # a new process: nothing goes before the first ones are an hour old
    assert take_all(pacer(time, memory)) == 0
    assert max(time.slept[:-1], default=0) < 120
    time.sleep(3600)
    assert take_all(pacer(time, memory)) == 450


def test_the_minute_counts_over_runs_too() -> None:
    time, memory = Time(), Forgetful()
    for _ in range(60):
        pacer(time, memory).take(DAY)
    assert time.slept == []
    for _ in range(30):
        pacer(time, memory).take(DAY)
    assert sum(time.slept) >= 20


def test_a_long_wait_is_refused_at_once_and_a_short_one_is_made() -> None:
    time = Time()
    one = pacer(time, per_minute=1)
    one.take(DAY)
    with pytest.raises(NoTimeLeft, match="450 an hour"):
        one.take(START + timedelta(seconds=30))
    assert time.slept == []
    one.take(DAY)
    assert time.slept == [60]


@given(st.lists(st.tuples(st.integers(1, 200), st.integers(0, 1500)), min_size=1, max_size=6))
@examples(15)
def test_no_hour_holds_more_than_its_share_whatever_the_runs(runs: list[tuple[int, int]]) -> None:
    time, memory = Time(), Forgetful()
    sent = []
    for wanted, pause in runs:
        one = pacer(time, memory)
        try:
            for _ in range(wanted):
                one.take(DAY)
                sent.append(time.now)
        except NoTimeLeft:
            pass
        time.sleep(pause)
    for count, span in ((450, timedelta(hours=1)), (80, timedelta(minutes=1))):
        assert all(later - at >= span for at, later in zip(sent, sent[count:], strict=False))
