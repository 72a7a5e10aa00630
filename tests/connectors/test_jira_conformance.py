"""Jira on the sandbox passes the suite of all trackers, and every request it sends is one of Jira's contract."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from conformance import TrackerConformance
from jira_world import JiraHouse, house

from contracts import SHARED
from okrsync.domain.comments import Comment, code, paragraph
from okrsync.sandbox.records import Issue

CONTRACT = SHARED / "contracts" / "jira-v3-subset.json"


class JiraPlace:
    """A `Place` of the conformance suite."""

    container = "PAY"
    incremental = True

    def __init__(self, it: JiraHouse) -> None:
        self._house = it
        self._world = it.world
        self._world.add_person("ada", "Ada Park")
        self.tracker = it.tracker(projects=("PAY",))

    def _issue(self, id_: str) -> Issue:
        found = self._world.find(id_)
        assert isinstance(found, Issue)
        return found

    def add(self, title: str, labels: tuple[str, ...] = ()) -> str:
        return "jira:" + self._house.jira.add_issue("PAY", title, labels=list(labels)).key

    def retitle(self, id_: str, title: str) -> None:
        self._world.edit_title(id_, title, "ada")

    def delete(self, id_: str) -> None:
        self._world.delete(id_, "ada")

    def labels(self, id_: str) -> set[str]:
        return set(self._issue(id_).labels)

    def comments(self, id_: str) -> list[str]:
        return [str(c.id) for c in self._issue(id_).comments]

    def person_comments(self, id_: str, text: str) -> None:
        self._world.comment(id_, text, "ada")

    def person_deletes(self, id_: str, comment_id: str) -> None:
        self._world.delete_comment(id_, int(comment_id), "ada")

    def later(self) -> None:
        self._house.clock.advance(timedelta(hours=1))


class TestJiraCloud(TrackerConformance):
    @pytest.fixture
    def place(self) -> Iterator[JiraPlace]:
        with house(cloud=True) as it:
            yield JiraPlace(it)


class TestJiraDataCenter(TrackerConformance):
    @pytest.fixture
    def place(self) -> Iterator[JiraPlace]:
        with house(cloud=False) as it:
            yield JiraPlace(it)


@pytest.mark.skipif(not CONTRACT.is_file(), reason="the official contracts are absent")
@pytest.mark.parametrize("cloud", [True, False], ids=["cloud", "data center"])
def test_every_body_has_the_contracts_shape(cloud: bool) -> None:
    contract = json.loads(CONTRACT.read_text())
    comment = Comment((paragraph("x ", code("y")),))
    with house(cloud=cloud) as it:
        place = JiraPlace(it)
        tracker = place.tracker
        item = tracker.fetch([place.add("work", ("okr/O1",))]).items["jira:PAY-1"]
        list(tracker.pull({}, sweep=True))
        tracker.add_labels(item, ["okr/O2"])
        comment_id = tracker.create_comment(item, comment)
        tracker.update_comment(item, comment_id, comment)
        list(tracker.find_ours("okr/"))
        checked = 0
        for request in it.wire.requests:
            path = request.url.path.replace("/rest/api/2/", "/rest/api/3/")
            body = _body_schema(contract, request.method.lower(), path)
            if request.content and body is not None:
                jsonschema.validate(json.loads(request.content), {**body, "components": contract["components"]})
                checked += 1
    assert checked >= 6


def _body_schema(contract: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    for template, operations in contract["paths"].items():
        if method in operations and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            body = operations[method].get("requestBody")
            return body["content"]["application/json"]["schema"] if body else None
    raise AssertionError(f"{method} {path} is not in the contract")
