"""The dashboard issue on GitHub: made with our mark, found by mark and login, its text replaced and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from github_world import GitHubPlace, github_place

from okrsync.domain.comments import Comment, paragraph
from okrsync.domain.trackers import Dashboard, Forbidden, NotFound, NotWritable, OutcomeUnknown
from okrsync.sandbox.records import Item

ELSEWHERE = "acme/strategy"  # no configured repository
ONE, TWO = (Comment((paragraph(text),)) for text in ("first @ada #1", "second"))


@pytest.fixture
def place() -> Iterator[GitHubPlace]:
    with github_place() as place:
        place.state.add_repo(ELSEWHERE)
        yield place


def issue(place: GitHubPlace, ref: str) -> Item:
    return place.item(f"github:{ELSEWHERE}#{ref}")


def test_it_is_made_found_and_edited_in_a_repository_that_is_not_covered(place: GitHubPlace) -> None:
    tracker = place.tracker
    assert tracker.find_dashboard(ELSEWHERE, None) is None
    ref = tracker.create_issue(ELSEWHERE, "a title", ONE)
    made = issue(place, ref)
    assert made.title == "a title"
    assert made.body is not None
    assert made.body.startswith(f"<!-- okrsync-dashboard:v1 {ONE.hash} -->")
    assert "@ada" not in made.body
    assert tracker.find_dashboard(ELSEWHERE, None) == Dashboard(ref=ref, open=True, hash=ONE.hash)
    place.world.edit_title(f"github:{ELSEWHERE}#{ref}", "as a person has it", "ada")
    tracker.update_issue(ELSEWHERE, ref, TWO)
    assert (made.title, made.state) == ("as a person has it", "open")
    assert tracker.find_dashboard(ELSEWHERE, ref) == Dashboard(ref=ref, open=True, hash=TWO.hash)
    assert list(place.state.repo(ELSEWHERE).items) == [made.number]


def test_the_mark_alone_makes_nothing_ours(place: GitHubPlace) -> None:
    body = f"<!-- okrsync-dashboard:v1 {ONE.hash} -->\nhello"
    place.state.add_item(place.state.repo(ELSEWHERE), "a copy", body=body, author="ada")
    place.state.add_item(place.state.repo(ELSEWHERE), "no mark", body="hello", author=place.world.bot)
    assert place.tracker.find_dashboard(ELSEWHERE, None) is None


def test_the_oldest_counts_and_a_closed_one_is_found_too(place: GitHubPlace) -> None:
    first = place.tracker.create_issue(ELSEWHERE, "t", ONE)
    place.later()
    place.tracker.create_issue(ELSEWHERE, "t", ONE)
    place.state.set_state(issue(place, first), "closed")
    assert place.tracker.find_dashboard(ELSEWHERE, None) == Dashboard(ref=first, open=False, hash=ONE.hash)


def test_deleted_and_moved_away_is_not_found_and_a_hidden_repository_tells_nothing(place: GitHubPlace) -> None:
    tracker = place.tracker
    gone, moved = (tracker.create_issue(ELSEWHERE, "t", ONE) for _ in range(2))
    place.state.delete(issue(place, gone))
    place.state.transfer(issue(place, moved), place.repo)
    for ref in (gone, moved):
        with pytest.raises(NotFound):
            tracker.find_dashboard(ELSEWHERE, ref)
    kept = tracker.create_issue(ELSEWHERE, "t", ONE)
    place.state.repo(ELSEWHERE).visible = False
    with pytest.raises(Forbidden):
        tracker.find_dashboard(ELSEWHERE, kept)


def test_a_renamed_repository_keeps_its_dashboard(place: GitHubPlace) -> None:
    ref = place.tracker.create_issue(ELSEWHERE, "t", ONE)
    place.state.rename(place.state.repo(ELSEWHERE), "acme/direction")
    assert place.connect().find_dashboard(ELSEWHERE, ref) == Dashboard(ref=ref, open=True, hash=ONE.hash)


def test_a_lost_answer_is_of_unknown_outcome_and_sent_once(place: GitHubPlace) -> None:
    place.break_("drop_after", "/issues$", method="POST", times=1)
    with pytest.raises(OutcomeUnknown):
        place.tracker.create_issue(ELSEWHERE, "t", ONE)
    assert len(place.state.repo(ELSEWHERE).items) == 1


def test_an_edit_is_sent_again(place: GitHubPlace) -> None:
    ref = place.tracker.create_issue(ELSEWHERE, "t", ONE)
    place.break_("drop_after", "/issues/", method="PATCH", times=1)
    place.tracker.update_issue(ELSEWHERE, ref, TWO)
    assert len(place.slept) == 1


def test_who_may_read_it(place: GitHubPlace) -> None:
    place.state.add_repo("acme/open", private=False)
    assert place.tracker.is_public("acme/open")
    assert not place.tracker.is_public(ELSEWHERE)
    with pytest.raises(NotFound):
        place.tracker.is_public("acme/nowhere")


def test_an_archived_repository_refuses(place: GitHubPlace) -> None:
    place.state.repo(ELSEWHERE).archived = True
    with pytest.raises(NotWritable):
        place.tracker.create_issue(ELSEWHERE, "t", ONE)


class NoBots(httpx.HTTPTransport):
    """Shows nothing where the creator asked for is a bot, as some Enterprise Cloud servers do."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.params.get("creator", "").endswith("[bot]"):
            return httpx.Response(200, json=[])
        return super().handle_request(request)


def test_a_server_that_does_not_list_by_bots_shows_it_all_the_same(place: GitHubPlace) -> None:
    place.world.add_person("okrsync[bot]", "okrsync", bot=True)
    place.world.bot = "okrsync[bot]"
    home = place.state.repo(ELSEWHERE)
    home.permissions["okrsync[bot]"] = "write"
    place.state.add_item(home, "a copy", body=f"<!-- okrsync-dashboard:v1 {TWO.hash} -->", author="ada")
    tracker = place.connect(network=NoBots())
    assert tracker.find_dashboard(ELSEWHERE, None) is None
    ref = tracker.create_issue(ELSEWHERE, "t", ONE)
    for n in range(120):
        place.state.add_item(home, f"later {n}", author="ada")
    assert tracker.find_dashboard(ELSEWHERE, None) == Dashboard(ref=ref, open=True, hash=ONE.hash)
