"""The spelling of projects, repositories, globs and item ids."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..domain.text import did_you_mean

_PROJECT = re.compile(r"[A-Z][A-Z0-9_]*")
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
_ITEM_KEYS = {
    "jira": (re.compile(r"[A-Z][A-Z0-9_]*-[1-9][0-9]*"), "PAY-12"),
    "github": (re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+#[1-9][0-9]*"), "acme/web#34"),
}


def is_project(text: str) -> bool:
    return _PROJECT.fullmatch(text) is not None


def is_repository(text: str) -> bool:
    return _REPOSITORY.fullmatch(text) is not None


def item_id_complaint(text: str, types: Mapping[str, str]) -> str | None:
    """What is wrong with an item's id; `types` are the connectors' types by name (empty where not known)."""
    name, colon, key = text.partition(":")
    if not colon or not key:
        return f"{text[:80]!r} is no item id; write it as connector:key, such as jira:PAY-12 or github:acme/web#34"
    if name not in types:
        known = ", ".join(sorted(types)) or "none"
        return f"{text[:80]!r}: there is no connector {name[:60]!r}; configured: {known}{did_you_mean(name, types)}"
    pattern, example = _ITEM_KEYS.get(types[name], (None, ""))
    if pattern is not None and not pattern.fullmatch(key):
        return f"{text[:80]!r}: {key[:60]!r} is no key of a {types[name]} item; write it as {name}:{example}"
    return None


def dashboard_complaint(text: str, types: Mapping[str, str]) -> str | None:
    """What is wrong with `writeback.dashboard`."""
    name, colon, container = text.partition(":")
    if not colon:
        return f"`dashboard` is {text[:60]!r}; write it as github:acme/strategy or jira:OPS, or null"
    if name not in types:
        known = ", ".join(sorted(types)) or "none"
        return f"`dashboard`: there is no connector {name[:60]!r}; configured: {known}{did_you_mean(name, types)}"
    if types[name] == "github" and not is_repository(container):
        return f"`dashboard`: {container[:60]!r} is no repository; write it as {name}:owner/repository"
    if types[name] == "jira" and not is_project(container):
        return f"`dashboard`: {container[:60]!r} is no project key; write it as {name}:OPS"
    return None
