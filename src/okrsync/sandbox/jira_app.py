"""The pretended Jira: sign-in, error words, and the routes of API v2 and v3."""

from __future__ import annotations

import base64
import binascii

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from . import jira_bulk, jira_read, jira_remote, jira_write
from .jira_calls import jira_error
from .jql import JqlError
from .wire import BadJson, Call, Handler, Refused, answer, http_date, make_app
from .world import World

GATEWAY = "/ex/jira/"
LOGIN_FREE = ("/serverInfo",)


def jira_app(world: World) -> ASGIApp:
    """Cloud knows versions 2 and 3, Data Center only 2 and `latest`. A Cloud site also answers where Atlassian's
    gateway has it, which takes scoped tokens as bearer tokens, too."""
    versions = ("2", "3", "latest") if world.jira.cloud else ("2", "latest")
    rows = [*jira_read.ROUTES, *jira_write.ROUTES, *jira_remote.ROUTES]
    rows += [*jira_read.CLOUD_ROUTES, *jira_bulk.CLOUD_ROUTES] if world.jira.cloud else jira_read.DC_ROUTES
    routes = [(m, f"/rest/api/{v}{path}", handler) for v in versions for m, path, handler in rows]
    direct = make_app(world, routes, _around, _missing)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        prefix = f"{GATEWAY}{world.jira.cloud_id}"
        if world.jira.cloud and scope["path"].startswith(prefix + "/"):
            scope = {**scope, "path": scope["path"].removeprefix(prefix), "api_prefix": prefix}
        await direct(scope, receive, send)

    return app


def _signed_in(call: Call) -> bool:
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    bearer = scheme.lower() == "bearer" and call.world.accepts(value)
    if not call.world.jira.cloud or (bearer and GATEWAY in call.base):
        return bearer
    try:
        email, _, token = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return scheme.lower() == "basic" and email == call.world.email and call.world.accepts(token)


def _around(call: Call, handler: Handler) -> Response:
    response = _handled(call, handler)
    now = call.world.clock()
    response.headers["Date"] = http_date(now)
    response.headers["X-AREQUESTID"] = f"{now:%H%M}x{len(call.path)}x1"
    if response.status_code != 401:
        if call.world.jira.cloud:
            response.headers["X-AACCOUNTID"] = call.world.people[call.world.bot].account_id
        else:
            response.headers["X-AUSERNAME"] = call.world.bot
    return response


def _handled(call: Call, handler: Handler) -> Response:
    if not call.path.endswith(LOGIN_FREE) and not _signed_in(call):
        tried = "authorization" in call.headers
        text = "Client must be authenticated to access this resource."
        headers = {"WWW-Authenticate": 'OAuth realm="sandbox"'}
        if tried:
            headers["X-Seraph-LoginReason"] = "AUTHENTICATED_FAILED"
        return answer({"message": text, "status-code": 401}, 401, headers)
    jira_bulk.go_on(call.world)
    try:
        return handler(call)
    except Refused as refused:
        return refused.response
    except JqlError as error:
        return answer({"errorMessages": [str(error)], "errors": {}}, 400)
    except BadJson:
        return jira_error(400, "There was an error parsing JSON. Check that your request body is valid.").response


def _missing(call: Call) -> Response:
    body = {"message": f"null for uri: {call.base}{call.path}", "status-code": 404}
    return answer(body, 404, {"Date": http_date(call.world.clock())})
