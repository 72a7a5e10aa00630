"""JSON Schemas of the workspace's files, for editors."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML

from ..domain.codes import CODES
from ..domain.goals import GoalsFile
from ..domain.rules import MappingsFile
from ..domain.settings import GitHubSettings, JiraSettings
from .settings import SettingsFile

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SCALARS: list[Schema] = [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]


def schemas() -> dict[str, Schema]:
    """By kind of file: `okrsync` (config/okrsync.yaml), `okrs`, `connectors`, `mappings`."""
    connectors = [_nameless(_schema(model)) for model in (JiraSettings, GitHubSettings)]
    defs = {name: part for schema in connectors for name, part in schema.pop("$defs", {}).items()}
    found = {
        "okrsync": _schema(SettingsFile),
        "okrs": _schema(GoalsFile),
        "connectors": {"title": "Connector", "oneOf": connectors, "$defs": defs},
        "mappings": _schema(MappingsFile),
    }
    _name_rules(found["okrsync"])
    _allow_bare(found["mappings"])
    return {kind: {"$schema": _DIALECT, **schema} for kind, schema in found.items()}


def _schema(model: type[BaseModel]) -> Schema:
    schema = model.model_json_schema()
    meanings = YAML(typ="safe", pure=True).load((files("okrsync.config") / "descriptions.yaml").read_text("utf-8"))
    for part in (schema, *schema.get("$defs", {}).values()):
        for key, value in part.get("properties", {}).items():
            if key in meanings.get(part.get("title"), {}):
                value["description"] = meanings[part["title"]][key]
    return schema


def _nameless(schema: Schema) -> Schema:
    """A connector's name is its file's, and stands in no key."""
    del schema["properties"]["name"]
    schema["required"].remove("name")
    return schema


def _name_rules(schema: Schema) -> None:
    names = [name for pair in CODES for name in pair]
    defs = schema["$defs"]
    defs["RulesSettings"]["properties"]["ignore"]["items"] = {"enum": names}
    defs["RulesSettings"]["properties"]["severity"]["propertyNames"] = {"enum": names}
    defs["CommentSettings"]["properties"]["rules"]["items"] = {"enum": names}


def _allow_bare(schema: Schema) -> None:
    """A value where a list or `{any: [...]}` is meant, as the files allow it."""
    defs = schema["$defs"]
    bare: list[Schema] = [*_SCALARS, {"type": "array", "items": {"anyOf": _SCALARS}}]
    for key in ("any", "all", "none"):
        words = defs["AnyAllNone"]["properties"][key]
        del words["type"], words["items"]
        words["anyOf"] = bare
    defs["AnyAllNone"] = {"title": "AnyAllNone", "anyOf": [*bare, defs["AnyAllNone"]]}
    link = defs["Rule"]["properties"]["link"]
    one = link["items"]
    link.update(anyOf=[one, {"type": "array", "items": one}])
    del link["type"], link["items"]
