"""Writing to GitHub: nothing twice, nothing lost, nothing that is not ours."""

from __future__ import annotations

import pytest
from conformance import FIRST, SECOND, items
from github_world import REPO, GitHubPlace

from okrsync.connectors.remembering import Forgetful
from okrsync.domain.trackers import LabelEdit, NotFound, NoTimeLeft, NotWritable, OutcomeUnknown, WriteRefused
from okrsync.domain.work import WorkItem


def one(place: GitHubPlace, labels: tuple[str, ...] = (), *, pull: bool = False) -> WorkItem:
    place.add("something", labels, pull=pull, branch="b" if pull else "")
    return next(iter(items(place.tracker.pull({})).values()))


def test_a_lost_answer_to_a_comment_is_of_unknown_outcome_and_sent_once(place: GitHubPlace) -> None:
    item = one(place)
    place.break_("drop_after", "/comments$", method="POST", times=1)
    with pytest.raises(OutcomeUnknown):
        place.tracker.create_comment(item, FIRST)
    assert len(place.comments(item.id)) == 1
    assert [c.hash for c in place.tracker.look(item, comments=True).comments or ()] == [FIRST.hash]


@pytest.mark.parametrize("kind", ["drop_after", "reset", "status"])
def test_idempotent_writes_are_sent_again(place: GitHubPlace, kind: str) -> None:
    item = one(place, ("okr/old",))
    id_ = place.tracker.create_comment(item, FIRST)
    place.break_(kind, "/labels", method="POST", times=1)
    place.break_(kind, "/labels/", method="DELETE", times=1)
    place.break_(kind, "/comments/", method="PATCH", times=1)
    place.break_(kind, "/comments/", method="DELETE", times=1)
    place.tracker.add_labels(item, ["okr/new"])
    place.tracker.remove_labels(item, ["okr/old"])
    place.tracker.update_comment(item, id_, SECOND)
    assert place.labels(item.id) == {"okr/new"}
    assert [c.hash for c in place.tracker.look(item, comments=True).comments or ()] == [SECOND.hash]
    place.tracker.delete_comment(item, id_)
    assert place.comments(item.id) == []
    assert len(place.slept) == 4


def test_a_rate_limit_on_a_comment_is_waited_for(place: GitHubPlace) -> None:
    item = one(place)
    place.break_("secondary_limit", "/comments$", method="POST", times=1, headers={"retry-after": "61"})
    place.tracker.create_comment(item, FIRST)
    assert len(place.comments(item.id)) == 1
    assert place.slept == [61]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, '{"message":"Resource not accessible by personal access token"}', NotWritable),
        (403, '{"message":"Repository was archived so is read-only."}', NotWritable),
        (403, '{"message":"Unable to create comment because issue is locked."}', NotWritable),
        (404, '{"message":"Not Found"}', NotFound),
        (410, '{"message":"This issue was deleted"}', NotFound),
        (422, '{"message":"Validation Failed"}', WriteRefused),
        (400, '{"message":"Problems parsing JSON"}', WriteRefused),
    ],
)
def test_refused_writes(place: GitHubPlace, status: int, body: str, error: type[Exception]) -> None:
    item = one(place)
    place.break_("status", "/(labels|comments)$", method="POST", status=status, body=body)
    with pytest.raises(error):
        place.tracker.add_labels(item, ["okr/x"])
    with pytest.raises(error):
        place.tracker.create_comment(item, FIRST)


def test_locked_and_archived_as_the_server_says(place: GitHubPlace) -> None:
    item = one(place)
    place.repo.archived = True
    with pytest.raises(NotWritable):
        place.tracker.add_labels(item, ["okr/x"])
    assert place.tracker.look(item, comments=False).item.locked is False


def test_writes_follow_a_rename(place: GitHubPlace) -> None:
    item = one(place)
    place.state.rename(place.repo, "acme/shop")
    place.tracker.add_labels(item, ["okr/unlinked"])
    id_ = place.tracker.create_comment(item, FIRST)
    place.tracker.update_comment(item, id_, SECOND)
    look = place.tracker.look(item, comments=True)
    assert look.item.id == item.id.replace("acme/web", "acme/shop")
    assert look.item.labels == ("okr/unlinked",)
    assert [c.hash for c in look.comments or ()] == [SECOND.hash]


def test_a_look_at_a_pull_request_keeps_branch_and_closing_references(place: GitHubPlace) -> None:
    issue = place.add("issue")
    place.add("fix", pull=True, branch="b", closes=[place.item(issue).node_id])
    pull = items(place.tracker.pull({}))["github:acme/web#2"]
    assert place.tracker.look(pull, comments=False).item == pull


def test_a_mark_in_a_strangers_comment_is_not_ours(place: GitHubPlace) -> None:
    item = one(place)
    place.person_comments(item.id, f"<!-- okrsync:v1 {FIRST.hash} -->\nI copied this")
    place.world.comment(item.id, f"a quote\n<!-- okrsync:v1 {FIRST.hash} -->", place.world.bot)
    assert place.tracker.look(item, comments=True).comments == ()


def test_ours_is_found_behind_a_hundred_other_comments(place: GitHubPlace) -> None:
    item = one(place)
    for n in range(130):
        place.person_comments(item.id, f"comment {n}")
    id_ = place.tracker.create_comment(item, FIRST)
    assert [c.id for c in place.tracker.look(item, comments=True).comments or ()] == [id_]


