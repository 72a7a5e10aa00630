"""Rule `examples`: what an operator says a rule matches and misses, tried out by `check`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from ..domain.rules import Rule, When
from ..domain.text import did_you_mean, parse_duration
from ..domain.work import Kind, WorkItem
from ..domain.workspace import Problem, Workspace
from .mappings import FOLDER
from .notes import Folder, Notes
from .yamlfile import Document, Loc, as_text

Match = Callable[[When, WorkItem, datetime], str | None]
Lookup = Callable[[str], WorkItem | None]


def check_examples(
    workspace: Workspace, match: Match, *, now: datetime, lookup: Lookup | None = None
) -> tuple[Problem, ...]:
    """A problem for each example that does not do what it says. `match` tells in words what of a `when` matched,
    else None; `lookup` finds an item by id, and without it (offline) examples given by id are skipped."""
    notes = Notes()
    documents, _ = Folder(workspace.root, FOLDER, notes).read(notes)
    places = {as_text(rule.get("name")): (d, loc) for d in documents for loc, rule in d.entries(("rules",))}
    for rule in workspace.mappings.rules:
        if rule.examples is None or rule.name not in places:
            continue
        document, loc = places[rule.name]
        for side, wanted in (("matches", True), ("misses", False)):
            for i, example in enumerate(getattr(rule.examples, side)):
                place = (*loc, "examples", side, i)
                _check(rule, example, wanted, match, now, lookup, document, place, notes)
    return tuple(sorted(notes.problems))


def _check(
    rule: Rule,
    example: dict[str, Any] | str,
    wanted: bool,
    match: Match,
    now: datetime,
    lookup: Lookup | None,
    document: Document,
    place: Loc,
    notes: Notes,
) -> None:
    if isinstance(example, str):
        if lookup is None:
            return
        item = lookup(example)
        if item is None:
            notes.add(
                document, place, f"there is no item {example[:80]!r} that can be read; name another, or describe one"
            )
            return
    else:
        try:
            item = example_item(example, now)
        except (ValueError, OverflowError) as error:
            notes.add(document, place, f"this example cannot be an item: {str(error)[:200]}")
            return
    words = match(rule.when, item, now)
    if wanted and words is None:
        notes.add(document, place, f"rule {rule.name!r} should match this and misses it; correct `when` or the example")
    elif not wanted and words is not None:
        notes.add(
            document,
            place,
            f"rule {rule.name!r} should miss this and matches it ({words[:120]}); correct one of the two",
        )


def example_item(example: Mapping[str, Any], now: datetime) -> WorkItem:
    """An item from `when` keys and values. `created` and `updated` are a day, a moment, or how long ago (`200d`).
    Raises ValueError where a value cannot be what its key says."""
    if "repo" in example and "project" in example:
        raise ValueError("it has both `repo` and `project`; an item lives in one of them")
    repo = _text(example, "repo")
    if repo and "/" not in repo:
        repo = f"example/{repo}"  # rules may name a repository without its owner, and so may examples
    container = repo or _text(example, "project") or "EXAMPLE"
    key = f"{container}#1" if "/" in container else f"{container}-1"
    connector = _text(example, "connector") or "example"
    kind = _kind(example)
    return WorkItem(
        id=f"{connector}:{key}",
        uid=f"{connector}:1",
        connector=connector,
        key=key,
        container=container,
        kind=kind,
        url="",
        created=_moment(example, "created", now),
        updated=_moment(example, "updated", now),
        state=_text(example, "state") or "open",
        draft=_truth(example, "draft"),
        author_type=_text(example, "author_type") or "user",
        labels=_texts(example, "labels"),
        components=_texts(example, "components"),
        type=_text(example, "type"),
        status=_text(example, "status"),
        milestone=_text(example, "milestone"),
        author=_text(example, "author"),
        assignee=_text(example, "assignee"),
        priority=_text(example, "priority"),
        title=_text(example, "title"),
        body=_text(example, "body"),
        branch=_text(example, "branch"),
        epic=_text(example, "epic"),
        team=_text(example, "team"),
    )


def _kind(example: Mapping[str, Any]) -> Kind:
    named = _text(example, "kind")
    if named:
        known = [kind.value for kind in Kind]
        if named.casefold() not in known:
            raise ValueError(f"`kind` is never {named!r}; use one of {', '.join(known)}{did_you_mean(named, known)}")
        return Kind(named.casefold())
    if "draft" in example or "branch" in example:  # only pull requests have these
        return Kind.PULL_REQUEST
    return Kind.EPIC if _text(example, "type").casefold() == "epic" else Kind.ISSUE


def _text(example: Mapping[str, Any], key: str) -> str:
    value = example.get(key)
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, str | int | float):
        return as_text(value)
    raise ValueError(f"`{key}` of an item is one text")


def _truth(example: Mapping[str, Any], key: str) -> bool:
    text = _text(example, key).lower()
    if text not in ("", "true", "false"):
        raise ValueError(f"`{key}` is true or false, not {text!r}")
    return text == "true"


def _texts(example: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = example.get(key)
    if not isinstance(value, list | tuple):
        value = [] if value is None else [value]
    return tuple(_text({key: item}, key) for item in value)


def _moment(example: Mapping[str, Any], key: str, now: datetime) -> datetime:
    value = example.get(key)
    if value is None:
        return now
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), tzinfo=UTC)
    try:
        return datetime.combine(date.fromisoformat(str(value)), time(), tzinfo=UTC)
    except ValueError:
        return now - parse_duration(value)
