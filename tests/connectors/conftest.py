"""A pretended Jira or GitHub for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from github_world import GitHubPlace, github_place
from jira_world import JiraHouse, house


@pytest.fixture(params=["cloud", "data center"])
def jira(request: pytest.FixtureRequest) -> Iterator[JiraHouse]:
    """Twice: as Cloud and as Data Center."""
    with house(cloud=request.param == "cloud") as it:
        yield it


@pytest.fixture
def cloud() -> Iterator[JiraHouse]:
    with house(cloud=True) as it:
        yield it


@pytest.fixture
def center() -> Iterator[JiraHouse]:
    with house(cloud=False) as it:
        yield it


@pytest.fixture
def place() -> Iterator[GitHubPlace]:
    with github_place() as place:
        yield place
