"""The pretended GitHub answers as the real one does, wrong calls included."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from okrsync.sandbox import STORY_NOW, Sandbox, StoryClock, World

WEB = "/repos/acme/web"


def numbers(reply: httpx.Response) -> list[int]:
    assert reply.status_code == 200, reply.text
    return [i["number"] for i in reply.json()]


# --- signing in ----------------------------------------------------------------------------------------------


def test_wrong_credentials_are_refused(sandbox: Sandbox) -> None:
    tried = [(None, "Requires authentication"), ("Bearer no", "Bad credentials"), ("token x", "Bad")]
    for header, words in tried:
        headers = {"Authorization": header} if header else {}
        for path in ("/user", WEB, "/rate_limit"):
            reply = httpx.get(sandbox.github_url + path, headers=headers, verify=False)
            assert reply.status_code == 401
            assert words in reply.json()["message"]


def test_identity_and_headers(github: httpx.Client) -> None:
    reply = github.get("/user")
    assert reply.json()["login"] == "okrsync-bot"
    assert reply.headers["x-ratelimit-limit"] == "5000"
    assert reply.headers["date"] == "Mon, 16 Nov 2026 09:00:00 GMT"
    assert github.get("/rate_limit").json()["resources"]["core"]["remaining"] == 4999
    assert github.get("/meta").status_code == 200


def test_unknown_addresses_are_404_as_json(github: httpx.Client) -> None:
    for path in (
        "/nope",
        f"{WEB}/nope",
        f"{WEB}/issues/99",
        "/repos/acme/nope",
        "/repos/acme/secret",
        "/orgs/nope/repos",
    ):
        reply = github.get(path)
        assert reply.status_code == 404
        assert reply.json()["message"] == "Not Found"


def test_unchanged_answers_are_304(github: httpx.Client, world: World) -> None:
    first = github.get(f"{WEB}/issues")
    etag = {"If-None-Match": first.headers["etag"]}
    again = github.get(f"{WEB}/issues", headers=etag)
    assert (again.status_code, again.content) == (304, b"")
    world.edit_title("acme/web#1", "New", "lin")
    assert github.get(f"{WEB}/issues", headers=etag).status_code == 200


# --- lists ---------------------------------------------------------------------------------------------------


def test_issues_are_listed_with_pull_requests(github: httpx.Client, world: World) -> None:
    rows = github.get(f"{WEB}/issues", params={"state": "all", "sort": "created", "direction": "asc"}).json()
    assert [r["number"] for r in rows] == [1, 6, 2, 3, 4, 5]
    pull = rows[1]
    assert pull["pull_request"]["merged_at"] is None
    assert pull["author_association"] == "NONE"
    assert rows[2]["parent_issue_url"].endswith("/repos/acme/web/issues/1")
    assert rows[0]["sub_issues_summary"]["total"] == 1
    assert rows[0]["author_association"] == "MEMBER"
    world.close("acme/web#3", "lin", "not_planned")
    assert numbers(github.get(f"{WEB}/issues", params={"state": "closed"})) == [3]
    assert github.get(f"{WEB}/issues/3").json()["state_reason"] == "not_planned"
    since = {"state": "all", "since": STORY_NOW.isoformat().replace("+00:00", "Z")}
    assert numbers(github.get(f"{WEB}/issues", params=since)) == [3]
    world.add_label("acme/web#4", "Frontend", "lin")
    assert numbers(github.get(f"{WEB}/issues", params={"labels": "frontend"})) == [4]
    assert github.get(f"{WEB}/issues", params={"state": "nope"}).status_code == 422
    assert github.get(f"{WEB}/issues", params={"since": "yesterday"}).status_code == 422
    assert numbers(github.get(f"{WEB}/pulls")) == [6]


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_paging_by_link(github: httpx.Client, direction: str) -> None:
    query = {"state": "all", "per_page": 2, "direction": direction, "sort": "updated"}
    reply, seen = github.get(f"{WEB}/issues", params=query), []
    assert "page=3" in reply.links["last"]["url"]
    while True:
        seen += numbers(reply)
        if "next" not in reply.links:
            break
        assert "after=" in reply.links["next"]["url"]
        reply = github.get(reply.links["next"]["url"])
    assert sorted(seen) == [1, 2, 3, 4, 5, 6]
    assert len(seen) == 6
    by_number = [n for page in (1, 2, 3) for n in numbers(github.get(f"{WEB}/issues", params=query | {"page": page}))]
    assert by_number == seen
    assert numbers(github.get(f"{WEB}/issues", params=query | {"page": 9})) == []


def test_a_cursor_is_not_shifted_by_items_that_move(github: httpx.Client, world: World) -> None:
    query = {"state": "all", "per_page": 2, "direction": "asc", "sort": "updated"}
    first = github.get(f"{WEB}/issues", params=query)
    world.edit_title(f"acme/web#{numbers(first)[0]}", "moved to the end", "lin")
    second = github.get(first.links["next"]["url"])
    third = github.get(second.links["next"]["url"])
    assert len(set(numbers(first) + numbers(second) + numbers(third))) == 6


def test_per_page_is_capped_and_deep_pages_are_refused(github: httpx.Client, world: World) -> None:
    repo = world.github.repo("acme/web")
    for n in range(120):
        world.github.add_item(repo, f"more {n}", author="lin")
    assert len(github.get(f"{WEB}/issues", params={"per_page": 1000}).json()) == 100
    deep = github.get(f"{WEB}/issues", params={"per_page": 100, "page": 100})
    assert deep.status_code == 422
    assert "cursor based pagination" in deep.json()["message"]
    assert github.get(f"{WEB}/issues", params={"per_page": 100, "page": 99}).json() == []
    assert github.get("/search/issues", params={"q": "repo:acme/web", "per_page": 100, "page": 11}).status_code == 422


def test_repositories(github: httpx.Client) -> None:
    assert [r["full_name"] for r in github.get("/orgs/acme/repos").json()] == ["acme/old", "acme/web"]
    assert github.get("/repos/acme/old").json()["archived"] is True
    assert github.get(WEB).json()["permissions"]["push"] is True
    assert github.get(f"{WEB}/collaborators/outsider/permission").json()["permission"] == "none"
    assert github.get(f"{WEB}/collaborators/lin/permission").json()["permission"] == "write"


def test_search(github: httpx.Client, world: World) -> None:
    world.comment("acme/web#2", "bears a mark", "lin")
    got = github.get("/search/issues", params={"q": '"bears a mark" repo:acme/web is:issue is:open'}).json()
    assert [i["number"] for i in got["items"]] == [2]
    assert github.get("/search/issues", params={"q": "repo:acme/web is:pr"}).json()["total_count"] == 1
    assert github.get("/search/issues").status_code == 422


# --- moved things --------------------------------------------------------------------------------------------


def test_renamed_repositories_redirect(github: httpx.Client, world: World) -> None:
    world.rename_repo("acme/web", "acme/site", "lin")
    reply = github.get(f"{WEB}/issues?per_page=1")
    assert reply.status_code == 301
    assert numbers(github.get(reply.headers["location"])) == [5]
    assert "per_page=1" in reply.headers["location"]
    assert github.post(f"{WEB}/issues/1/labels", json={"labels": ["x"]}).status_code == 307
    followed = github.post(f"{WEB}/issues/1/labels", json={"labels": ["x"]}, follow_redirects=True)
    assert followed.status_code == 200
    assert github.get(WEB, follow_redirects=True).json()["full_name"] == "acme/site"


def test_transferred_and_deleted_issues(github: httpx.Client, world: World) -> None:
    world.github.add_repo("acme/api")
    node = github.get(f"{WEB}/issues/1").json()["node_id"]
    assert world.transfer("acme/web#1", "acme/api", "lin") == "acme/api#1"
    moved = github.get(f"{WEB}/issues/1")
    assert moved.status_code == 301
    new = github.get(f"{WEB}/issues/1", follow_redirects=True).json()
    assert new["url"].endswith("/repos/acme/api/issues/1")
    assert new["node_id"] != node
    assert github.get(f"{WEB}/issues/2").json()["parent_issue_url"].endswith("/acme/api/issues/1")
    world.delete("acme/web#3", "lin")
    assert github.get(f"{WEB}/issues/3").status_code == 410
    assert 3 not in numbers(github.get(f"{WEB}/issues"))


# --- writing -------------------------------------------------------------------------------------------------


def test_labels(github: httpx.Client, world: World, clock: StoryClock) -> None:
    clock.advance(timedelta(minutes=1))
    assert (
        github.post(f"{WEB}/labels", json={"name": "okr/O1", "color": "1d76db", "description": "d"}).status_code == 201
    )
    twice = github.post(f"{WEB}/labels", json={"name": "OKR/o1", "color": "1d76db"})
    assert twice.status_code == 422
    assert twice.json()["errors"][0]["code"] == "already_exists"
    added = github.post(f"{WEB}/issues/1/labels", json={"labels": ["okr/O1", "brand new"]})
    assert [x["name"] for x in added.json()] == ["okr/O1", "brand new"]
    assert world.find("acme/web#1").updated == clock()
    assert github.get(f"{WEB}/labels/brand%20new").json()["color"] == "ededed"
    assert github.delete(f"{WEB}/issues/1/labels/okr%2FO1").status_code == 200
    assert github.delete(f"{WEB}/issues/1/labels/okr%2FO1").status_code == 404
    assert github.delete(f"{WEB}/labels/brand%20new").status_code == 204
    assert world.find("acme/web#1").labels == []


BAD = [
    ("/issues/1/labels", {"label": ["x"]}),
    ("/issues/1/labels", {"labels": ["x" * 51]}),
    ("/issues/1/labels", {"labels": [""]}),
    ("/labels", {"name": "x", "color": "#ffffff"}),
    ("/labels", {"name": "x" * 51}),
    ("/labels", {"name": "x", "description": "d" * 101}),
    ("/issues/1/comments", {}),
    ("/issues/1/comments", {"body": " "}),
    ("/issues/1/comments", {"body": "x" * 65_537}),
    ("/issues", {"title": ""}),
]


def test_bad_bodies_are_422(github: httpx.Client, world: World) -> None:
    before = world.snapshot()
    for path, body in BAD:
        assert github.post(f"{WEB}{path}", json=body).status_code == 422, (path, body)
    assert world.snapshot() == before


def test_broken_json_is_400(github: httpx.Client) -> None:
    assert github.post(f"{WEB}/issues/1/comments", content=b"{").json()["message"] == "Problems parsing JSON"


def test_comments(github: httpx.Client, world: World) -> None:
    made = github.post(f"{WEB}/issues/6/comments", json={"body": "hello"})
    assert made.status_code == 201
    id_ = made.json()["id"]
    assert world.github.mails == ["acme/web#6 comment"]
    assert github.patch(f"{WEB}/issues/comments/{id_}", json={"body": "bye"}).json()["body"] == "bye"
    assert [c["body"] for c in github.get(f"{WEB}/issues/6/comments").json()] == ["bye"]
    assert [c["id"] for c in github.get(f"{WEB}/issues/comments").json()] == [id_]
    assert github.delete(f"{WEB}/issues/comments/{id_}").status_code == 204
    assert github.patch(f"{WEB}/issues/comments/{id_}", json={"body": "x"}).status_code == 404


def test_what_may_not_be_written(github: httpx.Client, world: World) -> None:
    archived = github.post("/repos/acme/old/issues/1/labels", json={"labels": ["x"]})
    assert archived.status_code == 403
    assert "archived" in archived.json()["message"]
    world.github.repo("acme/web").permissions[world.bot] = "read"
    assert github.post(f"{WEB}/issues/1/labels", json={"labels": ["x"]}).status_code == 403
    assert github.post(f"{WEB}/issues/1/comments", json={"body": "x"}).status_code == 201, "readers may comment"
    world.lock_item("acme/web#1", "lin")
    locked = github.post(f"{WEB}/issues/1/comments", json={"body": "x"})
    assert locked.status_code == 403
    assert "locked" in locked.json()["message"]


def test_issue_edit(github: httpx.Client) -> None:
    closed = github.patch(f"{WEB}/issues/1", json={"state": "closed", "state_reason": "not_planned"}).json()
    assert (closed["state"], closed["state_reason"]) == ("closed", "not_planned")
    assert github.patch(f"{WEB}/issues/1", json={"state": "done"}).status_code == 422
    assert github.patch(f"{WEB}/issues/1", json={"labels": "x"}).status_code == 422


def test_sub_issues(github: httpx.Client) -> None:
    assert numbers(github.get(f"{WEB}/issues/1/sub_issues")) == [2]
    assert github.get(f"{WEB}/issues/2/parent").json()["number"] == 1
    assert github.get(f"{WEB}/issues/1/parent").status_code == 404


# --- GraphQL and Enterprise Server ---------------------------------------------------------------------------


def graphql(github: httpx.Client, query: str, **variables: object) -> dict:
    reply = github.post("/graphql", json={"query": query, "variables": variables})
    assert reply.status_code == 200
    return reply.json()


def test_graphql_walks_items(github: httpx.Client, world: World) -> None:
    query = """query($ids: [ID!]!) {
      nodes(ids: $ids) {
        __typename id
        ... on PullRequest {
          number headRefName isDraft merged pullState: state
          closingIssuesReferences(first: 10) { nodes { number repository { nameWithOwner } } }
        }
        ... on Issue { number state stateReason(enableDuplicate: true) parent { number } labels(first: 5) { nodes { name } } }
      }
      rateLimit { remaining } viewer { login }
    }"""
    reply = graphql(github, query, ids=[world.find("acme/web#6").node_id, world.find("acme/web#2").node_id, "I_gone"])
    pull, issue, gone = reply["data"]["nodes"]
    assert pull["closingIssuesReferences"]["nodes"] == [{"number": 1, "repository": {"nameWithOwner": "acme/web"}}]
    assert (pull["headRefName"], pull["pullState"]) == ("PAY-2-x", "OPEN")
    assert issue["parent"] == {"number": 1}
    assert gone is None
    assert reply["errors"][0]["type"] == "NOT_FOUND"
    assert reply["errors"][0]["path"] == ["nodes", 2]
    assert reply["data"]["viewer"]["login"] == "okrsync-bot"


def test_graphql_lists_with_cursors(github: httpx.Client) -> None:
    query = """query($after: String) { repository(owner: "acme", name: "web") {
      issues(first: 2, after: $after, orderBy: {field: UPDATED_AT, direction: DESC},
             filterBy: {since: "2026-10-17T12:00:00Z"}) {
        nodes { number } pageInfo { hasNextPage endCursor } totalCount } } }"""
    seen, after = [], None
    while True:
        page = graphql(github, query, after=after)["data"]["repository"]["issues"]
        seen += [n["number"] for n in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == [5, 4, 3, 2]


REFUSED = [
    ("{ viewer { logn } }", "logn"),
    ("{ viewer { login }", "Parse error"),
    ('{ repository(owner: "acme", name: "web") { issues { totalCount } } }', "`first` or `last`"),
    ('{ repository(owner: "acme", name: "web") { issues(first: 101) { totalCount } } }', "limit of 100"),
    ('{ repository(owner: "acme", name: "nope") { id } }', "Could not resolve to a Repository"),
    ('{ repository(owner: "acme", name: "web") { issue(number: 6) { id } } }', "Could not resolve to an Issue"),
    ("mutation { addStar }", "mutation"),
    ("", "query attribute"),
]


def test_graphql_refusals_come_with_200(github: httpx.Client) -> None:
    for query, words in REFUSED:
        assert words in graphql(github, query)["errors"][0]["message"], query


def test_enterprise_server(sandbox: Sandbox, github: httpx.Client) -> None:
    reply = github.get("/api/v3/repos/acme/web/issues?per_page=1")
    assert reply.json()[0]["url"].startswith(f"{sandbox.github_url}/api/v3/repos/")
    assert reply.links["next"]["url"].startswith(f"{sandbox.github_url}/api/v3/repos/")
    assert numbers(github.get(reply.links["next"]["url"]))
    assert github.post("/api/graphql", json={"query": "{ viewer { login } }"}).json()["data"]["viewer"]
