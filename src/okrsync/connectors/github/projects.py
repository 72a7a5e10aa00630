"""Fields of GitHub Projects as OKR, estimate and team: how queries ask for them, and when they changed.

A value set in a project moves the `updatedAt` of the project's item, not that of its issue, and the items of a project
can be ordered by position alone. So each run lists the items of the open projects that have such a field (a request for
a hundred), and items whose entry is newer than the newest one known are fetched. An item taken out of a project leaves
no such trace: the run of the daily key sweep reads everything anew where fields are configured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct

from okrsync.connectors.decoding import convert
from okrsync.connectors.parallel import in_order
from okrsync.domain.settings import ProjectFields
from okrsync.domain.trackers import SourceFailed

from .api import Api, Graph, GraphError

_SETTLED = timedelta(seconds=10)  # younger than this, an entry may change again and show the same time
_READ = ("TEXT", "SINGLE_SELECT", "ITERATION", "NUMBER")
_CONTENT = "number repository { nameWithOwner }"
_PROJECTS = """
query($owner: String!, $after: String) {{ repositoryOwner(login: $owner) {{ ... on ProjectV2Owner {{
  projectsV2(first: 50, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ id title closed {fields} }} }}
}} }} }}
"""
_ITEMS = f"""
query($project: ID!, $after: String) {{ node(id: $project) {{ ... on ProjectV2 {{
  items(first: 100, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ updatedAt content {{
    ... on Issue {{ {_CONTENT} }} ... on PullRequest {{ {_CONTENT} }}
  }} }} }}
}} }} }}
"""


class _RepoName(Struct, rename="camel"):
    name_with_owner: str = ""


class _Content(Struct):
    number: int = 0
    repository: _RepoName | None = None


class _Entry(Struct, rename="camel"):
    updated_at: datetime
    content: _Content | None = None


class Changes(Struct, frozen=True, kw_only=True):
    """`entries`: repository (without case) -> number -> when its newest project item changed; `until`: what changes
    later may not show yet; `found`: key -> the field and the projects with it; `warnings`: fields that none has."""

    entries: Mapping[str, Mapping[int, datetime]] = {}
    until: datetime | None = None
    found: Mapping[str, str] = {}
    warnings: tuple[str, ...] = ()

    def after(self, repo: str, known: datetime) -> tuple[list[int], datetime]:
        """Numbers of the items to fetch, and what is known then."""
        found = self.entries.get(repo.casefold(), {})
        newest = max([known, *found.values()])
        if self.until is not None and newest > self.until:
            newest = max(known, self.until)
        return sorted(n for n, at in found.items() if at > known), newest


def fragment(fields: ProjectFields) -> str:
    """What a query asks of an issue or pull request; empty where no field is configured."""
    named = _named(fields)
    if not named:
        return ""
    value = (
        "{ ... on ProjectV2ItemFieldTextValue { text } ... on ProjectV2ItemFieldSingleSelectValue { name }"
        " ... on ProjectV2ItemFieldIterationValue { title } ... on ProjectV2ItemFieldNumberValue { number } }"
    )
    asked = " ".join(f"{key}: fieldValueByName(name: {json.dumps(name)}) {value}" for key, name in named.items())
    return f"projectItems(first: 10, includeArchived: false) {{ nodes {{ {asked} }} }}"


def refusal(errors: Iterable[GraphError]) -> str:
    """Why the fields may not be read, with what to grant; empty where that is not said."""
    for error in errors:
        if withheld(error):
            grant = "the scope `read:project`; an App or a fine-grained token: Organization permissions, Projects: Read"
            return f"`fields` may not be read; grant {grant} ({error.message[:120]})"
    return ""


def withheld(error: GraphError) -> bool:
    inside = {"projectItems", "projectsV2"} & {str(part) for part in error.path or ()}
    return error.type == "INSUFFICIENT_SCOPES" or (error.type == "FORBIDDEN" and bool(inside))


def changes(api: Api, fields: ProjectFields, owners: Iterable[str]) -> Changes:
    """Of all owners' open projects that have one of the fields. Raises SourceFailed where they may not be read."""
    named = _named(fields)
    entries: dict[str, dict[int, datetime]] = {}
    until: datetime | None = None
    warnings: list[str] = []
    missing = dict(named)
    seen: set[str] = set()
    places: dict[str, list[str]] = {}
    having: list[str] = []
    asked = dict.fromkeys(owner.casefold() for owner in owners)
    for projects in in_order(partial(_projects, api, named, owner) for owner in asked):
        for project in projects:
            found = {key: project[key]["dataType"] for key in named if project.get(key)}
            for key, type_ in found.items():
                missing.pop(key, None)
                places.setdefault(key, []).append(str(project["title"]))
                if type_ not in _READ:
                    warnings.append(
                        f"`fields.{key}`: {named[key]} is a field of type {type_} in the project {project['title']};"
                        " use text, a single select, an iteration or a number"
                    )
            if found:
                having.append(project["id"])
            seen.add(str(project["title"]))
    for entry, date in _entries(api, having):
        until = min(filter(None, (until, date)), default=None)
        content = entry.content
        if content is not None and content.repository is not None:
            of_repo = entries.setdefault(content.repository.name_with_owner.casefold(), {})
            of_repo[content.number] = max(of_repo.get(content.number, entry.updated_at), entry.updated_at)
    for key, name in missing.items():
        there = f"open projects: {', '.join(sorted(seen)[:10])}" if seen else "no open project is to be seen"
        warnings.append(f"`fields.{key}`: no project of {', '.join(asked)} has a field {name!r} ({there})")
    return Changes(
        entries=entries,
        until=until - _SETTLED if until else None,
        found={key: f"{named[key]} (in {', '.join(titles)})" for key, titles in places.items()},
        warnings=tuple(warnings),
    )


