"""Pulling from a GitHub that is busy or moves things about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from conformance import items, states
from github_world import REPO, GitHubPlace, many, read
from netfakes import Numbered

from okrsync.domain.trackers import SliceState
from okrsync.domain.work import Via

# --- what is read


def test_pages_are_followed_by_their_links_and_come_one_by_one(place: GitHubPlace) -> None:
    ids = many(place, 250)
    batches = read(place)
    assert items(batches).keys() == set(ids)
    assert [len(b.items) for b in batches[:3]] == [100, 100, 50]
    assert [bool(b.watermark) for b in batches] == [False] * (len(batches) - 1) + [True]


def test_the_first_pull_leaves_out_what_was_closed_long_ago(place: GitHubPlace) -> None:
    place.tracker = place.connect(since="90d")
    old, stale = many(place, 2)
    place.state.item(old.partition(":")[2]).state = "closed"  # type: ignore[union-attr]  # it is there
    recent = place.add("recent")
    place.world.close(recent, "ada")
    assert items(read(place)).keys() == {stale, recent}
    full = read(place, full=True)
    assert items(full).keys() == {stale, recent}
    assert all(b.full for b in full)
    assert len(full[-1].present or ()) == 3  # what exists, however old


def test_pull_requests_come_with_branch_and_closing_references(place: GitHubPlace) -> None:
    place.state.add_repo("acme/hidden", visible=False)
    hidden = place.state.add_item(place.state.repo("acme/hidden"), "secret")  # type: ignore[arg-type]  # it is there
    issue = place.add("issue")
    parent = place.add("parent")
    place.item(issue).parent = place.item(parent).node_id
    pull = place.add("fix", pull=True, branch="pay-1-fix", closes=[place.item(issue).node_id, hidden.node_id])
    found = items(read(place))
    assert found[pull].branch == "pay-1-fix"
    assert [(r.via, r.target, r.structural) for r in found[pull].references] == [
        (Via.CLOSES, issue, True),
        (Via.CLOSES, "github:hidden", True),  # the server says that there is one, not which
    ]
    fetched = place.tracker.fetch(["github:hidden", pull])
    assert fetched.forbidden == ("github:hidden",)
    assert fetched.items[pull] == found[pull]
    assert [(r.via, r.target) for r in found[issue].references] == [(Via.PARENT, parent)]
    assert place.asked.count("POST /graphql") == 2


def test_merged_and_dropped(place: GitHubPlace) -> None:
    merged, closed = place.add("a", pull=True), place.add("b", pull=True)
    unwanted, done = place.add("c"), place.add("d")
    place.world.close(merged, "ada", "merged")
    place.world.close(closed, "ada")
    place.world.close(unwanted, "ada", "not_planned")
    place.world.close(done, "ada", "completed")
    found = items(read(place))
    assert {i: (w.state, w.dropped) for i, w in found.items()} == {
        merged: ("merged", False),
        closed: ("closed", True),
        unwanted: ("closed", True),
        done: ("closed", False),
    }
    assert found[done].closed_at is not None


# --- while it is read, things happen


def test_nothing_is_lost_when_items_close_while_pages_go_by_number(place: GitHubPlace) -> None:
    ids = many(place, 250)
    network = Numbered(httpx.HTTPTransport())
    batches = []
    for batch in place.connect(network=network).pull({}):
        batches.append(batch)
        if len(batches) == 1:
            for id_ in ids[:5]:  # the items of the later pages move forward by five places
                place.world.close(id_, "ada")
    assert network.stripped
    found = items(batches)
    assert found.keys() == set(ids)
    assert [found[i].state for i in ids[:6]] == ["closed"] * 5 + ["open"]


def test_what_changes_while_pages_are_read_is_read_again(place: GitHubPlace) -> None:
    ids = many(place, 250)
    batches = []
    for batch in place.tracker.pull({}):
        batches.append(batch)
        if len(batches) == 2:
            place.retitle(ids[0], "changed meanwhile")
            fresh = place.add("opened meanwhile")
            place.clock.advance(timedelta(minutes=20))
    found = items(batches)
    assert found[ids[0]].title == "changed meanwhile"
    assert fresh in found


def test_a_long_incremental_pull_steps_over_nothing(place: GitHubPlace) -> None:
    ids = many(place, 150)
    place.later()
    before = {REPO: SliceState(watermark="2026-01-01T00:00:00Z", held=150)}
    batches = []
    for batch in place.tracker.pull(before):
        batches.append(batch)
        if len(batches) == 1:
            place.retitle(ids[0], "changed behind our back")
            place.clock.advance(timedelta(minutes=20))
            place.retitle(ids[-1], "changed before we came by")
    assert items(batches)[ids[0]].title == "item 0"
    place.later()
    assert items(read(place, states(batches, before)))[ids[0]].title == "changed behind our back"


def test_a_killed_first_pull_goes_on_where_it_was(place: GitHubPlace) -> None:
    ids = many(place, 250)
    first = next(iter(place.tracker.pull({})))
    slices = states([first])
    assert slices[REPO].resume
    place.wire.requests.clear()
    rest = read(place, slices)
    assert items([first]).keys() | items(rest).keys() == set(ids)
    assert sum(len(b.items) for b in rest) < 250


@pytest.mark.parametrize(
    "resume",
    [
        "nonsense",
        '{"listing":"open","url":"URL/repos/acme/web/issues?per_page=100&after=%00","started":"2026-01-01T00:00:00Z"}',
    ],
)
def test_a_resume_that_no_longer_holds_starts_afresh(place: GitHubPlace, resume: str) -> None:
    id_ = place.add("one")
    resume = resume.replace("URL", place.sandbox.github_url)
    if "after" in resume:
        place.break_("status", r"after=", status=422)
    assert items(read(place, {REPO: SliceState(resume=resume)})).keys() == {id_}


# --- shrinking and vanishing


def test_sudden_emptiness_is_suspect(place: GitHubPlace) -> None:
    ids = many(place, 3)
    before = states(read(place))
    place.retitle(ids[0], "changed")
    place.break_("empty", r"/issues\?")
    last = read(place, before)[-1]
    assert last.suspect
    assert last.watermark is None
    assert last.present is None


def test_an_empty_repository_is_no_suspect(place: GitHubPlace) -> None:
    batches = read(place)
    assert batches[-1].watermark
    assert not any(b.suspect or b.problem for b in batches)
    place.later()
    id_ = place.add("the first one")
    assert items(read(place, states(batches))).keys() == {id_}


def test_a_missing_or_forbidden_repository_does_not_stop_the_others(place: GitHubPlace) -> None:
    place.tracker = place.connect(repos=("acme/nope", "nonsense", "other-*/x", REPO, "acme/zzz-*"))
    place.state.add_repo("acme/hidden", visible=False)
    id_ = place.add("there")
    batches = read(place)
    assert items(batches).keys() == {id_}
    problems = {b.slice: b.problem for b in batches if b.problem}
    assert problems.keys() == {"acme/nope", "nonsense", "other-*/x", "acme/zzz-*"}
    assert all("connectors/github.yaml" in p for p in problems.values())
    assert not [b for b in batches if b.problem and (b.watermark or b.gone or b.present)]


def test_a_repository_that_turned_private_is_a_problem_not_a_deletion(place: GitHubPlace) -> None:
    many(place, 2)
    before = states(read(place))
    place.repo.visible = False
    (batch,) = read(place, before, sweep=True)
    assert "grant the token access" in (batch.problem or "")
    assert batch.present is None


def test_a_403_on_the_listing_is_a_problem_of_that_repository(place: GitHubPlace) -> None:
    place.break_("status", r"/issues\?", status=403)
    (batch,) = read(place)
    assert "Resource not accessible" in (batch.problem or "")


def test_renamed_and_archived_repositories_are_named(place: GitHubPlace) -> None:
    id_ = place.add("one")
    place.state.rename(place.repo, "acme/shop")
    place.repo.archived = True
    batches = read(place)
    (item,) = items(batches).values()
    assert item.id == id_.replace("web", "shop")
    assert item.archived
    assert {b.slice for b in batches} == {"acme/shop"}
    assert next(w.partition(";")[0] for b in batches for w in b.warnings) == "acme/web is now acme/shop"
    assert sum("is archived" in w for b in batches for w in b.warnings) == 1
    assert not place.tracker.writable("acme/shop")
    assert place.tracker.owns(item.id)


@pytest.mark.parametrize("trait", ["archived", "public"])
def test_what_becomes_of_a_repository_becomes_of_its_items(place: GitHubPlace, trait: str) -> None:
    """An archived repository is not counted, a published one is told no titles; neither touches an item."""
    (id_,) = many(place, 1)
    place.add("newer, so that the first is not read again")
    before = states(read(place))
    for value in (True, False):
        if trait == "archived":
            place.repo.archived = value
        else:
            place.repo.private = not value
        batches = read(place, before)
        assert getattr(items(batches)[id_], trait) is value
        before = states(batches, before)
    assert id_ not in items(read(place, before)), "and that was that"


def test_globs_and_organisations(place: GitHubPlace) -> None:
    for name in ("acme/service-a", "acme/service-b", "acme/tool"):
        place.state.add_repo(name)
    globbed = place.connect(repos=("acme/service-*", "ACME/Service-A"))
    assert list(dict.fromkeys(b.slice for b in globbed.pull({}))) == ["acme/service-a", "acme/service-b"]
    org = place.connect(repos=(), org="acme", include=("service-*", "web"), exclude=("*-b",), write=("service-*",))
    assert sorted({b.slice for b in org.pull({})}) == ["acme/service-a", "acme/web"]
    assert org.owns("github:acme/service-x#1")
    assert not org.owns("github:acme/service-b#1")
    assert not org.owns("github:other/web#1")
    assert not org.owns("jira:PAY-1")
    assert org.writable("acme/service-a")
    assert not org.writable("acme/web")


def test_a_repository_that_a_glob_found_before_does_not_leave_in_silence(place: GitHubPlace) -> None:
    """It may have turned private; the guard decides, unless the configuration left it out."""
    service = place.state.add_repo("acme/service-a")
    for settings in ({"repos": (REPO, "acme/service-*")}, {"repos": (), "org": "acme"}):
        tracker = place.connect(**settings)
        service.visible = True
        place.state.add_item(service, "there")
        before = states(tracker.pull({}))
        service.visible = False
        lost = [b for b in tracker.pull(before) if b.slice == "acme/service-a"]
        assert [(b.suspect, b.present) for b in lost] == [(True, None)]
        assert "cannot see it" in (lost[0].problem or "")
    narrowed = place.connect(repos=(), org="acme", exclude=("service-*",))
    assert {b.slice for b in narrowed.pull(before)} == {REPO}


def test_a_person_s_own_private_repositories_belong_to_a_glob(place: GitHubPlace) -> None:
    login = place.world.bot
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(httpx.URL(place.sandbox.github_url).path.rstrip("/"))
        seen.append(path)
        repo = {"full_name": f"{login}/notes-open", "private": False}
        answers: dict[str, Any] = {
            "/user": {"login": login},
            f"/users/{login}/repos": [repo],
            "/user/repos": [{"full_name": f"{login}/notes-secret", "private": True}],
        }
        if path.endswith("/issues"):
            return httpx.Response(200, json=[])
        return httpx.Response(200, json=answers[path]) if path in answers else httpx.Response(404, json={})

    tracker = place.connect(repos=(f"{login}/notes-*",), network=httpx.MockTransport(answer))
    assert {b.slice for b in tracker.pull({})} == {f"{login}/notes-open", f"{login}/notes-secret"}
