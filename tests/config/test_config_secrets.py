"""Secrets come from the environment or a file; messages name the variable and never the value."""

from __future__ import annotations

from pathlib import Path

import pytest

from okrsync.config import SecretMissing, SecretUnusable, secret
from okrsync.domain.settings import GitHubApp, GitHubSettings, JiraSettings

JIRA = JiraSettings(type="jira", name="jira", url="https://a.example", email="bot@a.example")
HUB = GitHubSettings(type="github", name="my-hub", url="https://api.github.com", repos=("a/b",))
APP = HUB.model_copy(update={"app": GitHubApp(id=1, installation=2)})
PEM = "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----"


def value(found: object) -> str:
    return found.get_secret_value()  # type: ignore[attr-defined,no-any-return]  # a SecretStr


def test_a_token_from_the_environment() -> None:
    found = secret(HUB, {"OKRSYNC_MY_HUB_TOKEN": "hunter2\n"})
    assert value(found.token) == "hunter2"
    assert found.private_key is None
    assert found.variable == "OKRSYNC_MY_HUB_TOKEN"
    assert "hunter2" not in repr(found) + str(found) + found.model_dump_json()


def test_a_token_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("hunter2\r\n")
    found = secret(JIRA, {"OKRSYNC_JIRA_TOKEN_FILE": str(file), "OKRSYNC_JIRA_TOKEN": ""})
    assert value(found.token) == "hunter2"
    assert found.variable == "OKRSYNC_JIRA_TOKEN_FILE"


@pytest.mark.parametrize("key", [PEM, PEM.replace("\n", "\\n")])
def test_the_key_of_an_app(key: str, tmp_path: Path) -> None:
    assert value(secret(APP, {"OKRSYNC_MY_HUB_PRIVATE_KEY": key}).private_key).strip() == PEM
    file = tmp_path / "key.pem"
    file.write_text(key)
    found = secret(APP, {"OKRSYNC_MY_HUB_PRIVATE_KEY_FILE": str(file)})
    assert value(found.private_key).strip() == PEM
    assert found.token is None


@pytest.mark.parametrize(
    ("connector", "phrases"),
    [
        (JIRA, ("OKRSYNC_JIRA_TOKEN or OKRSYNC_JIRA_TOKEN_FILE", "bot@a.example", "https://id.atlassian.com/")),
        (JIRA.model_copy(update={"email": None}), ("Personal Access Tokens", "`email`")),
        (HUB, ("OKRSYNC_MY_HUB_TOKEN or OKRSYNC_MY_HUB_TOKEN_FILE", "Personal access tokens")),
        (APP, ("OKRSYNC_MY_HUB_PRIVATE_KEY or OKRSYNC_MY_HUB_PRIVATE_KEY_FILE", "Generate a private key")),
    ],
)
def test_a_missing_secret_says_how_to_get_it(connector: JiraSettings, phrases: tuple[str, ...]) -> None:
    with pytest.raises(SecretMissing) as caught:
        secret(connector, {"OKRSYNC_OTHER_TOKEN": "x"})
    assert all(p in str(caught.value) for p in phrases)


@pytest.mark.parametrize(
    ("content", "phrase"),
    [
        (None, "cannot be read"),
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"\xff\xfe", "not text"),
        (b"hunter2 hunter2", "odd characters"),
        (b"x" * 70000, "too large"),
    ],
)
def test_unusable_files(content: bytes | None, phrase: str, tmp_path: Path) -> None:
    file = tmp_path / "hunter2"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SecretUnusable, match=phrase) as caught:
        secret(JIRA, {"OKRSYNC_JIRA_TOKEN_FILE": str(file)})
    assert "OKRSYNC_JIRA_TOKEN_FILE" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_folder_both_and_a_wrong_key(tmp_path: Path) -> None:
    with pytest.raises(SecretUnusable, match="a folder"):
        secret(JIRA, {"OKRSYNC_JIRA_TOKEN_FILE": str(tmp_path)})
    with pytest.raises(SecretUnusable, match="both OKRSYNC_JIRA_TOKEN and OKRSYNC_JIRA_TOKEN_FILE"):
        secret(JIRA, {"OKRSYNC_JIRA_TOKEN_FILE": "x", "OKRSYNC_JIRA_TOKEN": "hunter2"})
    with pytest.raises(SecretUnusable, match="no private key"):
        secret(APP, {"OKRSYNC_MY_HUB_PRIVATE_KEY": "hunter2"})
    with pytest.raises(SecretUnusable, match="cannot be read"):
        secret(JIRA, {"OKRSYNC_JIRA_TOKEN_FILE": "a\0b"})
