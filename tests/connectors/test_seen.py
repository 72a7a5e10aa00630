"""What a reading was shown, told as a dict would tell it."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from okrsync.connectors.seen import Numbered, Seen

# few, so that they come again; uids that begin, end or hold one another, and what only looks like the bytes between
UIDS = (
    st.sampled_from(["github:1", "github:11", "github:I_1", "ithub:1", "github:1é", "github:ÿ", "þ1ÿ", "", "1"])
    | st.text()
)
NOTED = st.lists(st.tuples(UIDS, st.integers(-1, 12)))


@given(noted=NOTED, asked=st.tuples(UIDS, st.integers(-1, 12)))
def test_it_knows_what_it_was_last_shown(noted: list[tuple[str, int]], asked: tuple[str, int]) -> None:
    seen, expected = Seen(), dict(noted)
    for uid, moment in noted:
        seen.note(uid, moment)
    assert sorted(seen) == sorted(expected)
    assert len(seen) == len(expected)
    for uid, moment in (*noted, asked):
        assert (uid in seen) == (uid in expected)
        assert seen.knows(uid, moment) == (expected.get(uid) == moment)


@given(st.lists(UIDS))
def test_what_is_cleared_is_as_new(uids: list[str]) -> None:
    seen = Seen(uids)
    seen.clear()
    assert (list(seen), len(seen), "github:1" in seen) == ([], 0, False)
    seen.update(uids)
    assert set(seen) == set(uids)


@given(numbers=st.sets(st.integers(0, 40)), away=st.sets(st.integers(0, 40)))
def test_numbers_stand_for_uids(numbers: set[int], away: set[int]) -> None:
    numbered = Numbered("jira", array("q", sorted(numbers)), {f"jira:{n}" for n in away})
    expected = {f"jira:{n}" for n in numbers - away}
    assert set(numbered) == expected
    assert len(numbered) == len(expected)
    assert {n for n in range(42) if f"jira:{n}" in numbered} == numbers - away
    for other in ("jira:", "jira:x", "jira:-1", "other:1", "jira:01", "jira:١", f"jira:{'1' * 30}", 1):
        assert other not in numbered