def test_labels_with_odd_characters(place: GitHubPlace) -> None:
    item = one(place)
    labels = ["okr/Ä 100% #1?", "okr/a/b", "okr/🚀"]
    place.tracker.add_labels(item, labels)
    assert place.labels(item.id) == set(labels)
    place.tracker.remove_labels(item, labels)
    assert place.labels(item.id) == set()
    for label in labels:
        assert place.tracker.delete_label(REPO, label) is True
    assert not [n for n in place.tracker.container_labels(REPO) or () if n.startswith("okr/")]


def test_many_definitions_are_paged_and_a_long_description_is_cut(place: GitHubPlace) -> None:
    for n in range(150):
        place.state.define_label(place.repo, f"area/{n}")
    place.tracker.create_label(REPO, "okr/x", "#0e8a16", "y" * 300)
    names = place.tracker.container_labels(REPO)
    assert names is not None
    assert len([n for n in names if n.startswith("area/")]) == 150
    assert len(place.repo.labels["okr/x"].description or "") == 100


def test_a_refused_definition_is_told_from_one_that_exists(place: GitHubPlace) -> None:
    place.break_(
        "status",
        "/labels$",
        method="POST",
        status=422,
        body='{"message":"Validation Failed","errors":[{"code":"invalid","field":"color"}]}',
    )
    with pytest.raises(WriteRefused, match="color invalid"):
        place.tracker.create_label(REPO, "okr/x", "nocolor", "")


def test_writes_are_paced(place: GitHubPlace) -> None:
    item = one(place)
    place.tracker = place.connect(writes_per_minute=100, writes_per_hour=1000)
    for _ in range(102):
        place.tracker.add_labels(item, ["okr/x"])
    assert len(place.asked) > 100
    assert sum(place.slept) >= 0.6
    place.slept.clear()
    for _ in range(10):
        place.tracker.look(item, comments=False)
    assert place.slept == []


def test_label_edits_go_part_by_part_and_tell_each_outcome(place: GitHubPlace) -> None:
    works = [place.tracker.fetch([id_]).items[id_] for id_ in (place.add("a", ("okr/stale",)), place.add("b"))]
    place.world.delete(works[1].id, "ada")
    edits = [LabelEdit(item=work, add=("okr/O1", "okr/O2"), remove=("okr/stale",)) for work in works]
    before = len(place.asked)
    told = [place.tracker.change_labels(batch)[0] for batch in place.tracker.label_batches(edits)]
    assert [type(error).__name__ for error in told] == ["NoneType", "NoneType", "NotFound", "NotFound"]
    assert len(place.asked) - before == 4
    assert place.labels(works[0].id) == {"okr/O1", "okr/O2"}


def test_writes_beyond_the_hour_are_refused_without_a_wait_and_reading_goes_on(place: GitHubPlace) -> None:
    item = one(place)
    memory = Forgetful()
    place.tracker = place.connect(memory=memory, writes_per_hour=3)
    for _ in range(3):
        place.tracker.add_labels(item, ["okr/x"])
    edit = LabelEdit(item=item, add=("okr/y",))
    for _ in range(2):
        (error,) = place.tracker.change_labels([edit])
        assert isinstance(error, NoTimeLeft)
        assert place.tracker.look(item, comments=False).item.labels == ("okr/x",)
        # so it is in the next run
        place.tracker = place.connect(memory=memory, writes_per_hour=3)
    assert place.slept == []


def test_undo_passes_over_closed_items_and_places_that_may_not_be_written(place: GitHubPlace) -> None:
    closed, kept = place.add("closed", ("okr/unlinked",)), place.add("open", ("okr/unlinked",))
    place.world.close(closed, "ada")
    assert [look.item.id for look in place.tracker.find_ours("okr/")] == [kept]
    assert list(place.connect(write=False).find_ours("okr/")) == []


# --- probing


def test_probe_names_what_is_missing(place: GitHubPlace) -> None:
    place.state.add_repo("acme/hidden", visible=False)
    place.repo.permissions[place.world.bot] = "read"
    probe = place.connect(repos=(REPO, "acme/hidden")).probe()
    assert probe.identity == "okrsync-bot"
    assert {a.container: (a.readable, a.writable) for a in probe.access} == {
        REPO: (True, False),
        "acme/hidden": (False, False),
    }
    missing = {a.container: " ".join(a.missing) for a in probe.access}
    assert "Issues: Read and write" in missing[REPO]
    assert "Metadata: Read" in missing["acme/hidden"]
    assert any("acme/hidden does not exist" in p for p in probe.problems)
    assert [(b.name, b.limit, b.remaining) for b in probe.budget] == [
        ("REST requests", 5000, 4999),
        ("GraphQL points", 5000, 4999),
    ]


def test_probe_of_a_good_or_a_wrong_token(place: GitHubPlace) -> None:
    good = place.tracker.probe()
    assert good.problems == ()
    assert good.access[0].writable
    place.break_("status", status=401)
    bad = place.connect().probe()
    assert any("OKRSYNC_GITHUB_TOKEN" in p for p in bad.problems)


def test_a_read_only_connector_needs_no_write_permission(place: GitHubPlace) -> None:
    place.repo.permissions[place.world.bot] = "read"
    assert place.connect(write=False).probe().problems == ()
