"""The one governed HTTP transport of all connectors: retries, waits, deadlines, byte caps, redirects, secrets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar, cast

import httpx
import msgspec

from okrsync import __version__
from okrsync.domain.trackers import (
    Clock,
    Forbidden,
    Meter,
    NotFound,
    NoTimeLeft,
    OutcomeUnknown,
    SignInFailed,
    SourceFailed,
    Throttled,
    WriteRefused,
)
from okrsync.logs import get_logger

from .answers import cut, one_line, phrase, rate_limited, redact, secrets_in, server_message, told_wait
from .deadlines import bound_reads
from .decoding import decode
from .governing import Governor
from .hosts import loopback_mounts, same_host, tls
from .limits import limited_scope, scopes
from .metering import UNMETERED, pacing, tell_budget
from .pacing import Pacer
from .retrying import Again, Policy

T = TypeVar("T")
LIMITED = "rate limited"
Params = Mapping[str, str | int | float | bool | None]

_log = get_logger()
_REDIRECTS = (301, 302, 307, 308)
_MOST_REDIRECTS = 5
_MOST_LIMITS = 10  # rate limits in a row on one request: a server that says "wait 0 s" for ever must not hold us
_MOST_CONFLICTS = 3
_SECONDARY_WAIT = 60.0  # GitHub asks for at least a minute where a secondary limit names no time


class Answer(Generic[T]):
    """One answer. `value` is the decoded body; None for 204, 304, an empty body, and for the statuses that the
    caller asked to see. `url` is where it came from in the end; `message` what an error body says."""

    __slots__ = ("headers", "message", "status", "url", "value")

    def __init__(self, status: int, headers: httpx.Headers, value: T, url: str, message: str = "") -> None:
        self.status = status
        self.headers = headers
        self.value = value
        self.url = url
        self.message = message


class _Request(msgspec.Struct, Generic[T], kw_only=True):
    """What stays the same over all attempts of one request; `failures` counts them by kind."""

    method: str
    url: httpx.URL
    type: type[T]
    params: Params | None
    body: bytes | None
    headers: Mapping[str, str]
    write: bool
    idempotent: bool
    statuses: Collection[int]
    doubt: Callable[[T], str | None]
    failures: dict[str, int] = msgspec.field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.method} {self.url.path}"


class Transport:
    """HTTP to one host; `request` may be called by several threads, but writes by one at a time.

    base_url         where relative paths hang; absolute URLs are taken only on its host
    source           the connector's name, for messages and logs
    authorize        yields the authorization headers, freshly for each attempt (App tokens expire)
    secret_variable  named in SignInFailed
    deadline         the moment at which the run's budget ends; no wait goes beyond it
    attempts         per request, for failures that another attempt may mend
    request_timeout  seconds for one attempt, from its first byte to the last of the answer's body
    policy           where one is shared with other requests to the same server; it has the governor's holds
    governor         where other connectors draw on the same limits
    byte_cap         bytes of one decoded body
    meter            told of each attempt, wait and budget

    The environment's HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE hold; loopback is never proxied; .netrc is never read.
    """

    def __init__(
        self,
        base_url: str,
        *,
        source: str,
        headers: Mapping[str, str],
        authorize: Callable[[], Mapping[str, str]],
        secret_variable: str,
        clock: Clock,
        sleep: Callable[[float], None],
        deadline: Callable[[], datetime],
        client: httpx.Client | None = None,
        pace_writes: Pacer | None = None,
        policy: Policy | None = None,
        governor: Governor | None = None,
        attempts: int = 5,
        request_timeout: float = 60.0,
        byte_cap: int = 64 * 2**20,
        meter: Meter = UNMETERED,
    ) -> None:
        self._base = httpx.URL(base_url.rstrip("/") + "/")
        self._source = source
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"okrsync/{__version__}",
            **headers,
        }
        self._authorize = authorize
        self._secret_variable = secret_variable
        self._secrets: frozenset[str] = frozenset()
        self._secrets_lock = threading.Lock()
        self._clock = clock
        self._deadline = deadline
        self._governor = governor = governor or Governor(self._base.host, clock=clock)
        self._policy = policy or Policy(clock=clock, sleep=sleep, deadline=deadline, meter=meter, holds=governor.holds)
        self._meter = meter
        if meter is not UNMETERED:
            governor.meters.append(meter)
        self._pacer = pace_writes
        self._points = governor.points
        self._pause = pacing(sleep, meter)
        self._attempts = attempts
        self._request_timeout = request_timeout
        self._byte_cap = byte_cap
        self._client = client or httpx.Client(verify=tls(self._base), mounts=loopback_mounts(self._base.host))
        self._until = bound_reads(self._client, clock)

    def close(self) -> None:
        self._client.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        type: type[T],  # noqa: A002  # the word msgspec.json.decode uses for it
        params: Params | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool | None = None,
        statuses: Collection[int] = (),
        write: bool | None = None,
        doubt: Callable[[T], str | None] | None = None,
    ) -> Answer[T]:
        """Sends one request, again where that may help, and decodes the answer's JSON as `type`.

        path        relative to base_url, or an absolute URL of the same host
        type        what the body must be; `NoneType` where the body does not matter
        idempotent  may be sent twice; by default everything but POST
        statuses    further statuses that are answers, not errors
        write       changes something on the server; by default everything but GET. A POST that only reads
                    (a search, GraphQL) says False: it is not paced, and a refusal is the source's failure
        doubt       why a decoded 2xx is no answer yet, None where it is one: `LIMITED` for a rate limit, else words
                    for an answer that is not whole (GraphQL says both with status 200)

        Raises, by what the server did (the meaning stands in domain.trackers):
          401 SignInFailed; 403, 451 Forbidden; 404, 410 NotFound; a rate limit that cannot be waited for Throttled;
          other 4xx WriteRefused on writes, SourceFailed on reads; a write whose answer was lost OutcomeUnknown;
          anything that stays broken over all attempts SourceFailed.
        """
        method = method.upper()
        call = _Request(
            method=method,
            url=self._url(method, path),
            type=type,
            params={k: v for k, v in params.items() if v is not None} if params else None,
            body=msgspec.json.encode(json) if json is not None else None,
            headers=headers or {},
            write=method not in ("GET", "HEAD") if write is None else write,
            idempotent=method != "POST" if idempotent is None else idempotent,
            statuses=statuses,
            doubt=doubt or (lambda _: None),
        )
        with self._governor.gate:
            return self._policy.run(
                lambda: self._attempt(call),
                call.failures,
                source=self._source,
                request=call.name,
                scopes=lambda: scopes(method, call.url.path),
            )

    def _attempt(self, call: _Request[T]) -> Answer[T]:
        url, params = call.url, call.params
        for _ in range(_MOST_REDIRECTS + 1):
            if call.write and self._pacer is not None:
                self._pacer.take(self._deadline())
            if self._points is not None:
                self._points.take(call.method, url.path, self._deadline(), self._pause)
            response, content = self._send(call, url, params)
            if response.status_code not in _REDIRECTS or response.status_code in call.statuses:
                return self._judge(call, response, content)
            self._meter.requested("redirected")
            url, params = self._redirect(call, response), None  # Location carries its own query
        raise SourceFailed(self._say(call, f"more than {_MOST_REDIRECTS} redirects"))

    def _send(self, call: _Request[T], url: httpx.URL, params: Params | None) -> tuple[httpx.Response, bytes]:
        """The answer and its whole decoded body, within the time and the bytes allowed."""
        start = self._clock()
        allowed = min(self._request_timeout, (self._deadline() - start).total_seconds())
        if allowed <= 0:
            raise NoTimeLeft(self._say(call, "not sent: the time for this run is used up; the next run goes on"))
        authorization = self._authorize()
        secrets = secrets_in(authorization)
        with self._secrets_lock:  # other requests may be on their way with an earlier token
            self._secrets |= secrets
        until = self._until.moment = start + timedelta(seconds=allowed)
        content_type = {"Content-Type": "application/json"} if call.body is not None else {}
        try:
            request = self._client.build_request(
                call.method,
                url,
                params=params,
                content=call.body,
                headers={**self._headers, **content_type, **call.headers, **authorization},
                timeout=httpx.Timeout(allowed, connect=min(10.0, allowed)),
            )
            # auth is explicit, so that nothing but `authorize` ever signs a request
            response = self._client.send(request, auth=_unsigned, stream=True, follow_redirects=False)
            try:
                content = self._read(call, response, until)
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                self._meter.requested("broken")
                hint = "the server's certificate is not trusted; SSL_CERT_FILE may name a file of authorities"
                raise SourceFailed(self._say(call, hint)) from error
            raise self._broken(call, f"no connection to {url.host} ({_name(error)})", sent=False) from error
        except (httpx.LocalProtocolError, httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
            # its text may quote a header, and with it the secret: neither told nor chained
            hint = f"cannot be sent ({type(error).__name__}); does {self._secret_variable} hold odd characters?"
            raise SourceFailed(self._say(call, hint)) from None
        except httpx.HTTPError as error:
            raise self._broken(call, f"the answer was lost ({_name(error)})") from error
        _log.debug(
            "http",
            source=self._source,
            request=call.name,
            status=response.status_code,
            bytes=len(content),
            seconds=round((self._clock() - start).total_seconds(), 3),
        )
        return response, content

    def _read(self, call: _Request[T], response: httpx.Response, until: datetime) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > self._byte_cap:
                self._meter.requested("broken")
                text = self._say(call, f"the answer is larger than {self._byte_cap} bytes")
                raise OutcomeUnknown(text) if call.write else SourceFailed(text)
            if self._clock() > until:
                raise httpx.ReadTimeout("the body did not end in time")
        return b"".join(parts)

    def _judge(self, call: _Request[T], response: httpx.Response, content: bytes) -> Answer[T]:
        status, headers, url = response.status_code, response.headers, str(response.request.url)
        tell_budget(self._governor.meters, headers)
        if 200 <= status < 300 or status == 304:
            if headers.get("x-ratelimit-remaining") == "0":
                # the last one of its window: the next would only be refused
                scope = limited_scope(call.method, call.url.path, headers)
                self._policy.hold(scope, told_wait(headers, self._clock()) or 0.0)
            value = self._decode(call, response, content)
            doubt = call.doubt(value) if value is not None else None
            if doubt is not None:
                raise self._limited(call, status, headers, "") if doubt == LIMITED else self._broken(call, doubt)
            self._meter.requested("unchanged" if status == 304 else "done")
            return Answer(status, headers, value, url)
        message = cut(redact(server_message(content), self._secrets))
        if rate_limited(status, headers, message):
            raise self._limited(call, status, headers, message)
        if status in call.statuses:
            self._meter.requested("done")
            return Answer(status, headers, _nothing(call.type), url, message)
        said = f"{status} {phrase(status)}" + (f": {message}" if message else "")
        text = self._say(call, said)
        if status >= 500 or status in (408, 425):
            raise self._broken(call, said, wait=told_wait(headers, self._clock()))
        self._meter.requested("refused")
        if status == 401:
            raise SignInFailed(f"{text}; check the secret in {self._secret_variable}")
        if status in (403, 451):
            raise Forbidden(text)
        if status in (404, 410):
            raise NotFound(text)
        refused = WriteRefused(text) if call.write else SourceFailed(text)
        if status == 409 and call.idempotent:
            raise Again(refused, most=_MOST_CONFLICTS + 1, kind="conflict")
        raise refused

    def _broken(self, call: _Request[T], what: str, *, sent: bool = True, wait: float | None = None) -> Exception:
        """The answer is lost or useless: another attempt where that does no harm."""
        self._meter.requested("broken")
        text = self._say(call, what)
        given_up = OutcomeUnknown(text) if call.write and sent else SourceFailed(text)
        if sent and not call.idempotent:
            return given_up
        return Again(given_up, wait=wait, most=self._attempts, kind="broken")

    def _limited(self, call: _Request[T], status: int, headers: httpx.Headers, message: str) -> Again:
        """A limited request was not processed: even a POST may go again."""
        self._meter.requested("limited")
        before = call.failures.get("limited", 0)
        wait = told_wait(headers, self._clock())
        told = wait is not None
        if wait is None and status != 429:
            wait = _SECONDARY_WAIT * 2**before
        elif wait is not None:
            wait = max(wait, 1.0)
        reason = one_line(headers.get("ratelimit-reason", ""))[:60]
        text = f"{status} rate limited" + (f" ({reason})" if reason else "") + (f": {message}" if message else "")
        if wait is not None:
            text += f"; waiting another {wait:.0f} s does not fit into this run, or did not help {before} times"
        scope = limited_scope(call.method, call.url.path, headers)
        error = Throttled(self._say(call, text))
        return Again(error, wait=wait, told=told, most=_MOST_LIMITS, kind="limited", scope=scope)

    def _decode(self, call: _Request[T], response: httpx.Response, content: bytes) -> T:
        if response.status_code in (204, 304) or (not content and call.type is type(None)):
            return _nothing(call.type)
        if "html" in response.headers.get("content-type", "").lower():
            what = "an HTML page instead of data (a proxy, a login or a maintenance page?)"
            raise self._broken(call, f"{response.status_code} with {what}")
        if call.type is type(None):
            return _nothing(call.type)
        try:
            return decode(content, call.type)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            what = f"{response.status_code} with a body that cannot be understood ({one_line(str(error))})"
            raise self._broken(call, what) from error

    def _url(self, method: str, path: str) -> httpx.URL:
        try:
            url = httpx.URL(path)
            if url.is_relative_url:
                return httpx.URL(str(self._base) + path.lstrip("/"))
        except httpx.InvalidURL as error:
            raise SourceFailed(f"{self._source}: {method} of an address that is none") from error
        return self._own(f"{method} {url.path}", url)

    def _redirect(self, call: _Request[T], response: httpx.Response) -> httpx.URL:
        try:
            url = response.request.url.join(response.headers.get("location", ""))
        except httpx.InvalidURL as error:
            raise SourceFailed(self._say(call, f"{response.status_code} to an address that is none")) from error
        return self._own(call.name, url)

    def _own(self, name: str, url: httpx.URL) -> httpx.URL:
        """The URL, if it lies on our host."""
        if not same_host(self._base, url):
            where = redact(one_line(f"{url.scheme}://{url.host}"), self._secrets)
            what = "credentials are never sent to a host that the configuration does not name"
            raise SourceFailed(f"{self._source}: {name}: points to {where}; {what}")
        return url

    def _say(self, call: _Request[T], what: str) -> str:
        return f"{self._source}: {redact(one_line(f'{call.name}: {what}'), self._secrets)}"


def _unsigned(request: httpx.Request) -> httpx.Request:
    return request


def _nothing(_: type[T]) -> T:
    return cast(T, None)  # documented: there is nothing to decode


def _name(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
