"""One issue as Jira sends it (API v2 and v3, the agile endpoints, Cloud and Data Center) as a work item. Pure."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct

from okrsync.connectors.decoding import decode
from okrsync.domain.work import Kind, Reference, Via, WorkItem

from . import adf, wiki
from .fields import CustomFields
from .payloads import Fields, Issue, IssueLink, Issues, IssueType, Named, Parent, Person, Status

# Resolutions, and statuses of the category Done, that mean: ended without being done. Compared without case; names are
# free text in Jira, so these are its defaults, common additions, and Jira's own translations of the defaults.
# fmt: off
DROPPED = frozenset((
    "won't do", "won't fix", "wont do", "wont fix", "will not do", "will not fix", "won't be done",
    "duplicate", "declined", "rejected", "cannot reproduce", "can't reproduce", "not reproducible",
    "incomplete", "invalid", "obsolete", "abandoned", "withdrawn", "canceled", "cancelled", "not a bug",
    "not an issue", "not planned", "不修复", "不予修复", "不会做", "不做", "重复", "重复提交", "无法重现",
    "无法再现", "已拒绝", "拒绝", "已取消", "取消", "无效", "不是问题", "wird nicht erledigt", "duplikat",
    "abgelehnt", "nicht reproduzierbar", "kann nicht reproduziert werden",
))
# fmt: on
_KEY = re.compile(r"[A-Z][A-Z0-9_]*-\d+")
_NULL = Raw(b"null")
_SYSTEM = frozenset(Fields.__struct_encode_fields__)
_PARENT = Via.PARENT
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Unreadable(ValueError):
    """An issue without a key, or of a shape that no Jira sends."""


class Content(NamedTuple):
    """What the fields of an issue hold. `own`: values by id of those that this site has defined itself, but null."""

    fields: Fields
    own: dict[str, Any]


def read(issue: Issue, custom: CustomFields) -> Content:
    """Raises Unreadable."""
    if not issue.key:
        raise Unreadable("an issue without a key")
    came: Raw | Fields = issue.fields
    type_, ids, twice = _types(custom)
    if isinstance(came, Fields):
        return Content(came, _own(came, ids))
    if came == _NULL:
        return Content(Fields(), {})
    try:
        fields = decode(issue.fields, type_, strict=False)
        again = decode(issue.fields, twice) if twice else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"{issue.key}: {error}") from error
    return Content(fields, _own(fields, ids, again))


def _own(fields: Fields, ids: Iterable[tuple[str, str]], again: Struct | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for member, id_ in ids:
        value = getattr(again if again and id_ in _SYSTEM else fields, member)
        if value is not None:
            found[id_] = value
    return found


def translate(issue: Issue, content: Content, *, connector: str, site: str, custom: CustomFields) -> WorkItem:
    """Of a key. `site` is where people browse, without a slash at the end."""
    assert issue.key is not None
    fields, plain = content
    status = fields.status or Status()
    resolution = _name(fields.resolution)
    category = status.status_category.key if status.status_category else None
    # only where no category is told does a resolution decide: workflows forget to clear it
    done = category == "done" if category else bool(resolution or fields.resolutiondate)
    status_changed = moment(fields.statuscategorychangedate)
    project = fields.project or Named()
    author = fields.reporter or fields.creator
    updated = moment(fields.updated)
    created = updated if fields.created == fields.updated else moment(fields.created)
    created = created or updated or _EPOCH
    parent = fields.parent
    epic_link = _epic_link(fields, plain, custom) if plain or fields.epic else None
    return WorkItem(
        id=f"{connector}:{issue.key}",
        uid=f"{connector}:{issue.id or issue.key}",
        connector=connector,
        key=issue.key,
        container=project.key or issue.key.rpartition("-")[0],
        kind=_kind(fields.issuetype),
        title=fields.summary or "",
        url=f"{site}/browse/{issue.key}",
        created=created,
        updated=updated or created,
        body=body_text(fields.description),
        type=_name(fields.issuetype),
        status=status.name or "",
        state="closed" if done else "open",
        started=category == "indeterminate",
        dropped=done and any(_folded(name) in DROPPED for name in (resolution, status.name)),
        labels=tuple(fields.labels or ()),
        components=tuple([c.name for c in fields.components if c.name]) if fields.components else (),
        author=_person(author),
        author_type="app" if author and author.account_type == "app" else "user",
        assignee=_person(fields.assignee),
        priority=_name(fields.priority),
        epic=epic_link or (_epic(parent) if parent else ""),
        team=_first(_texts(_value(plain, custom.team))) if plain and custom.team else "",
        okr=_ids(_value(plain, custom.okr)) if plain and custom.okr else (),
        estimate=_number(_value(plain, custom.estimate)) if plain and custom.estimate else None,
        closed_at=(moment(fields.resolutiondate) or status_changed) if done else None,
        status_changed=status_changed,
        archived=bool(project.archived),
        restricted=fields.security is not None,
        service_desk=project.project_type_key == "service_desk",
        references=(
            *_references(
                connector, parent.key if parent else None, epic_link, _above(plain, custom) if plain else None
            ),
            *(_implemented(connector, fields.issuelinks) if fields.issuelinks else ()),
        ),
    )


@functools.lru_cache(maxsize=64)
def page_type(custom: CustomFields) -> type[Issues]:
    """For a page of issues of which all fields are looked at: gone through once, if none of them is odd."""
    own, _, twice = _types(custom)
    if twice:
        return Issues
    issue = msgspec.defstruct("WholeIssue", [("fields", own)], bases=(Issue,), kw_only=True)
    whole: Any = [("issues", list[issue])]  # type: ignore[valid-type]  # made at run time
    return msgspec.defstruct("WholeIssues", whole, bases=(Issues,), namespace={"loosely": Issues})  # type: ignore[return-value]


@functools.lru_cache(maxsize=64)
def _types(custom: CustomFields) -> tuple[type[Fields], tuple[tuple[str, str], ...], type[Struct] | None]:
    """A struct of exactly the fields that are asked for, so that an issue is gone through once and everything else is
    stepped over: usual issues hold hundreds. A system field that a setting names as well needs a struct of its own."""
    ids = tuple((f"own_{n}", id_) for n, id_ in enumerate(sorted(custom.ids)))

    def members(some: Iterable[tuple[str, str]]) -> list[Any]:
        return [(member, Any, msgspec.field(default=None, name=id_)) for member, id_ in some]

    twice = [one for one in ids if one[1] in _SYSTEM]
    own: Any = msgspec.defstruct("OwnFields", members(one for one in ids if one not in twice), bases=(Fields,))
    return own, ids, msgspec.defstruct("SystemFields", members(twice)) if twice else None


@functools.lru_cache(maxsize=64)  # most issues were updated when they were made, or closed
def moment(text: str | None) -> datetime | None:
    """`2024-01-02T03:04:05.000+0100` in UTC; None for anything that is no such time."""
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def body_text(description: Any) -> str:
    """A description or comment body of either API version."""
    return wiki.to_text(description) if isinstance(description, str) else adf.to_text(description)


def _is_epic(type_: IssueType | None) -> bool:
    return type_ is not None and _above_issues(type_.hierarchy_level, type_.name, type_.untranslated_name)


@functools.lru_cache(maxsize=256)  # a site has few types of issues
def _above_issues(level: int | None, name: str | None, untranslated: str | None) -> bool:
    if level:
        return level >= 1
    # Data Center tells no level; Initiative is what its plans have above epics
    named = {_folded(name), _folded(untranslated)}
    return "epic" in named or (level is None and "initiative" in named)


def _kind(type_: IssueType | None) -> Kind:
    if _is_epic(type_):
        return Kind.EPIC
    return Kind.SUBTASK if type_ and type_.subtask else Kind.ISSUE


def _epic_link(fields: Fields, plain: dict[str, Any], custom: CustomFields) -> str | None:
    value = _value(plain, custom.epic_link)
    key = value if isinstance(value, str) else fields.epic.key if fields.epic else None
    return key if key and _KEY.fullmatch(key) else None


def _epic(parent: Parent) -> str:
    return parent.key or "" if parent.fields and _is_epic(parent.fields.issuetype) else ""


def _above(plain: dict[str, Any], custom: CustomFields) -> str | None:
    """The Parent Link of Data Center's plans: a key, or an object about it."""
    value = _value(plain, custom.parent_link)
    if isinstance(value, dict):
        inner = value.get("data")
        value = (inner if isinstance(inner, dict) else value).get("key")
    return value if isinstance(value, str) and _KEY.fullmatch(value) else None


