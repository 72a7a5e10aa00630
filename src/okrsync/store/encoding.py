"""Items as they stand in the columns `data` (whole), `brief` (all but their text), `target` and `outline`."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from operator import itemgetter
from typing import Any, Literal, cast

import msgspec

from okrsync.domain.outlines import outline
from okrsync.domain.text import all_clean, may_hold_nul
from okrsync.domain.work import Reference, WorkItem

decode = msgspec.json.Decoder(WorkItem).decode


def moment_of(text: str | None) -> datetime | None:
    """As SQLite keeps it (`schema.Moment`)."""
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


# What stands in the `brief` column: a list of these fields, those at its end only where one of them says something.
# What is not in it (a description above all) is asked of few items or by few rules.
_ALWAYS = (
    *("id", "connector", "container", "state", "references", "labels", "closed_at", "title", "author", "kind", "type"),
    *("status", "branch", "assignee", "author_type", "priority", "created", "updated", "url"),
)
_SELDOM = (
    *("okr", "trailers", "milestone_body", "commands", "team", "dropped", "archived", "components", "milestone"),
    *("epic", "draft", "restricted"),
)
_LATER = ("remote_links",)  # a brief that ends before these was made when nothing had any
BRIEF = (*_ALWAYS, *_SELDOM, *_LATER)
# The first of a brief: one that was made of other fields is none.
_MARK = zlib.crc32("\n".join((*_ALWAYS, *_SELDOM)).encode()) & 0xFFFF
_always, _seldom = (
    itemgetter(*map(WorkItem.__struct_fields__.index, names)) for names in (_ALWAYS, (*_SELDOM, *_LATER))
)
_REFERENCES = _ALWAYS.index("references")
_pack = msgspec.msgpack.Encoder().encode
_json = msgspec.json.Encoder().encode


class _Listed(Reference, frozen=True, kw_only=True, array_like=True, gc=False):
    """A reference as a brief has it: without the names of its fields."""


class _Glimpsed(msgspec.Struct, kw_only=True, gc=False):
    state: str = "open"

    @property
    def open(self) -> bool:
        return self.state == "open"


def looked_at(item: WorkItem) -> dict[str, Any]:
    """The columns that a look at all items goes by."""
    target, outlined = outline(item)
    return {"target": target, "outline": outlined, "brief": brief(item)}


def brief(item: WorkItem) -> bytes:
    """For `glimpse`; a fraction of the size of the JSON."""
    values = msgspec.structs.astuple(item)
    packed = [_MARK, *_always(values)]
    if item.references:
        packed[_REFERENCES + 1] = list(map(msgspec.structs.astuple, item.references))
    seldom = _seldom(values)
    if any(seldom):
        packed += seldom
    return _pack(packed)


@cache
def glimpse(fields: frozenset[str]) -> Callable[[bytes | None], WorkItem]:
    """Decodes at least these fields of a brief, the others are not there. Raises one of NO_BRIEF."""
    if not fields.issubset(BRIEF):
        return _too_little
    last = max(BRIEF.index(name) for name in fields | {"state"})
    known = {f.name: f for f in msgspec.structs.fields(WorkItem)}
    types = {name: f.type for name, f in known.items()} | {"references": tuple[_Listed, ...]}
    of = msgspec.defstruct(
        "Glimpsed",
        [
            ("mark", Literal[_MARK]),
            *((name, types[name]) for name in _ALWAYS[: last + 1]),
            *((name, types[name], known[name].default) for name in BRIEF[len(_ALWAYS) : last + 1]),
        ],
        namespace={"open": property(lambda item: item.state == "open")},
        array_like=True,
        gc=False,
    )
    # it stands for an item wherever no other field is asked for
    return cast("Callable[[bytes | None], WorkItem]", msgspec.msgpack.Decoder(of).decode)


NO_BRIEF = (TypeError, msgspec.DecodeError)
"""There is none, or it is another version's, or it does not hold what is asked for."""


def _too_little(_brief: bytes | None) -> WorkItem:
    raise msgspec.ValidationError


@cache
def glimpse_of_data(fields: frozenset[str]) -> Callable[[str], WorkItem]:
    """Decodes these fields of an item's JSON and `state`; the others are stepped over and are not there."""
    chosen = [f for f in msgspec.structs.fields(WorkItem) if f.name in fields and f.name != "state"]
    of = msgspec.defstruct(
        "Glimpsed",
        [(f.name, f.type) if f.required else (f.name, f.type, f.default) for f in chosen],
        bases=(_Glimpsed,),
        kw_only=True,
        gc=False,
    )
    return cast("Callable[[str], WorkItem]", msgspec.json.Decoder(of).decode)


def encode(item: WorkItem) -> tuple[WorkItem, str]:
    """The item and its JSON, without NULs and lone surrogates: connectors take them out, but a database that
    refuses a whole page for one of them is worth a second look."""
    try:
        data = _json(item)
        if not may_hold_nul(data):
            return item, data.decode()
    except UnicodeEncodeError:
        pass
    item = msgspec.convert(all_clean(msgspec.to_builtins(item)), WorkItem)
    return item, _json(item).decode()
