"""Looking and writing: labels, our one comment, undo without a journal; Cloud and Data Center."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
import structlog.testing
from jira_world import JiraHouse, house

from okrsync.connectors.remembering import Forgetful
from okrsync.domain.comments import Comment, code, paragraph
from okrsync.domain.trackers import Forbidden, NotFound, NotWritable, OutcomeUnknown, WriteRefused
from okrsync.domain.work import WorkItem

COMMENT = Comment((paragraph("This work has no strategic parent; add ", code("OKR: O1.KR1"), ". See PAY-2, [~ada]"),))
OTHER = Comment((paragraph("Resolved."),))


@pytest.fixture(params=["cloud", "data center"])
def jira(request: pytest.FixtureRequest) -> Iterator[JiraHouse]:
    with house(cloud=request.param == "cloud") as it:
        it.jira.add_issue("PAY", "work")
        it.jira.add_issue("PAY", "more")
        yield it


def item(jira: JiraHouse, id_: str = "jira:PAY-1") -> WorkItem:
    return jira.tracker().fetch([id_]).items[id_]


def labels(jira: JiraHouse, key: str = "PAY-1") -> list[str]:
    issue = jira.jira.find(key)
    assert issue
    return issue.labels


def test_labels_are_added_and_removed_without_mail(jira: JiraHouse) -> None:
    one, tracker = item(jira), jira.tracker()
    jira.world.add_label("jira:PAY-1", "theirs", "okrsync-bot")
    tracker.add_labels(one, ["okr/O1", "okr/O2"])
    tracker.add_labels(one, ["okr/O1"])
    tracker.remove_labels(one, ["okr/O2", "okr/never-there"])
    tracker.remove_labels(one, [])
    assert labels(jira) == ["theirs", "okr/O1"]
    assert jira.jira.mails == []
    assert tracker.container_labels("PAY") is None
    tracker.create_label("PAY", "okr/O1", "ff0000", "x")
    assert tracker.delete_label("PAY", "okr/O1")
    assert tracker.look(one, comments=False).item.labels == ("theirs", "okr/O1")


def test_without_the_right_to_be_quiet_it_is_said_once(jira: JiraHouse) -> None:
    jira.jira.projects["PAY"].admin = False
    one, two, tracker = item(jira), item(jira, "jira:PAY-2"), jira.tracker()
    with structlog.testing.capture_logs() as logs:
        tracker.add_labels(one, ["okr/O1"])
        tracker.add_labels(two, ["okr/O1"])
    assert labels(jira) == labels(jira, "PAY-2") == ["okr/O1"]
    puts = [line for line in jira.wire.lines if line.startswith("PUT")]
    assert ["notifyUsers" in line for line in puts] == [True, False, False]
    assert [e["project"] for e in logs if e["log_level"] == "warning"] == ["PAY"]


def test_that_a_project_is_loud_is_remembered_over_runs(jira: JiraHouse) -> None:
    jira.jira.projects["PAY"].admin = False
    memory = Forgetful()
    one = item(jira)
    jira.jira.add_issue("WEB", "elsewhere")
    other = item(jira, "jira:WEB-1")
    puts: list[bool] = []

    def run(label: str) -> list[str]:
        tracker = jira.tracker(memory=memory)
        with structlog.testing.capture_logs() as logs:
            tracker.add_labels(one, [label])
            tracker.add_labels(other, [label])
        puts[:] = ["notifyUsers" in line for line in jira.wire.lines if line.startswith("PUT")]
        return [e["project"] for e in logs if e["log_level"] == "warning"]

    assert (run("a"), puts) == (["PAY"], [True, False, True])
    assert (run("b"), puts) == ([], [False, True])
    jira.clock.advance(timedelta(days=31))
    # asked again after a month, but not said again
    assert (run("c"), puts) == ([], [True, False, True])
    assert (run("d"), puts) == ([], [False, True])
    jira.jira.projects["PAY"].admin = True
    jira.clock.advance(timedelta(days=31))
    assert (run("e"), puts) == ([], [True, True])


def test_what_may_not_be_written_is_told_apart(jira: JiraHouse) -> None:
    one, tracker = item(jira), jira.tracker()
    with pytest.raises(WriteRefused, match="contains spaces") as refused:
        tracker.add_labels(one, ["two words"])
    assert not isinstance(refused.value, NotWritable)
    jira.jira.projects["PAY"].writable = False
    for write in (
        lambda: tracker.add_labels(one, ["x"]),
        lambda: tracker.create_comment(one, COMMENT),
    ):
        with pytest.raises(NotWritable):
            write()
    jira.world.delete("jira:PAY-1", "okrsync-bot")
    for read in (
        lambda: tracker.add_labels(one, ["x"]),
        lambda: tracker.look(one, comments=True),
        lambda: tracker.create_comment(one, COMMENT),
    ):
        with pytest.raises(NotFound):
            read()


def test_a_moved_item_stays_itself(jira: JiraHouse) -> None:
    one, tracker = item(jira), jira.tracker()
    jira.world.move_issue("jira:PAY-1", "WEB", "okrsync-bot")
    look = tracker.look(one, comments=False)
    assert (look.item.id, look.item.uid, look.comments) == ("jira:WEB-1", one.uid, None)
    tracker.add_labels(one, ["okr/O1"])
    assert labels(jira, "WEB-1") == ["okr/O1"]


def test_forbidden_look(jira: JiraHouse) -> None:
    one, tracker = item(jira), jira.tracker()
    jira.break_("status", "/issue/", status=403)
    with pytest.raises(Forbidden):
        tracker.look(one, comments=True)


def test_one_comment_through_its_life(jira: JiraHouse) -> None:
    one, tracker = item(jira), jira.tracker()
    jira.world.comment("jira:PAY-1", "a person's", "okrsync-bot")  # by our account, but without the mark
    comment_id = tracker.create_comment(one, COMMENT)
    assert [(c.id, c.hash) for c in tracker.look(one, comments=True).comments or ()] == [(comment_id, COMMENT.hash)]
    found = jira.jira.comment(comment_id)
    assert found
    assert found[1].properties == {"okrsync": {"v": 1, "hash": COMMENT.hash}}
    assert found[1].internal is False
    if not jira.jira.cloud:
        assert found[1].body == (r"This work has no strategic parent; add {{OKR: O1.KR1}}. See PAY\-2, \[\~ada\]")
    tracker.update_comment(one, comment_id, OTHER)
    assert [(c.id, c.hash) for c in tracker.look(one, comments=True).comments or ()] == [(comment_id, OTHER.hash)]
    tracker.delete_comment(one, comment_id)
    tracker.delete_comment(one, comment_id)
    assert tracker.look(one, comments=True).comments == ()
    with pytest.raises(NotFound):
        tracker.update_comment(one, comment_id, COMMENT)


def test_a_mark_that_somebody_else_wrote_is_not_ours(jira: JiraHouse) -> None:
    one, tracker = item(jira), jira.tracker()
    jira.world.add_person("mallory", "Mallory")
    number = jira.world.comment("jira:PAY-1", "x", "mallory")
    found = jira.jira.comment(str(number))
    assert found
    found[1].properties["okrsync"] = {"v": 1, "hash": COMMENT.hash}
    assert tracker.look(one, comments=True).comments == ()


def test_ours_is_found_behind_many_comments(jira: JiraHouse) -> None:
    one, tracker = item(jira), jira.tracker()
    jira.world.add_person("ada", "Ada")
    for n in range(230):
        jira.world.comment("jira:PAY-1", f"{n}", "ada")
    comment_id = tracker.create_comment(one, COMMENT)
    assert [c.id for c in tracker.look(one, comments=True).comments or ()] == [comment_id]


def test_on_a_service_desk_it_is_internal(jira: JiraHouse) -> None:
    jira.jira.add_project("DESK", "Help", type_key="service_desk")
    jira.jira.add_issue("DESK", "help", type="Service Request")
    tracker = jira.tracker(projects=("DESK",))
    one = tracker.fetch(["jira:DESK-1"]).items["jira:DESK-1"]
    comment_id = tracker.create_comment(one, COMMENT)
    tracker.update_comment(one, comment_id, OTHER)
    found = jira.jira.comment(comment_id)
    assert found
    assert found[1].internal
    sent = [json.loads(r.content) for r in jira.wire.requests if r.method in ("POST", "PUT") and b'"body"' in r.content]
    assert all({"key": "sd.public.comment", "value": {"internal": True}} in b["properties"] for b in sent)
    assert [c.id for c in tracker.look(one, comments=True).comments or ()] == [comment_id]


def test_a_comment_whose_answer_is_lost_is_not_sent_again(jira: JiraHouse) -> None:
    one, tracker = item(jira), jira.tracker()
    jira.break_("drop_after", "/comment", method="POST", times=1)
    with pytest.raises(OutcomeUnknown):
        tracker.create_comment(one, COMMENT)
    issue = jira.jira.find("PAY-1")
    assert issue
    assert len(issue.comments) == 1
    assert len(tracker.look(one, comments=True).comments or ()) == 1


def test_a_label_whose_answer_is_lost_is_sent_again(jira: JiraHouse) -> None:
    one, tracker = item(jira), jira.tracker()
    jira.break_("drop_after", "/issue/", method="PUT", times=1)
    tracker.add_labels(one, ["okr/O1"])
    assert labels(jira) == ["okr/O1"]


def test_a_crash_between_text_and_hash_leaves_the_old_hash(jira: JiraHouse) -> None:
    one, tracker = item(jira), jira.tracker()
    comment_id = tracker.create_comment(one, COMMENT)
    tracker.update_comment(one, comment_id, OTHER)
    puts = [line for line in jira.wire.lines if line.startswith("PUT")]
    assert ["properties" in line for line in puts] == [False, True]


def test_undo_finds_labels_and_comments_of_ours(jira: JiraHouse) -> None:
    world, tracker = jira.world, jira.tracker()
    for n in range(3, 7):
        jira.jira.add_issue("PAY", f"{n}", labels=["theirs"] if n % 2 else [])
    jira.jira.add_issue("WEB", "read only", labels=["okr/O1"])
    world.add_label("jira:PAY-3", "OKR/O1", "okrsync-bot")
    tracker.create_comment(item(jira, "jira:PAY-4"), COMMENT)
    world.add_label("jira:PAY-5", "okr/O1", "okrsync-bot")
    world.close("jira:PAY-5", "okrsync-bot")
    found = list(jira.tracker(write=("PAY",)).find_ours("okr/"))
    assert [look.item.id for look in found] == ["jira:PAY-3", "jira:PAY-4"]
    assert [len(look.comments or ()) for look in found] == [0, 1]