def _references(
    connector: str, parent: str | None, epic_link: str | None, parent_link: str | None
) -> Iterable[Reference]:
    told: dict[str, str] = {}
    if parent:
        told[parent] = "parent"
    if epic_link:
        told.setdefault(epic_link, "Epic Link")
    if parent_link:
        told.setdefault(parent_link, "Parent Link")
    return [
        Reference(via=_PARENT, target=f"{connector}:{key}", structural=True, detail=detail)
        for key, detail in told.items()
    ]


def _implemented(connector: str, links: Iterable[IssueLink]) -> Iterator[Reference]:
    """What the issue implements. A link says in words what the issue is to the other, whichever way round it was
    drawn; no other link is evidence."""
    for link in links:
        other = link.outward_issue or link.inward_issue
        if link.type is None or other is None or not other.key:
            continue
        words = link.type.outward if link.outward_issue else link.type.inward
        by_name = link.outward_issue and not words and _folded(link.type.name) in ("implement", "implements")
        if by_name or _folded(words) == "implements":
            target = f"{connector}:{other.key}"
            yield Reference(via=Via.IMPLEMENTS, target=target, structural=True, detail="link: implements")


def _folded(name: str | None) -> str:
    return (name or "").strip().replace("\u2019", "'").casefold()


def _name(named: Named | IssueType | None) -> str:
    return (named.name or "") if named else ""


def _person(person: Person | None) -> str:
    return (person.display_name or person.account_id or person.name or "") if person else ""


def _value(plain: dict[str, Any], field: str | None) -> Any:
    return plain.get(field) if field else None


def _texts(value: Any) -> Iterator[str]:
    """The texts of a custom field of any usual type: text, rich text, option, cascading option, team, lists of them."""
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, list):
        for part in value:
            if not isinstance(part, list):
                yield from _texts(part)
    elif isinstance(value, dict):
        if value.get("type") == "doc":
            yield adf.to_text(value)
            return
        for name in ("value", "name", "title", "key"):
            if isinstance(value.get(name), str):
                yield value[name].strip()
                break
        child = value.get("child")
        if isinstance(child, dict) and isinstance(child.get("value"), str):
            yield child["value"].strip()


def _ids(value: Any) -> tuple[str, ...]:
    """The parts of the OKR field, in order and once each; a text may hold several, split by commas, semicolons or
    lines. Blanks stay: an option may read `INIT-1: One-page checkout`, and linking tells the id."""
    if value is None:
        return ()
    parts = (part.strip() for text in _texts(value) for part in re.split(r"[,;\n]+", text))
    return tuple(dict.fromkeys(part for part in parts if part))


def _first(texts: Iterable[str]) -> str:
    return next(iter(texts), "")


def _number(value: Any) -> float | None:
    if value is None:
        return None
    try:
        number = float(_first(_texts(value)))
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
