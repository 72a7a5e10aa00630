"""Signing in: tokens, GitHub Apps through PyGithub, and what is missing; PyGithub uses requests, so over loopback."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from netfakes import START, Script, Time
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from okrsync.connectors import connect
from okrsync.connectors.github import GitHubTracker
from okrsync.domain.settings import GitHubApp, GitHubSettings
from okrsync.domain.text import iso
from okrsync.domain.trackers import SignInFailed, SourceFailed


@pytest.fixture(scope="module")
def key() -> str:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.fixture
def time() -> Time:
    return Time()


def tracker(server: HTTPServer, time: Time, key: str, **more: Any) -> GitHubTracker:
    app = GitHubApp(id=12345, installation=67890)
    settings = GitHubSettings(name="ghe", type="github", url=server.url_for("/api/v3"), repos=("acme/web",), app=app)
    secret = SimpleNamespace(token=None, private_key=SecretStr(key))
    return GitHubTracker(settings, secret, clock=time.clock, sleep=time.sleep, deadline=time.deadline, **more)


class Mint:
    """Hands out installation tokens that live for an hour."""

    def __init__(self, server: HTTPServer, time: Time) -> None:
        self.count = 0
        self.time = time
        path = "/api/v3/app/installations/67890/access_tokens"
        server.expect_request(path, method="POST").respond_with_handler(self.answer)

    def answer(self, request: Request) -> Response:
        assert request.headers["Authorization"].startswith("Bearer ey")
        self.count += 1
        expires = iso(self.time.now + timedelta(hours=1))
        return Response(f'{{"token": "ghs_{self.count}", "expires_at": "{expires}"}}', 201, mimetype="application/json")


def test_an_app_signs_with_a_fresh_installation_token(httpserver: HTTPServer, time: Time, key: str) -> None:
    mint = Mint(httpserver, time)
    server = Script(httpx.Response(404))
    github = tracker(httpserver, time, key, client=httpx.Client(transport=server))
    assert mint.count == 0  # nothing is sent before it is needed
    for minutes, count in ((0, 1), (50, 1), (6, 2)):
        time.now += timedelta(minutes=minutes)
        time.ends = time.now + timedelta(minutes=30)
        list(github.pull({}))
        assert mint.count == count
        assert server.requests[-1].headers["authorization"] == f"Bearer ghs_{count}"
    assert server.requests[-1].url.path == "/api/v3/repos/acme/web"


def test_an_app_comments_under_its_slug(httpserver: HTTPServer, time: Time, key: str) -> None:
    Mint(httpserver, time)
    httpserver.expect_request("/api/v3/app").respond_with_json({"id": 12345, "slug": "okrsync-acme"})
    server = Script(httpx.Response(404))
    assert tracker(httpserver, time, key, client=httpx.Client(transport=server)).probe().identity == "okrsync-acme[bot]"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_app_that_is_not_let_in(httpserver: HTTPServer, time: Time, key: str, status: int) -> None:
    httpserver.expect_request("/api/v3/app/installations/67890/access_tokens").respond_with_json({}, status=status)
    with pytest.raises(SignInFailed, match="OKRSYNC_GHE_PRIVATE_KEY"):
        list(tracker(httpserver, time, key).pull({}))
    assert len(httpserver.log) == 1


def test_a_server_in_trouble_is_asked_again(httpserver: HTTPServer, time: Time, key: str) -> None:
    httpserver.expect_request("/api/v3/app/installations/67890/access_tokens").respond_with_json({}, status=502)
    with pytest.raises(SourceFailed):
        list(tracker(httpserver, time, key).pull({}))
    assert len(httpserver.log) == 5  # ours alone: PyGithub's own retrying is off
    assert len(time.slept) == 4


def test_a_broken_key_is_named_not_shown(httpserver: HTTPServer, time: Time) -> None:
    with pytest.raises(SignInFailed, match="OKRSYNC_GHE_PRIVATE_KEY") as caught:
        list(tracker(httpserver, time, "-----BEGIN nonsense-----").pull({}))
    assert "BEGIN nonsense" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_secret_names_its_variable(time: Time) -> None:
    settings = GitHubSettings(name="my-hub", type="github", url="https://api.github.com", repos=("acme/web",))
    for token in (None, SecretStr(" \n")):
        secret = SimpleNamespace(token=token, private_key=None)
        with pytest.raises(SignInFailed, match="OKRSYNC_MY_HUB_TOKEN"):
            connect(settings, secret, clock=time.clock, sleep=time.sleep, deadline=time.deadline)


def test_graphql_lies_beside_rest_on_an_enterprise_server(time: Time) -> None:
    repo = httpx.Response(200, json={"full_name": "acme/web"})
    pull = {
        "node_id": "PR_1",
        "number": 1,
        "html_url": "x",
        "state": "open",
        "created_at": iso(START),
        "updated_at": iso(START),
    }
    page = httpx.Response(200, json=[{**pull, "pull_request": {}}])
    node = httpx.Response(200, json={"data": {"nodes": [{"id": "PR_1", "headRefName": "b"}]}})
    server = Script(repo, page, node, httpx.Response(200, json=[]))
    settings = GitHubSettings(name="github", type="github", url="https://ghe.acme/api/v3/", repos=("acme/web",))
    secret = SimpleNamespace(token=SecretStr("ghp_1\n"), private_key=None)
    client = httpx.Client(transport=server)
    github = GitHubTracker(settings, secret, clock=time.clock, sleep=time.sleep, deadline=time.deadline, client=client)
    assert [i.branch for b in github.pull({}) for i in b.items] == ["b"]
    assert [str(r.url).partition("?")[0] for r in server.requests[:3]] == [
        "https://ghe.acme/api/v3/repos/acme/web",
        "https://ghe.acme/api/v3/repos/acme/web/issues",
        "https://ghe.acme/api/graphql",
    ]
    assert server.requests[0].headers["authorization"] == "Bearer ghp_1"


def test_a_token_of_github_actions_learns_its_name_from_graphql(time: Time) -> None:
    refused = httpx.Response(403, json={"message": "Resource not accessible by integration"})
    viewer = httpx.Response(200, json={"data": {"viewer": {"login": "github-actions[bot]"}}})
    server = Script(refused, viewer, httpx.Response(404))
    settings = GitHubSettings(name="github", type="github", url="https://api.github.com", repos=("acme/web",))
    secret = SimpleNamespace(token=SecretStr("ghs_1"), private_key=None)
    client = httpx.Client(transport=server)
    github = GitHubTracker(settings, secret, clock=time.clock, sleep=time.sleep, deadline=time.deadline, client=client)
    assert github.probe().identity == "github-actions[bot]"
