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
    POST   /_sandbox/set         {"project": "PAY", "visible": false}: what an administrator decides, see SETTINGS;
                                 {"repo": "acme/web", "permission": "read"}, {"jira": {"index_lag": seconds}},
                                 {"github": {"granted": {"issues": "read"}}} -> {"set"}
    GET    /_sandbox/faults      [Fault]
    POST   /_sandbox/faults      a Fault (see faults.py), or {"latency": seconds}
    DELETE /_sandbox/faults      clears them all, latency too
    POST   /_sandbox/clock       {"advance": seconds}

A mistake answers 400 with {"error": "..."}.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from .faults import Fault
from .wire import answer
from .world import StoryClock, World

if TYPE_CHECKING:
    from .server import Sandbox

ACTIONS = (
    "add_label", "remove_label", "close", "reopen", "set_status", "comment", "edit_comment", "delete_comment",
    "edit_title", "edit_body", "set_field", "set_parent", "add_remote_link", "remove_remote_link", "lock_item",
    "move_issue", "transfer", "delete", "rename_repo",
)  # fmt: skip


SETTINGS: dict[str, tuple[str, ...]] = {
    "project": ("visible", "writable", "archived", "admin"),
    "repo": ("visible", "archived", "private"),
    "jira": ("bulk", "bulk_polls", "index_lag", "linking", "clearance"),
    "github": ("scopes", "granted"),
}
"""What POST /_sandbox/set may change, `permission` of a repository beside it."""
PERMISSIONS = ("admin", "maintain", "write", "triage", "read", "none")
"""What the token may do in a repository."""
_NO_SWITCH = frozenset({"bulk_polls", "index_lag", "scopes", "granted"})


def act(world: World, name: str, args: Mapping[str, Any]) -> object:
    """Somebody does something. Raises ValueError for what nobody can do, KeyError for what is not there."""
    return getattr(world, _known(name))(**args)


def _known(name: str) -> str:
    if name not in ACTIONS:
        raise ValueError(f"nobody can {name!r}; there are {', '.join(ACTIONS)}")
    return name


def set_up(world: World, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """An administrator's decision. Raises ValueError and KeyError as `act`."""
    kind = next((k for k in SETTINGS if k in wanted), None)
    if kind is None:
        raise ValueError(f"say what is meant: {', '.join(SETTINGS)}")
    whole = kind in ("jira", "github")
    more = dict(wanted[kind] if whole else {k: v for k, v in wanted.items() if k != kind})
    with world.lock:
        thing: Any = world.github if kind == "github" else world.jira
        if kind == "project":
            thing = world.jira.projects.get(wanted["project"])
            if thing is None:
                there = ", ".join(world.jira.projects)
                raise KeyError(f"no project {wanted['project']!r} in the sandbox; there are {there}")
        elif kind == "repo":
            thing = world.github.repo(wanted["repo"])
            if thing is None:
                raise KeyError(f"no repository {wanted['repo']!r} in the sandbox")
            permission = more.pop("permission", None)
            if permission not in (None, *PERMISSIONS):
                raise ValueError(f"there is no permission {permission!r}; there are {', '.join(PERMISSIONS)}")
            if permission is not None:
                thing.permissions[world.bot] = permission
        for name, value in more.items():
            if name not in SETTINGS[kind]:
                raise ValueError(f"{kind} has no {name!r}; there are {', '.join(SETTINGS[kind])}")
            if name not in _NO_SWITCH and not isinstance(value, bool):
                raise ValueError(f"{name} is true or false, not {value!r}")
            setattr(thing, name, timedelta(seconds=value) if name == "index_lag" else value)
    return {"set": dict(wanted)}


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

    def add_fault(body: Any) -> dict[str, Any]:
        if set(body) == {"latency"}:
            faults.latency = float(body["latency"])
            return {"latency": faults.latency}
        fault = msgspec.convert(body, Fault)
        if fault.kind == "act":
            _known(fault.do)
        faults.add(fault)
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
        if "advance" not in body:
            raise ValueError("say `advance`, in seconds")
        world.clock.advance(timedelta(seconds=float(body["advance"])))
        return {"now": world.clock()}

    table: list[tuple[str, str, Callable[[Any], Any]]] = [
        ("GET", "", lambda _: info()),
        ("GET", "/snapshot", lambda _: world.snapshot()),
        ("GET", "/writes", lambda _: sandbox.writes),
        ("GET", "/requests", lambda _: sandbox.requests),
        ("DELETE", "/requests", forget),
        ("GET", "/mails", lambda _: world.jira.mails + world.github.mails),
        ("POST", "/act", lambda body: {"result": act(world, body.get("do"), body.get("args", {}))}),
        ("POST", "/set", lambda body: set_up(world, body)),
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
                # a KeyError would be told in quotes
                told = error.args[0] if isinstance(error, KeyError) and error.args else error
                return answer({"error": str(told)}, 400)

        return run

    by_method: dict[str, Router] = {}
    for method, path, do in table:
        by_method.setdefault(method, Router()).routes.append(Route(f"/_sandbox{path}", endpoint(do), methods=[method]))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope = {**scope, "path": scope["path"].rstrip("/")}
        await by_method.get(scope["method"], by_method["GET"])(scope, receive, send)

    return app
