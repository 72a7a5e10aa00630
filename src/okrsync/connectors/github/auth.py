"""Who okrsync is on GitHub: a token, or an App's installation (`app.py`, which brings PyGithub)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from okrsync.connectors import Secret
from okrsync.connectors.retrying import Policy
from okrsync.domain.settings import GitHubSettings
from okrsync.domain.trackers import Clock, SignInFailed


class SignIn(Protocol):
    """`app` tells an App from a token. `permissions`: what the App's installation was granted, `issues: write`; None
    for tokens, and where it is not told."""

    @property
    def app(self) -> bool: ...

    @property
    def permissions(self) -> Mapping[str, str] | None: ...

    def headers(self) -> Mapping[str, str]:
        """The authorization headers, valid now."""
        ...

    def renew(self) -> bool:
        """The server refused what `headers` last gave to this thread; whether there is something new to show it."""
        ...

    def login(self) -> str | None:
        """The name under which we comment; None where `GET /user` tells it."""
        ...


class TokenSignIn:
    """A personal access token or any other bearer token."""

    app = False
    permissions = None

    def __init__(self, token: str) -> None:
        self._token = token

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        return False

    def login(self) -> str | None:
        return None


def sign_in(settings: GitHubSettings, secret: Secret, *, clock: Clock, policy: Policy) -> SignIn:
    """Raises SignInFailed where the secret that the settings ask for is missing."""
    held = secret.private_key if settings.app else secret.token
    value = held.get_secret_value().strip() if held else ""
    if not value:
        variable = secret_variable(settings)
        raise SignInFailed(f"{settings.name}: no secret; set {variable} or {variable}_FILE")
    if settings.app:
        from .app import AppSignIn  # noqa: PLC0415  # PyGithub is a quarter of the start-up time; tokens need none of it

        return AppSignIn(settings, settings.app, value, clock=clock, policy=policy)
    return TokenSignIn(value)


def secret_variable(settings: GitHubSettings) -> str:
    return settings.variable + ("_PRIVATE_KEY" if settings.app else "_TOKEN")
