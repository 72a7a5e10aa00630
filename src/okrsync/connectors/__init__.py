"""Reads and writes remote systems: one folder per tracker over the one governed HTTP transport, and `connect`.

Nothing here judges work or decides what is written: trackers speak in values of `domain` and raise its errors.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol

from pydantic import SecretStr

from okrsync.domain.settings import ConnectorSettings, GitHubSettings
from okrsync.domain.trackers import Clock, Memory, Meter, Tracker

if TYPE_CHECKING:
    from .governing import Governors


class Secret(Protocol):
    """What signs a connector's requests: a token, or the private key of a GitHub App."""

    @property
    def token(self) -> SecretStr | None: ...

    @property
    def private_key(self) -> SecretStr | None: ...


def governors(*, clock: Clock) -> Governors:
    """Those of one session, for `connect`."""
    from .governing import Governors  # noqa: PLC0415  # as the SDKs: most verbs connect to nothing

    return Governors(clock=clock)


def connect(
    settings: ConnectorSettings,
    secret: Secret,
    *,
    clock: Clock,
    sleep: Callable[[float], None],
    deadline: Callable[[], datetime],
    memory: Memory | None = None,
    meter: Meter | None = None,
    governors: Governors | None = None,
) -> Tracker:
    """The tracker that a connector file describes. Sends nothing yet.

    sleep     called with seconds for every wait: pacing, backoff, rate limits
    deadline  the moment at which the run's budget for this source ends
    memory    of what concerns the next runs, too; else it is forgotten with the tracker
    meter     told of its requests; else nobody is
    governors of this session, so that connectors wait together where the server counts them together

    Raises SignInFailed where the secret is missing, naming the variable that should hold it.
    """
    governor = governors.of(settings, secret.token) if governors else None
    make: partial[GitHubTracker] | partial[JiraTracker]
    # each tracker brings its SDK, which a workspace without it need not load
    if isinstance(settings, GitHubSettings):
        from .github import GitHubTracker  # noqa: PLC0415

        make = partial(GitHubTracker, settings, secret)
    else:
        from .jira import JiraTracker  # noqa: PLC0415

        make = partial(JiraTracker, settings, secret)
    return make(clock=clock, sleep=sleep, deadline=deadline, memory=memory, meter=meter, governor=governor)
