"""Items: what a reading does to the rows."""

from __future__ import annotations

from datetime import datetime

import pytest
from store_samples import DAY, MINUTE, NOW, item, label, opened, save

from okrsync.domain.changes import JournalState, Op
from okrsync.domain.storage import Saved, Store
from okrsync.domain.trackers import SliceState
from okrsync.domain.work import Reference, Trailer, Via


def ids(store: Store) -> list[str]:
    return [s.item.id for s in store.items()]


def test_items_come_back_as_they_were_ordered_by_id(store: Store) -> None:
    rich = item(
        2,
        body="Überblick 🎉\n<script>",
        labels=("checkout", "okr/O1"),
        okr=("O1.KR1",),
        estimate=2.5,
        closed_at=NOW - DAY,
        state="closed",
        references=(Reference(via=Via.PARENT, target="jira:PAY-1", structural=True),),
        trailers=(Trailer(kind="okr", ids=("O1",)),),
    )
    assert save(store, rich, item(10), item(1)) == Saved(new=3)
    assert ids(store) == ["jira:PAY-1", "jira:PAY-10", "jira:PAY-2"]
    stored = store.items()[2]
    assert stored.item == rich
    assert (stored.read_at, stored.moved_at, stored.chased, stored.aliases) == (NOW, NOW - DAY, False, ())


def test_a_reading_without_news_changes_no_row(store: Store) -> None:
    save(store, item(1), item(2))
    assert save(store, item(1), item(2, title="New"), item(3), at=NOW + DAY) == Saved(new=1, changed=1, same=1)
    assert [s.read_at for s in store.items()] == [NOW, NOW + DAY, NOW + DAY]


def test_rows_and_watermark_move_together(store: Store) -> None:
    save(store, item(1), resume="page 2")
    assert store.slices("jira") == {"PAY": SliceState(resume="page 2", held=1)}
    save(store, item(2))
    assert store.slices("jira")["PAY"].resume == "page 2"
    save(store, item(3), watermark="w1")
    assert store.slices("jira")["PAY"] == SliceState(watermark="w1", held=3)
    save(store, present=frozenset({"jira:1001"}), at=NOW + DAY)
    assert store.slices("jira")["PAY"] == SliceState(watermark="w1", swept_at=NOW + DAY, held=1)
    assert store.slices("github") == {}


def test_an_item_seen_twice_on_one_page_counts_as_last_read(store: Store) -> None:
    assert save(store, item(1, title="old"), item(1, title="new")) == Saved(new=1)
    assert store.items()[0].item.title == "new"


def test_what_a_full_listing_leaves_out_is_gone_and_may_come_back(store: Store) -> None:
    save(store, item(1), item(2), item(3))
    save(store, item(4, key="WEB-4"), slice_="WEB")
    assert save(store, full=True, present=frozenset({"jira:1001"})).gone == 2
    assert ids(store) == ["jira:PAY-1", "jira:WEB-4"]
    assert save(store, item(2)) == Saved(changed=1)
    assert ids(store) == ["jira:PAY-1", "jira:PAY-2", "jira:WEB-4"]


def test_an_item_on_the_page_is_not_gone_even_if_the_key_scan_missed_it(store: Store) -> None:
    assert save(store, item(5), present=frozenset()) == Saved(new=1)


def test_a_definite_404_is_gone_once(store: Store) -> None:
    save(store, item(1), item(2))
    assert save(store, gone=("jira:1001", "jira:9999")).gone == 1
    assert save(store, gone=("jira:1001",)).gone == 0
    store.tombstone(["jira:1002"])
    assert store.items() == []


def test_a_renamed_item_keeps_its_row_and_its_old_id(store: Store) -> None:
    save(store, item(1))
    save(store, item(1, key="WEB-7"), slice_="WEB")
    save(store, item(1, key="OPS-3"), slice_="OPS")
    stored = store.items()[0]
    assert (stored.item.id, stored.aliases) == ("jira:OPS-3", ("jira:PAY-1", "jira:WEB-7"))
    assert store.aliases() == {"jira:PAY-1": "jira:OPS-3", "jira:WEB-7": "jira:OPS-3"}
    assert set(store.held_uids("jira", "PAY")) == set()
    assert set(store.held_uids("jira", "OPS")) == {"jira:1001"}
    save(store, item(1))  # and home again
    assert store.aliases() == {"jira:OPS-3": "jira:PAY-1", "jira:WEB-7": "jira:PAY-1"}


def test_an_id_that_belongs_to_another_item_now_is_taken_over(store: Store) -> None:
    save(store, item(1))
    assert save(store, item(9, key="PAY-1")) == Saved(new=1, gone=1)
    assert [s.item.uid for s in store.items()] == ["jira:1009"]
    assert store.aliases() == {}


