"""What every tracker does alike. A tracker passes by subclassing `TrackerConformance` with a `place` fixture:

class TestGitHub(TrackerConformance):
    @pytest.fixture
    def place(self) -> Iterator[Place]: ...
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import pytest

from okrsync.domain.comments import Comment, code, paragraph
from okrsync.domain.trackers import Batch, NotFound, SliceState, Tracker
from okrsync.domain.work import WorkItem

FIRST = Comment((paragraph("Nothing ties ", code("this"), " to a goal."),))
SECOND = Comment((paragraph("It is tied now; thanks @ada, see #1."),))


class Place(Protocol):
    """A tracker and the world behind it, seen as its people see it. `container` starts empty and is configured."""

    tracker: Tracker
    container: str
    incremental: bool  # the tracker reads only what changed

    def add(self, title: str, labels: tuple[str, ...] = ()) -> str:
        """A person opens an item; returns its id."""
        ...

    def retitle(self, id_: str, title: str) -> None: ...

    def delete(self, id_: str) -> None: ...

    def labels(self, id_: str) -> set[str]: ...

    def comments(self, id_: str) -> list[str]:
        """The comments' ids."""
        ...

    def person_comments(self, id_: str, text: str) -> None: ...

    def person_deletes(self, id_: str, comment_id: str) -> None: ...

    def later(self) -> None:
        """Time passes, more than any overlap."""
        ...


def states(batches: Iterable[Batch], before: dict[str, SliceState] | None = None) -> dict[str, SliceState]:
    """What a store remembers after these batches."""
    after = dict(before or {})
    for batch in batches:
        old = after.get(batch.slice, SliceState())
        after[batch.slice] = SliceState(
            watermark=batch.watermark or old.watermark,
            resume=None if batch.watermark else batch.resume or old.resume,
            held=old.held + len(batch.items),
        )
    return after


def items(batches: Iterable[Batch]) -> dict[str, WorkItem]:
    return {item.id: item for batch in batches for item in batch.items}


