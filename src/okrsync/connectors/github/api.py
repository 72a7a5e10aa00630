"""GitHub's REST and GraphQL surface as a few typed calls over the transport."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import chain
from typing import Any, Generic, TypeVar

import httpx
from msgspec import Struct

from okrsync.connectors import Secret
from okrsync.connectors.governing import Governor
from okrsync.connectors.metering import UNMETERED, pacing
from okrsync.connectors.pacing import Pacer
from okrsync.connectors.parallel import in_order
from okrsync.connectors.retrying import Policy
from okrsync.connectors.transport import LIMITED, Answer, Params, Transport
from okrsync.domain.settings import GitHubSettings
from okrsync.domain.trackers import Clock, Forbidden, Memory, Meter, SignInFailed, SourceFailed

from .auth import secret_variable, sign_in
from .payloads import User

T = TypeVar("T")

PAGE = 100
_MOST_STALE_PAGES = 3
_DEEPEST = 99  # of 100 items: GitHub answers 422 to page numbers that reach 10,000 items; links go on with cursors


class Page(Struct, Generic[T]):
    """`next` is the absolute URL of the page after this one, None at the end; `last` the number of the last page,
    where the server tells it; `numbered`: asked for by its number, so that it shifts when items before it leave;
    `date`: when, by the server's clock."""

    items: list[T]
    next: str | None
    last: int = 1
    numbered: bool = False
    etag: str = ""
    date: datetime | None = None


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
    """`date`: when, by the server's clock."""

    data: dict[str, Any] | None = None
    errors: list[GraphError] | None = None
    date: datetime | None = None


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
        memory: Memory | None = None,
        meter: Meter = UNMETERED,
        governor: Governor | None = None,
    ) -> None:
        governor = governor or Governor(httpx.URL(settings.url).host, clock=clock)
        policy = Policy(clock=clock, sleep=sleep, deadline=deadline, meter=meter, holds=governor.holds)
        self._signed = sign_in(settings, secret, clock=clock, policy=policy)
        self.source = settings.name
        self.url = settings.url.rstrip("/")
        self.fields = ""  # what queries ask of the fields of projects, where some are configured
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
            policy=policy,
            governor=governor,
            meter=meter,
            pace_writes=Pacer(
                per_minute=settings.writes_per_minute,
                per_hour=settings.writes_per_hour,
                clock=clock,
                sleep=pacing(sleep, meter),
                memory=memory,
                writes=governor.writes,
            ),
        )
        self.close = self._transport.close

    @property
    def is_app(self) -> bool:
        return self._signed.app

    @property
    def granted(self) -> Mapping[str, str] | None:
        """What an App's installation may do, `issues: write`; None for tokens, and where it is not told."""
        return self._signed.permissions

    def request(self, method: str, path: str, *, type: type[T], **how: Any) -> Answer[T]:  # noqa: A002  # as there
        """As the transport's; a token that is refused is renewed once, where it can be."""
        try:
            return self._transport.request(method, path, type=type, **how)
        except SignInFailed:
            if not self._signed.renew():
                raise
            return self._transport.request(method, path, type=type, **how)  # a refused request did nothing

    def get(self, path: str, type_: type[T], params: Params | None = None) -> T:
        return self.request("GET", path, type=type_, params=params).value

    def login(self) -> str:
        """Our own login, asked once."""
        if self._login is None:
            self._login = self._signed.login() or self._token_login()
        return self._login

    def _token_login(self) -> str:
        try:
            answer: Answer[User] = self.request("GET", "/user", type=User)
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

    def page(
        self, url: str, type_: type[T], params: Params | None = None, *, etag: str = "", statuses: Collection[int] = ()
    ) -> Page[T] | None:
        """One page of a listing; None where it has not changed since `etag`, and for the `statuses`."""
        asked = None if url.startswith("http") else {"per_page": PAGE, **(params or {})}
        headers = {"If-None-Match": etag} if etag else None
        answer = self.request(
            "GET",
            url,
            type=list[type_],  # type: ignore[valid-type]  # made at run time
            params=asked,
            headers=headers,
            statuses=statuses,
        )
        items: list[T] | None = answer.value
        if items is None:
            return None
        query = httpx.URL(url).params if asked is None else asked
        last = httpx.URL(link(answer.headers, "last") or "").params.get("page", "")
        return Page(
            items,
            link(answer.headers, "next"),
            last=int(last) if last.isdecimal() else 1,
            numbered="page" in query and "after" not in query,
            etag=answer.headers.get("etag", ""),
            date=_date(answer.headers),
        )

    def pages(self, path: str, type_: type[T], params: Params | None = None) -> Iterator[Page[T]]:
        """All pages of a listing, by following `Link: rel=next`, be it by number or by cursor. `path` may be the URL
        of a page to go on from. Raises SourceFailed where the links run in a circle."""
        return self._moving(path, self._linked(path, type_, params))

    def numbered(self, first: Page[T], path: str, type_: type[T], params: Params) -> Iterator[Page[T]]:
        """As `pages`, but after `first` several at a time by their numbers, as far as the server takes numbers. An item
        that leaves the listing meanwhile may hide another: the caller has to look."""
        return self._moving(path, self._by_number(first, path, type_, params))

    def linked(self, first: Page[T], type_: type[T]) -> Iterator[Page[T]]:
        """As `pages`, where the first one is there already."""
        return self._moving(first.next or "", chain([first], self._linked(first.next, type_)))

    def _linked(self, url: str | None, type_: type[T], params: Params | None = None) -> Iterator[Page[T]]:
        while url is not None:
            page = self.page(url, type_, params)
            if page is None:
                return
            yield page
            url = page.next

    def _by_number(self, first: Page[T], path: str, type_: type[T], params: Params) -> Iterator[Page[T]]:
        before = first
        yield first
        numbers = range(2, min(first.last, _DEEPEST) + 1)
        asks = (partial(self.page, path, type_, {**params, "page": n}, statuses=(422,)) for n in numbers)
        for page in in_order(asks):
            if page is None:
                break
            before = page
            yield page
        yield from self._linked(before.next, type_)

    def _moving(self, path: str, pages: Iterator[Page[T]]) -> Iterator[Page[T]]:
        seen: set[str] = set()
        before: list[T] | None = None
        stale = 0
        for page in pages:
            stale = stale + 1 if page.items and page.items == before else 0
            if page.next in seen or stale >= _MOST_STALE_PAGES:
                raise SourceFailed(f"{self.source}: GET {httpx.URL(path).path}: its pages run in a circle")
            if page.next is not None:
                seen.add(page.next)
            before = page.items
            yield page

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

        answer = self.request(
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
        if graph is None or graph.data is None:
            return None
        graph.date = _date(answer.headers)
        return graph

    @property
    def _graphql_url(self) -> str:
        """https://api.github.com/graphql, but https://host/api/graphql beside https://host/api/v3."""
        return re.sub(r"/api/v3$", "/api", self.url) + "/graphql"


def _date(headers: httpx.Headers) -> datetime | None:
    try:
        found = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def link(headers: httpx.Headers, rel: str) -> str | None:
    """The URL with this relation in a Link header."""
    for part in re.findall(r"<([^>]*)>\s*((?:;[^,<]*)*)", headers.get("link", "")):
        if re.search(rf'rel="?{rel}"?', part[1]):
            return str(part[0])
    return None
