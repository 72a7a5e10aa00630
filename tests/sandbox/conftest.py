"""A small world and a running sandbox over it, with one client for each server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from okrsync.sandbox import STORY_NOW, Sandbox, StoryClock, World

NO_TLS = False  # everything is plain HTTP here, and loading the CA bundle takes longer than a test


@pytest.fixture
def clock() -> StoryClock:
    return StoryClock(STORY_NOW)


@pytest.fixture
def world(clock: StoryClock) -> World:
    world = World(clock)
    world.add_person("lin", "Lin Wu")
    world.add_person("outsider", "Robin", member=False)
    jira, github = world.jira, world.github
    jira.add_project("PAY", "Payments")
    jira.add_project("WEB", "Web")
    jira.add_project("SEC", "Security", visible=False)
    long_ago = STORY_NOW - timedelta(days=30)
    jira.add_issue("SEC", "Hidden epic", type="Epic", created=long_ago)
    jira.add_issue("PAY", "Epic", type="Epic", created=long_ago, labels=["initiative:X"], reporter="lin")
    jira.add_issue("PAY", "Story", parent="PAY-1", created=long_ago, body="one\ntwo\n\nthree", assignee="lin")
    jira.add_issue("PAY", "Under a hidden epic", parent="SEC-1", created=long_ago, status="In Progress")
    jira.add_issue("PAY", "Done", status="Done", created=long_ago, updated=STORY_NOW - timedelta(days=10))
    jira.add_issue("WEB", "Fresh", labels=["x"])
    repo = github.add_repo("acme/web")
    for n in range(5):
        github.add_item(repo, f"Issue {n}", author="lin", created=long_ago + timedelta(days=n))
    github.add_item(repo, "Pull", pull=True, author="outsider", branch="PAY-2-x", created=long_ago, body="Fixes #1")
    repo.items[6].closes.append(repo.items[1].node_id)
    repo.items[2].parent = repo.items[1].node_id
    github.add_repo("acme/old", archived=True)
    github.add_item(github.repo("acme/old"), "Archived", author="lin")
    github.add_repo("acme/secret", visible=False)
    return world


@pytest.fixture
def sandbox(world: World) -> Iterator[Sandbox]:
    with Sandbox(world) as running:
        yield running


@pytest.fixture
def jira(sandbox: Sandbox) -> Iterator[httpx.Client]:
    auth = (sandbox.email, sandbox.token)
    with httpx.Client(base_url=f"{sandbox.jira_url}/rest/api/3", auth=auth, verify=NO_TLS) as client:
        yield client


@pytest.fixture
def github(sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    with httpx.Client(base_url=sandbox.github_url, headers=headers, verify=NO_TLS) as client:
        yield client
