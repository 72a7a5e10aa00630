"""Items as they stand in the `data` column."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Any

import msgspec

from okrsync.domain.text import clean
from okrsync.domain.work import WorkItem

decode = msgspec.json.Decoder(WorkItem).decode


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
