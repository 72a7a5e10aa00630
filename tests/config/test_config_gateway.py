"""Atlassian's gateway in a connector's file, and several sites behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_samples import JIRA, write

from okrsync import config
from okrsync.domain.settings import JiraSettings
from okrsync.domain.workspace import WorkspaceError

GATEWAY = "https://api.atlassian.com/ex/jira/11-aa"


def jira(root: Path, **files: str) -> list[JiraSettings]:
    made = {f"connectors/{name}.yaml": f"type: jira\nprojects: [PAY]\n{text}" for name, text in files.items()}
    workspace = config.load(write(root, {JIRA: None, **made}), env={})
    return [c for c in workspace.connectors if isinstance(c, JiraSettings)]


def test_the_gateway_is_cloud_without_an_email(tmp_path: Path) -> None:
    (one,) = jira(tmp_path, jira=f"url: {GATEWAY}/\nsite: https://acme.atlassian.net/\n")
    assert (one.cloud, one.gateway, one.url, one.site) == (True, True, GATEWAY, "https://acme.atlassian.net")


def test_sites_behind_one_gateway_are_different_places(tmp_path: Path) -> None:
    assert len(jira(tmp_path, one=f"url: {GATEWAY}\n", two="url: https://api.atlassian.com/ex/jira/22-bb\n")) == 2


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"one": f"url: {GATEWAY}\n", "two": f"url: {GATEWAY}\n"}, "sees project PAY"),
        (
            {
                "one": f"url: {GATEWAY}\nsite: https://acme.atlassian.net\n",
                "two": "url: https://acme.atlassian.net\nemail: a@b.example\n",
            },
            "sees project PAY",
        ),
        ({"one": "url: https://api.atlassian.com\n"}, "https://api.atlassian.com/ex/jira/CLOUD-ID"),
        ({"one": f"url: {GATEWAY}\nsite: {GATEWAY}\n"}, "`site` is Atlassian's gateway"),
        ({"one": f"url: {GATEWAY}\nsite: acme\n"}, "`site` is no address"),
    ],
)
def test_what_cannot_be_right(tmp_path: Path, files: dict[str, str], problem: str) -> None:
    with pytest.raises(WorkspaceError, match=problem):
        jira(tmp_path, **files)
