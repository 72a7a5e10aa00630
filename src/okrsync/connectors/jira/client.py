"""The requests okrsync makes of Jira, for Cloud (API v3) and Data Center (API v2), over the governed transport."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

import httpx
from pydantic import SecretStr

from okrsync.connectors.governing import Governor
from okrsync.connectors.metering import UNMETERED
from okrsync.connectors.parallel import in_order
from okrsync.connectors.transport import Answer, Params, Transport
from okrsync.domain.settings import JiraSettings
from okrsync.domain.trackers import Clock, Forbidden, Meter, NotFound, SignInFailed, SourceFailed

from .fields import FieldDefinition
from .payloads import Issue, Page, Person, Project, Projects, ServerInfo

T = TypeVar("T")
Names = Callable[[Mapping[str, str]], None]
FirstPage = tuple[list[Issue], str | None, int]

_PAGES = 20_000  # two million issues of one project: no list that ends is longer
_STALE_PAGES = 20  # pages in a row that bring nothing new
_REPEATED_PAGES = 2


class Secret(Protocol):
    @property
    def token(self) -> SecretStr | None: ...


def reveal(secret: Secret, settings: JiraSettings) -> str:
    """The token itself. Raises SignInFailed where there is none."""
    if secret.token is None:
        raise SignInFailed(f"{settings.name}: there is no token; set {settings.variable}_TOKEN")
    return secret.token.get_secret_value()


class TokenExpired(Exception):
    """The server no longer takes a page token: the listing has to begin again."""


class QueryRefused(Exception):
    """400 on a first page: an unknown project, a field or function that this Jira lacks, a typing error in `jql`."""


class JiraClient:
    """`version` is the API's. Raises TrackerError subclasses only (and from `pages` the two above)."""

    def __init__(
        self,
        settings: JiraSettings,
        secret: Secret,
        *,
        clock: Clock,
        sleep: Callable[[float], None],
        deadline: Callable[[], datetime],
        client: httpx.Client | None = None,
        meter: Meter = UNMETERED,
        governor: Governor | None = None,
    ) -> None:
        self.cloud = settings.cloud
        self.version = "3" if settings.cloud else "2"
        self._name = settings.name
        self._variable = f"{settings.variable}_TOKEN"
        self._nobody = (
            f"Jira takes this account for anonymous; check the {'email and the ' * (settings.email is not None)}secret "
            f"in {self._variable}"
        )
        self._clock = clock
        self._ahead = timedelta()
        self._search_by = "POST"
        email = settings.email

        def authorize() -> Mapping[str, str]:
            token = reveal(secret, settings)
            if email is None:
                return {"Authorization": f"Bearer {token}"}
            return {"Authorization": "Basic " + base64.b64encode(f"{email}:{token}".encode()).decode()}

        self._transport = Transport(
            settings.url,
            source=settings.name,
            # without it, Jira may take a write for a browser's and demand an XSRF token
            headers={"X-Atlassian-Token": "no-check"},
            authorize=authorize,
            secret_variable=self._variable,
            clock=clock,
            sleep=sleep,
            deadline=deadline,
            client=client,
            meter=meter,
            governor=governor,
        )

    def close(self) -> None:
        self._transport.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        type: type[T],  # noqa: A002  # as the transport calls it
        params: Params | None = None,
        json: Any = None,
        statuses: Collection[int] = (),
        reads: bool = False,
        idempotent: bool | None = None,
    ) -> Answer[T]:
        """`path` below `rest/api/<version>/`. `reads`: a POST that changes nothing; `idempotent`: one that may be sent
        twice."""
        answer = self._transport.request(
            method,
            f"rest/api/{self.version}/{path}",
            type=type,
            params=params,
            json=json,
            statuses=statuses,
            idempotent=True if reads else idempotent,
            write=False if reads else None,
        )
        self._note_time(answer.headers)
        if (reads or method == "GET") and _anonymous(answer.headers):
            raise SignInFailed(f"{self._name}: {self._nobody}")
        return answer

    # --- time

    def _note_time(self, headers: httpx.Headers) -> None:
        try:
            there = parsedate_to_datetime(headers.get("date", ""))
        except ValueError:
            return
        self._ahead = (there if there.tzinfo else there.replace(tzinfo=UTC)) - self._clock()

    def server_time(self, at: datetime | None = None) -> datetime:
        """Now, or a moment of our clock, by the server's clock as its last answer told it."""
        return (at or self._clock()) + self._ahead

    # --- who and what

    def myself(self) -> Person:
        """Raises SignInFailed where Jira takes us for nobody, which it may do with status 200."""
        try:
            answer = self.call("GET", "myself", type=Person)
        except (Forbidden, NotFound) as error:
            raise SignInFailed(f"{error}; check the url, the email and the secret in {self._variable}") from error
        if not (answer.value and answer.value.id):
            raise SignInFailed(f"{self._name}: {self._nobody}")
        return answer.value

    def site(self) -> str:
        """Where people browse, as the server tells it. Raises SourceFailed where it does not."""
        told = self.call("GET", "serverInfo", type=ServerInfo).value
        if not told.base_url or httpx.URL(told.base_url).scheme not in ("https", "http"):
            raise SourceFailed(f"{self._name}: Jira does not tell where people browse; give `site`")
        return told.base_url.rstrip("/")

    def field_definitions(self) -> list[FieldDefinition]:
        """Empty where this server has no such list: then fields go by their ids alone."""
        answer = self.call("GET", "field", type=list[FieldDefinition], statuses=(404,))
        if answer.status == 404:
            return []
        known = answer.value
        if not known:
            raise SourceFailed(f"{self._name}: Jira shows no fields at all, not even its own; try again later")
        return known

    def projects(self, keys: Sequence[str]) -> list[Project]:
        """Those of `keys` that exist and may be seen; all that may be seen where none is named."""
        if self.cloud and (found := self._project_search(keys)) is not None:
            return found
        if not keys:
            return self.call("GET", "project", type=list[Project]).value or []
        answers = (self.call("GET", f"project/{quote(k, safe='')}", type=Project, statuses=(403, 404)) for k in keys)
        return [answer.value for answer in answers if answer.status == 200]

    def _project_search(self, keys: Sequence[str]) -> list[Project] | None:
        """None for 404: none of a chunk of them, or a server without this search; asking for each tells which."""
        projects: list[Project] = []
        chunks = [keys[i : i + 50] for i in range(0, len(keys), 50)] or [()]  # 50 keys: the documented limit
        for chunk in chunks:
            start = 0
            while True:
                query = urlencode([("startAt", start), ("maxResults", 100), *(("keys", k) for k in chunk)])
                found = self.call("GET", f"project/search?{query}", type=Projects, statuses=(404,)).value
                if not found:
                    return None
                projects += found.values
                start += len(found.values)
                if found.is_last or not found.values or (found.total is not None and start >= found.total):
                    break
        return projects

    # --- searching

    def pages(
        self,
        jql: str,
        fields: Sequence[str],
        *,
        size: int = 100,
        after: str | None = None,
        steady: bool = False,
        names: Names | None = None,
    ) -> Iterator[tuple[list[Issue], str | None]]:
        """Pages of issues, each with what to give as `after` to go on behind it (None: it was the last). `names` is
        called with the names of the fields by id, as far as the server tells them, before the first page is yielded.

        Raises TokenExpired where the server refuses `after` or a later token, or, with `steady`, where a list got
        shorter while it was read by offsets (Data Center): something may have slid past. SourceFailed for a list
        that does not end (a repeated token, page after page without anything new). QueryRefused.
        """
        used: set[str] = set()
        known: set[int] = set()
        stale = repeated = most = 0
        for _ in range(_PAGES):
            if after is not None:
                used.add(after)
            issues, following, total = self.page(jql, fields, size, after, names=names)
            names = None
            if steady and total < most:
                raise TokenExpired("the list got shorter while it was read")
            most = total
            yield issues, following
            if following is None:
                return
            stale = 0 if _anything_new(issues, known) else stale + 1
            # asking once more for the page behind a repeated one heals a passing fault
            repeated += following in used
            if repeated > _REPEATED_PAGES or stale >= _STALE_PAGES:
                raise SourceFailed(f"{self._name}: the search does not end: Jira repeats its pages; try again later")
            after = following
        raise SourceFailed(f"{self._name}: the search does not end after {_PAGES} pages")

    def listing(
        self,
        jql: str,
        fields: Sequence[str],
        *,
        size: int = 100,
        after: str | None = None,
        first: FirstPage | None = None,
    ) -> Iterator[tuple[list[Issue], str | None]]:
        """As `pages`, in the same order, but on Data Center several at a time once the first has told how many there
        are. From a page that is not full or not new, or where the list has grown, it goes on one by one. `first` is
        the page at `after`, where it was read already."""
        if first is not None or not self.cloud:
            issues, following, total = first or self.page(jql, fields, size, after)
            yield issues, following
            step = 0 if self.cloud else len(issues)  # the server may give less than is asked for
            starts = range(int(after or 0) + step, total, step) if step else range(0)
            calls = (partial(self.page, jql, fields, step, str(start)) for start in starts)
            known: set[int] = set()
            for issues, following, _ in in_order(calls):
                yield issues, following
                if following is None or len(issues) < step or not _anything_new(issues, known):
                    break
            if following is None:
                return
            after = following
        yield from self.pages(jql, fields, size=size, after=after)

    def _search(self, path: str, body: Mapping[str, Any]) -> Answer[Page]:
        """By POST, since a long `jql` fits into no address; by GET where a server or a proxy takes only that.
        400 is a token that is too old, or a query it will not run."""
        if self._search_by == "POST":
            answer = self.call("POST", path, type=Page, json=body, reads=True, statuses=(400, 405))
            if answer.status != 405:
                return answer
            self._search_by = "GET"
        params = {**body, "fields": ",".join(body["fields"])}
        if "expand" in body:
            params["expand"] = "names"
        return self.call("GET", path, type=Page, params=params, statuses=(400,))

    def page(
        self, jql: str, fields: Sequence[str], size: int, after: str | None, *, names: Names | None = None
    ) -> FirstPage:
        """One page: its issues, what to give as `after` for the next, and how many there are in all (Data Center)."""
        body: dict[str, Any] = {"jql": jql, "fields": list(fields), "maxResults": size}
        if self.cloud:
            path = "search/jql"
            body |= {"nextPageToken": after} if after else {}
        else:
            path = "search"
            body["startAt"] = int(after or 0)
        if names is not None:
            body["expand"] = "names" if self.cloud else ["names"]
        answer = self._search(path, body)
        if answer.status == 400:
            if after:
                raise TokenExpired(answer.message)
            raise QueryRefused(f"{self._name}: Jira refuses the query {jql!r}: {answer.message}")
        page = answer.value
        if page is None:
            raise SourceFailed(f"{self._name}: Jira answers a search with {answer.status} and nothing; try again later")
        if names is not None:
            names(page.names or {})
        if self.cloud:
            if page.is_last is False and not page.next_page_token:
                raise SourceFailed(f"{self._name}: Jira says there is more, but not how to get it; try again later")
            return page.issues, None if page.is_last else page.next_page_token or None, 0
        if page.start_at is not None and page.start_at != int(after or 0):
            raise SourceFailed(f"{self._name}: Jira answers with page {page.start_at} where {after or 0} was asked for")
        end = int(after or 0) + (len(page.issues) or size)  # an empty page in the middle is stepped over
        more = bool(page.issues) if page.total is None else end < page.total
        return page.issues, str(end) if more else None, page.total or 0


def _anonymous(headers: httpx.Headers) -> bool:
    """Jira may take a wrong secret for no secret, and answer with what anybody may see."""
    reason = headers.get("x-seraph-loginreason", "")
    denied = "AUTHENTICATED_FAILED" in reason or "AUTHENTICATION_DENIED" in reason
    return denied or headers.get("x-ausername", "").casefold() == "anonymous"


def _anything_new(issues: Sequence[Issue], known: set[int]) -> bool:
    """Whether a page is none of the earlier ones again; remembers it as known, by a number: to remember each issue of
    a large site would take megabytes."""
    before = len(known)
    known.add(hash(frozenset([issue.id or issue.key for issue in issues])))
    return len(known) > before
