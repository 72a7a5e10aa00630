"""The journal, what is ours by it, dismissals, plans and approvals."""

from __future__ import annotations

from datetime import datetime

import pytest
from store_samples import DAY, MINUTE, NOW, comment, item, label, opened, plan, save

from okrsync.domain.changes import Change, Dismissal, Held, JournalState, Op, Owned
from okrsync.domain.comments import Comment, paragraph
from okrsync.domain.storage import Store

UID = "jira:1001"
DONE = JournalState.CONFIRMED


def write(
    store: Store, change: Change, state: JournalState = DONE, *, at: datetime = NOW, made: str | None = None
) -> int:
    (seq,) = store.intend([change], run="r1", at=at)
    store.settle(seq, state, at=at, comment_id=made)
    return seq


def test_writes_are_journalled_before_they_are_sent(database_url: str) -> None:
    store = opened(database_url)
    changes = [label(Op.ADD_LABEL, f"okr/O{n}", uid=f"jira:{n}") for n in range(1200)]
    seqs = store.intend(changes, run="r1", at=NOW)
    assert seqs == list(range(seqs[0], seqs[0] + 1200))
    store.settle(seqs[0], DONE, at=NOW + MINUTE)
    store.settle(seqs[1], JournalState.FAILED, at=NOW, detail="422 " + "x" * 5000)
    store.settle(seqs[2], JournalState.UNKNOWN, at=NOW, detail="no answer")
    store.close()  # a crash would leave it the same: each step was committed

    store = opened(database_url)
    left = store.unsettled()
    assert [e.seq for e in left] == seqs[2:]
    assert (left[0].state, left[0].detail) == (JournalState.UNKNOWN, "no answer")
    assert (left[1].state, left[1].value) == (JournalState.INTENDED, "okr/O3")
    first = store.journal()[0]
    assert (first.state, first.at, first.confirmed_at, first.run) == (DONE, NOW, NOW + MINUTE, "r1")
    assert store.intend([], run="r1", at=NOW) == []
    store.close()


def test_many_writes_are_settled_and_noted_at_once(store: Store) -> None:
    save(store, item(1), item(2))
    changes = [label(Op.ADD_LABEL, f"okr/O{n}", uid=f"jira:{n}") for n in range(1200)]
    seqs = store.intend(changes, run="r1", at=NOW)
    store.settle_all(seqs[:1100], DONE, at=NOW + MINUTE)
    store.settle_all(seqs[1100:1150], JournalState.FAILED, at=NOW, detail="422")
    store.settle_all([], DONE, at=NOW)
    assert [e.seq for e in store.unsettled()] == seqs[1150:]
    assert {e.confirmed_at for e in store.journal() if e.state is DONE} == {NOW + MINUTE}
    with pytest.raises(KeyError):
        store.settle_all([seqs[-1], 7777], DONE, at=NOW)
    assert store.unsettled()[-1].seq == seqs[-1]
    first, second = (s.item.uid for s in store.items())
    store.note_all_labels({first: (["okr/O1"], []), second: (["okr/O2"], ["okr/O1"]), "jira:77": (["x"], [])})
    assert [s.item.labels[-1] for s in store.items()] == ["okr/O1", "okr/O2"]


def test_a_number_never_given_cannot_be_settled(store: Store) -> None:
    with pytest.raises(KeyError):
        store.settle(77, DONE, at=NOW)


def test_labels_are_ours_from_confirmation_to_removal(store: Store) -> None:
    write(store, label(Op.ADD_LABEL, "okr/O1"))
    write(store, label(Op.ADD_LABEL, "okr/O2"), at=NOW + MINUTE)
    write(store, label(Op.ADD_LABEL, "okr/O3"), JournalState.FAILED)
    assert store.owned() == {UID: Owned(uid=UID, labels={"okr/O1": NOW, "okr/O2": NOW + MINUTE})}
    write(store, label(Op.REMOVE_LABEL, "okr/O1"))
    write(store, label(Op.REMOVE_LABEL, "okr/O2"), JournalState.FAILED)
    assert store.owned()[UID].labels == {"okr/O2": NOW + MINUTE}


def test_a_write_without_known_outcome_is_pending_until_the_next_one(store: Store) -> None:
    write(store, label(Op.ADD_LABEL, "okr/O1"))
    seq = write(store, label(Op.REMOVE_LABEL, "okr/O1"), JournalState.UNKNOWN)
    store.intend([label(Op.ADD_LABEL, "okr/O2")], run="r1", at=NOW)
    assert store.owned()[UID] == Owned(uid=UID, labels={"okr/O1": NOW}, pending=("okr/O1", "okr/O2"))
    store.settle(seq, DONE, at=NOW)
    write(store, label(Op.ADD_LABEL, "okr/O2"))
    assert store.owned()[UID] == Owned(uid=UID, labels={"okr/O2": NOW})


