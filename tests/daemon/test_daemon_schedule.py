"""When the next run is due, and when what is shown is no longer fresh: pure, for all moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from okrsync.daemon.health import Pulse, unready, unwell
from okrsync.daemon.schedule import Schedule

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SCHEDULES = ["*/15 * * * *", "0 6 * * mon-fri", "every 30s", "every 7m", "59 23 31 12 *", "*/5 0-6,22 * jan-mar 7"]


@pytest.mark.parametrize(
    ("text", "due", "now", "following", "left_out"),
    [
        ("*/15 * * * *", NOON, NOON + MINUTE, NOON + 15 * MINUTE, 0),
        ("*/15 * * * *", NOON, NOON + 15 * MINUTE, NOON + 30 * MINUTE, 1),
        ("*/15 * * * *", NOON + MINUTE, NOON + 40 * MINUTE, NOON + 45 * MINUTE, 2),
        ("every 30s", NOON, NOON + timedelta(seconds=29), NOON + timedelta(seconds=30), 0),
        ("every 30s", NOON, NOON + timedelta(seconds=100), NOON + timedelta(seconds=120), 3),
        ("0 6 * * mon-fri", NOON, NOON, NOON + timedelta(hours=18), 0),
        ("every 1h", NOON, NOON - timedelta(hours=5), NOON + timedelta(hours=1), 0),
    ],
)
def test_following(text: str, due: datetime, now: datetime, following: datetime, left_out: int) -> None:
    assert Schedule(text).following(due, now) == (following, left_out)


@settings(deadline=None)  # how long an example takes says nothing
@given(
    text=st.sampled_from(SCHEDULES),
    due=st.timedeltas(timedelta(), timedelta(days=1500)).map(lambda passed: NOON + passed),
    took=st.timedeltas(timedelta(), timedelta(days=2)),
)
def test_runs_never_pile_up(text: str, due: datetime, took: timedelta) -> None:
    schedule = Schedule(text)
    following, left_out = schedule.following(due, due + took)
    assert following > due + took
    assert left_out >= 0
    assert schedule.after(due) <= following
    assert (left_out == 0) == (schedule.after(due) > due + took)


def pulse(**known: object) -> Pulse:
    return Pulse(**{"beat": NOON, "schedule": "*/15 * * * *", "run_timeout": 30 * MINUTE, **known})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "after", "reason"),
    [
        ({}, 1, ""),
        ({}, 2, "stands still"),
        ({"running": NOON}, 104, ""),
        ({"running": NOON}, 106, "hangs since 2026-11-16 12:00:00Z"),
    ],
)
def test_alive(known: dict[str, object], after: int, reason: str) -> None:
    said = unwell(pulse(**known), NOON + after * MINUTE)
    assert reason in said
    assert bool(reason) == bool(said)


@pytest.mark.parametrize(
    ("known", "after", "reason"),
    [
        ({}, 1, "no cycle has ended yet"),
        ({"ended": NOON}, 60, ""),
        ({"ended": NOON}, 61, "two should have ended"),
        ({"ended": NOON, "schedule": "0 12 * * *"}, 2 * 24 * 60 + 30, ""),
        ({"ended": NOON, "schedule": "0 12 * * *"}, 2 * 24 * 60 + 31, "two should have ended"),
    ],
)
def test_ready(known: dict[str, object], after: int, reason: str) -> None:
    said = unready(pulse(**known), NOON + after * MINUTE)
    assert reason in said
    assert bool(reason) == bool(said)
