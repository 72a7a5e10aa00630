"""Projects of the pretended GitHub: boards of issues and pull requests with fields of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .github_calls import z
from .github_state import node_id
from .records import Item

if TYPE_CHECKING:
    from .github_state import GitHubState

_VALUES = {"TEXT": "Text", "SINGLE_SELECT": "SingleSelect", "ITERATION": "Iteration", "NUMBER": "Number"}
_KEYS = {"TEXT": "text", "SINGLE_SELECT": "name", "ITERATION": "title", "NUMBER": "number"}


@dataclass
class Entry:
    """An item's place in a project. Changing a value moves `updated` here, not on the item."""

    updated: datetime
    values: dict[str, Any] = field(default_factory=dict)


@dataclass
class Project:
    """`fields`: name -> TEXT, SINGLE_SELECT, ITERATION or NUMBER; `entries` by the item's node id."""

    id: int
    owner: str
    title: str
    fields: dict[str, str]
    entries: dict[str, Entry] = field(default_factory=dict)
    closed: bool = False

    def set(self, item: Item, name: str, value: Any, now: datetime) -> None:
        """A person sets a value; the item is added where it was not on the board. Raises KeyError for no field."""
        if name not in self.fields:
            raise KeyError(f"the project {self.title} has no field {name!r}")
        entry = self.entries.setdefault(item.node_id, Entry(now))
        entry.values[name], entry.updated = value, now


def add_project(state: GitHubState, owner: str, title: str, fields: dict[str, str]) -> Project:
    project = Project(len(state.projects) + 1, owner, title, fields)
    state.projects.append(project)
    return project


Connection = Callable[..., dict[str, Any]]


class ProjectNodes:
    """The objects that GraphQL queries walk over. `shown` makes those of items, `connection` pages of lists."""

    def __init__(self, state: GitHubState, shown: Callable[[Item], dict[str, Any]], connection: Connection) -> None:
        self._state, self._shown, self._connection = state, shown, connection

    def of_item(self, item: Item) -> Callable[..., dict[str, Any]]:
        rows = [(p, p.entries[item.node_id]) for p in self._state.projects if item.node_id in p.entries]
        return lambda _info, **args: self._connection(
            "projectItems", rows, args, lambda r: self._entry(r[0], r[1], item)
        )

    def of_owner(self, owner: str) -> Callable[..., dict[str, Any]]:
        rows = [p for p in self._state.projects if p.owner.lower() == owner.lower()]
        return lambda _info, **args: self._connection("projectsV2", rows, args, self.project)

    def by_id(self, id_: str) -> dict[str, Any] | None:
        return next((self.project(p) for p in self._state.projects if node_id("PVT", p.id) == id_), None)

    def project(self, project: Project) -> dict[str, Any]:
        nodes = self._state.nodes
        rows = [(e, nodes[n]) for n, e in project.entries.items() if n in nodes]

        def described(_info: Any, **args: Any) -> dict[str, Any] | None:
            type_ = project.fields.get(args["name"])
            kind = "ProjectV2SingleSelectField" if type_ == "SINGLE_SELECT" else "ProjectV2Field"
            return {"__typename": kind, "name": args["name"], "dataType": type_} if type_ else None

        return {
            "__typename": "ProjectV2",
            "id": node_id("PVT", project.id),
            "number": project.id,
            "title": project.title,
            "closed": project.closed,
            "field": described,
            "items": lambda _info, **args: self._connection(
                "items", rows, args, lambda r: self._entry(project, r[0], r[1])
            ),
        }

    def _entry(self, project: Project, entry: Entry, item: Item) -> dict[str, Any]:
        def value(_info: Any, **args: Any) -> dict[str, Any] | None:
            type_ = project.fields.get(args["name"])
            held = entry.values.get(args["name"])
            if type_ is None or held is None:
                return None
            return {"__typename": f"ProjectV2ItemField{_VALUES[type_]}Value", _KEYS[type_]: held}

        visible = self._state.repos[item.repo].visible
        return {
            "id": node_id("PVTI", item.id),
            "updatedAt": z(entry.updated),
            "project": lambda _info: self.project(project),
            "content": lambda _info: self._shown(item) if visible else None,
            "fieldValueByName": value,
        }
