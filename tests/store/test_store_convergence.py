"""Whatever order batches come in, and wherever the process is killed: the live items are those of a plain dict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from msgspec import Struct
from store_samples import DAY, NOW, Killed, item, killed_at, opened, save

from examples import examples
from okrsync.domain.trackers import Batch
from okrsync.domain.work import WorkItem

SLICES = ("PAY", "WEB")


class Step(Struct, frozen=True, kw_only=True):
    """One page: `readings` are (number, id, version); `ending` says how it ends."""

    slice: str
    readings: tuple[tuple[int, int, int], ...]
    ending: Literal["resume", "watermark", "present", "gone", "killed"]
    named: frozenset[int]
    at: int

    def batch(self, mark: int) -> Batch:
        uids = tuple(f"jira:{1000 + n}" for n in sorted(self.named))
        return Batch(
            slice=self.slice,
            items=tuple(item(n, key=f"X-{key}", title=f"v{v}", updated=NOW + v * DAY) for n, key, v in self.readings),
            resume=str(mark) if self.ending == "resume" else None,
            watermark=str(mark) if self.ending in ("watermark", "present", "killed") else None,
            present=frozenset(uids) if self.ending == "present" else None,
            gone=uids if self.ending == "gone" else (),
        )


class Model:
    """What the store ought to hold: uid -> (item, slice), and the marks of each slice."""

    def __init__(self) -> None:
        self.live: dict[str, tuple[WorkItem, str]] = {}
        self.marks: dict[str, tuple[str | None, str | None]] = {}

    def take(self, batch: Batch) -> None:
        for read in batch.items:
            self.live = {uid: held for uid, held in self.live.items() if held[0].id != read.id or uid == read.uid}
            self.live[read.uid] = (read, batch.slice)
        read_now = {read.uid for read in batch.items}
        gone = set(batch.gone)
        if batch.present is not None:
            gone |= {uid for uid, (_, slice_) in self.live.items() if slice_ == batch.slice} - set(batch.present)
        for uid in gone - read_now:
            self.live.pop(uid, None)
        watermark, resume = self.marks.get(batch.slice, (None, None))
        if batch.watermark is not None:
            watermark, resume = batch.watermark, None
        self.marks[batch.slice] = (watermark, batch.resume or resume)


def _unique(readings: list[tuple[int, int, int]]) -> tuple[tuple[int, int, int], ...]:
    """A page shows an item once, and an id once."""
    by_number = {n: (n, key, v) for n, key, v in readings}
    return tuple({key: (n, key, v) for n, key, v in by_number.values()}.values())


numbers = st.integers(0, 4)
steps = st.builds(
    Step,
    slice=st.sampled_from(SLICES),
    readings=st.lists(st.tuples(numbers, numbers, st.integers(0, 2)), max_size=4).map(_unique),
    ending=st.sampled_from(["resume", "watermark", "present", "gone", "killed"]),
    named=st.frozensets(numbers),
    at=st.integers(0, 5),
)


def _check(new_database: Callable[[], str], sequence: list[Step]) -> None:
    url = new_database()
    store, model = opened(url), Model()
    for mark, step in enumerate(sequence):
        batch = step.batch(mark)
        if step.ending == "killed":
            try:
                with killed_at(step.at):
                    store.save_batches("jira", [batch], read_at=NOW)
                model.take(batch)  # it was done before the blow fell
            except Killed:
                store.close()
                store = opened(url)
        else:
            saved = store.save_batches("jira", [batch], read_at=NOW)
            before = len(model.live)
            model.take(batch)
            assert saved.new + saved.changed + saved.same == len(batch.items)
            assert saved.gone >= before - len(model.live)
        held = {s.item.uid: s.item for s in store.items()}
        assert held == {uid: read for uid, (read, _) in model.live.items()}
        for name, (watermark, resume) in model.marks.items():
            state = store.slices("jira")[name]
            assert (state.watermark, state.resume) == (watermark, resume)
            assert set(store.held_uids("jira", name)) == {uid for uid, (_, at) in model.live.items() if at == name}
        ids = {read.id for read in held.values()}
        assert not ids & store.aliases().keys()
        assert set(store.aliases().values()) <= ids
    store.close()


@pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)
@examples(40, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=st.lists(steps, min_size=1, max_size=8))
def test_batches_converge_in_sqlite(new_database: Callable[[], str], sequence: list[Step]) -> None:
    _check(new_database, sequence)


@pytest.mark.parametrize("new_database", ["postgresql"], indirect=True)
@examples(10, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=st.lists(steps, min_size=3, max_size=8))
def test_batches_converge_in_postgresql(new_database: Callable[[], str], sequence: list[Step]) -> None:
    _check(new_database, sequence)


@pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)
@examples(60, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=st.lists(steps, max_size=2), sequence=st.lists(steps, min_size=2, max_size=6))
def test_pages_stored_together_end_as_one_by_one(
    new_database: Callable[[], str], held: list[Step], sequence: list[Step]
) -> None:
    apart, together, model = opened(new_database()), opened(new_database()), Model()
    for mark, step in enumerate(held):
        for store in (apart, together):
            store.save_batches("jira", [step.batch(mark)], read_at=NOW)
        model.take(step.batch(mark))
    batches = [step.batch(10 + mark) for mark, step in enumerate(sequence)]
    for batch in batches:
        apart.save_batches("jira", [batch], read_at=NOW + DAY)
        model.take(batch)
    together.save_batches("jira", batches, read_at=NOW + DAY)
    assert {s.item.uid: s.item for s in together.items()} == {uid: read for uid, (read, _) in model.live.items()}
    assert together.items() == apart.items()
    assert together.slices("jira") == apart.slices("jira")
    assert together.aliases() == apart.aliases()
    for name in SLICES:
        assert set(together.held_uids("jira", name)) == set(apart.held_uids("jira", name))
    apart.close()
    together.close()


def test_reading_everything_again_changes_nothing(database_url: str) -> None:
    store = opened(database_url)
    page = [item(n) for n in range(20)]
    save(store, *page, watermark="w")
    before = store.items()
    assert save(store, *page, watermark="w", full=True, present=frozenset(i.uid for i in page), at=NOW + DAY).same == 20
    assert store.items() == before
    store.close()