def test_label_definitions_go_by_their_container(store: Store) -> None:
    where = "github:acme/web"
    seq = write(store, label(Op.CREATE_LABEL, "okr/O1", uid=where, target=where))
    assert store.owned() == {where: Owned(uid=where, labels={"okr/O1": NOW})}
    store.settle(seq, JournalState.UNDONE, at=NOW + DAY)
    assert store.owned() == {}
    assert store.journal()[0].confirmed_at == NOW


def test_the_one_comment_through_its_life(store: Store) -> None:
    seq = write(store, comment(Op.CREATE_COMMENT, "one"), JournalState.UNKNOWN)
    assert store.owned()[UID] == Owned(uid=UID, comment_unknown=True)
    store.settle(seq, DONE, at=NOW, comment_id="c1")
    one, two = (Comment((paragraph(words),)).hash for words in ("one", "two"))
    assert store.owned()[UID] == Owned(uid=UID, comment_id="c1", comment_hash=one, comment_at=NOW)

    edit = write(store, comment(Op.UPDATE_COMMENT, "two", comment_id="c1"), JournalState.UNKNOWN)
    assert store.owned()[UID] == Owned(uid=UID, comment_id="c1", comment_at=NOW)
    store.settle(edit, DONE, at=NOW + MINUTE)
    assert store.owned()[UID] == Owned(uid=UID, comment_id="c1", comment_hash=two, comment_at=NOW + MINUTE)

    store.settle(edit, JournalState.UNDONE, at=NOW + DAY)
    assert store.owned() == {}


def test_a_deleted_comment_is_nobodys(store: Store) -> None:
    write(store, comment(Op.CREATE_COMMENT, "one"), made="c1")
    delete = Change(op="delete_comment", target="jira:PAY-1", uid=UID, value="", because="undo", comment_id="c1")  # type: ignore[arg-type]  # undo journals what is no Op
    write(store, delete)
    assert store.owned() == {}
    assert store.journal()[1].op == "delete_comment"


def test_the_dashboard_issue_is_told_apart_from_labels_and_items(store: Store) -> None:
    place = "github:acme/strategy"
    issue = Change(
        op=Op.CREATE_ISSUE,
        target=place,
        uid=f"dashboard:{place}",
        value="",
        because="dashboard",
        comment=Comment((paragraph("what it says"),)),
    )
    write(store, label(Op.ADD_LABEL, "okr/O1"))
    write(store, label(Op.ADD_LABEL, "okr/O2", uid="dashboard:12"))  # of a connector that bears this name
    seq = write(store, issue, made="7")
    entry = store.dashboard_entries()[0]
    assert (entry.seq, entry.comment_id, entry.content_hash) == (seq, "7", issue.comment.hash)
    store.intend([issue], run="r2", at=NOW)
    assert store.owned().keys() == {UID, "dashboard:12"}
    assert store.comments_created(NOW - DAY) == 0


def test_comments_that_may_have_notified_somebody_count(store: Store) -> None:
    write(store, comment(Op.CREATE_COMMENT, "long ago"), at=NOW - 2 * DAY)
    write(store, comment(Op.CREATE_COMMENT, "one"))
    write(store, comment(Op.CREATE_COMMENT, "two"), JournalState.UNKNOWN)
    write(store, comment(Op.CREATE_COMMENT, "refused"), JournalState.FAILED)
    write(store, comment(Op.UPDATE_COMMENT, "three"))
    assert store.comments_created(NOW - DAY) == 2


# --- dismissals --------------------------------------------------------------------------------------------


def dismissed(what: str, at: datetime, state: str = "s1") -> Dismissal:
    return Dismissal(uid=UID, what=what, state=state, at=at)


def test_dismissals_are_remembered_by_item_and_thing(store: Store) -> None:
    store.dismiss(dismissed("okr/O1", NOW))
    store.save_plan(plan("p1", dismissals=(dismissed("comment", NOW),)), run="r1", at=NOW)
    later = dismissed("okr/O1", NOW + DAY, "s2")
    store.dismiss(later)
    assert store.dismissals() == {(UID, "okr/O1"): later, (UID, "comment"): dismissed("comment", NOW)}


