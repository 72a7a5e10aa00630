"""`write` of a connector: one answer for planning and for the trackers."""

from __future__ import annotations

import pytest

from okrsync.domain.settings import GitHubSettings


@pytest.mark.parametrize(
    ("write", "repo", "may"),
    [
        (True, "acme/web", True),
        (False, "acme/web", False),
        (("acme/web",), "acme/Web", True),
        (("acme/*",), "other/web", False),
        (("web-*",), "acme/web-shop", True),
        (("web-*",), "acme/shop", False),
    ],
)
def test_globs_with_and_without_an_owner(write: bool | tuple[str, ...], repo: str, may: bool) -> None:
    settings = GitHubSettings(name="github", url="https://api.github.com", type="github", repos=("*/*",), write=write)
    assert settings.may_write(repo) is may
