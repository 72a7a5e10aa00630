"""An installation of a GitHub App, through PyGithub: it mints installation tokens and names the App; no other
request is its."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import github
import requests
from github import Auth, GithubIntegration

from okrsync import __version__
from okrsync.connectors.retrying import Again, Policy
from okrsync.domain.settings import GitHubApp, GitHubSettings
from okrsync.domain.trackers import Clock, SignInFailed, SourceFailed

T = TypeVar("T")

# A page of requests may be on its way while the token runs out; installation tokens live for an hour.
_BEFORE_EXPIRY = timedelta(minutes=5)


class AppSignIn:
    """An installation of a GitHub App; its token is renewed before it expires, and once where the server refuses it
    earlier (revoked, or a clock that is wrong)."""

    app = True

    def __init__(
        self, settings: GitHubSettings, app: GitHubApp, private_key: str, *, clock: Clock, policy: Policy
    ) -> None:
        self._source = settings.name
        self._variable = f"{settings.variable}_PRIVATE_KEY"
        self._app = app
        self._clock = clock
        self._policy = policy
        self.permissions: Mapping[str, str] | None = None  # of the installation, once a token was minted
        self._token = ""
        self._expires: datetime | None = None
        self._early = False  # renewed before its end since it was refused
        self._given = threading.local()
        self._renewing = threading.Lock()
        self._github = GithubIntegration(
            auth=Auth.AppAuth(app.id, private_key),
            base_url=settings.url,
            timeout=30,
            user_agent=f"okrsync/{__version__}",
            retry=None,  # retrying is our own policy's
            seconds_between_requests=None,
            seconds_between_writes=None,
        )

    def headers(self) -> Mapping[str, str]:
        with self._renewing:  # of several requests at a time one renews it
            if self._expires is None or self._clock() >= self._expires - _BEFORE_EXPIRY:
                self._early = self._early and self._expires is None
                self._mint()
            self._given.token = self._token
            return {"Authorization": f"Bearer {self._token}"}

    def _mint(self) -> None:
        try:
            answer = self._ask("access token", lambda: self._github.get_access_token(self._app.installation))
        except SignInFailed:
            self._early = True  # another attempt would be refused too
            raise
        self._token = answer.token
        self.permissions = answer.permissions or None
        expires = answer.expires_at
        self._expires = expires if expires.tzinfo else expires.replace(tzinfo=UTC)

    def renew(self) -> bool:
        with self._renewing:
            if getattr(self._given, "token", "") == self._token:
                if self._early:
                    return False
                self._early, self._expires, self._token = True, None, ""
            return True  # also where another request has renewed it meanwhile

    def login(self) -> str:
        """The name under which the App comments."""
        return self._ask("app", lambda: f"{self._github.get_app().slug}[bot]")

    def _ask(self, what: str, call: Callable[[], T]) -> T:
        return self._policy.run(lambda: self._attempt(what, call), {}, source=self._source, request=f"PyGithub {what}")

    def _attempt(self, what: str, call: Callable[[], T]) -> T:
        where = f"{self._source}: {what} of GitHub App {self._app.id}"
        hint = f"check `app` in the connector's file, that the App is installed, and the key in {self._variable}"
        try:
            return call()
        except github.GithubException as error:
            if error.status in (401, 403, 404):
                raise SignInFailed(f"{where}: {error.status}; {hint}") from error
            failed = SourceFailed(f"{where}: {error.status}")
            if error.status >= 500 or error.status == 429:
                raise Again(failed, most=5, kind="broken") from error
            raise failed from error
        except requests.RequestException as error:
            raise Again(SourceFailed(f"{where}: {type(error).__name__}"), most=5, kind="broken") from error
        except Exception as error:  # noqa: BLE001  # the key's parser has many; its text may quote the key, so it is dropped
            raise SignInFailed(f"{where}: the key cannot be used ({type(error).__name__}); {hint}") from None
