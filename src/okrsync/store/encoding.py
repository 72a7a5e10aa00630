"""Items as they stand in the columns `data` (whole) and `brief` (what is asked of all of them)."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Literal, cast

import msgspec

from okrsync.domain.text import all_clean
from okrsync.domain.work import Reference, WorkItem

decode = msgspec.json.Decoder(WorkItem).decode


# What stands in the `brief` column: a list of these fields, those first that are asked of every item. What is not in
# it (a description above all) is asked of few items or by few rules.
BRIEF = (
    *("id", "connector", "container", "state", "references", "labels", "okr", "trailers", "milestone_body"),
    *("commands", "team", "closed_at", "dropped", "archived", "uid", "title", "author", "kind", "type", "status"),
    *("components", "branch", "milestone", "assignee", "author_type", "priority", "epic", "draft", "created"),
    *("updated", "restricted", "url"),
)
# The first of a brief: one that was made of other fields is none.
_MARK = zlib.crc32("\n".join(BRIEF).encode())
_of_brief = attrgetter(*BRIEF)
_pack = msgspec.msgpack.Encoder().encode


class _Listed(Reference, frozen=True, kw_only=True, array_like=True, gc=False):
    """A reference as a brief has it: without the names of its fields."""


class _Glimpsed(msgspec.Struct, kw_only=True, gc=False):
    state: str = "open"

    @property
    def open(self) -> bool:
        return self.state == "open"


def brief(item: WorkItem) -> bytes:
    """For `glimpse`; a fraction of the size of the JSON."""
    packed = list(_of_brief(item))
    if item.references:
        packed[_REFERENCES] = [
            _Listed(via=r.via, target=r.target, structural=r.structural, detail=r.detail) for r in item.references
        ]
    return _pack([_MARK, *packed])


_REFERENCES = BRIEF.index("references")


@cache
def glimpse(fields: frozenset[str]) -> Callable[[bytes | None], WorkItem]:
    """Decodes at least these fields of a brief, the others are not there. Raises one of NO_BRIEF."""
    if not fields.issubset(BRIEF):
        return _too_little
    last = max(BRIEF.index(name) for name in fields | {"state"})
    types = {f.name: f.type for f in msgspec.structs.fields(WorkItem)} | {"references": tuple[_Listed, ...]}
    of = msgspec.defstruct(
        "Glimpsed",
        [("mark", Literal[_MARK]), *((name, types[name]) for name in BRIEF[: last + 1])],
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
        data = msgspec.json.encode(item)
        if b"u0000" not in data:  # but for its backslash, as JSON writes it: five letters are found faster than six
            return item, data.decode()
    except UnicodeEncodeError:
        pass
    item = msgspec.convert(all_clean(msgspec.to_builtins(item)), WorkItem)
    return item, msgspec.json.encode(item).decode()
