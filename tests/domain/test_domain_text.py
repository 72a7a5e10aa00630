"""Durations, globs, times and did-you-mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okrsync.domain.text import clean, did_you_mean, format_duration, glob_matches, iso, parse_duration


@given(st.integers(0, 10**8))
def test_a_duration_is_read_back_as_it_was_written(seconds: int) -> None:
    assert parse_duration(format_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "14", "d", "14 days", "-1d", "1.5h", "1d!", "9" * 400 + "d"])
def test_what_is_no_duration_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("PAY", "pay", True),
        ("PAY", "PAYM", False),
        ("acme/service-*", "acme/service-a", True),
        ("a?c", "abc", True),
        ("dependabot[bot]", "Dependabot[bot]", True),
        ("dependabot[bot]", "dependabotb", False),
        ("*" * 30 + "x", "a" * 5000, False),
    ],
)
def test_only_stars_and_question_marks_are_special(pattern: str, text: str, matches: bool) -> None:
    assert glob_matches(pattern, text) is matches


def test_times_are_utc_with_z_and_whole_seconds() -> None:
    moment = datetime(2026, 11, 16, 10, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    assert iso(moment) == "2026-11-16T09:00:00Z"
    assert iso(datetime(2026, 11, 16, tzinfo=UTC)) == "2026-11-16T00:00:00Z"
    assert iso(None) is None


def test_text_of_strangers_becomes_storable_and_nothing_else() -> None:
    assert clean("a\x00b\ud800c\u200b") == "abc\u200b"
    assert clean(None) == ""


def test_did_you_mean_names_the_nearest_word_or_nothing() -> None:
    assert did_you_mean("INIT-CHEKOUT", ["INIT-CHECKOUT", "O1"]) == "; did you mean 'INIT-CHECKOUT'?"
    assert did_you_mean("zzz", ["O1"]) == ""
