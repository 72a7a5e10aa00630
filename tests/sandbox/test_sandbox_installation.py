"""The pretended GitHub App: keys are checked, tokens end after an hour of the story, permissions hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from okrsync.sandbox import STORY_NOW, Sandbox, StoryClock
from okrsync.sandbox.github_installation import Installation, install_app

MINT = "/app/installations/7/access_tokens"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def app(sandbox: Sandbox, key: rsa.RSAPrivateKey) -> Installation:
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return install_app(sandbox.world, app=1, installation=7, slug="okrsync-acme", public_key=pem.decode())


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.github_url, verify=False) as made:
        yield made


def signed(key: rsa.RSAPrivateKey, issuer: str = "1") -> dict[str, str]:
    now = int(STORY_NOW.timestamp())
    token = jwt.encode({"iss": issuer, "iat": now, "exp": now + 600}, key, algorithm="RS256")
    return {"Authorization": f"Bearer {token}"}


def test_the_key_is_checked(client: httpx.Client, app: Installation, key: rsa.RSAPrivateKey, sandbox: Sandbox) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for headers in (signed(other), signed(key, "2"), {"Authorization": f"Bearer {sandbox.token}"}, {}):
        assert client.post(MINT, headers=headers).status_code == 401
    assert client.get("/app", headers=signed(key)).json()["slug"] == "okrsync-acme"
    assert client.get("/app/installations/7", headers=signed(key)).json()["app_id"] == 1
    assert client.get("/app/installations/8", headers=signed(key)).status_code == 404
    assert not app.tokens


def test_a_token_ends_after_an_hour(
    client: httpx.Client, app: Installation, key: rsa.RSAPrivateKey, clock: StoryClock
) -> None:
    reply = client.post(MINT, headers=signed(key))
    assert (reply.status_code, reply.json()["expires_at"]) == (201, "2026-11-16T10:00:00Z")
    headers = {"Authorization": f"Bearer {reply.json()['token']}"}
    assert client.get("/repos/acme/web/issues", headers=headers).status_code == 200
    assert client.get("/user", headers=headers).status_code == 403
    assert not any(client.get("/repos/acme/web", headers=headers).json()["permissions"].values())
    clock.advance(timedelta(hours=1))
    assert client.get("/repos/acme/web/issues", headers=headers).json()["message"] == "Bad credentials"
    assert len(app.tokens) == 1


def test_permissions_hold(client: httpx.Client, app: Installation, key: rsa.RSAPrivateKey) -> None:
    headers = {"Authorization": f"Bearer {client.post(MINT, headers=signed(key)).json()['token']}"}
    path = "/repos/acme/web/issues/1/labels"
    assert client.post(path, headers=headers, json={"labels": ["x"]}).status_code == 200
    app.permissions = {"metadata": "read", "issues": "read"}
    assert client.post(path, headers=headers, json={"labels": ["y"]}).status_code == 403
    assert client.get(path, headers=headers).status_code == 200
    assert client.get("/repos/acme/web/pulls", headers=headers).status_code == 403
    app.revoke()
    assert client.get(path, headers=headers).status_code == 401
