"""Items as they stand in the `data` column."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, cast

import msgspec

from okrsync.domain.text import clean
from okrsync.domain.work import WorkItem

decode = msgspec.json.Decoder(WorkItem).decode


class _Glimpsed(msgspec.Struct, kw_only=True, gc=False):
    state: str = "open"

    @property
    def open(self) -> bool:
        return self.state == "open"


@cache
def glimpse(fields: frozenset[str]) -> Callable[[str], WorkItem]:
    """Decodes these fields of an item and `state`; the others are stepped over and are not there."""
    chosen = [f for f in msgspec.structs.fields(WorkItem) if f.name in fields and f.name != "state"]
    of = msgspec.defstruct(
        "Glimpsed",
        [(f.name, f.type) if f.required else (f.name, f.type, f.default) for f in chosen],
        bases=(_Glimpsed,),
        kw_only=True,
        gc=False,
    )
    # it stands for an item wherever no other field is asked for
    return cast("Callable[[str], WorkItem]", msgspec.json.Decoder(of).decode)


def encode(item: WorkItem) -> tuple[WorkItem, str]:
    """The item and its JSON, without NULs and lone surrogates: connectors take them out, but a database that
    refuses a whole page for one of them is worth a second look."""
    with suppress(UnicodeEncodeError):
        data = msgspec.json.encode(item)
        if b"\\u0000" not in data:
            return item, data.decode()
    item = msgspec.convert(_cleaned(msgspec.to_builtins(item)), WorkItem)
    return item, msgspec.json.encode(item).decode()


def fingerprint(data: str) -> str:
    """By which an unchanged reading is told."""
    return hashlib.blake2b(data.encode(), digest_size=16).hexdigest()


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _cleaned(inner) for key, inner in value.items()}
    return [_cleaned(inner) for inner in value] if isinstance(value, list | tuple) else value
