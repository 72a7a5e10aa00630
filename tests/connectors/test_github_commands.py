"""`/okr` commands in GitHub's comments: what reading them costs, who may give them, and that none is missed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conformance import items, states
from github_world import REPO, GitHubPlace

from okrsync.domain.comments import Comment, bullet, code, paragraph
from okrsync.domain.work import Command

LINK = "/okr link INIT-1"


def commands(place: GitHubPlace, id_: str) -> tuple[Command, ...]:
    return items(list(place.tracker.pull({})))[id_].commands


def queries(place: GitHubPlace) -> int:
    """Requests for comments by GraphQL."""
    return sum(b"comments(last" in r.content for r in place.wire.requests)


def test_items_without_comments_cost_nothing_and_fifty_with_them_one_request(place: GitHubPlace) -> None:
    for n in range(60):
        place.add(f"quiet {n}")
    assert len(items(list(place.tracker.pull({})))) == 60
    assert queries(place) == 0
    for n in range(60):
        id_ = place.add(f"said {n}", pull=n % 2 == 0)
        place.world.comment(id_, f"/okr link INIT-{n}", "ada")
    found = items(list(place.tracker.pull({})))
    assert queries(place) == 2
    assert {c.text for i in found.values() for c in i.commands} == {f"/okr link INIT-{n}" for n in range(60)}


def test_what_changed_is_read_with_all_its_comments_and_nothing_else(place: GitHubPlace) -> None:
    one, two = place.add("one"), place.add("two")
    place.person_comments(one, LINK)
    place.person_comments(two, LINK)
    place.later()
    before = states(list(place.tracker.pull({})))
    place.later()
    place.world.comment(one, "Thank you.", "ada")
    place.wire.requests.clear()
    found = items(list(place.tracker.pull(before)))
    assert [c.text for c in found[one].commands] == [LINK]
    assert queries(place) == 1
    place.wire.requests.clear()
    list(place.tracker.pull(states(list(place.tracker.pull(before)))))
    assert all("/comments" not in line for line in place.asked)


def test_the_oldest_of_very_many_comments_counts_as_well(place: GitHubPlace) -> None:
    id_ = place.add("busy")
    place.person_comments(id_, LINK)
    for n in range(120):
        place.person_comments(id_, f"Comment {n}.")
    assert [c.text for c in commands(place, id_)] == [LINK]
    assert f"GET /repos/{REPO}/issues/1/comments" in place.asked


def test_a_server_without_graphql_tells_the_same(place: GitHubPlace) -> None:
    id_ = place.add("one")
    place.person_comments(id_, LINK)
    place.world.comment(id_, "> /okr why", "ada")
    by_graphql = commands(place, id_)
    place.break_("status", "/graphql", status=404)
    place.tracker = place.connect()
    assert commands(place, id_) == by_graphql
    assert [c.text for c in by_graphql] == [LINK]


def test_a_direct_reading_tells_the_same_and_a_look_keeps_it(place: GitHubPlace) -> None:
    issue, pull = place.add("one"), place.add("two", pull=True)
    for id_ in (issue, pull):
        place.person_comments(id_, LINK)
    found = items(list(place.tracker.pull({})))
    assert place.tracker.fetch([issue, pull]).items == {issue: found[issue], pull: found[pull]}
    assert place.tracker.look(found[issue], comments=False).item == found[issue]
    place.break_("status", "/graphql", status=404)
    place.tracker = place.connect()
    assert place.tracker.fetch([issue]).items[issue].commands == found[issue].commands


@pytest.mark.parametrize(
    ("role", "entitled"), [("write", True), ("maintain", True), ("triage", False), ("read", False), (None, False)]
)
def test_whom_the_association_does_not_tell_of_is_asked_for_once(
    place: GitHubPlace, role: str | None, entitled: bool
) -> None:
    robin = "robin[bot]"  # of an App no association tells that it may write
    place.world.add_person(robin, robin, bot=True, member=False)
    if role:
        place.repo.permissions[robin] = role
    for n in range(3):
        id_ = place.add(f"item {n}")
        place.world.comment(id_, LINK, robin)
        place.world.comment(id_, "Just talking.", robin)
    said = [c for i in items(list(place.tracker.pull({}))).values() for c in i.commands]
    assert [c.entitled for c in said] == [entitled] * 3
    assert sum("/permission" in line for line in place.asked) == 1
    place.repo.permissions[robin] = "write"
    said = [c for i in items(list(place.tracker.pull({}))).values() for c in i.commands]
    assert [c.entitled for c in said] == [True] * 3, "each pull asks anew"


def test_an_app_that_bears_a_members_name_is_nobody(place: GitHubPlace) -> None:
    place.world.add_person("ada[bot]", "ada[bot]", bot=True, member=False)
    id_ = place.add("one")
    place.world.comment(id_, LINK, "ada[bot]")
    (command,) = commands(place, id_)
    assert not command.entitled
    assert f"GET /repos/{REPO}/collaborators/ada%5Bbot%5D/permission" in place.asked


def test_where_permissions_may_not_be_asked_nobody_is_entitled_by_them(place: GitHubPlace) -> None:
    place.world.add_person("robin", "Robin", member=False)
    id_ = place.add("one")
    place.world.comment(id_, LINK, "robin")
    place.break_("status", "/permission", status=403)
    (command,) = commands(place, id_)
    assert not command.entitled


def test_what_okrsync_wrote_is_no_command(place: GitHubPlace) -> None:
    id_ = place.add("one")
    item = items(list(place.tracker.pull({})))[id_]
    place.tracker.create_comment(item, Comment((paragraph("/okr why"), bullet(code("/okr link INIT-1")))))
    assert commands(place, id_) == ()


def test_switched_off_no_comment_is_read(place: GitHubPlace) -> None:
    id_ = place.add("one")
    place.person_comments(id_, LINK)
    place.tracker = place.connect(commands=False)
    assert commands(place, id_) == ()
    assert queries(place) == 0


def test_times_and_ids_are_the_servers(place: GitHubPlace) -> None:
    id_ = place.add("one")
    place.clock.advance(timedelta(minutes=5))
    comment = place.world.comment(id_, LINK, "ada")
    (command,) = commands(place, id_)
    assert (command.comment, command.at, command.author) == (str(comment), place.clock(), "ada")
