"""What both pretended servers share: a call, a refusal, JSON answers, the table of routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from .world import World


class Refused(Exception):
    """Ends a handler with an error answer."""

    def __init__(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        self.response = answer(body, status, headers)
        super().__init__(str(status))


class BadJson(Exception):
    """The body of a call is not the JSON that was expected."""


@dataclass(slots=True)
class Call:
    """One request. `base` is the address a client calls the API by: scheme, host and prefix."""

    world: World
    method: str
    base: str
    path: str
    params: dict[str, str]
    query: QueryParams
    headers: Headers
    raw: bytes

    def json(self) -> dict[str, Any]:
        """The body as an object. Raises BadJson."""
        body = self.any_json()
        if not isinstance(body, dict):
            raise BadJson("not an object")
        return body

    def any_json(self) -> Any:
        """The body as whatever JSON it is. Raises BadJson."""
        try:
            return msgspec.json.decode(self.raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadJson(str(error)) from None

    def number(self, name: str, default: int, most: int | None = None) -> int:
        """A query parameter as a positive number, silently bounded as the real servers do."""
        text = self.query.get(name, "")
        value = int(text) if text.isdigit() else default
        return min(value, most) if most is not None else value


Handler = Callable[[Call], Response]


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON; None makes an empty body."""
    content = b"" if body is None else msgspec.json.encode(body)
    return Response(content, status, dict(headers or {}), media_type="application/json; charset=utf-8")


def http_date(moment: datetime) -> str:
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")


def make_app(
    world: World,
    routes: Sequence[tuple[str, str, Handler]],
    around: Callable[[Call, Handler], Response],
    missing: Callable[[Call], Response],
) -> ASGIApp:
    """A Starlette router over `(method, path, handler)` rows. Handlers run under the world's lock, through
    `around` (sign-in, headers, mistakes); what matches no row goes to `missing`."""

    def endpoint(handler: Handler) -> Callable[[Request], Any]:
        async def run(request: Request) -> Response:
            call = Call(
                world=world,
                method=request.method,
                base=f"{request.url.scheme}://{request.url.netloc}{request.scope.get('api_prefix', '')}",
                path=request.url.path,
                params=dict(request.path_params),
                query=request.query_params,
                headers=request.headers,
                raw=await request.body(),
            )
            with world.lock:
                try:
                    return around(call, handler)
                except Refused as refused:
                    return refused.response

        return run

    table = [Route(path, endpoint(handler), methods=[method]) for method, path, handler in routes]
    # Starlette answers a known path with a wrong method by 405; both real servers mostly say 404 to that
    rest = endpoint(missing)

    async def default(scope: Scope, receive: Receive, send: Send) -> None:
        response = await rest(Request(scope, receive))
        await response(scope, receive, send)

    by_method: dict[str, Router] = {}
    for route in table:
        for method in sorted(route.methods or ()):
            by_method.setdefault(method, Router(redirect_slashes=False, default=default)).routes.append(route)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await by_method.get(scope["method"], default)(scope, receive, send)

    return app
