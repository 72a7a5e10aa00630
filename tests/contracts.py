"""Checks every request that a test sends against the vendors' published contracts.

`Checked` wraps any httpx transport: it refuses (ContractBroken) a request whose path, method, query parameters or
JSON body the contract does not know, and GraphQL documents that the official schema rejects. Where the contracts are
absent (`OKRSYNC_SHARED`, else `../shared`) nothing is checked.

    client = httpx.Client(transport=Checked(httpx.MockTransport(handler), github_contract()))
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import graphql
import httpx
import jsonschema

SHARED = Path(os.environ.get("OKRSYNC_SHARED") or Path(__file__).parents[2] / "shared")


class ContractBroken(AssertionError):
    """The request is not one that the vendor's contract allows."""


class Contract:
    """`prefixes` may stand before a path (Enterprise Server, a context path); `rewrites` turn patterns of paths
    into the spelling of the contract; `cursors` are query parameters that only the server's own links carry."""

    def __init__(
        self,
        paths: dict[str, Any],
        *,
        prefixes: Iterable[str] = ("",),
        rewrites: dict[str, str] | None = None,
        cursors: Iterable[str] = (),
        schema: graphql.GraphQLSchema | None = None,
    ) -> None:
        self._routes = [(_pattern(path), path, operations) for path, operations in paths.items()]
        self._routes.sort(key=lambda r: r[1].count("{"))  # /issues/comments before /issues/{issue_number}
        self._prefixes = tuple(prefixes)
        self._rewrites = rewrites or {}
        self._cursors = frozenset(cursors)
        self._schema = schema

    def check(self, request: httpx.Request) -> None:
        """Raises ContractBroken."""
        path = request.url.raw_path.decode().partition("?")[0]
        if self._schema is not None and re.fullmatch(r"(/api)?/graphql", path):
            self._check_graphql(request)
            return
        for old, new in self._rewrites.items():
            path = re.sub(old, new, path, count=1)
        for prefix in self._prefixes:
            for pattern, name, operations in self._routes:
                if path.startswith(prefix) and pattern.fullmatch(path[len(prefix) :]):
                    operation = operations.get(request.method.lower())
                    if operation is not None:
                        self._check_operation(request, name, operation)
                        return
        raise ContractBroken(f"{request.method} {path} is not in the contract")

    def _check_operation(self, request: httpx.Request, name: str, operation: dict[str, Any]) -> None:
        where = f"{request.method} {name}"
        known = {p["name"]: p for p in operation.get("parameters", []) if p["in"] == "query"}
        given = dict(parse_qsl(request.url.query.decode(), keep_blank_values=True))
        for key, value in given.items():
            if key in self._cursors:
                continue
            if key not in known:
                raise ContractBroken(f"{where}: no query parameter {key!r}")
            _validate(_typed(value, known[key].get("schema", {})), known[key].get("schema", {}), f"{where} {key}")
        for key, parameter in known.items():
            if parameter.get("required") and key not in given:
                raise ContractBroken(f"{where}: query parameter {key!r} is missing")
        body, content = operation.get("requestBody"), request.content
        if not content:
            if body and body.get("required"):
                raise ContractBroken(f"{where}: a body is required")
            return
        if not body:
            raise ContractBroken(f"{where}: takes no body")
        value, schema = json.loads(content), body.get("schema", {})
        _validate(value, schema, where)
        properties = schema.get("properties")
        if properties and isinstance(value, dict) and schema.get("additionalProperties") in (None, False):
            unknown = value.keys() - properties.keys()
            if unknown:
                raise ContractBroken(f"{where}: no body key {sorted(unknown)}")

    def _check_graphql(self, request: httpx.Request) -> None:
        assert self._schema is not None
        payload = json.loads(request.content)
        document = graphql.parse(payload["query"])
        errors = graphql.validate(self._schema, document)
        if errors:
            raise ContractBroken("; ".join(e.message for e in errors))
        for definition in document.definitions:
            if isinstance(definition, graphql.OperationDefinitionNode):
                values = graphql.execution.get_variable_values(
                    self._schema, definition.variable_definitions or (), payload.get("variables") or {}
                )
                problems = getattr(values, "errors", None) or (values if isinstance(values, list) else None)
                if problems:
                    raise ContractBroken("; ".join(str(p) for p in problems))


class Checked(httpx.BaseTransport):
    """Checks each request, remembers it in `requests`, and hands it on."""

    def __init__(self, inner: httpx.BaseTransport, contract: Contract | None) -> None:
        self._inner = inner
        self._contract = contract
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        if self._contract is not None:
            self._contract.check(request)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()

    @property
    def lines(self) -> list[str]:
        """`GET /repos/acme/web/issues?page=2`, in the order sent."""
        return [f"{r.method} {r.url.raw_path.decode()}" for r in self.requests]


@functools.cache
def github_contract() -> Contract | None:
    """None where the contracts are absent."""
    folder = SHARED / "contracts"
    if not folder.is_dir():
        return None
    source = "\n".join((folder / f).read_text() for f in ("github-schema.graphql", "github-schema-extra.graphql"))
    paths = json.loads((folder / "github-rest-subset.json").read_text())["paths"]
    return Contract(
        paths,
        prefixes=("", "/api/v3"),
        rewrites={r"/repositories/\d+": "/repos/owner/name"},  # where redirects point
        cursors=("after", "before"),
        schema=graphql.build_schema(source, assume_valid=True),
    )


@functools.cache
def jira_contract() -> Contract | None:
    """None where the contracts are absent. Data Center's v2 paths take the same parameters."""
    folder = SHARED / "contracts"
    if not folder.is_dir():
        return None
    paths = json.loads((folder / "jira-v3-subset.json").read_text())["paths"]
    return Contract(
        paths,
        prefixes=("", "/jira", "/ex/jira/5f0e9d3c-0000-4000-8000-0c0ffee0ac3e"),
        rewrites={"/rest/api/2/": "/rest/api/3/"},
    )


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", path)
    return re.compile("".join("[^/]+" if p.startswith("{") else re.escape(p) for p in parts))


def _typed(text: str, schema: dict[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind == "array":
        return [_typed(t, schema.get("items", {})) for t in text.split(",")]
    return text


def _validate(value: Any, schema: dict[str, Any], where: str) -> None:
    try:
        jsonschema.validate(value, _json_schema(schema))
    except jsonschema.ValidationError as error:
        raise ContractBroken(f"{where}: {error.message}") from None


def _json_schema(schema: Any) -> Any:
    """OpenAPI 3.0 spells `null` as `nullable`, and `example` is no keyword of JSON Schema."""
    if isinstance(schema, list):
        return [_json_schema(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {k: _json_schema(v) for k, v in schema.items() if k != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain
