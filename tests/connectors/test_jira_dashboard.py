"""The dashboard issue in Jira: Cloud and Data Center."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import structlog.testing
from jira_world import JiraHouse, house

from okrsync.domain.comments import Comment, bullet, code, paragraph
from okrsync.domain.trackers import Dashboard, Forbidden, NotFound, NotWritable, OutcomeUnknown
from okrsync.sandbox.records import Issue

ELSEWHERE = "OPS"  # no configured project
ONE = Comment((paragraph("first [~ada] {html}"), bullet(code("O1.KR1"), " a title")))
TWO = Comment((paragraph("second"),))


@pytest.fixture(params=["cloud", "data center"])
def jira(request: pytest.FixtureRequest) -> Iterator[JiraHouse]:
    with house(cloud=request.param == "cloud") as it:
        it.world.add_person("ada", "Ada Park")
        it.jira.add_project(ELSEWHERE, "Operations")
        yield it


def issue(jira: JiraHouse, ref: str) -> Issue:
    found = jira.jira.find(ref)
    assert found
    return found


def test_it_is_made_found_and_edited_in_a_project_that_is_not_covered(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    assert tracker.find_dashboard(ELSEWHERE, None) is None
    ref = tracker.create_issue(ELSEWHERE, "a title", ONE)
    made = issue(jira, ref)
    assert (made.project, made.title, made.type) == (ELSEWHERE, "a title", "Task")
    assert tracker.find_dashboard(ELSEWHERE, None) == Dashboard(ref=ref, open=True, hash=ONE.hash)
    made.title = "as a person has it"
    tracker.update_issue(ELSEWHERE, ref, TWO)
    assert (made.title, made.body.strip()) == ("as a person has it", "second")
    assert tracker.find_dashboard(ELSEWHERE, ref) == Dashboard(ref=ref, open=True, hash=TWO.hash)
    assert jira.jira.mails == []
    assert not tracker.is_public(ELSEWHERE)


def test_where_there_is_no_task_another_ordinary_type_is_taken(jira: JiraHouse) -> None:
    del jira.jira.types["Task"]
    made = issue(jira, jira.tracker().create_issue(ELSEWHERE, "t", ONE))
    assert jira.jira.types[made.type][1] == 0


def test_the_label_alone_makes_nothing_ours(jira: JiraHouse) -> None:
    labels = ["okrsync-dashboard"]
    jira.jira.add_issue(ELSEWHERE, "of ours, without the mark", labels=labels, reporter=jira.world.bot)
    theirs = jira.jira.add_issue(ELSEWHERE, "theirs", labels=labels, reporter="ada")
    theirs.properties["okrsync"] = {"v": 1, "dashboard": ONE.hash}
    assert jira.tracker().find_dashboard(ELSEWHERE, None) is None


def test_a_done_one_is_closed(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    ref = tracker.create_issue(ELSEWHERE, "t", ONE)
    jira.jira.set_status(issue(jira, ref), "Done")
    assert tracker.find_dashboard(ELSEWHERE, ref) == Dashboard(ref=ref, open=False, hash=ONE.hash)


def test_deleted_and_moved_away_is_not_found_and_a_hidden_project_tells_nothing(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    gone, moved, kept = (tracker.create_issue(ELSEWHERE, "t", ONE) for _ in range(3))
    jira.jira.delete(issue(jira, gone))
    jira.jira.move(issue(jira, moved), "PAY")
    for ref in (gone, moved):
        with pytest.raises(NotFound):
            tracker.find_dashboard(ELSEWHERE, ref)
    jira.jira.projects[ELSEWHERE].visible = False
    with pytest.raises(Forbidden):
        tracker.find_dashboard(ELSEWHERE, kept)
    with pytest.raises(NotFound):
        tracker.find_dashboard(ELSEWHERE, None)


def test_a_lost_answer_is_of_unknown_outcome_and_sent_once(jira: JiraHouse) -> None:
    jira.break_("drop_after", "/issue$", method="POST", times=1)
    with pytest.raises(OutcomeUnknown):
        jira.tracker().create_issue(ELSEWHERE, "t", ONE)
    assert len(jira.jira.issues) == 1


def test_a_lagging_index_does_not_show_it_at_first_and_a_direct_reading_does(jira: JiraHouse) -> None:
    jira.jira.index_lag = timedelta(seconds=30)
    tracker = jira.tracker()
    ref = tracker.create_issue(ELSEWHERE, "t", ONE)
    assert tracker.find_dashboard(ELSEWHERE, None) is None
    assert tracker.find_dashboard(ELSEWHERE, ref) is not None
    jira.clock.advance(timedelta(minutes=1))
    assert tracker.find_dashboard(ELSEWHERE, None) is not None


def test_without_the_right_to_create_it_is_not_writable(jira: JiraHouse) -> None:
    jira.jira.projects[ELSEWHERE].writable = False
    with pytest.raises(NotWritable):
        jira.tracker().create_issue(ELSEWHERE, "t", ONE)


def test_without_the_right_to_be_quiet_an_edit_goes_all_the_same(jira: JiraHouse) -> None:
    jira.jira.projects[ELSEWHERE].admin = False
    tracker = jira.tracker()
    ref = tracker.create_issue(ELSEWHERE, "t", ONE)
    with structlog.testing.capture_logs() as logs:
        tracker.update_issue(ELSEWHERE, ref, TWO)
    assert [e["project"] for e in logs if e["log_level"] == "warning"] == [ELSEWHERE]
    assert tracker.find_dashboard(ELSEWHERE, ref) == Dashboard(ref=ref, open=True, hash=TWO.hash)
