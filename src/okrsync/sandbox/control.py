"""The control interface: lets other processes look at the world, act as people, and set faults.

On both ports, under `/_sandbox`, JSON, without sign-in (it listens on loopback only):

    GET    /_sandbox             {"jira_url", "github_url", "email", "token", "now", "people", "cloud"}
    GET    /_sandbox/snapshot    `World.snapshot()`
    GET    /_sandbox/writes      what could alter something: [{"source", "method", "path", "at", "status", "body"}]
    GET    /_sandbox/requests    all requests: [{"source", "method", "path", "at", "status"}]
    DELETE /_sandbox/requests    forgets both lists
    GET    /_sandbox/mails       what would have been mailed: ["PAY-1 comment"]
    POST   /_sandbox/act         {"do": "add_label", "args": {"id_": "jira:PAY-1", "label": "x", "by": "lin"}}
                                 -> {"result"}; any of the actions of `World` in ACTIONS, with the same arguments
    GET    /_sandbox/faults      [Fault]
    POST   /_sandbox/faults      a Fault (see faults.py), or {"latency": seconds}
    DELETE /_sandbox/faults      clears them all, latency too
    POST   /_sandbox/clock       {"advance": seconds}

A mistake answers 400 with {"error": "..."}.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from .faults import Fault
from .wire import answer
from .world import StoryClock

if TYPE_CHECKING:
    from .server import Sandbox

ACTIONS = (
    "add_label", "remove_label", "close", "reopen", "set_status", "comment", "edit_comment", "delete_comment",
    "edit_title", "edit_body", "set_field", "set_parent", "lock_item", "move_issue", "transfer", "delete",
    "rename_repo",
)  # fmt: skip


def control_app(sandbox: Sandbox) -> ASGIApp:
    """The routes above over a running sandbox."""
    world, faults = sandbox.world, sandbox.faults

    def info() -> dict[str, Any]:
        return {
            "jira_url": sandbox.jira_url,
            "github_url": sandbox.github_url,
            "email": world.email,
            "token": world.token,
            "now": world.clock(),
            "people": sorted(world.people),
            "cloud": world.jira.cloud,
        }

    def act(body: Any) -> dict[str, Any]:
        name = body.get("do")
        if name not in ACTIONS:
            raise ValueError(f"nobody can {name!r}; there are {', '.join(ACTIONS)}")
        return {"result": getattr(world, name)(**body.get("args", {}))}

    def add_fault(body: Any) -> dict[str, Any]:
        if set(body) == {"latency"}:
            faults.latency = float(body["latency"])
            return {"latency": faults.latency}
        fault = faults.add(msgspec.convert(body, Fault))
        return {"fault": fault}

    def clear_faults(_: Any) -> dict[str, Any]:
        faults.clear()
        return {"faults": []}

    def forget(_: Any) -> dict[str, Any]:
        sandbox.forget()
        return {"requests": []}

    def turn(body: Any) -> dict[str, Any]:
        if not isinstance(world.clock, StoryClock):
            raise ValueError("the clock of this sandbox cannot be advanced")
        world.clock.advance(timedelta(seconds=float(body["advance"])))
        return {"now": world.clock()}

    table: list[tuple[str, str, Callable[[Any], Any]]] = [
        ("GET", "", lambda _: info()),
        ("GET", "/snapshot", lambda _: world.snapshot()),
        ("GET", "/writes", lambda _: sandbox.writes),
        ("GET", "/requests", lambda _: sandbox.requests),
        ("DELETE", "/requests", forget),
        ("GET", "/mails", lambda _: world.jira.mails + world.github.mails),
        ("POST", "/act", act),
        ("GET", "/faults", lambda _: faults.list()),
        ("POST", "/faults", add_fault),
        ("DELETE", "/faults", clear_faults),
        ("POST", "/clock", turn),
    ]

    def endpoint(do: Callable[[Any], Any]) -> Callable[[Request], Any]:
        async def run(request: Request) -> Response:
            try:
                raw = await request.body()
                return answer(do(msgspec.json.decode(raw) if raw else {}))
            except (
                KeyError, TypeError, ValueError, AttributeError, AssertionError, msgspec.MsgspecError, re.error
            ) as error:  # fmt: skip
                return answer({"error": str(error)}, 400)

        return run

    by_method: dict[str, Router] = {}
    for method, path, do in table:
        by_method.setdefault(method, Router()).routes.append(Route(f"/_sandbox{path}", endpoint(do), methods=[method]))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope = {**scope, "path": scope["path"].rstrip("/")}
        await by_method.get(scope["method"], by_method["GET"])(scope, receive, send)

    return app
