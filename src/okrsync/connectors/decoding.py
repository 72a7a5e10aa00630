"""JSON from servers into typed values, as fast as msgspec goes, and forgiving where real titles need it."""

from __future__ import annotations

import functools
import json
import threading
from typing import Any, TypeVar, cast

import msgspec

from okrsync.domain.text import all_clean, may_hold_nul

T = TypeVar("T")

_making_known = threading.Lock()


def decode(content: bytes | str | msgspec.Raw, type_: type[T], *, strict: bool = True) -> T:
    """Raises msgspec.DecodeError (ValidationError where the shape is wrong), UnicodeDecodeError or RecursionError.

    Real titles hold NULs and lone surrogates (`"\\ud800"`), which no database takes and msgspec refuses: they are taken
    out of all text, so that nobody behind here need look for them. `NaN`, which is no JSON but sent by some, is null.
    `strict`: no text for a number and the like. A class may name another as `loosely`: into this goes what is not of
    its own shape.
    """
    try:
        return _decoded(content, type_, strict)
    except msgspec.ValidationError:
        loosely: type[T] | None = getattr(type_, "loosely", None)
        if loosely is None:
            raise
        return _decoded(content, loosely, strict)


def _decoded(content: bytes | str | msgspec.Raw, type_: type[T], strict: bool) -> T:
    decoder = _known(type_, strict)
    if isinstance(content, bytes) and may_hold_nul(content):
        content = _repaired(content)
    try:
        return cast(T, decoder.decode(content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if isinstance(error, msgspec.ValidationError):
            raise
        try:
            text = _repaired(content if isinstance(content, str) else bytes(content))
        except (ValueError, RecursionError):
            raise error from None
        return cast(T, decoder.decode(text))


def _repaired(text: str | bytes) -> str:
    return json.dumps(all_clean(json.loads(text, parse_constant=_null)), ensure_ascii=False)


def convert(value: Any, type_: type[T]) -> T:
    """Plain values, as JSON without a type gives them, into `type_`. Raises msgspec.ValidationError."""
    _known(type_)
    return msgspec.convert(value, type_)


def _known(type_: Any, strict: bool = True) -> msgspec.json.Decoder[Any]:
    """What msgspec finds out about a struct it keeps with it, where other threads see it half made: two that decode
    into a new type at the same moment can crash the process. So types are made known one at a time."""
    with _making_known:
        return _decoder(type_, strict)


def _null(_: str) -> None:
    return None


@functools.lru_cache(maxsize=256)
def _decoder(type_: Any, strict: bool) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_, strict=strict)