@pytest.mark.parametrize("later", [NOW, NOW + MINUTE])
def test_a_label_a_person_took_off_is_not_ours_until_we_write_it_again(store: Store, later: datetime) -> None:
    save(store, item(1))
    write(store, label(Op.ADD_LABEL, "okr/O1"))
    store.dismiss(dismissed("okr/O1", later))
    assert store.owned() == {}
    write(store, label(Op.ADD_LABEL, "okr/O1"), at=later)
    assert store.owned() == {UID: Owned(uid=UID, labels={"okr/O1": later})}


def test_a_label_the_item_bears_is_ours_although_its_lapsed_dismissal_was_renewed(store: Store) -> None:
    save(store, item(1, labels=("OKR/o1",)))
    write(store, label(Op.ADD_LABEL, "okr/O1"))
    store.dismiss(dismissed("okr/O1", NOW + DAY))
    assert store.owned() == {UID: Owned(uid=UID, labels={"okr/O1": NOW})}
    save(store, item(1))
    assert store.owned() == {}


def test_a_dismissed_comment_keeps_its_id(store: Store) -> None:
    """Whether the dismissal stands is told by its time against the comment's, which planning compares."""
    write(store, comment(Op.CREATE_COMMENT, "one"), made="c1")
    store.dismiss(dismissed("comment", NOW + MINUTE))
    assert (store.owned()[UID].comment_id, store.owned()[UID].comment_at) == ("c1", NOW)


def test_an_old_plan_stored_again_dismisses_nothing_new(store: Store) -> None:
    old = plan("p1", dismissals=(dismissed("okr/O1", NOW),))
    store.save_plan(old, run="r1", at=NOW)
    write(store, label(Op.ADD_LABEL, "okr/O1"))
    store.save_plan(old, run="r2", at=NOW)
    assert store.owned()[UID].labels == {"okr/O1": NOW}


# --- plans and approvals -----------------------------------------------------------------------------------

ADD = label(Op.ADD_LABEL, "okr/O1")
REMOVE = label(Op.REMOVE_LABEL, "okr/stale")
DEFINE = label(Op.CREATE_LABEL, "okr/O1", uid="github:a/b", target="github:a/b")


def test_a_plan_comes_back_as_it_was(store: Store) -> None:
    made = plan(
        "abc",
        ADD,
        comment(Op.CREATE_COMMENT, "words \x00"),
        held=(Held(target="jira:PAY-2", why="locked"),),
        dismissals=(dismissed("okr/O2", NOW),),
        foreign=(("jira:PAY-3", "okr/mine"),),
    )
    store.save_plan(made, run="r1", at=NOW)
    store.save_plan(made, run="r2", at=NOW + DAY)
    assert store.plan("abc") == made
    assert store.plan("none") is None


def test_an_approval_holds_until_each_change_is_done(store: Store) -> None:
    with pytest.raises(KeyError):
        store.approve("abc", at=NOW)
    store.save_plan(plan("abc", DEFINE, ADD, REMOVE), run="r1", at=NOW)
    assert store.approved() == frozenset()
    assert store.approve("abc", at=NOW) == 3
    assert store.approved() == {ADD.key, REMOVE.key, DEFINE.key}
    write(store, DEFINE)
    write(store, ADD, JournalState.UNKNOWN)
    write(store, REMOVE, JournalState.FAILED)
    assert store.approved() == {ADD.key, REMOVE.key}
    store.save_plan(plan("def", ADD, REMOVE), run="r2", at=NOW)
    write(store, ADD)
    assert store.approved() == {REMOVE.key}


def test_undoing_does_not_bring_an_approval_back(store: Store) -> None:
    store.save_plan(plan("abc", ADD), run="r1", at=NOW)
    store.approve("abc", at=NOW)
    seq = write(store, ADD)
    store.settle(seq, JournalState.UNDONE, at=NOW)
    store.approve("abc", at=NOW + DAY)  # a checksum left standing in the environment
    assert store.approved() == frozenset()
    store.save_plan(plan("abc", ADD), run="r2", at=NOW + DAY)
    assert store.approved() == frozenset()
    store.approve("abc", at=NOW + DAY)  # made anew, approved anew
    assert store.approved() == {ADD.key}


def test_old_plans_go_but_approved_ones_stay(store: Store) -> None:
    store.save_plan(plan("approved", ADD), run="r0", at=NOW)
    store.approve("approved", at=NOW)
    for n in range(502):
        store.save_plan(plan(f"{n:04}"), run="r1", at=NOW + (n + 1) * MINUTE)
    assert [store.plan(checksum) is None for checksum in ("approved", "0000", "0001", "0002", "0501")] == [
        False,
        True,
        True,
        False,
        False,
    ]
