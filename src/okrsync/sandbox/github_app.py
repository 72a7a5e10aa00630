"""The pretended GitHub: sign-in, quota headers, and the routes of the REST API and GraphQL."""

from __future__ import annotations

import base64
import binascii
import re

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from . import github_installation, github_read, github_write
from .github_calls import DOCS, github_error
from .graphql_api import graphql
from .wire import BadJson, Call, Handler, Refused, answer, http_date, make_app
from .world import World

ENTERPRISE = "/api"  # Enterprise Server serves REST under /api/v3 and GraphQL under /api/graphql


def github_app(world: World) -> ASGIApp:
    """Serves `/...` as api.github.com does, and `/api/v3/...` as Enterprise Server does."""
    rows = [*github_read.REPO_ROUTES, *github_write.REPO_ROUTES]
    homes = ("/repos/{owner}/{repo}", "/repositories/{rid}")
    routes = [(m, home + path, handler) for home in homes for m, path, handler in rows]
    routes += [*github_read.ROUTES, *github_installation.ROUTES, ("POST", "/graphql", graphql)]
    inner = make_app(world, routes, _around, _missing)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        for prefix in (f"{ENTERPRISE}/v3", ENTERPRISE):
            if path.startswith(f"{prefix}/"):
                scope = {**scope, "path": path.removeprefix(prefix), "api_prefix": prefix}
                break
        await inner(scope, receive, send)

    return app


def _token(call: Call) -> str | None:
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() in ("bearer", "token"):
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return None


def _around(call: Call, handler: Handler) -> Response:
    response = _handled(call, handler)
    now = call.world.clock()
    resource = "graphql" if call.path == "/graphql" else "search" if call.path.startswith("/search") else "core"
    limit = 30 if resource == "search" else 5000
    response.headers.update(
        {
            "Date": http_date(now),
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Request-Id": f"{now:%H%M%S}:{len(call.path):04X}:1",
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(limit - 1),
            "X-RateLimit-Used": "1",
            "X-RateLimit-Reset": str(int(now.timestamp()) + 3600),
            "X-RateLimit-Resource": resource,
        }
    )
    if call.world.github.scopes is not None:
        response.headers["X-OAuth-Scopes"] = call.world.github.scopes
    return response


def _check_granted(call: Call) -> None:
    """Before anything else is looked at, as GitHub does: also before what is wrong with a body."""
    granted = call.world.github.granted
    if granted is None or not re.search(r"/(issues|pulls|labels)\b", call.path):
        return
    level = {granted.get("issues"), granted.get("pull_requests")}
    enough = {"write", "admin"} if call.method not in ("GET", "HEAD") else {"read", "write", "admin"}
    if not level & enough:
        raise github_error(403, "Resource not accessible by personal access token")


def _handled(call: Call, handler: Handler) -> Response:
    token = _token(call)
    installation = call.world.github.installation
    try:
        if token is None and call.path != "/meta":
            raise github_error(401, "Requires authentication")
        if call.path == "/app" or call.path.startswith("/app/"):
            github_installation.check_key(installation, token or "")
        elif installation is not None and token in installation.tokens:
            installation.check(call, token)
        elif token is not None and not call.world.accepts(token):
            raise github_error(401, "Bad credentials")
        else:
            _check_granted(call)
        return handler(call)
    except Refused as refused:
        return refused.response
    except BadJson:
        return github_error(400, "Problems parsing JSON").response


def _missing(call: Call) -> Response:
    body = {"message": "Not Found", "documentation_url": DOCS, "status": "404"}
    return answer(body, 404, {"Date": http_date(call.world.clock())})
