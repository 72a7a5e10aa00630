"""The pretended Jira answers as the real one does, wrong calls included."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from okrsync.sandbox import Sandbox, StoryClock, World
from okrsync.sandbox.jql import JqlError, search


def adf(text: str) -> dict:
    return {
        "version": 1,
        "type": "doc",
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}],
    }


def found(jira: httpx.Client, jql: str) -> list[str]:
    reply = jira.post("/search/jql", json={"jql": jql, "fields": ["key"]})
    assert reply.status_code == 200, reply.text
    return [i["key"] for i in reply.json()["issues"]]


# --- signing in ----------------------------------------------------------------------------------------------


def test_wrong_credentials_are_refused(sandbox: Sandbox) -> None:
    for auth in (None, ("somebody@acme.example", "sandbox-token"), ("okrsync-bot@acme.example", "no")):
        for path in ("myself", "search/jql?jql=project=PAY", "field"):
            reply = httpx.get(f"{sandbox.jira_url}/rest/api/3/{path}", auth=auth, verify=False)
            assert reply.status_code == 401
            assert "authenticated" in reply.json()["message"]


def test_unknown_addresses_are_404_as_json(jira: httpx.Client) -> None:
    for path in ("/nope", "/issue/PAY-2/nope", "/issue/PAY-99", "/project/NOPE"):
        reply = jira.get(path)
        assert reply.status_code == 404
        assert reply.json()
    assert jira.delete("/myself").status_code == 404


def test_date_follows_the_clock_of_the_story(jira: httpx.Client) -> None:
    assert jira.get("/myself").headers["date"] == "Mon, 16 Nov 2026 09:00:00 GMT"


# --- searching -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("jql", "keys"),
    [
        ("project = PAY ORDER BY key", ["PAY-1", "PAY-2", "PAY-3", "PAY-4"]),
        ('project in ("PAY", web) and statusCategory != Done order by key desc', ["WEB-1", "PAY-3", "PAY-2", "PAY-1"]),
        ("project = PAY AND statusCategory = Done", ["PAY-4"]),
        ("project in (PAY, WEB) AND updated >= -17m", ["WEB-1"]),
        ("project = PAY AND updated >= -11d", ["PAY-4"]),
        ('project = WEB AND updated >= "2026-11-16 10:00"', ["WEB-1"]),  # 09:00 UTC: the account's zone is +01:00
        ('project = WEB AND updated >= "2026-11-16 10:01"', []),
        ("project = WEB AND created < '2026-11-17'", ["WEB-1"]),
        ("labels is not EMPTY order by key", ["PAY-1", "WEB-1"]),
        ("project = PAY AND labels is EMPTY order by key", ["PAY-2", "PAY-3", "PAY-4"]),
        ('labels in ("initiative:X", y)', ["PAY-1"]),
        ("labels != x", ["PAY-1"]),  # an empty field is not "different"
        ("key in (PAY-2, PAY-1) order by key", ["PAY-1", "PAY-2"]),
        ("NOT (project = PAY) AND labels = x OR key = PAY-4", ["PAY-4", "WEB-1"]),
        ("parent = PAY-1", ["PAY-2"]),
        ("issuetype = Epic AND project = PAY", ["PAY-1"]),
        ("resolution is EMPTY AND project = WEB", ["WEB-1"]),
        ("id >= 10102 AND project = PAY order by id", ["PAY-2", "PAY-3", "PAY-4"]),
        ('summary ~ "hidden"', ["PAY-3"]),
    ],
)
def test_jql(world: World, jql: str, keys: list[str]) -> None:
    got = [i.key for i in search(world.jira, jql)]
    assert (got if "order" in jql.lower() else sorted(got)) == keys


@pytest.mark.parametrize(
    ("jql", "words"),
    [
        ("", "Unbounded"),
        ("order by key", "Unbounded"),
        ("colour = red", "Field 'colour' does not exist"),
        ("project = NOPE", "The value 'NOPE' does not exist for the field 'project'"),
        ("project = SEC", "The value 'SEC' does not exist"),
        ("project PAY", "Expecting operator"),
        ("project = PAY AND", "Expecting a field name"),
        ("(project = PAY", "Expecting ')'"),
        ("project = PAY project = WEB", "Expecting either 'OR' or 'AND'"),
        ("updated >= yesterday", "Date value 'yesterday'"),
        ("key = PAY-999", "does not exist"),
        ("statusCategory = Finished", "does not exist for the field 'statusCategory'"),
        ("project = PAY ORDER BY colour", "Field 'colour'"),
        ("status >= Done", "not supported"),
    ],
)
def test_jql_that_jira_refuses(world: World, jql: str, words: str) -> None:
    with pytest.raises(JqlError, match=re.escape(words)):
        search(world.jira, jql)


def test_refused_jql_is_a_400(jira: httpx.Client) -> None:
    for reply in (
        jira.get("/search/jql", params={"jql": "order by key"}),
        jira.post("/search/jql", json={"jql": ""}),
        jira.post("/search/approximate-count", json={"jql": "order by key"}),
    ):
        assert reply.status_code == 400
        assert "Unbounded" in reply.json()["errorMessages"][0]
    assert jira.post("/search/jql", json={"jql": "project = PAY", "startAt": 1}).status_code == 400


def test_search_pages_by_token_and_narrows_fields(jira: httpx.Client) -> None:
    keys, token, pages = [], None, 0
    while True:
        body = {"jql": "project = PAY order by key", "fields": ["summary", "nonsense"], "maxResults": 3}
        reply = jira.post("/search/jql", json=body | ({"nextPageToken": token} if token else {})).json()
        assert all(set(i["fields"]) == {"summary"} for i in reply["issues"])
        assert "total" not in reply
        keys += [i["key"] for i in reply["issues"]]
        pages, token = pages + 1, reply.get("nextPageToken")
        assert reply["isLast"] == (token is None)
        if token is None:
            break
    assert (keys, pages) == (["PAY-1", "PAY-2", "PAY-3", "PAY-4"], 2)
    assert jira.get("/search/jql", params={"jql": "project = PAY"}).json()["issues"][0].keys() == {"id"}
    for token in ("nonsense", "WzEsImFiIl0="):
        assert jira.get("/search/jql", params={"jql": "project = PAY", "nextPageToken": token}).status_code == 400


def test_pages_hold_at_most_100_unless_only_ids_are_asked(jira: httpx.Client, world: World) -> None:
    for n in range(150):
        world.jira.add_issue("WEB", f"n{n}")
    body = {"jql": "project = WEB", "maxResults": 5000}
    assert len(jira.post("/search/jql", json=body | {"fields": ["summary"]}).json()["issues"]) == 100
    assert len(jira.post("/search/jql", json=body | {"fields": ["id", "key"]}).json()["issues"]) == 151
    assert jira.post("/search/approximate-count", json={"jql": "project = WEB"}).json() == {"count": 151}


def test_the_old_search_is_gone_on_cloud(jira: httpx.Client) -> None:
    assert jira.get("/search", params={"jql": "project = PAY"}).status_code == 410


def test_a_lagging_index_shows_the_state_before(world: World, jira: httpx.Client, clock: StoryClock) -> None:
    world.jira.index_lag = timedelta(minutes=2)
    assert found(jira, "project = WEB") == []  # made this very moment
    world.add_label("PAY-2", "new", "lin")
    assert found(jira, "labels = new") == []
    assert jira.get("/issue/PAY-2").json()["fields"]["labels"] == ["new"]
    clock.advance(timedelta(minutes=3))
    assert found(jira, "labels = new") == ["PAY-2"]
    assert found(jira, "project = WEB") == ["WEB-1"]


# --- issues --------------------------------------------------------------------------------------------------


def test_an_issue_in_both_versions(jira: httpx.Client, sandbox: Sandbox) -> None:
    new = jira.get("/issue/PAY-2").json()
    assert new["fields"]["description"]["content"][0]["content"][1] == {"type": "hardBreak"}
    assert new["fields"]["parent"]["key"] == new["fields"]["customfield_10014"] == "PAY-1"
    assert new["fields"]["updated"] == "2026-10-17T10:00:00.000+0100"
    assert new["fields"]["assignee"]["accountId"]
    old = httpx.get(
        f"{sandbox.jira_url}/rest/api/2/issue/{new['id']}", auth=(sandbox.email, sandbox.token), verify=False
    ).json()
    assert old["fields"]["description"] == "one\ntwo\n\nthree"


def test_a_hidden_parent_is_named_and_not_shown(jira: httpx.Client) -> None:
    parent = jira.get("/issue/PAY-3").json()["fields"]["parent"]
    assert parent["key"] == "SEC-1"
    assert "fields" not in parent
    assert jira.get("/issue/SEC-1").status_code == 404
    reply = jira.post("/issue/bulkfetch", json={"issueIdsOrKeys": ["SEC-1", "PAY-1", "PAY-99"]}).json()
    assert [i["key"] for i in reply["issues"]] == ["PAY-1"]
    assert [e["id"] for e in reply["issueErrors"]] == ["SEC-1", "PAY-99"]
    assert jira.post("/issue/bulkfetch", json={"issueIdsOrKeys": ["PAY-1"] * 101}).status_code == 400


def test_a_moved_issue_answers_under_its_new_key(jira: httpx.Client, world: World) -> None:
    before = jira.get("/issue/PAY-2").json()
    assert world.move_issue("jira:PAY-2", "WEB", "lin") == "WEB-2"
    after = jira.get("/issue/PAY-2").json()
    assert (after["id"], after["key"]) == (before["id"], "WEB-2")
    assert found(jira, "key = PAY-2") == ["WEB-2"]
    world.delete("WEB-2", "lin")
    assert jira.get("/issue/PAY-2").status_code == 404


def test_labels_are_added_and_removed_atomically(jira: httpx.Client, sandbox: Sandbox, world: World) -> None:
    def put(query: str = "", **body: object) -> httpx.Response:
        return jira.put(f"/issue/PAY-1{query}", json=body)

    steps = [{"add": "okr/O1"}, {"remove": "initiative:X"}, {"add": "okr/O1"}]
    assert put("?notifyUsers=false", update={"labels": steps}).status_code == 204
    assert world.find("PAY-1").labels == ["okr/O1"]
    assert world.jira.mails == []
    touched = world.find("PAY-1").updated
    assert put(update={"labels": [{"add": "okr/O1"}]}).status_code == 204
    assert world.jira.mails == [], "nothing changed, nobody is mailed"
    assert world.find("PAY-1").updated == touched
    assert "contains spaces" in put(update={"labels": [{"add": "a b"}]}).json()["errors"]["labels"]
    assert put(nonsense=1).json()["errorMessages"] == ["one of 'fields' or 'update' required"]
    assert "nope" in put(fields={"nope": 1}).json()["errors"]
    assert jira.put("/issue/PAY-1", content=b"{").status_code == 400
    world.jira.projects["PAY"].admin = False
    assert put("?notifyUsers=false", update={"labels": [{"add": "b"}]}).status_code == 403
    assert put(update={"labels": [{"add": "b"}]}).status_code == 204
    assert world.jira.mails == ["PAY-1 edit"]
    world.jira.projects["PAY"].writable = False
    assert put(update={"labels": [{"add": "c"}]}).status_code == 403
    assert [w.status for w in sandbox.writes] == [204, 204, 400, 400, 400, 400, 403, 204, 403]
    assert sandbox.writes[0].body == {"update": {"labels": steps}}


def test_bulk_edit(jira: httpx.Client, world: World) -> None:
    world.jira.bulk_polls = 1
    labels = {"fieldId": "labels", "bulkEditMultiSelectFieldOption": "ADD", "labels": [{"name": "okr/O1"}]}
    body = {
        "selectedIssueIdsOrKeys": ["PAY-1", "PAY-2", "SEC-1"],
        "selectedActions": ["labels"],
        "editedFieldsInput": {"labelsFields": [labels]},
        "sendBulkNotification": False,
    }
    reply = jira.post("/bulk/issues/fields", json=body)
    assert reply.status_code == 201
    task = reply.json()["taskId"]
    assert jira.get(f"/bulk/queue/{task}").json()["status"] == "RUNNING"
    done = jira.get(f"/bulk/queue/{task}").json()
    assert done["status"] == "COMPLETE"
    assert done["processedAccessibleIssues"] == [world.find("PAY-1").id, world.find("PAY-2").id]
    assert done["invalidOrInaccessibleIssueCount"] == 1
    assert "okr/O1" in world.find("PAY-2").labels
    assert world.jira.mails == []
    assert jira.post("/bulk/issues/fields", json=body | {"selectedActions": []}).status_code == 400
    world.jira.bulk = False
    assert jira.post("/bulk/issues/fields", json=body).status_code == 403


# --- comments ------------------------------------------------------------------------------------------------


def test_comments_with_properties(jira: httpx.Client, world: World, clock: StoryClock) -> None:
    body = {"body": adf("please link"), "properties": [{"key": "okrsync", "value": {"hash": "ab"}}]}
    made = jira.post("/issue/PAY-2/comment", json=body)
    assert made.status_code == 201
    id_ = made.json()["id"]
    assert world.find("PAY-2").comments[0].body == "please link"
    assert world.find("PAY-2").updated == clock()
    listed = jira.get("/issue/PAY-2/comment", params={"expand": "properties"}).json()
    assert listed["total"] == 1
    assert listed["comments"][0]["properties"] == [{"key": "okrsync", "value": {"hash": "ab"}}]
    assert "properties" not in jira.get("/issue/PAY-2/comment").json()["comments"][0]
    edited = jira.put(f"/issue/PAY-2/comment/{id_}?notifyUsers=false", json={"body": adf("done")})
    assert edited.status_code == 200
    assert jira.put(f"/comment/{id_}/properties/okrsync", json={"hash": "cd"}).status_code == 200
    assert jira.get(f"/comment/{id_}/properties/okrsync").json()["value"] == {"hash": "cd"}
    assert jira.get(f"/comment/{id_}/properties").json()["keys"][0]["key"] == "okrsync"
    assert jira.get(f"/comment/{id_}/properties/other").status_code == 404
    assert world.jira.mails == ["PAY-2 comment"], "a new comment notifies, a quiet edit does not"
    assert jira.delete(f"/issue/PAY-2/comment/{id_}").status_code == 204
    assert jira.delete(f"/issue/PAY-2/comment/{id_}").status_code == 404


def test_bad_comment_bodies(jira: httpx.Client) -> None:
    for body in ("text", None, {"type": "doc"}, adf(""), adf("  "), {**adf("x"), "version": 2}):
        assert jira.post("/issue/PAY-2/comment", json={"body": body}).status_code == 400, body


def test_service_desk_comments_can_be_internal(jira: httpx.Client, world: World) -> None:
    world.jira.add_project("HELP", "Help", type_key="service_desk")
    world.jira.add_issue("HELP", "Card refused", type="Service Request")
    quiet = {"key": "sd.public.comment", "value": {"internal": True}}
    made = jira.post("/issue/HELP-1/comment", json={"body": adf("x"), "properties": [quiet]}).json()
    assert made["jsdPublic"] is False
    assert world.find("HELP-1").comments[0].internal


# --- what a connector asks first -----------------------------------------------------------------------------


def test_identity_fields_projects_permissions(jira: httpx.Client, sandbox: Sandbox) -> None:
    assert jira.get("/myself").json()["timeZone"] == "Africa/Lagos"
    assert httpx.get(f"{sandbox.jira_url}/rest/api/3/serverInfo", verify=False).json()["deploymentType"] == "Cloud"
    names = {f["name"]: f["id"] for f in jira.get("/field").json()}
    assert names["OKR Initiative"] == "customfield_10050"
    assert {"Story Points", "Team", "Epic Link", "Summary"} <= set(names)
    pages = [jira.get("/project/search", params={"startAt": n, "maxResults": 1}).json() for n in (0, 1)]
    assert [p["values"][0]["key"] for p in pages] == ["PAY", "WEB"]
    assert [p["isLast"] for p in pages] == [False, True]
    assert jira.get("/project/SEC").status_code == 404
    mine = jira.get("/mypermissions", params={"projectKey": "PAY", "permissions": "EDIT_ISSUES,ADMINISTER"}).json()
    assert {k: v["havePermission"] for k, v in mine["permissions"].items()} == {
        "EDIT_ISSUES": True,
        "ADMINISTER": False,
    }
    assert jira.get("/mypermissions").status_code == 400
    assert jira.get("/mypermissions", params={"permissions": "NOPE"}).status_code == 400
    assert [s["statusCategory"]["key"] for s in jira.get("/status").json()][-1] == "done"
    assert any(t["hierarchyLevel"] == 1 for t in jira.get("/issuetype").json())


def test_data_center(world: World) -> None:
    world.jira.cloud = False
    with (
        Sandbox(world) as sandbox,
        httpx.Client(
            base_url=f"{sandbox.jira_url}/rest/api/2",
            headers={"Authorization": f"Bearer {sandbox.token}"},
            verify=False,
        ) as dc,
    ):
        page = dc.get("/search", params={"jql": "project = PAY order by key", "startAt": 1, "maxResults": 2}).json()
        assert (page["total"], [i["key"] for i in page["issues"]]) == (4, ["PAY-2", "PAY-3"])
        story = page["issues"][0]["fields"]
        assert story["customfield_10014"] == "PAY-1"
        assert "parent" not in story
        assert story["assignee"]["name"] == "lin"
        assert dc.get("/serverInfo").json()["deploymentType"] == "Server"
        assert dc.get("/search/jql", params={"jql": "project = PAY"}).status_code == 404
        assert dc.post("/bulk/issues/fields", json={}).status_code == 404
        assert httpx.get(f"{sandbox.jira_url}/rest/api/3/myself", headers=dc.headers, verify=False).status_code == 404
        assert (
            httpx.get(f"{sandbox.jira_url}/rest/api/2/myself", auth=("a", sandbox.token), verify=False).status_code
            == 401
        )
        made = dc.post("/issue/PAY-1/comment", json={"body": "*hi*", "properties": [{"key": "okrsync", "value": 1}]})
        assert made.json()["body"] == "*hi*"


# --- the gateway, and names of fields ------------------------------------------------------------------------


def test_the_gateway_serves_the_site_by_its_id_and_takes_bearer_tokens(sandbox: Sandbox) -> None:
    bearer = {"Authorization": f"Bearer {sandbox.token}"}
    site = f"{sandbox.jira_url}/ex/jira/{sandbox.world.jira.cloud_id}"
    told = httpx.get(f"{site}/rest/api/3/serverInfo", headers=bearer, verify=False).json()
    assert told["baseUrl"] == sandbox.jira_url
    issue = httpx.get(f"{site}/rest/api/3/issue/PAY-2", headers=bearer, verify=False).json()
    assert issue["self"].startswith(f"{site}/rest/api/3/issue/")
    for url in (f"{sandbox.jira_url}/ex/jira/another", sandbox.jira_url):
        assert httpx.get(f"{url}/rest/api/3/myself", headers=bearer, verify=False).status_code == 401


def test_a_search_tells_the_names_of_its_fields_where_asked(jira: httpx.Client) -> None:
    body = {"jql": "project = PAY", "fields": ["summary", "customfield_10016"]}
    assert "names" not in jira.post("/search/jql", json=body).json()
    told = jira.post("/search/jql", json={**body, "expand": "names"}).json()
    assert told["names"] == {"summary": "Summary", "customfield_10016": "Story Points"}


# --- remote links --------------------------------------------------------------------------------------------


def test_remote_links_are_added_changed_shown_and_removed(world: World, jira: httpx.Client) -> None:
    thing = {"url": "https://github.com/acme/web/pull/1", "title": "One"}
    before = world.find("jira:PAY-2").updated
    world.clock.advance(timedelta(minutes=1))
    made = jira.post("/issue/PAY-2/remotelink", json={"globalId": "g=1", "object": thing})
    assert made.status_code == 201
    assert made.json()["self"].endswith(f"/rest/api/3/issue/PAY-2/remotelink/{made.json()['id']}")
    again = jira.post("/issue/PAY-2/remotelink", json={"globalId": "g=1", "object": {**thing, "title": "Two"}})
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    (shown,) = jira.get("/issue/PAY-2/remotelink").json()
    assert (shown["object"], shown["globalId"]) == ({**thing, "title": "Two"}, "g=1")
    assert jira.get("/issue/PAY-2/remotelink", params={"globalId": "g=1"}).json() == shown
    assert jira.get(f"/issue/PAY-2/remotelink/{shown['id']}").json() == shown
    assert world.find("jira:PAY-2").updated > before
    assert jira.delete(f"/issue/PAY-2/remotelink/{shown['id']}").status_code == 204
    assert jira.get("/issue/PAY-2/remotelink").json() == []


def test_remote_links_that_are_wrong_or_not_allowed(world: World, jira: httpx.Client) -> None:
    thing = {"url": "https://github.com/acme/web/pull/1", "title": "One"}
    for wrong in ({}, {"object": {"title": "x"}}, {"object": {"url": "x"}}, {"globalId": "x" * 256, "object": thing}):
        assert jira.post("/issue/PAY-2/remotelink", json=wrong).status_code == 400
    for path in ("/issue/PAY-99/remotelink", "/issue/PAY-2/remotelink/7", "/issue/PAY-2/remotelink?globalId=g"):
        assert jira.get(path).status_code == 404
    world.jira.projects["PAY"].writable = False
    assert jira.post("/issue/PAY-2/remotelink", json={"object": thing}).status_code == 403
    world.jira.linking = False
    assert jira.get("/issue/PAY-2/remotelink").status_code == 403