class TrackerConformance:
    """Reading, looking and writing as domain.trackers.Tracker says."""

    def item(self, place: Place, id_: str) -> WorkItem:
        return place.tracker.fetch([id_]).items[id_]

    # --- reading

    def test_the_first_pull_yields_everything_and_a_watermark(self, place: Place) -> None:
        ids = {place.add(f"item {n}") for n in range(5)}
        batches = list(place.tracker.pull({}))
        assert items(batches).keys() == ids
        assert all(state.watermark for state in states(batches).values())
        assert not [b.problem for b in batches if b.problem]

    def test_an_item_says_what_people_see(self, place: Place) -> None:
        id_ = place.add("a title", ("area/web",))
        item = items(place.tracker.pull({}))[id_]
        assert (item.id, item.title, item.labels, item.open) == (id_, "a title", ("area/web",), True)
        assert item.id == f"{item.connector}:{item.key}"
        assert item.uid.startswith(f"{place.tracker.name}:")
        assert item.container == place.container
        assert item.created.utcoffset() == item.updated.utcoffset()
        assert place.tracker.owns(id_)

    def test_the_next_pull_yields_what_changed(self, place: Place) -> None:
        if not place.incremental:
            pytest.skip("always reads everything")
        first = place.add("old")
        place.later()
        place.add("newer")
        before = states(place.tracker.pull({}))
        place.later()
        changed = place.add("newest")
        after = items(place.tracker.pull(before))
        assert changed in after
        assert first not in after

    def test_a_sweep_or_a_full_listing_tells_what_exists(self, place: Place) -> None:
        kept, gone = place.add("kept"), place.add("gone")
        batches = list(place.tracker.pull({}))
        known = items(batches)
        place.delete(gone)
        for how in ({"sweep": True}, {"full": True}):
            told = [b.present for b in place.tracker.pull(states(batches), **how) if b.present is not None]
            assert [set(p) for p in told if p] == [{known[kept].uid}]

    def test_fetch_finds_by_id_and_tells_what_is_missing(self, place: Place) -> None:
        id_ = place.add("there")
        missing = id_.rstrip("0123456789") + "99999"
        fetched = place.tracker.fetch([id_, missing])
        assert fetched.items[id_].title == "there"
        assert fetched.missing == (missing,)
        assert fetched.items[id_].uid == items(place.tracker.pull({}))[id_].uid

    def test_a_deleted_item_is_not_found_on_a_look(self, place: Place) -> None:
        item = self.item(place, place.add("short-lived"))
        place.delete(item.id)
        with pytest.raises(NotFound):
            place.tracker.look(item, comments=False)

    # --- labels

    def test_labels_are_added_and_removed_and_others_left_alone(self, place: Place) -> None:
        item = self.item(place, place.add("labelled", ("bug", "okr/elsewhere")))
        for _ in range(2):
            place.tracker.add_labels(item, ["okr/unlinked", "okr/O1"])
            assert place.labels(item.id) == {"bug", "okr/elsewhere", "okr/unlinked", "okr/O1"}
        for _ in range(2):
            place.tracker.remove_labels(item, ["okr/unlinked", "okr/never-there"])
            assert place.labels(item.id) == {"bug", "okr/elsewhere", "okr/O1"}
        assert set(place.tracker.look(item, comments=False).item.labels) == {"bug", "okr/elsewhere", "okr/O1"}

    def test_label_definitions(self, place: Place) -> None:
        if place.tracker.container_labels(place.container) is None:
            pytest.skip("labels need no definition")
        for _ in range(2):
            place.tracker.create_label(place.container, "okr/stale", "cccccc", "what to do")
        assert "okr/stale" in (place.tracker.container_labels(place.container) or ())
        item = self.item(place, place.add("bears it", ("okr/stale",)))
        assert place.tracker.delete_label(place.container, "okr/stale") is False
        place.tracker.remove_labels(item, ["okr/stale"])
        assert place.tracker.delete_label(place.container, "okr/stale") is True
        assert place.tracker.delete_label(place.container, "okr/stale") is True
        assert "okr/stale" not in (place.tracker.container_labels(place.container) or ())

    # --- the one comment

    def test_a_comment_is_written_seen_edited_and_deleted(self, place: Place) -> None:
        item = self.item(place, place.add("commented"))
        place.person_comments(item.id, "hello")
        before = place.comments(item.id)
        id_ = place.tracker.create_comment(item, FIRST)
        assert place.comments(item.id) == [*before, id_]
        assert [(c.id, c.hash) for c in place.tracker.look(item, comments=True).comments or ()] == [(id_, FIRST.hash)]
        for _ in range(2):
            place.tracker.update_comment(item, id_, SECOND)
        assert [(c.id, c.hash) for c in place.tracker.look(item, comments=True).comments or ()] == [(id_, SECOND.hash)]
        for _ in range(2):
            place.tracker.delete_comment(item, id_)
        assert place.comments(item.id) == before
        assert place.tracker.look(item, comments=True).comments == ()

    def test_comments_are_read_only_when_asked_for(self, place: Place) -> None:
        item = self.item(place, place.add("commented"))
        assert place.tracker.look(item, comments=False).comments is None

    def test_editing_a_comment_that_a_person_deleted_is_not_found(self, place: Place) -> None:
        item = self.item(place, place.add("commented"))
        id_ = place.tracker.create_comment(item, FIRST)
        place.person_deletes(item.id, id_)
        with pytest.raises(NotFound):
            place.tracker.update_comment(item, id_, SECOND)

    def test_ours_are_found_without_a_journal(self, place: Place) -> None:
        labelled = self.item(place, place.add("labelled", ("okr/unlinked",)))
        commented = self.item(place, place.add("commented"))
        place.add("neither", ("bug",))
        id_ = place.tracker.create_comment(commented, FIRST)
        found = {look.item.id: look for look in place.tracker.find_ours("okr/")}
        assert found.keys() == {labelled.id, commented.id}
        assert [c.id for c in found[commented.id].comments or ()] == [id_]
