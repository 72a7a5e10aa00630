"""Settings from environment variables: `OKRSYNC_WRITEBACK__ENABLED=true`; and those that only look like ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from ..domain.codes import CODES
from ..domain.text import did_you_mean
from .yamlfile import Loc

PREFIX = "OKRSYNC_"
DELIMITER = "__"
OTHERS = ("OKRSYNC_WORKSPACE", "OKRSYNC_STATE", "OKRSYNC_LOG", "OKRSYNC_APPROVE", "OKRSYNC_SHARED")
_SECRETS = ("_TOKEN", "_TOKEN_FILE", "_PRIVATE_KEY", "_PRIVATE_KEY_FILE")


class EnvironmentLayer:
    """Reads the mapping it is given, never os.environ. Lists are JSON or words parted by commas; `null` is
    null; an empty variable counts as not set. A more specific variable wins over a general one.

    data      what the variables say, nested as in the file
    unusable  variables whose text cannot even be taken apart, with the reason
    """

    def __init__(self, settings: type[BaseModel], env: Mapping[str, str]) -> None:
        self.data: dict[str, Any] = {}
        self.unusable: dict[str, str] = {}
        self._variables: dict[Loc, str] = {}
        for name in sorted(env, key=lambda n: (n.count(DELIMITER), n)):
            found = _place(settings, name)
            if found is None or not env[name].strip():
                continue
            loc, annotation = found
            try:
                value = _decode(annotation, env[name].strip())
            except (ValueError, RecursionError):
                self.unusable[name] = "is no valid JSON; write a list as a,b or as JSON, a group of keys as JSON"
                continue
            self._variables[loc] = name
            _put(self.data, loc, value)

    def variable(self, loc: Loc) -> str:
        """The variable that a place in `data` comes from."""
        for end in range(len(loc), 0, -1):
            if loc[:end] in self._variables:
                return self._variables[loc[:end]]
        return next((v for place, v in self._variables.items() if place[: len(loc)] == loc), PREFIX + "*")


def unknown_variables(
    settings_cls: type[BaseModel], env: Mapping[str, str], secrets: Mapping[str, str | None]
) -> list[str]:
    """Warnings about variables that look like ours and are not; values are never shown. `secrets`: by the prefix of
    each connector's variables (`OKRSYNC_JIRA`) its type, None where it cannot be told."""
    known = {*OTHERS, *_variables(settings_cls, PREFIX)}
    for prefix, kind in secrets.items():
        known |= {prefix + end for end in (_SECRETS[:2] if kind == "jira" else _SECRETS)}
    return [
        f"the environment variable {name} is none of okrsync's{did_you_mean(name, sorted(known))}"
        for name in sorted(env)
        if name.upper().startswith(PREFIX) and name not in known and _place(settings_cls, name) is None
    ]


def _variables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name.upper()
        if _is_model(field.annotation):
            yield from _variables(field.annotation, prefix + name.upper() + DELIMITER)  # type: ignore[arg-type]  # told above


def _place(model: type[BaseModel], variable: str) -> tuple[Loc, Any] | None:
    """Where in the settings a variable belongs and what type it has there; None when it is not a setting."""
    if not variable.startswith(PREFIX) or variable != variable.upper():
        return None
    here: Any = model
    loc: list[str] = []
    for part in variable.removeprefix(PREFIX).split(DELIMITER):
        if get_origin(here) is dict:
            loc.append(_rule_name(part))
            here = get_args(here)[1]
        elif _is_model(here) and part.lower() in here.model_fields:
            loc.append(part.lower())
            here = here.model_fields[part.lower()].annotation
        else:
            return None
    return tuple(loc), here


def _rule_name(part: str) -> str:
    """The only free keys are those of `rules.severity`; a variable cannot spell a slug's hyphens."""
    slug = part.lower().replace("_", "-")
    return slug if any(slug == known for _, known in CODES) else part


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _decode(annotation: object, text: str) -> object:
    if text == "null":
        return None
    if _is_model(annotation) or get_origin(annotation) is dict:
        return json.loads(text)
    if get_origin(annotation) is tuple:
        return json.loads(text) if text.startswith("[") else re.split(r"\s*,\s*", text)
    return text


def _put(data: dict[str, Any], loc: Loc, value: object) -> None:
    for part in loc[:-1]:
        nested = data.get(str(part))
        if not isinstance(nested, dict):
            data[str(part)] = nested = {}
        data = nested
    data[str(loc[-1])] = value
