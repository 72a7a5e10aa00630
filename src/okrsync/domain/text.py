"""Small text helpers that several rooms need: durations, times, did-you-mean, safe text."""

from __future__ import annotations

import difflib
import fnmatch
import json
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, cast

import msgspec
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_DURATION = re.compile(r"(\d+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ESCAPE = ord("\\")  # bytes look for a number at once, and for other bytes only after trying them as a number
_NUL_IN_JSON = b"u0000"  # but for the backslash: five letters are found faster than six


class _Late:
    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, found)  # so that the next use finds it at once
        return found


def regex(text: str, flags: int = 0) -> re.Pattern[str]:
    """A regular expression that is compiled with its first use: in Python this is slow, and a run needs few of all."""
    return cast("re.Pattern[str]", _Late(text, flags))


# NUL cannot be stored by PostgreSQL and lone surrogates cannot be encoded; both occur in real tickets.
_UNSTORABLE = regex("[\x00\ud800-\udfff]")


def parse_duration(value: object) -> timedelta:
    """`14d`, `30m`, `1h30m` as a timedelta. Raises ValueError with an example for anything else."""
    if isinstance(value, timedelta):
        return value
    text = str(value).strip().lower()
    parts = _DURATION.findall(text)
    if not parts or "".join(n + u for n, u in parts) != text:
        raise ValueError(f"{_shown(value)} is not a duration; write a number and a unit, such as 14d, 12h or 30m")
    try:
        return sum((timedelta(**{_UNITS[u]: int(n)}) for n, u in parts), timedelta())
    except OverflowError:
        raise ValueError(f"{value!r} is too long a duration") from None


def _shown(value: object) -> str:
    """What stands there as YAML has it: `null`, `true`, `2026-01-01`."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return repr(value) if isinstance(value, str) else str(value) if isinstance(value, int | float | date) else "this"


def format_duration(value: timedelta) -> str:
    """The shortest exact spelling that `parse_duration` reads back."""
    seconds = int(value.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+[smhdw])+$", "examples": ["14d", "30m"]}),
]


def iso(moment: datetime | None) -> str | None:
    """UTC, ISO 8601 with `Z` and whole seconds, as every output of okrsync writes times."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def clean(text: str | None) -> str:
    """Text from a stranger, made storable: no NUL, no lone surrogates. Nothing else is altered."""
    if not text:
        return ""
    if text.isascii() and "\0" not in text:  # most texts, and ten times faster told than searched
        return text
    return _UNSTORABLE.sub("", text)


def may_hold_nul(data: bytes) -> bool:
    """Whether a NUL may stand in what is JSON. What needs no escape at all, as a text of one paragraph, is told by
    looking for a single letter, at a tenth of the price."""
    return _ESCAPE in data and _NUL_IN_JSON in data


def all_clean(value: Any) -> Any:
    """`clean` for every text in a tree of plain values. Raises RecursionError."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {all_clean(key): all_clean(inner) for key, inner in value.items()}
    return [all_clean(inner) for inner in value] if isinstance(value, list | tuple) else value


def pretty_json(data: object) -> bytes:
    """As people and programs get it, without a line's end behind it."""
    try:
        return msgspec.json.format(msgspec.json.encode(data), indent=2)
    except UnicodeEncodeError:  # a lone surrogate, in what no store has cleaned
        return json.dumps(data, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest known word, or an empty string."""
    folded = {k.casefold(): k for k in known}
    near = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    return f"; did you mean {folded[near[0]]!r}?" if near else ""


def glob_matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches, in any case; only `*` and `?` are special."""
    return fnmatch.fnmatchcase(text.casefold(), pattern.casefold().replace("[", "[[]"))
