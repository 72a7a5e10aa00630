"""The in-memory fake passes the suite of all trackers, so that what is tested with it is tested with something true."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from conformance import TrackerConformance

from fake_tracker import FakeTracker
from okrsync.domain.work import Kind, WorkItem


class FakePlace:
    """A `Place` of the conformance suite."""

    incremental = True

    def __init__(self, *, definitions: bool) -> None:
        self.tracker = FakeTracker("github" if definitions else "jira", definitions=definitions)
        self.container = "acme/web" if definitions else "PAY"
        self._sign = "#" if definitions else "-"
        self._now = datetime(2026, 11, 16, 9, tzinfo=UTC)
        self._numbers = 0
        self._people: dict[str, list[str]] = {}  # uid -> ids of people's comments

    def _item(self, id_: str) -> WorkItem:
        return next(item for item in self.tracker.items.values() if item.id == id_)

    def add(self, title: str, labels: tuple[str, ...] = ()) -> str:
        self._numbers += 1
        name, key = self.tracker.name, f"{self.container}{self._sign}{self._numbers}"
        item = WorkItem(
            id=f"{name}:{key}",
            uid=f"{name}:{1000 + self._numbers}",
            connector=name,
            key=key,
            container=self.container,
            kind=Kind.ISSUE,
            title=title,
            url=f"https://example.test/{key}",
            created=self._now,
            updated=self._now,
            labels=labels,
        )
        self.tracker.add(item)
        return item.id

    def retitle(self, id_: str, title: str) -> None:
        self.tracker.edit(self._item(id_).uid, title=title)

    def delete(self, id_: str) -> None:
        del self.tracker.items[self._item(id_).uid]

    def labels(self, id_: str) -> set[str]:
        return set(self._item(id_).labels)

    def comments(self, id_: str) -> list[str]:
        uid = self._item(id_).uid
        return [*self._people.get(uid, ()), *(i for i, _ in self.tracker.comments.get(uid, ()))]

    def person_comments(self, id_: str, text: str) -> None:
        self._people.setdefault(self._item(id_).uid, []).append(f"p:{text}")

    def person_deletes(self, id_: str, comment_id: str) -> None:
        uid = self._item(id_).uid
        self.tracker.comments[uid] = [found for found in self.tracker.comments[uid] if found[0] != comment_id]

    def later(self) -> None:
        self._now += timedelta(hours=1)


class TestFakeLikeGitHub(TrackerConformance):
    @pytest.fixture
    def place(self) -> FakePlace:
        return FakePlace(definitions=True)


class TestFakeLikeJira(TrackerConformance):
    @pytest.fixture
    def place(self) -> FakePlace:
        return FakePlace(definitions=False)
