"""Schema errors in plain words, each with the place it concerns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..domain.text import did_you_mean, regex
from .yamlfile import Loc, holds

M = TypeVar("M", bound=BaseModel)
Complaint = tuple[Loc, str]
"""A place and what is wrong there, what would be right."""

# Longer spans lead beyond the calendar when counted back from today.
LONGEST = timedelta(days=36500)

_WANTED = {
    "string": "text",
    "tuple": "a list",
    "list": "a list",
    "dict": "a mapping of keys to values",
    "model": "a mapping of keys to values",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "date": "a date such as 2026-12-31",
}
_SINGULAR = {
    "bets": "bet",
    "objectives": "objective",
    "key_results": "key result",
    "initiatives": "initiative",
    "rules": "rule",
}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "greater_than": ("more than", "gt"),
    "less_than": ("less than", "lt"),
}
_NOT_IN_FILES = ("name",)  # a connector's name is its file's
_BEGINS_WITH_VERB = regex(r"(is|has|names|does|needs|may|must|cannot) ")


def validate(model: type[M], data: Mapping[str, Any]) -> tuple[M | None, list[Complaint]]:
    """The data as a model, or None and everything that is wrong with it."""
    try:
        value = model.model_validate(data)
    except ValidationError as error:
        return None, explain(error, data, model)
    except (OverflowError, RecursionError):
        return None, [((), "holds a number or nesting beyond all bounds; write ordinary values")]
    too_long = _too_long(value, ())
    return (None if too_long else value), too_long


def explain(error: ValidationError, data: Mapping[str, Any], model: type[BaseModel]) -> list[Complaint]:
    """One complaint for each wrong value: what the branches of a union say is told as one."""
    wanted: dict[Loc, list[str]] = {}
    shown: dict[Loc, object] = {}
    said: list[Complaint] = []
    for detail in error.errors(include_url=False):
        loc = _place(detail["loc"], data)
        kind = detail["type"]
        prefix = kind.split("_")[0]
        if (
            kind in ("missing", "extra_forbidden")
            or prefix not in _WANTED
            or kind.endswith(("_short", "_long", "_mismatch"))
        ):
            said.append((loc, _words(detail, loc, data, model)))
        else:
            wanted.setdefault(loc, []).append(_WANTED[prefix])
            shown[loc] = detail["input"]
    holders = {loc[:end] for loc in [*(loc for loc, _ in said), *wanted] for end in range(len(loc))}
    for loc, choices in wanted.items():
        if loc in holders:
            continue  # a list that was meant as one, with a wrong item in it: the item's complaint says more
        what = " or ".join(dict.fromkeys(choices))
        said.append((loc, _type_words(_subject(loc, data), what, shown[loc])))
    return list(dict.fromkeys(said))


def _type_words(subject: str, what: str, value: object) -> str:
    if value is None:
        return f"{subject} has no value; it must be {what}"
    quotes = "; put it in quotes" if what.startswith("text") and isinstance(value, int | float | date) else ""
    return f"{subject} must be {what}, not {show(value)}{quotes}"


def _words(detail: ErrorDetails, loc: Loc, data: Mapping[str, Any], model: type[BaseModel]) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        name = detail["loc"][-1]
        return f"{_subject(loc, data)} has no `{name}`; add `{name}: ...`"
    subject = _subject(loc, data)
    if kind == "extra_forbidden":
        known = _known_keys(model, detail["loc"][:-1])
        if not detail["loc"][:-1]:
            known = [key for key in known if key not in _NOT_IN_FILES]
        name = str(detail["loc"][-1])
        near = did_you_mean(name, known)
        return f"unknown key `{name[:60]}`{near or '; known here: ' + ', '.join(known)}"
    if kind in ("literal_error", "enum"):
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        near = did_you_mean(value, choices) if isinstance(value, str) else ""
        return f"{subject} cannot be {show(value)}; use one of {', '.join(choices)}{near}"
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        return f"{subject} is {show(value)}; it must be {words} {context.get(key)}"
    if kind == "string_too_short":
        return f"{subject} is empty; write something"
    if kind == "string_too_long":
        return f"{subject} is too long; use at most {context.get('max_length')} characters"
    if kind == "string_pattern_mismatch":
        allowed = "begin with a letter or digit, and leave out `,`, `;`, `:`, `/` and backslashes"
        return f"{show(value)} cannot be an id; {allowed}"
    if kind == "value_error":
        text = re.sub(r"^None\b", "null", str(context.get("error", "")))[:300]
        return f"{subject} {text}" if _BEGINS_WITH_VERB.match(text) else f"{subject}: {text}"
    return f"{subject} cannot be {show(value)}; see `okrsync schema`"


def show(value: object) -> str:
    """A value as a person would call it, never at length."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "...")
    if isinstance(value, int | float):
        return f"the number {str(value)[:40]}"
    if isinstance(value, date):
        return f"the date {value.isoformat()}"
    return "a mapping" if isinstance(value, Mapping) else "a list"


def _place(loc: tuple[int | str, ...], data: object) -> Loc:
    """The part of an error's location that stands in the file: names of union branches and missing keys do not."""
    place: list[int | str] = []
    here: Any = data
    for part in loc:
        if holds(here, part):
            here = here[part]
            place.append(part)
    return tuple(place)


def _subject(loc: Loc, data: object) -> str:
    """`key`, or the thing in a list by its name: objective 'O1'."""
    if not loc:
        return "the file"
    if isinstance(loc[-1], str):
        return f"`{loc[-1][:60]}`"
    here: Any = data
    for part in loc:
        here = here[part]
    holder = next((p for p in reversed(loc) if isinstance(p, str)), "")
    if holder not in _SINGULAR:
        return f"`{holder}`"
    name = (here.get("id") or here.get("name")) if isinstance(here, dict) else None
    return f"{_SINGULAR[holder]} {name[:60] if isinstance(name, str) else loc[-1] + 1!r}"


def _known_keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    models = [model]
    for part in loc:
        found = next((m.model_fields[part] for m in models if isinstance(part, str) and part in m.model_fields), None)
        if found is not None:
            models = _models_in(found.annotation)
    return sorted({name for m in models for name in m.model_fields})


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for argument in get_args(annotation) for m in _models_in(argument)]


def _too_long(value: object, loc: Loc) -> list[Complaint]:
    if isinstance(value, timedelta):
        return [(loc, f"`{loc[-1]}` is too long; use at most {LONGEST.days}d")] if value > LONGEST else []
    if isinstance(value, BaseModel):
        if not _holds_durations(type(value)):  # as all goals, of which there are thousands
            return []
        return [c for name in type(value).model_fields for c in _too_long(getattr(value, name), (*loc, name))]
    if isinstance(value, tuple):
        return [c for i, item in enumerate(value) for c in _too_long(item, (*loc, i))]
    return []


@cache
def _holds_durations(model: type[BaseModel]) -> bool:
    """Whether a duration can stand in it, at whatever depth."""
    return any(_may_be_duration(field.annotation) for field in model.model_fields.values())


def _may_be_duration(annotation: object) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _holds_durations(annotation)
    return annotation is timedelta or any(_may_be_duration(argument) for argument in get_args(annotation))
