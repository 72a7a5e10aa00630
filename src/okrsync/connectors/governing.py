"""One governor for each server and identity: what the server counts together waits together, however many connectors
ask."""

from __future__ import annotations

import secrets
import threading
from hashlib import blake2b

import httpx
from pydantic import SecretStr

from okrsync.domain.settings import ConnectorSettings, GitHubSettings, JiraSettings
from okrsync.domain.trackers import Clock, Meter

from .limits import Holds, Points, counts_points
from .pacing import Writes
from .parallel import AT_A_TIME


class Governor:
    """What one server grants one identity, for all threads and connectors that draw on it.

    holds   what the server told to wait, and until when
    points  GitHub's by the minute; None where the server counts none
    gate    how many requests may be under way at a time
    writes  content writes of the last minute and hour
    meters  of everybody who draws on it: a rate budget is told to all
    """

    def __init__(self, host: str, *, clock: Clock) -> None:
        self.holds = Holds(clock)
        self.points = Points(clock) if counts_points(host) else None
        self.gate = threading.BoundedSemaphore(AT_A_TIME)
        self.writes = Writes()
        self.meters: list[Meter] = []


class Governors:
    """Those of one session. Two connectors share one where they talk to the same address as the same account: by the
    same token (on Jira with the same e-mail), or by the same installation of a GitHub App, which GitHub limits by
    itself. Whose token it is nobody asks: two tokens of one person count as two.

    Secrets are known only as digests under a key of this process.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._known: dict[tuple[str, str], Governor] = {}

    def of(self, settings: ConnectorSettings, token: SecretStr | None) -> Governor:
        url = httpx.URL(settings.url.rstrip("/"))
        known = (str(url), self._identity(settings, token))
        if known not in self._known:
            self._known[known] = Governor(url.host, clock=self._clock)
        return self._known[known]

    def _identity(self, settings: ConnectorSettings, token: SecretStr | None) -> str:
        if isinstance(settings, GitHubSettings) and settings.app is not None:
            return f"installation {settings.app.installation} of App {settings.app.id}"
        email = (settings.email or "").casefold() if isinstance(settings, JiraSettings) else ""
        held = token.get_secret_value() if token is not None else ""
        return blake2b(f"{email}\n{held}".encode(), key=self._key).hexdigest()
