"""What a sweep shows and the store does not hold."""

from __future__ import annotations

from store_samples import item, save

from okrsync.domain.storage import Store
from okrsync.missed import Missed

SLICE = "PAY"


def shown(store: Store, *numbers: int, full: bool = False) -> bool:
    """Tells what is there; whether it is to be read from its beginning then."""
    Missed(store, "jira").note(SLICE, frozenset(item(n).uid for n in numbers), full=full)
    return Missed(store, "jira").anew(store.slices("jira"))[SLICE].watermark is None


def read(store: Store, *numbers: int) -> None:
    save(store, *(item(n) for n in numbers), watermark="up to here")


def test_what_two_sweeps_show_is_read(store: Store) -> None:
    read(store, 1, 2)
    assert not shown(store, 1, 2)
    assert not shown(store, 1, 2, 3)
    assert shown(store, 1, 2, 3)
    read(store, 3)
    assert not shown(store, 1, 2, 3, full=True)
    assert store.get_meta("missed:jira") == ""


def test_what_was_new_during_a_sweep_is_none_of_it(store: Store) -> None:
    read(store, 1)
    for new in (2, 3, 4):
        assert not shown(store, *range(1, new + 1))
        read(store, new)


def test_what_no_reading_brings_is_not_waited_for(store: Store) -> None:
    read(store, 1)
    assert [shown(store, 1, 9) for _ in range(2)] == [False, True]
    assert not shown(store, 1, 9, full=True)
    assert [shown(store, 1, 9) for _ in range(3)] == [False] * 3
    assert [shown(store, 1, 8, 9) for _ in range(2)] == [False, True]
    read(store, 8)
    assert not shown(store, 1, 8, 9, full=True)
    assert [shown(store, 1, 8, 9) for _ in range(2)] == [False] * 2


def test_until_it_was_read_it_stays_so(store: Store) -> None:
    read(store, 1)
    assert [shown(store, 1, 9) for _ in range(3)] == [False, True, True]
