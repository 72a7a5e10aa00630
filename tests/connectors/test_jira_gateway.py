"""Scoped tokens of service accounts go through Atlassian's gateway; people browse on the site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jira_world import Held, JiraHouse, house

from okrsync.connectors.jira import JiraTracker
from okrsync.domain.comments import Comment, paragraph
from okrsync.domain.trackers import SourceFailed


@pytest.fixture
def cloud() -> Iterator[JiraHouse]:
    with house(cloud=True) as it:
        it.jira.add_issue("PAY", "behind the gateway")
        yield it


def gateway(it: JiraHouse, **settings: Any) -> JiraTracker:
    url = f"{it.sandbox.jira_url}/ex/jira/{it.jira.cloud_id}"
    return it.tracker(**{"url": url, "email": None, "projects": ("PAY",), **settings})


@pytest.mark.parametrize("email", [None, "okrsync-bot@acme.example"])
def test_a_scoped_token_reads_and_writes_through_the_gateway(cloud: JiraHouse, email: str | None) -> None:
    tracker = gateway(cloud, email=email)
    held = Held().take(tracker.pull({}))
    item = next(iter(held.items["PAY"].values()))
    assert item.url == f"{cloud.sandbox.jira_url}/browse/PAY-1"
    tracker.add_labels(item, ["okr/O1"])
    tracker.create_comment(item, Comment((paragraph("through the gateway"),)))
    issue = cloud.jira.find("PAY-1")
    assert issue
    assert (issue.labels, len(issue.comments)) == (["okr/O1"], 1)
    assert all(r.url.path.startswith("/ex/jira/") for r in cloud.wire.requests)
    scheme = "Basic" if email else "Bearer"
    assert {r.headers["authorization"].partition(" ")[0] for r in cloud.wire.requests} == {scheme}


def test_the_site_is_asked_for_once_and_not_where_it_is_given(cloud: JiraHouse) -> None:
    tracker = gateway(cloud)
    held = Held().take(tracker.pull({}))
    held.take(tracker.pull(held.states))
    assert sum(line.endswith("/serverInfo") for line in cloud.wire.lines) == 1
    tracker = gateway(cloud, site="https://acme.example/")
    assert {i.url for i in tracker.fetch(["jira:PAY-1"]).items.values()} == {"https://acme.example/browse/PAY-1"}
    assert len(cloud.wire.requests) == 1


def test_a_gateway_that_does_not_tell_the_site(cloud: JiraHouse) -> None:
    cloud.break_("status", "/serverInfo", status=200, body="{}")
    with pytest.raises(SourceFailed, match="give `site`"):
        list(gateway(cloud).pull({}))


def test_the_check_goes_through_the_gateway_too(cloud: JiraHouse) -> None:
    probe = gateway(cloud).probe()
    assert probe.problems == ()
    assert [(a.container, a.readable, a.writable) for a in probe.access] == [("PAY", True, True)]