def test_two_items_may_swap_their_ids_on_one_page(store: Store) -> None:
    save(store, item(1), item(2))
    assert save(store, item(1, key="PAY-2"), item(2, key="PAY-1")) == Saved(changed=2)
    assert [(s.item.id, s.item.uid) for s in store.items()] == [
        ("jira:PAY-1", "jira:1002"),
        ("jira:PAY-2", "jira:1001"),
    ]
    assert store.aliases() == {}


def test_a_chain_of_renames_on_one_page(store: Store) -> None:
    save(store, item(1), item(2))
    save(store, item(1, key="PAY-2"), item(2, key="PAY-3"))
    assert [(s.item.id, s.item.uid) for s in store.items()] == [
        ("jira:PAY-2", "jira:1001"),
        ("jira:PAY-3", "jira:1002"),
    ]
    assert store.aliases() == {"jira:PAY-1": "jira:PAY-2"}


def test_chased_items_are_held_but_not_counted(store: Store) -> None:
    save(store, item(1))
    store.save_chased([item(1, title="read directly"), item(8)], read_at=NOW, moved={})
    assert [(s.item.title, s.chased) for s in store.items()] == [("read directly", False), ("Task 8", True)]
    assert store.counted("jira") == 1
    assert store.slices("jira")["PAY"].held == 1
    save(store, present=frozenset())
    assert ids(store) == ["jira:PAY-8"]
    store.save_chased([item(1)], read_at=NOW, moved={})  # left our scope, still evidence
    assert [s.chased for s in store.items()] == [True, True]
    save(store, item(8))
    assert set(store.held_uids("jira", "PAY")) == {"jira:1008"}


def test_a_chased_id_that_moved_becomes_an_alias(store: Store) -> None:
    save(store, item(1))
    moved = {"jira:OLD-5": "jira:PAY-5", "jira:PAY-1": "jira:PAY-5", "jira:X-1": "jira:X-2"}
    store.save_chased([item(5)], read_at=NOW, moved=moved)
    assert store.aliases() == {"jira:OLD-5": "jira:PAY-5", "jira:PAY-1": "jira:PAY-5"}
    assert ids(store) == ["jira:PAY-5"]


def test_a_direct_reading_keeps_slice_and_scope(store: Store) -> None:
    save(store, item(1))
    store.refresh([item(1, title="now")], read_at=NOW + MINUTE)
    store.refresh([item(1, title="now")], read_at=NOW + 2 * MINUTE)
    assert store.items()[0].item.title == "now"
    assert store.items()[0].read_at == NOW + 2 * MINUTE
    assert set(store.held_uids("jira", "PAY")) == {"jira:1001"}


def test_forgotten_slices_leave_with_their_watermark(store: Store) -> None:
    save(store, item(1), watermark="w")
    save(store, item(2, key="WEB-2"), slice_="WEB", watermark="w")
    store.forget_scope("jira", ["PAY"])
    assert ids(store) == ["jira:WEB-2"]
    assert set(store.slices("jira")) == {"WEB"}


def test_our_own_labels_show_at_once(store: Store) -> None:
    save(store, item(1, labels=("bug", "okr/stale")))
    store.note_labels("jira:1001", added=["okr/unlinked", "bug"], removed=["okr/stale"])
    store.note_labels("jira:9999", added=["okr/unlinked"], removed=[])
    assert store.items()[0].item.labels == ("bug", "okr/unlinked")
    assert store.items()[0].read_at == NOW


def test_unreachable_ids_are_remembered_until_found(store: Store) -> None:
    store.save_unreachable(missing=["jira:A-1", "jira:A-2"], forbidden=["jira:A-3"], found=[])
    store.save_unreachable(missing=[], forbidden=["jira:A-2"], found=["jira:A-1"])
    assert store.unreachable() == {"jira:A-2": "forbidden", "jira:A-3": "forbidden"}
    store.save_chased([item(3, key="A-3")], read_at=NOW, moved={})
    store.save_unreachable(missing=["x" * 100_000], forbidden=[], found=[])
    assert store.unreachable() == {"jira:A-2": "forbidden"}


def test_text_that_no_database_can_hold_is_stored_without_it(store: Store) -> None:
    save(store, item(1, title="a\x00b\ud800c", body="\x00" * 3 + "x" * 1_000_000, labels=("l\x00",)), resume="r")
    stored = store.items()[0].item
    assert (stored.title, len(stored.body), stored.labels) == ("abc", 1_000_000, ("l",))
    assert save(store, item(1, title="a\x00b\ud800c", body="x" * 1_000_000, labels=("l",))).same == 1
    save(store, item(2, title="only\x00NUL"))
    assert store.items()[1].item.title == "onlyNUL"
    store.set_meta("k", "v\x00")
    assert (store.get_meta("k"), store.get_meta("none")) == ("v", None)


