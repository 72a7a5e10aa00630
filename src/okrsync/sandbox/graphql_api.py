"""POST /graphql of the pretended GitHub: the own small schema, executed by graphql-core.

Errors come as GitHub gives them: HTTP 200, `errors` with a `type`, `data` null where all is lost.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLFormattedError,
    GraphQLSchema,
    build_schema,
    execute_sync,
    parse,
    validate,
)
from starlette.responses import Response

from .github_calls import z
from .graphql_nodes import Nodes, NotResolved
from .wire import Call, answer

MOST_NODES = 100


@cache
def schema() -> GraphQLSchema:
    return build_schema(files(__package__).joinpath("github.graphql").read_text("utf-8"))


@cache
def _document(query: str) -> DocumentNode | str:
    """Parsed and found valid, or GitHub's words for what is wrong."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return f"Parse error: {error.message}"
    problems = validate(schema(), document)
    return problems[0].message if problems else document


class Root:
    """The fields of `Query`."""

    def __init__(self, call: Call) -> None:
        self.call, self.nodes_ = call, Nodes(call)

    def node(self, _info: Any, **args: Any) -> Any:
        found = self.nodes_.by_id(args["id"])
        if found is None:
            raise NotResolved(f"Could not resolve to a node with the global id of '{args['id']}'")
        return found

    def nodes(self, _info: Any, **args: Any) -> list[Any]:
        ids = args["ids"]
        if len(ids) > MOST_NODES:
            text = f"You may not provide more than {MOST_NODES} node ids; you provided {len(ids)}."
            raise NotResolved(text, "ARGUMENT_LIMIT")
        return [
            self.nodes_.by_id(i) or NotResolved(f"Could not resolve to a node with the global id of '{i}'") for i in ids
        ]

    def repository(self, _info: Any, **args: Any) -> Any:
        name = f"{args['owner']}/{args['name']}"
        repo = self.call.world.github.repo(name)
        if repo is None or not repo.visible:
            raise NotResolved(f"Could not resolve to a Repository with the name '{name}'.")
        return self.nodes_.repository(repo)

    def repositoryOwner(self, _info: Any, **args: Any) -> Any:  # noqa: N802  # the schema's name
        return self.nodes_.owner(args["login"])

    def rateLimit(self, _info: Any, **_args: Any) -> dict[str, Any]:  # noqa: N802  # the schema's name
        now = self.call.world.clock()
        reset = z(now.replace(minute=0, second=0))
        return {"cost": 1, "limit": 5000, "nodeCount": 1, "remaining": 4999, "resetAt": reset, "used": 1}

    def viewer(self, _info: Any) -> Any:
        return self.nodes_.actor(self.call.world.bot)


def graphql(call: Call) -> Response:
    body = call.json()
    query = body.get("query")
    if not isinstance(query, str) or not query.strip():
        return _errors("A query attribute must be specified and must be a string.")
    document = _document(query)
    if isinstance(document, str):
        return _errors(document)
    result = execute_sync(
        schema(),
        document,
        root_value=Root(call),
        variable_values=body.get("variables") or {},
        operation_name=body.get("operationName"),
    )
    reply: dict[str, Any] = {"data": result.data}
    if result.errors:
        reply["errors"] = [_worded(e) for e in result.errors]
    return answer(reply)


def _errors(message: str) -> Response:
    return answer({"errors": [{"message": message}]})


def _worded(error: GraphQLError) -> dict[str, Any]:
    shown: dict[str, Any] = {**_plain(error.formatted)}
    if isinstance(error.original_error, NotResolved):
        shown["type"] = error.original_error.type
    return shown


def _plain(formatted: GraphQLFormattedError) -> dict[str, Any]:
    return {k: v for k, v in formatted.items() if k in ("message", "path", "locations")}
