"""Recorded issues, served page by page as Cloud and Data Center do; the same comments as documents and as wiki text."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from jira_world import SECRET, Held

from contracts import Checked, jira_contract
from okrsync.connectors.jira import JiraTracker
from okrsync.connectors.jira.translate import body_text
from okrsync.domain.settings import JiraSettings
from okrsync.domain.trackers import SourceFailed, Throttled

DATA = Path(os.environ.get("OKRSYNC_SHARED") or Path(__file__).parents[3] / "shared") / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of recorded payloads is not here")
NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
JSON = {"Content-Type": "application/json;charset=UTF-8", "Date": "Mon, 16 Nov 2026 09:00:00 GMT"}


def recorded(name: str) -> list[dict[str, Any]]:
    text = (DATA / "jira" / name).read_text("utf-8")
    rows: list[dict[str, Any]] = (
        [json.loads(line) for line in text.splitlines()] if name.endswith(".jsonl") else json.loads(text)["issues"]
    )
    return sorted(rows, key=lambda row: int(row["id"]))


def answers() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / "http_errors_and_moves.jsonl").read_text("utf-8").splitlines()]


class Recorded(httpx.BaseTransport):
    """A Jira that holds `rows` and gives at most `most` of them at a time, whatever it is asked for. `broken` may
    answer a request in its stead."""

    def __init__(self, rows: Sequence[dict[str, Any]], *, cloud: bool, most: int, bulk: bool = True) -> None:
        self.rows, self.cloud, self.most, self.bulk = list(rows), cloud, most, bulk
        self.searches: list[dict[str, Any]] = []
        self.broken: Callable[[httpx.Request], httpx.Response | None] = lambda request: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.broken(request) or self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.partition("/rest/api/")[2].partition("/")[2]
        asked = json.loads(request.content or b"{}")
        if path == "myself":
            return httpx.Response(200, headers=JSON, json={"accountId": "1"} if self.cloud else {"key": "okrsync"})
        if path == "field":
            known = sorted({name for row in self.rows for name in row["fields"]})
            return httpx.Response(200, headers=JSON, json=[{"id": name, "name": name} for name in known])
        if path == "search/jql" and self.cloud:
            return httpx.Response(200, headers=JSON, json=self._tokens(asked))
        if path == "search" and not self.cloud:
            return httpx.Response(200, headers=JSON, json=self._offsets(asked))
        if path == "issue/bulkfetch" and self.bulk:
            found = [row for row in self.rows if row["id"] in asked["issueIdsOrKeys"]]
            body = {"expand": "schema,names", "issueErrors": [], "issues": [self._shown(r, asked) for r in found]}
            return httpx.Response(200, headers=JSON, json=body)
        return httpx.Response(404, headers=JSON, json={"errorMessages": ["not here"], "errors": {}})

    def _shown(self, row: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
        if asked["fields"] == ["id"]:
            return {"id": row["id"]}
        return {**row, "fields": {k: v for k, v in row["fields"].items() if k in asked["fields"]}}

    def _tokens(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.searches.append(asked)
        start = int(asked.get("nextPageToken", "token-0").partition("-")[2])
        end = start + self.most
        more = {"isLast": True} if end >= len(self.rows) else {"nextPageToken": f"token-{end}", "isLast": False}
        return {"expand": "schema,names", **more, "issues": [self._shown(r, asked) for r in self.rows[start:end]]}

    def _offsets(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.searches.append(asked)
        start, size = asked["startAt"], min(self.most, asked["maxResults"])
        rows = [self._shown(r, asked) for r in self.rows[start : start + size]]
        return {
            "expand": "schema,names",
            "startAt": start,
            "maxResults": size,
            "total": len(self.rows),
            "issues": rows,
        }


def tracker(server: Recorded, project: str, *, sleep: Callable[[float], None] = lambda seconds: None) -> JiraTracker:
    return JiraTracker(
        JiraSettings(
            name="jira",
            type="jira",
            url="https://jira.acme.example",
            email="okrsync@acme.example" if server.cloud else None,
            projects=(project,),
        ),
        SECRET,
        clock=lambda: NOW,
        sleep=sleep,
        deadline=lambda: NOW + timedelta(minutes=30),
        client=httpx.Client(transport=Checked(server, jira_contract())),
    )


@pytest.mark.parametrize("most", [1, 5, 6, 100])
@pytest.mark.parametrize("bulk", [True, False], ids=["ids and bulk", "page by page"])
def test_cloud_pages(most: int, bulk: bool) -> None:
    rows = recorded("jira_v3_search-issues.json")
    server = Recorded(rows, cloud=True, most=most, bulk=bulk)
    batches = list(tracker(server, "KP").pull({}))
    held = Held().take(iter(batches))
    assert held.ids == {f"jira:{row['key']}" for row in rows}
    assert set(batches[-1].present or ()) == {f"jira:{row['id']}" for row in rows}
    assert held.states["KP"].watermark == "2021-11-18T00:18:29Z"  # the newest, however long ago
    assert all("startAt" not in asked for asked in server.searches)
    item = held.items["KP"]["jira:10032"]
    assert (item.key, item.url, item.kind) == ("KP-19", "https://jira.acme.example/browse/KP-19", "issue")
    assert [r.target for r in item.references] == ["jira:KP-16"]


@pytest.mark.parametrize("most", [1, 7, 11, 22, 1000])
def test_data_center_pages_of_the_size_that_the_server_likes(most: int) -> None:
    rows = recorded("server_issues.jsonl")
    server = Recorded(rows, cloud=False, most=most)
    batches = list(tracker(server, "DZFNK0168").pull({}))
    held = Held().take(iter(batches))
    assert held.ids == {f"jira:{row['key']}" for row in rows}
    assert set(batches[-1].present or ()) == {f"jira:{row['id']}" for row in rows}
    starts = [asked["startAt"] for asked in server.searches if "summary" in asked["fields"]]
    assert sorted(starts) == list(range(0, 22, most))  # no page twice, none left out
    assert all("nextPageToken" not in asked for asked in server.searches)


def test_the_same_issues_by_both_apis() -> None:
    both = []
    for name, cloud in (("jira_v3_search-issues.json", True), ("jira_issue-search-v2.json", False)):
        server = Recorded(recorded(name), cloud=cloud, most=5)
        both.append(Held().take(tracker(server, "KP").pull({})).items["KP"])
    documents, texts = both
    assert documents.keys() == texts.keys()
    for uid, item in documents.items():
        other = texts[uid]
        assert (item.title, item.type, item.status, item.labels) == (
            other.title,
            other.type,
            other.status,
            other.labels,
        )
        assert words(item.body) == words(other.body)


def words(text: str) -> list[str]:
    """What is said, without how it is set and where a link leads."""
    return re.findall(r"\w+", re.sub(r"\[([^|\]]+)\|[^\]]+\]", r"\1", text))


def test_comments_as_documents_and_as_wiki_text() -> None:
    documents, texts = (
        {c["id"]: body_text(c["body"]) for row in recorded(name) for c in row["fields"]["comment"]["comments"]}
        for name in ("jira_v3_search-issues.json", "jira_issue-search-v2.json")
    )
    assert documents.keys() == texts.keys()
    assert len(documents) == 23
    for id_, text in documents.items():
        assert words(text) == words(texts[id_]), id_
    assert documents["10055"] == texts["10055"] == "asdsadsad"
    assert documents["10017"] == texts["10017"] == "Carlos Test😁 "
    assert "Row 00" in documents["10031"]
    assert "|Row 00|Row 01|Row 02|" in texts["10031"]


@pytest.mark.parametrize("system", ["jira_cloud", "jira_dc"])
def test_recorded_rate_limits_are_waited_for(system: str) -> None:
    limits = [row for row in answers() if row["system"] == system and row["status"] == 429]
    assert limits
    for row in limits:
        told = iter([True])
        server = Recorded(recorded("server_issues.jsonl"), cloud=system == "jira_cloud", most=50)
        naps: list[float] = []

        def limited(request: httpx.Request, row: dict[str, Any] = row, told: Any = told) -> httpx.Response | None:
            if not request.url.path.endswith(("/search", "/search/jql")) or not next(told, False):
                return None
            body = row.get("body_start") or json.dumps(row["body"])
            headers = {**row.get("headers", {}), "Content-Type": row["content_type"]}
            return httpx.Response(429, headers=headers, content=body.encode())

        server.broken = limited
        assert len(Held().take(tracker(server, "DZFNK0168", sleep=naps.append).pull({})).ids) == 22
        assert naps
        server.broken = lambda request, row=row: httpx.Response(
            429, headers={"Content-Type": row["content_type"], "Retry-After": "86400"}, content=b"<html>"
        )
        with pytest.raises(Throttled):
            list(tracker(server, "DZFNK0168").pull({}))


def test_recorded_refusals_are_told_in_jiras_words() -> None:
    for row in answers():
        if row["system"] not in ("jira_cloud", "jira_server") or row["status"] != 400:
            continue
        server = Recorded(recorded("server_issues.jsonl"), cloud=True, most=50)
        server.broken = lambda request, row=row: (
            httpx.Response(400, headers=JSON, json=row["body"]) if request.url.path.endswith("/myself") else None
        )
        said = (row["body"].get("errorMessages") or [*row["body"]["errors"].values()])[0]
        with pytest.raises(SourceFailed) as caught:
            list(tracker(server, "DZFNK0168").pull({}))
        assert said[:40] in str(caught.value)


def test_a_recorded_move_keeps_the_id() -> None:
    """The key changes and the id stays: asked for by the old key, the item answers under its new one."""
    moved = next(row["body"]["issue"] for row in answers() if "moved" in row.get("note", ""))
    server = Recorded([], cloud=True, most=50, bulk=False)
    server.broken = lambda request: (
        httpx.Response(200, headers=JSON, json=moved) if request.url.path.endswith("/issue/APP-123") else None
    )
    fetched = tracker(server, "APP").fetch(["jira:APP-123"])
    assert fetched.moved == {"jira:APP-123": "jira:PLATFORM-45"}
    item = fetched.items["jira:APP-123"]
    assert (item.uid, item.container) == ("jira:101", "PLATFORM")
