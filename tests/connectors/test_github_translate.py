"""Real payloads become work items."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from contracts import SHARED
from okrsync.connectors.github.payloads import Issue, Repo
from okrsync.connectors.github.translate import PullDetails, work_item
from okrsync.domain.work import Kind, Via

REPO = Repo(full_name="acme/web", visibility="public")
PAYLOAD: dict[str, Any] = {
    "node_id": "I_1",
    "number": 7,
    "title": "A title",
    "html_url": "https://github.com/acme/web/issues/7",
    "state": "open",
    "created_at": "2026-11-01T12:00:00+02:00",
    "updated_at": "2026-11-02T12:00:00Z",
    "body": None,
    "user": {"login": "dependabot[bot]", "type": "Bot"},
    "labels": [{"name": "bug"}, "plain"],
}


def issue(**more: Any) -> Issue:
    return msgspec.convert({**PAYLOAD, **more}, Issue, strict=False)


def test_an_issue() -> None:
    item = work_item(
        "github",
        issue(type={"name": "Bug"}, milestone={"title": "v1", "description": None}, assignees=[{"login": "ada"}]),
        REPO,
    )
    assert (item.id, item.uid, item.key, item.container) == (
        "github:acme/web#7",
        "github:I_1",
        "acme/web#7",
        "acme/web",
    )
    assert (item.title, item.body, item.labels) == ("A title", "", ("bug", "plain"))
    assert item.created == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert item.created.utcoffset() == timedelta(0)
    assert (item.kind, item.type, item.milestone, item.milestone_body) == (Kind.ISSUE, "Bug", "v1", "")
    assert (item.author, item.author_type, item.assignee, item.started) == ("dependabot[bot]", "bot", "ada", True)
    assert item.public


def test_a_pull_request() -> None:
    pull = issue(pull_request={"merged_at": None}, draft=True)
    item = work_item("github", pull, REPO, PullDetails(branch="x", draft=True, closes=(("acme/api", 3),)))
    assert (item.kind, item.type, item.draft, item.started, item.branch) == (
        Kind.PULL_REQUEST,
        "Pull Request",
        True,
        False,
        "x",
    )
    assert [(r.via, r.target, r.structural) for r in item.references] == [(Via.CLOSES, "github:acme/api#3", True)]
    assert work_item("github", issue(pull_request={}), REPO).started


@pytest.mark.parametrize(
    ("more", "state", "dropped"),
    [
        ({"state": "open"}, "open", False),
        ({"state": "closed", "state_reason": "completed"}, "closed", False),
        ({"state": "closed"}, "closed", False),
        ({"state": "closed", "state_reason": "not_planned"}, "closed", True),
        ({"state": "closed", "state_reason": "duplicate"}, "closed", True),
        ({"state": "closed", "pull_request": {"merged_at": "2026-11-03T00:00:00Z"}}, "merged", False),
        ({"state": "closed", "pull_request": {"merged_at": None}}, "closed", True),
        ({"state": "open", "state_reason": "reopened", "closed_at": "2026-11-03T00:00:00Z"}, "open", False),
    ],
)
def test_states(more: dict[str, Any], state: str, dropped: bool) -> None:
    item = work_item("github", issue(**more), REPO)
    assert (item.state, item.status, item.dropped) == (state, state, dropped)
    assert (item.closed_at is None) or not item.open


def test_a_sub_issue_points_at_its_parent_wherever_it_is() -> None:
    item = work_item("gh", issue(parent_issue_url="https://ghe.acme/api/v3/repos/acme/api/issues/12"), REPO)
    assert [(r.via, r.target) for r in item.references] == [(Via.PARENT, "gh:acme/api#12")]


def test_the_payload_knows_better_where_it_is() -> None:
    moved = issue(repository_url="https://api.github.com/repos/acme/api")
    assert work_item("github", moved, REPO).id == "github:acme/api#7"


@pytest.mark.parametrize(
    ("repo", "public"), [({"private": True}, False), ({"private": False}, True), ({"visibility": "internal"}, False)]
)
def test_visibility(repo: dict[str, Any], public: bool) -> None:
    assert Repo(full_name="a/b", **repo).public is public


def rows(name: str) -> list[dict[str, Any]]:
    path = SHARED / "data/github" / name
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is absent")
def test_real_payloads() -> None:
    issues = [work_item("github", msgspec.convert(r, Issue), REPO) for r in rows("ants_issues.jsonl")]
    assert sum(i.kind is Kind.PULL_REQUEST for i in issues) == 16
    assert {i.container for i in issues} == {"panjf2000/ants"}
    pulls = [work_item("github", msgspec.convert(r, Issue), REPO) for r in rows("ants_pulls.jsonl")]
    assert all(p.kind is Kind.PULL_REQUEST and p.branch for p in pulls)
    hooks = [r["issue"] for n in ("webhook_issues.jsonl", "webhook_issue_comment.jsonl") for r in rows(n)]
    hooks += [r["pull_request"] for r in rows("webhook_pull_request.jsonl")]
    for item in (work_item("github", msgspec.convert(h, Issue), REPO) for h in hooks):
        assert item.title
        assert item.author
        assert item.created <= item.updated