def test_everything_is_there_after_reopening(database_url: str) -> None:
    first = opened(database_url)
    save(first, item(1), watermark="w")
    first.set_meta("enabled", "yes")
    first.set_meta("enabled", "2026")
    first.close()
    second = opened(database_url)
    assert [s.item for s in second.items()] == [item(1)]
    assert second.slices("jira")["PAY"].watermark == "w"
    assert second.get_meta("enabled") == "2026"
    second.close()


def test_a_large_page_and_a_large_sweep(store: Store) -> None:
    many = [item(n) for n in range(2500)]
    assert save(store, *many).new == 2500
    assert save(store, *many, present=frozenset(i.uid for i in many)).same == 2500
    assert save(store, present=frozenset({"jira:1000"})).gone == 2499


# --- moved_at ----------------------------------------------------------------------------------------------


def moved(store: Store) -> datetime:
    return store.items()[0].moved_at


def write(store: Store, state: JournalState = JournalState.CONFIRMED, at: datetime = NOW) -> None:
    (seq,) = store.intend([label(Op.ADD_LABEL, "okr/unlinked")], run="r1", at=at)
    store.settle(seq, state, at=at)


def test_first_sight_takes_the_latest_time_the_item_names(store: Store) -> None:
    save(store, item(1, updated=NOW - 9 * DAY, status_changed=NOW - 3 * DAY, closed_at=NOW - 4 * DAY))
    assert moved(store) == NOW - 3 * DAY


@pytest.mark.parametrize("state", [JournalState.CONFIRMED, JournalState.UNKNOWN, JournalState.INTENDED])
def test_our_own_label_moves_nothing(store: Store, state: JournalState) -> None:
    save(store, item(1))
    write(store, state)
    save(store, item(1, updated=NOW + MINUTE, labels=("okr/unlinked",)))
    assert moved(store) == NOW - 2 * DAY


def test_a_write_the_server_refused_explains_nothing(store: Store) -> None:
    save(store, item(1))
    write(store, JournalState.FAILED)
    save(store, item(1, updated=NOW + MINUTE))
    assert moved(store) == NOW + MINUTE


def test_a_change_of_title_moves_even_beside_our_write(store: Store) -> None:
    save(store, item(1))
    write(store)
    save(store, item(1, updated=NOW + MINUTE, labels=("okr/unlinked",), title="Other"))
    assert moved(store) == NOW + MINUTE


def test_somebody_elses_comment_moves(store: Store) -> None:
    save(store, item(1))
    save(store, item(1, updated=NOW - MINUTE))
    assert moved(store) == NOW - MINUTE


def test_somebody_elses_comment_moves_long_after_our_write(store: Store) -> None:
    save(store, item(1))
    write(store)
    save(store, item(1, updated=NOW, labels=("okr/unlinked",)))
    save(store, item(1, updated=NOW + DAY, labels=("okr/unlinked",)))
    assert moved(store) == NOW + DAY


def test_a_write_before_the_last_reading_explains_nothing_new(store: Store) -> None:
    write(store, at=NOW - 5 * MINUTE)
    save(store, item(1, updated=NOW - MINUTE))
    save(store, item(1, updated=NOW))
    assert moved(store) == NOW


def test_an_older_reading_moves_nothing(store: Store) -> None:
    save(store, item(1))
    save(store, item(1, updated=NOW - 9 * DAY, title="from a lagging index"))
    assert moved(store) == NOW - 2 * DAY
    save(store, item(1))
    assert moved(store) == NOW - 2 * DAY


def test_a_reading_after_our_write_counts_as_one_even_without_news(store: Store) -> None:
    """A dismissal is concluded only from a reading newer than our write, so that has to be told."""
    save(store, item(1))
    write(store, at=NOW + MINUTE)
    assert save(store, item(1), at=NOW + 2 * MINUTE).same == 1
    assert store.items()[0].read_at == NOW + 2 * MINUTE
    save(store, item(1), at=NOW + 3 * MINUTE)
    assert store.items()[0].read_at == NOW + 2 * MINUTE


def parent_of(target: str) -> Reference:
    return Reference(via=Via.PARENT, target=target, structural=True)


def test_what_is_held_and_points_somewhere(store: Store) -> None:
    save(store, item(1, references=(parent_of("jira:PAY-2"), parent_of("jira:X-1"))), item(2))
    store.save_chased([item(3, references=(parent_of("jira:PAY-1"),))], read_at=NOW, moved={})
    store.tombstone([item(2).uid])
    assert set(store.targets()) == {"jira:PAY-1", "jira:PAY-2", "jira:X-1"}
    assert store.counted_among([item(n).id for n in range(1, 5)]) == {item(1).id}