def _named(fields: ProjectFields) -> dict[str, str]:
    return {key: name for key in ("okr", "estimate", "team") if (name := getattr(fields, key))}


def _projects(api: Api, named: Mapping[str, str], owner: str) -> list[dict[str, Any]]:
    asked = " ".join(
        f"{key}: field(name: {json.dumps(name)}) {{ ... on ProjectV2FieldCommon {{ dataType }} }}"
        for key, name in named.items()
    )
    query = _PROJECTS.format(fields=asked)
    found: list[dict[str, Any]] = []

    def unnamed(error: GraphError) -> bool:
        """A project without such a field, or an owner that is none."""
        return error.type == "NOT_FOUND"

    for graph in _pages(api, query, {"owner": owner}, unnamed):
        page = ((graph.data or {}).get("repositoryOwner") or {}).get("projectsV2")
        found += [node for node in (page or {}).get("nodes") or () if node and not node["closed"]]
    return found


def _entries(api: Api, projects: Iterable[str]) -> Iterator[tuple[_Entry, datetime | None]]:
    for project in projects:
        for graph in _pages(api, _ITEMS, {"project": project}, lambda _: False):
            nodes = (((graph.data or {}).get("node") or {}).get("items") or {}).get("nodes") or ()
            for node in nodes:
                if node:
                    yield convert(node, _Entry), graph.date


def _pages(
    api: Api, query: str, variables: Mapping[str, str], tolerated: Callable[[GraphError], bool]
) -> Iterator[Graph]:
    after: str | None = None
    while True:
        refused: list[GraphError] = []

        def known(error: GraphError, refused: list[GraphError] = refused) -> bool:
            if withheld(error):
                refused.append(error)
            return withheld(error) or tolerated(error)

        graph = api.graphql(query, {**variables, "after": after}, known)
        if refused:
            raise SourceFailed(f"{api.source}: {refusal(refused)}")
        if graph is None:
            raise SourceFailed(f"{api.source}: `fields` needs GraphQL, which this server does not answer")
        yield graph
        info = _page_info(graph.data)
        if not info.get("hasNextPage") or info.get("endCursor") in (None, after):
            return
        after = info["endCursor"]


def _page_info(data: Any) -> dict[str, Any]:
    """The only one in the answer."""
    while isinstance(data, dict):
        if "pageInfo" in data:
            return dict(data["pageInfo"])
        data = next((v for v in data.values() if isinstance(v, dict)), None)
    return {}
