"""JSON from servers into typed values, as fast as msgspec goes, and forgiving where real titles need it."""

from __future__ import annotations

import functools
import json
import re
from typing import Any, TypeVar, cast

import msgspec

T = TypeVar("T")

_LONE = re.compile("[\ud800-\udfff]")


def decode(content: bytes | msgspec.Raw, type_: type[T], *, strict: bool = True) -> T:
    """Raises msgspec.DecodeError (ValidationError where the shape is wrong), UnicodeDecodeError or RecursionError.

    msgspec refuses lone surrogates (`"\\ud800"`), which real titles hold: they are taken out; and `NaN`, which is no
    JSON but sent by some: null. `strict`: no text for a number and the like.
    """
    decoder = _decoder(cast(Any, type_), strict)
    try:
        return cast(T, decoder.decode(content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if isinstance(error, msgspec.ValidationError):
            raise
        try:
            plain = json.dumps(json.loads(bytes(content), parse_constant=_null), ensure_ascii=False)
        except (ValueError, RecursionError):
            raise error from None
        return cast(T, decoder.decode(_LONE.sub("", plain)))


def _null(_: str) -> None:
    return None


@functools.lru_cache(maxsize=256)
def _decoder(type_: Any, strict: bool) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_, strict=strict)
