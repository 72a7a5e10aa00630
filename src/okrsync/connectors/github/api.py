"""GitHub's REST and GraphQL surface as a few typed calls over the transport."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

import httpx
from msgspec import Struct

from okrsync.connectors import Secret
from okrsync.connectors.pacing import Pacer
from okrsync.connectors.retrying import Policy
from okrsync.connectors.transport import LIMITED, Answer, Params, Transport
from okrsync.domain.settings import GitHubSettings
from okrsync.domain.trackers import Clock, Forbidden, SourceFailed

from .auth import AppSignIn, secret_variable, sign_in
from .payloads import User

T = TypeVar("T")

_PAGE = 100
_MOST_STALE_PAGES = 3


class Page(Struct, Generic[T]):
    """`next` is the absolute URL of the page after this one, None at the end."""

    items: list[T]
    next: str | None


class GraphError(Struct):
    message: str = ""
    type: str = ""
    path: list[str | int] | None = None
    extensions: dict[str, Any] | None = None

    @property
    def unknown_field(self) -> bool:
        """The server is older than the query."""
        return (self.extensions or {}).get("code") == "undefinedField"


class Graph(Struct):
    data: dict[str, Any] | None = None
    errors: list[GraphError] | None = None


class Api:
    """Requests to one GitHub server, signed, paced and governed."""

    def __init__(
        self,
        settings: GitHubSettings,
        secret: Secret,
        *,
        clock: Clock,
        sleep: Callable[[float], None],
        deadline: Callable[[], datetime],
        client: httpx.Client | None,
    ) -> None:
        policy = Policy(clock=clock, sleep=sleep, deadline=deadline)
        self._signed = sign_in(settings, secret, clock=clock, policy=policy)
        self.source = settings.name
        self.url = settings.url.rstrip("/")
        self._login: str | None = None
        self.scopes: frozenset[str] | None = None  # of a classic token, once `login` has been asked
        self._transport = Transport(
            settings.url,
            source=settings.name,
            headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
            authorize=self._signed.headers,
            secret_variable=secret_variable(settings),
            clock=clock,
            sleep=sleep,
            deadline=deadline,
            client=client,
            pace_writes=Pacer(
                per_minute=settings.writes_per_minute, per_hour=settings.writes_per_hour, clock=clock, sleep=sleep
            ),
        )
        self.request = self._transport.request
        self.close = self._transport.close

    @property
    def is_app(self) -> bool:
        return isinstance(self._signed, AppSignIn)

    def get(self, path: str, type_: type[T], params: Params | None = None) -> T:
        return self._transport.request("GET", path, type=type_, params=params).value

    def login(self) -> str:
        """Our own login, asked once."""
        if self._login is None:
            self._login = self._signed.login() if isinstance(self._signed, AppSignIn) else self._token_login()
        return self._login

    def _token_login(self) -> str:
        try:
            answer: Answer[User] = self._transport.request("GET", "/user", type=User)
        except Forbidden:
            # an installation's token, such as that of GitHub Actions, may ask only GraphQL who it is
            graph = self.graphql("query { viewer { login } }", {})
            viewer = (graph.data or {}).get("viewer") if graph else None
            if not viewer:
                raise
            return str(viewer["login"])
        scopes = answer.headers.get("x-oauth-scopes")
        if scopes is not None:
            self.scopes = frozenset(s.strip() for s in scopes.split(",") if s.strip())
        return answer.value.login

    def pages(self, path: str, type_: type[T], params: Params | None = None) -> Iterator[Page[T]]:
        """All pages of a listing, by following `Link: rel=next`, be it by number or by cursor. `path` may be the URL
        of a page to go on from. Raises SourceFailed where the links run in a circle."""
        url: str | None = path
        seen: set[str] = set()
        before: list[T] | None = None
        stale = 0
        while url is not None:
            asked = {"per_page": _PAGE, **(params or {})} if url == path and not path.startswith("http") else None
            answer = self._transport.request("GET", url, type=list[type_], params=asked)  # type: ignore[valid-type]  # made at run time
            items: list[T] = answer.value
            url = next_link(answer.headers)
            stale = stale + 1 if items and items == before else 0
            if (url is not None and url in seen) or stale >= _MOST_STALE_PAGES:
                raise SourceFailed(f"{self.source}: GET {httpx.URL(path).path}: its pages run in a circle")
            if url is not None:
                seen.add(url)
            before = items
            yield Page(items, url)

    def all(self, path: str, type_: type[T], params: Params | None = None) -> Iterator[T]:
        for page in self.pages(path, type_, params):
            yield from page.items

    def graphql(
        self, query: str, variables: Mapping[str, Any], tolerated: Callable[[GraphError], bool] = lambda _: False
    ) -> Graph | None:
        """One GraphQL query; None where the server has no GraphQL, or an older one. Errors that are not `tolerated`
        make the answer
        partial, and partial data is never taken for whole: it is asked again, then SourceFailed."""

        def doubt(graph: Graph) -> str | None:
            grave = [e for e in graph.errors or [] if not (tolerated(e) or e.unknown_field)]
            if any(e.type == "RATE_LIMITED" for e in grave):
                return LIMITED
            return f"GraphQL: {grave[0].message or grave[0].type}" if grave else None

        answer = self._transport.request(
            "POST",
            self._graphql_url,
            type=Graph,
            json={"query": query, "variables": variables},
            idempotent=True,
            write=False,
            statuses=(404, 405, 410, 501),
            doubt=doubt,
        )
        graph: Graph | None = answer.value
        return graph if graph is not None and graph.data is not None else None

    @property
    def _graphql_url(self) -> str:
        """https://api.github.com/graphql, but https://host/api/graphql beside https://host/api/v3."""
        return re.sub(r"/api/v3$", "/api", self.url) + "/graphql"


def next_link(headers: httpx.Headers) -> str | None:
    """The URL with rel=next in a Link header."""
    for part in re.findall(r"<([^>]*)>\s*((?:;[^,<]*)*)", headers.get("link", "")):
        if re.search(r'rel="?next"?', part[1]):
            return str(part[0])
    return None
