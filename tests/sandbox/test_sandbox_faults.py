"""Faults strike as told, on what they are told, and no longer."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import get_args

import httpx
import msgspec
import pytest

from okrsync.sandbox import STORY_NOW, Fault, Faults, Sandbox, World
from okrsync.sandbox.control import ACTIONS, SETTINGS
from okrsync.sandbox.faults import FaultKind

WEB = "/repos/acme/web"


INSTEAD = [
    (Fault(kind="status", status=500), 500, "Server Error"),
    (Fault(kind="status", status=429, headers={"Retry-After": "7"}), 429, ""),
    (Fault(kind="status", status=401), 401, "Bad credentials"),
    (Fault(kind="status", status=418, body='{"message": "mine"}'), 418, "mine"),
    (Fault(kind="rate_limit_html"), 429, "<!DOCTYPE html>"),
    (Fault(kind="secondary_limit"), 403, "secondary rate limit"),
    (Fault(kind="primary_limit", seconds=60), 403, "API rate limit exceeded"),
    (Fault(kind="graphql_limited"), 200, "RATE_LIMITED"),
    (Fault(kind="html"), 200, "<!DOCTYPE html>"),
]


def test_answers_instead(sandbox: Sandbox, github: httpx.Client) -> None:
    for fault, status, words in INSTEAD:
        sandbox.faults.add(fault)
        reply = github.get(f"{WEB}/issues")
        assert (reply.status_code, words in reply.text) == (status, True), fault
        for name, value in fault.headers.items():
            assert reply.headers[name] == value
        if fault.kind == "primary_limit":
            assert reply.headers["x-ratelimit-remaining"] == "0"
            assert int(reply.headers["x-ratelimit-reset"]) == int(STORY_NOW.timestamp()) + 60
        sandbox.faults.clear()
        assert github.get(f"{WEB}/issues").status_code == 200


def test_jira_words_its_own(sandbox: Sandbox, jira: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="status", status=429, source="jira"))
    assert "rate-limited" in jira.get("/myself").json()["errorMessages"][0]


def test_nothing_where_there_was_something(sandbox: Sandbox, jira: httpx.Client, github: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="empty"))
    assert github.get(f"{WEB}/issues?per_page=1").json() == []
    page = jira.post("/search/jql", json={"jql": "project = PAY", "maxResults": 1}).json()
    assert page == {"issues": [], "isLast": True}


def test_the_same_page_again(sandbox: Sandbox, jira: httpx.Client, github: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="repeat_page"))
    pages = [github.get(f"{WEB}/issues", params={"per_page": 2, "page": n}).json() for n in (1, 2)]
    assert pages[0] == pages[1]
    body = {"jql": "project = PAY order by key", "maxResults": 1}
    first = jira.post("/search/jql", json=body).json()
    assert jira.post("/search/jql", json=body | {"nextPageToken": first["nextPageToken"]}).json() == first


def test_broken_bodies(sandbox: Sandbox, github: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="invalid_json", times=1))
    with pytest.raises(json.JSONDecodeError):
        github.get(f"{WEB}/issues").json()
    sandbox.faults.add(Fault(kind="truncated", times=1))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        github.get(f"{WEB}/issues")
    assert len(github.get(f"{WEB}/issues").json()) == 6


def test_partial_data(sandbox: Sandbox, github: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="graphql_partial", path="/graphql"))
    query = '{ repository(owner: "acme", name: "web") { issues(first: 4) { nodes { number } } } }'
    reply = github.post("/graphql", json={"query": query}).json()
    assert [n is None for n in reply["data"]["repository"]["issues"]["nodes"]] == [False, True, False, True]
    assert reply["errors"]


def test_reset_does_nothing_and_drop_after_does_it(sandbox: Sandbox, world: World, github: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="reset", method="POST", times=1))
    sandbox.faults.add(Fault(kind="drop_after", method="POST", path="/comments$", times=1))
    for expected in (0, 1):
        with pytest.raises(httpx.TransportError):
            github.post(f"{WEB}/issues/1/comments", json={"body": "once"})
        assert len(world.find("acme/web#1").comments) == expected
    assert [w.status for w in sandbox.writes] == [None, None]


def test_counts_paths_methods_and_sources() -> None:
    faults = Faults(Fault(kind="reset", source="jira", path="/search", method="POST", after=1, times=2))
    asked = [("jira", "POST", "/search/jql"), ("github", "POST", "/search"), ("jira", "GET", "/search/jql")]
    struck = [[faults.take(*one) is not None for one in asked] for _ in range(4)]
    assert struck == [[False] * 3, [True, False, False], [True, False, False], [False] * 3]
    assert faults.list()[0].hits == 2


def test_bodies_without_end(sandbox: Sandbox, github: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="huge", size=3_000_000, times=1))
    assert len(github.get(f"{WEB}/issues").content) >= 3_000_000
    sandbox.faults.add(Fault(kind="endless"))
    with github.stream("GET", f"{WEB}/issues") as reply:
        chunks = reply.iter_raw()
        assert [next(chunks) for _ in range(3)]


def test_latency_and_slowness(sandbox: Sandbox, github: httpx.Client) -> None:
    sandbox.faults.latency = 5
    with pytest.raises(httpx.ReadTimeout):
        github.get("/user", timeout=0.1)
    sandbox.faults.clear()
    assert github.get("/user").status_code == 200
    sandbox.faults.add(Fault(kind="slow", seconds=5))
    with pytest.raises(httpx.ReadTimeout):
        github.get("/user", timeout=0.1)


def test_stopping_does_not_wait_for_endless_answers(world: World) -> None:
    with Sandbox(world, faults=Faults(Fault(kind="endless"))) as sandbox:
        client = httpx.Client(headers={"Authorization": f"Bearer {sandbox.token}"}, verify=False)
        with client, client.stream("GET", sandbox.github_url + "/user") as reply:
            next(reply.iter_raw())
            sandbox.stop()  # hangs if it waits
    with pytest.raises(httpx.ConnectError):
        httpx.get(sandbox.jira_url, verify=False)


# --- the control interface -----------------------------------------------------------------------------------


def test_other_processes_look_act_and_disturb(sandbox: Sandbox, world: World, github: httpx.Client) -> None:
    with httpx.Client(base_url=f"{sandbox.jira_url}/_sandbox", verify=False) as control:
        assert control.get("").json()["github_url"] == sandbox.github_url
        acted = control.post("/act", json={"do": "comment", "args": {"id_": "jira:PAY-1", "body": "hi", "by": "lin"}})
        assert control.get("/snapshot").json() == msgspec.json.decode(msgspec.json.encode(world.snapshot()))
        assert world.find("PAY-1").comments[0].id == acted.json()["result"]
        for bad in ({"do": "explode"}, {"do": "close", "args": {"id_": "jira:NO-1", "by": "lin"}}, {"do": "close"}, []):
            reply = control.post("/act", json=bad)
            assert (reply.status_code, bool(reply.json()["error"])) == (400, True)
        assert control.post("/faults", json={"kind": "status", "status": 503, "times": 1}).status_code == 200
        assert control.post("/faults", json={"kind": "nonsense"}).status_code == 400
        assert github.get("/user").status_code == 503
        assert control.get("/faults").json()[0]["hits"] == 1
        assert control.delete("/faults").status_code == 200
        github.post(f"{WEB}/issues/1/labels", json={"labels": ["x"]})
        (write,) = control.get("/writes").json()
        assert (write["path"], write["body"], write["status"]) == (f"{WEB}/issues/1/labels", {"labels": ["x"]}, 200)
        assert [r["path"] for r in control.get("/requests").json()] == ["/user", f"{WEB}/issues/1/labels"]
        control.delete("/requests")
        assert sandbox.requests == sandbox.writes == []
        assert control.post("/clock", json={"advance": 60}).json()["now"] == "2026-11-16T09:01:00Z"
        assert world.clock() == STORY_NOW + timedelta(minutes=1)
        assert control.get("/nope").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/set", {"project": "NOPE", "visible": False}, "no project 'NOPE' in the sandbox; there are "),
        ("/set", {"project": "PAY", "visible": "no"}, "visible is true or false, not 'no'"),
        ("/set", {"repo": "acme/web", "permission": "king"}, "there is no permission 'king'; there are admin, "),
        ("/set", {"repo": "acme/nope"}, "no repository 'acme/nope' in the sandbox"),
        (
            "/act",
            {"do": "close", "args": {"id_": "jira:PAY-999", "by": "lin"}},
            "no item 'jira:PAY-999' in the sandbox",
        ),
        ("/clock", {}, "say `advance`, in seconds"),
    ],
)
def test_a_mistake_is_told_in_words(sandbox: Sandbox, path: str, body: dict[str, object], said: str) -> None:
    answer = httpx.post(f"{sandbox.jira_url}/_sandbox{path}", json=body, verify=False)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(said)


def test_wrong_options_are_told_without_a_traceback(sandbox: Sandbox) -> None:
    taken = sandbox.jira_url.rpartition(":")[2]
    for args, said in (
        (["--now", "noon"], "'noon' is no ISO time"),
        (["--port", "99999"], "use 1 to 65534"),
        (["--port", taken], "Address already in use"),
    ):
        command = [sys.executable, "-m", "okrsync.sandbox", *args]
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert ran.returncode in (1, 2)
        assert said in ran.stderr.splitlines()[-1]


def test_reading_by_post_is_no_write(sandbox: Sandbox, jira: httpx.Client, github: httpx.Client) -> None:
    jira.post("/search/jql", json={"jql": "project = PAY"})
    jira.post("/issue/bulkfetch", json={"issueIdsOrKeys": ["PAY-1"]})
    github.post("/graphql", json={"query": "{ viewer { login } }"})
    assert len(sandbox.requests) == 3
    assert sandbox.writes == []


def test_standing_alone() -> None:
    command = [sys.executable, "-m", "okrsync.sandbox", "--still", "--seconds", "30"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told = msgspec.json.decode(process.stdout.readline())
        headers = {"Authorization": f"Bearer {told['token']}"}
        assert httpx.get(f"{told['github_url']}/repos/acme/web", headers=headers, verify=False).status_code == 200
        assert httpx.get(f"{told['jira_url']}/_sandbox", verify=False).json()["now"] == "2026-11-16T09:00:00Z"
        process.stdin.close()
        assert process.wait(timeout=10) == 0


# --- pages that lie, headers that drip, people who act meanwhile


def test_a_page_without_rows_still_leads_on(sandbox: Sandbox, jira: httpx.Client, github: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="empty_page"))
    page = github.get(f"{WEB}/issues", params={"per_page": 2})
    assert (page.json(), 'rel="next"' in page.headers["link"]) == ([], True)
    found = jira.post("/search/jql", json={"jql": "project = PAY", "maxResults": 1}).json()
    assert (found["issues"], found["isLast"], bool(found["nextPageToken"])) == ([], False, True)


def test_a_next_page_that_is_this_one(sandbox: Sandbox, jira: httpx.Client, github: httpx.Client) -> None:
    body = {"jql": "project = PAY order by key", "maxResults": 1}
    second = body | {"nextPageToken": jira.post("/search/jql", json=body).json()["nextPageToken"]}
    sandbox.faults.add(Fault(kind="repeat_token"))
    assert jira.post("/search/jql", json=second).json()["nextPageToken"] == second["nextPageToken"]
    page = github.get(f"{WEB}/issues", params={"per_page": 2, "page": 2})
    assert str(page.next_request.url if page.next_request else page.links["next"]["url"]) == str(page.request.url)


def test_only_what_was_sent_so(sandbox: Sandbox, jira: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="status", status=400, sent='"maxResults":\\s*7'))
    asked = [jira.post("/search/jql", json={"jql": "project = PAY", "maxResults": n}).status_code for n in (6, 7)]
    assert asked == [200, 400]


def test_headers_without_end(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(kind="endless_headers"))
    address = httpx.URL(sandbox.github_url)
    with socket.create_connection((address.host, address.port or 0), timeout=5) as connection:
        connection.sendall(b"GET /user HTTP/1.1\r\nHost: x\r\n\r\n")
        read = b""
        while len(read) < 100:
            read += connection.recv(4096)
    assert read.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\n\r\n" not in read


def test_somebody_acts_after_the_answer(sandbox: Sandbox, github: httpx.Client) -> None:
    with httpx.Client(base_url=f"{sandbox.jira_url}/_sandbox", verify=False) as control:
        act = {"kind": "act", "do": "close", "args": {"id_": "github:acme/web#1", "by": "lin"}, "times": 1}
        assert control.post("/faults", json=act).status_code == 200
        assert control.post("/faults", json={**act, "do": "explode"}).status_code == 400
    assert [github.get(f"{WEB}/issues/1").json()["state"] for _ in range(2)] == ["open", "closed"]


def test_an_administrator_decides(sandbox: Sandbox, jira: httpx.Client, github: httpx.Client) -> None:
    with httpx.Client(base_url=f"{sandbox.github_url}/_sandbox", verify=False) as control:
        for wanted in (
            {"project": "PAY", "visible": False},
            {"repo": "acme/web", "permission": "read"},
            {"jira": {"index_lag": 300, "bulk": False}},
            {"github": {"scopes": "public_repo"}},
        ):
            assert control.post("/set", json=wanted).json() == {"set": wanted}
        assert jira.get("/project/PAY").status_code == 404
        assert github.post(f"{WEB}/labels", json={"name": "x"}).status_code == 403
        assert github.get("/user").headers["x-oauth-scopes"] == "public_repo"
        assert sandbox.world.jira.index_lag == timedelta(minutes=5)
        control.post("/set", json={"github": {"granted": {"metadata": "read"}}})
        assert github.get(f"{WEB}/issues").status_code == 403
        for bad in ({"project": "NO"}, {"repo": "a/b"}, {"project": "PAY", "id": 1}, {"nothing": 1}, []):
            assert control.post("/set", json=bad).status_code == 400


def test_everything_that_can_be_asked_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text("utf-8")
    kinds = get_args(FaultKind)
    known = {*kinds, *ACTIONS, *(name for names in SETTINGS.values() for name in names)}
    assert [name for name in sorted(known) if f"`{name}`" not in text] == []
