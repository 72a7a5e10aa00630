"""Labels of many issues: bulk tasks on Cloud, how few requests they take, and what goes alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

import httpx
import pytest
import structlog.testing
from jira_world import JiraHouse, house

from okrsync.connectors.jira import JiraTracker
from okrsync.connectors.remembering import Forgetful
from okrsync.domain.trackers import LabelEdit, NotSent, NotWritable, OutcomeUnknown, SourceFailed, Throttled
from okrsync.domain.work import WorkItem

SUBMIT, QUEUE = "/bulk/issues/fields", "/bulk/queue/"


@pytest.fixture
def jira() -> Iterator[JiraHouse]:
    with house(cloud=True) as it:
        yield it


def works(jira: JiraHouse, count: int, tracker: JiraTracker) -> list[WorkItem]:
    for n in range(count):
        jira.jira.add_issue("PAY", f"work {n}")
    items = [item for batch in tracker.pull({}) for item in batch.items]
    jira.wire.requests.clear()
    return items


def add(items: Sequence[WorkItem], *labels: str) -> list[LabelEdit]:
    return [LabelEdit(item=item, add=labels) for item in items]


def make(tracker: JiraTracker, edits: Sequence[LabelEdit]) -> list[object]:
    """All batches, and the rest of them until nothing is left; the last outcome of each part."""
    told: list[object] = []
    while edits:
        again = []
        for batch in tracker.label_batches(edits):
            for edit, error in zip(batch, tracker.change_labels(batch), strict=True):
                again += [edit] if isinstance(error, NotSent) else []
                told += [] if isinstance(error, NotSent) else [error]
        edits = again
    return told


def kinds(jira: JiraHouse) -> Counter[str]:
    names = {SUBMIT: "submit", QUEUE: "ask", "/search/jql": "search", "/rest/api/3/issue/": "single"}
    return Counter(next(n for part, n in names.items() if part in str(r.url)) for r in jira.wire.requests)


def labels(jira: JiraHouse) -> list[tuple[str, ...]]:
    return [tuple(issue.labels) for issue in jira.jira.issues.values()]


def test_many_issues_take_one_task(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    items = works(jira, 7, tracker)
    jira.world.add_label("jira:PAY-1", "theirs", "okrsync-bot")
    assert make(tracker, add(items, "okr/O1")) == [None] * 7
    assert kinds(jira) == {"submit": 1, "ask": 1}
    assert labels(jira) == [("theirs", "okr/O1"), *[("okr/O1",)] * 6]
    assert jira.jira.mails == []
    assert sum(jira.naps) > 0


def test_what_is_cheaper_alone_goes_alone(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    items = works(jira, 9, tracker)
    edits = add(items[:2], "okr/O1") + add(items[2:3], "okr/O2", "okr/O3")
    edits += [LabelEdit(item=item, add=("okr/O4",), remove=("okr/unlinked",)) for item in items[3:7]]
    assert make(tracker, edits) == [None] * 7
    # removed and added in one call
    assert kinds(jira) == {"single": 7}
    assert labels(jira)[:4] == [("okr/O1",), ("okr/O1",), ("okr/O2", "okr/O3"), ("okr/O4",)]


def test_a_moved_verdict_is_a_removal_and_then_an_addition(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    items = works(jira, 10, tracker)
    make(tracker, add(items, "okr/unlinked"))
    jira.wire.requests.clear()
    edits = [LabelEdit(item=item, add=("okr/O1", "okr/O2"), remove=("okr/unlinked",)) for item in items]
    batches = tracker.label_batches(edits)
    assert [(len(b), bool(b[0].remove), bool(b[0].add)) for b in batches] == [(10, True, False), (10, False, True)]
    make(tracker, edits)
    assert set(labels(jira)) == {("okr/O1", "okr/O2")}
    assert kinds(jira) == {"submit": 2, "ask": 2}


def test_no_issue_is_in_two_tasks_at_a_time(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    items = works(jira, 21, tracker)
    names = [f"okr/O{n}" for n in range(7)]
    # each pair of labels on one issue: label by label is cheaper
    pairs = [(a, b) for n, a in enumerate(names) for b in names[n + 1 :]]
    edits = [LabelEdit(item=item, add=pair) for item, pair in zip(items, pairs, strict=True)]
    for batch in tracker.label_batches(edits):
        assert max(Counter(edit.item.uid for edit in batch).values()) == 1
    make(tracker, edits)
    assert [tuple(sorted(found)) for found in labels(jira)] == pairs
    assert kinds(jira) == {"submit": 7, "ask": 7}


def test_a_task_takes_a_thousand_and_the_index_confirms_several(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    items = works(jira, 2400, tracker)
    jira.jira.bulk_pace = timedelta(milliseconds=15)
    assert make(tracker, add(items, "okr/O1")) == [None] * 2400
    assert kinds(jira) == {"submit": 3, "search": 1}
    assert set(labels(jira)) == {("okr/O1",)}


def test_a_lagging_index_only_costs_requests(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    items = works(jira, 1200, tracker)
    jira.clock.advance(timedelta(hours=2))
    jira.jira.index_lag = timedelta(hours=1)
    assert make(tracker, add(items, "okr/O1")) == [None] * 1200
    assert make(tracker, add(items, "okr/O2")) == [None] * 1200
    assert kinds(jira) == {"submit": 4, "search": 1, "ask": 4}
    assert set(labels(jira)) == {("okr/O1", "okr/O2")}


def test_a_slow_task_is_asked_seldom(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    items = works(jira, 300, tracker)
    jira.jira.bulk_pace = timedelta(seconds=1)
    assert make(tracker, add(items, "okr/O1")) == [None] * 300
    assert kinds(jira)["ask"] <= 8
    assert 300 <= sum(jira.naps) <= 400


def test_a_task_that_never_ends_is_left_to_the_next_run(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    items = works(jira, 5, tracker)
    jira.jira.bulk_polls = 10_000
    told = make(tracker, add(items, "okr/O1"))
    assert {type(error) for error in told} == {OutcomeUnknown}
    assert sum(jira.naps) < 900


def test_issues_that_a_task_does_not_take_go_alone(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    items = works(jira, 8, tracker)
    jira.jira.bulk_fails = {"PAY-2", "PAY-3"}
    jira.world.delete("jira:PAY-5", "okrsync-bot")
    jira.jira.projects["WEB"].writable = False
    jira.world.move_issue("jira:PAY-4", "WEB", "okrsync-bot")
    told = Counter(type(error).__name__ for error in make(tracker, add(items, "okr/O1")))
    assert told == {"NoneType": 6, "NotFound": 1, "NotWritable": 1}
    assert kinds(jira) == {"submit": 1, "ask": 1, "single": 5}  # WEB's with and without notification
    assert labels(jira).count(("okr/O1",)) == 6


def test_a_task_that_died_goes_alone(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    items = works(jira, 4, tracker)

    def die(request: httpx.Request) -> None:
        for task in jira.jira.tasks.values():
            task.ended, task.done = "DEAD", task.done[:1]

    jira.before = die
    assert make(tracker, add(items, "okr/O1")) == [None] * 4
    assert kinds(jira) == {"submit": 1, "ask": 1, "single": 3}


def test_without_the_permission_it_goes_one_by_one_and_is_remembered(jira: JiraHouse) -> None:
    memory = Forgetful()
    tracker = jira.tracker(memory=memory)
    items = works(jira, 4, tracker)
    jira.jira.bulk = False
    with structlog.testing.capture_logs() as logs:
        assert make(tracker, add(items, "okr/O1")) == [None] * 4
        assert kinds(jira) == {"submit": 1, "single": 4}
        tracker = jira.tracker(memory=memory)
        assert make(tracker, add(items, "okr/O2")) == [None] * 4
    assert kinds(jira) == {"single": 4}
    assert ["Make bulk changes" in e["message"] for e in logs if e["log_level"] == "warning"] == [True]
    jira.jira.bulk = True
    jira.clock.advance(timedelta(days=1, minutes=1))
    tracker = jira.tracker(memory=memory)
    assert make(tracker, add(items, "okr/O3")) == [None] * 4
    assert kinds(jira) == {"submit": 1, "ask": 1}


@pytest.mark.parametrize("status", [400, 404, 405])
def test_where_it_is_not_taken_it_goes_one_by_one(jira: JiraHouse, status: int) -> None:
    tracker = jira.tracker()
    items = works(jira, 4, tracker)
    jira.break_("status", SUBMIT, status=status, body="{}")
    assert make(tracker, add(items, "okr/O1")) == [None] * 4
    assert set(labels(jira)) == {("okr/O1",)}
    assert kinds(jira)["single"] == 4


def test_a_task_that_is_refused_beside_others_waits_for_them(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    items = works(jira, 8, tracker)
    jira.break_("status", SUBMIT, status=400, body="{}", after=1, times=1)
    assert make(tracker, add(items[:4], "okr/O1") + add(items[4:], "okr/O2")) == [None] * 8
    assert kinds(jira) == {"submit": 3, "ask": 2}


def test_other_peoples_tasks_are_waited_for(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    items = works(jira, 20, tracker)
    jira.jira.bulk_tasks, jira.jira.bulk_pace = 2, timedelta(seconds=1)
    edits = [edit for n in range(5) for edit in add(items[n * 4 : n * 4 + 4], f"okr/O{n}")]
    assert make(tracker, edits) == [None] * 20
    assert sorted(set(labels(jira))) == [(f"okr/O{n}",) for n in range(5)]


def test_a_submission_whose_answer_is_lost_is_sent_again(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    items = works(jira, 4, tracker)
    jira.break_("drop_after", SUBMIT, method="POST", times=1)
    assert make(tracker, add(items, "okr/O1")) == [None] * 4
    assert set(labels(jira)) == {("okr/O1",)}


def test_what_cannot_be_asked_is_unknown_and_what_cannot_be_sent_fails(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    items = works(jira, 4, tracker)
    jira.break_("status", QUEUE, status=503)
    assert {type(error) for error in make(tracker, add(items, "okr/O1"))} == {OutcomeUnknown}
    jira.break_("status", SUBMIT, status=401)
    told = make(tracker, add(items, "okr/O2"))
    assert all(isinstance(error, SourceFailed) for error in told)


def test_nothing_is_begun_that_would_not_end_within_the_run(jira: JiraHouse) -> None:
    tracker = jira.tracker(budget=timedelta(seconds=20))
    items = works(jira, 1000, tracker)
    told = make(tracker, add(items, "okr/O1"))
    assert all(isinstance(error, Throttled) for error in told)
    assert kinds(jira) == {}


def test_data_center_has_no_bulk_edit() -> None:
    with house(cloud=False) as jira:
        tracker = jira.tracker()
        items = works(jira, 4, tracker)
        assert make(tracker, add(items, "okr/O1")) == [None] * 4
        assert [r.method for r in jira.wire.requests] == ["PUT"] * 4
        jira.jira.projects["PAY"].writable = False
        assert [type(error) for error in make(tracker, add(items, "okr/O2"))] == [NotWritable] * 4
