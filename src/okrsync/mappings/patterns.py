"""The two kinds of value in a `when`: globs that match a whole value, RE2 expressions that search a text.

Both take linear time: titles and labels come from strangers. Tests are given values as `folded` or `encoded`
leaves them, so that an item is prepared once for all rules. RE2 is loaded where it is asked for: plain words need none.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from okrsync.domain.text import clean

if TYPE_CHECKING:
    import re2

_MAX_MEMORY = 8 << 20  # bytes for each expression; beyond it RE2 turns to a slower engine, still linear


class PatternError(ValueError):
    """An expression that RE2 refuses. The message names rule, key and expression and says what is wrong."""


def folded(value: str) -> str:
    """A value as globs compare it."""
    return value.casefold()


def encoded(value: str) -> bytes:
    """A text as RE2 searches it."""
    try:
        return value.encode()
    except UnicodeEncodeError:  # a lone surrogate, which some trackers let through
        return clean(value).encode()


def is_literal(pattern: str) -> bool:
    return "*" not in pattern and "?" not in pattern


def glob(pattern: str) -> Callable[[str], bool]:
    """Tests whole folded values; only `*` and `?` are special (`dependabot[bot]` is literal)."""
    own = folded(pattern)
    if is_literal(own):
        return lambda value: value == own
    if not own.strip("*"):
        return lambda _value: True
    import re2  # noqa: PLC0415  # see above

    special = {"*": ".*", "?": "."}
    expression = _compiled("".join(special.get(c) or re2.escape(c) for c in own), dot_nl=True)

    @lru_cache(maxsize=4096)  # the same labels, types and people come again and again
    def test(value: str) -> bool:
        return expression.fullmatch(encoded(value)) is not None

    return test


def search(pattern: str) -> Callable[[bytes], bool]:
    """Tests encoded texts for an RE2 expression, anywhere in them. Raises PatternError."""
    expression = _compiled(pattern, dot_nl=False)
    return lambda value: expression.search(value) is not None


def _compiled(pattern: str, *, dot_nl: bool) -> re2._Regexp:
    import re2  # noqa: PLC0415  # see above

    options = re2.Options()
    options.max_mem = _MAX_MEMORY
    options.log_errors = False  # it would write to stderr by itself
    options.never_capture = True  # only whether it matches is asked
    options.dot_nl = dot_nl
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else b""
        reason = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise PatternError(f"{pattern!r} is no RE2 expression: {reason}") from None
    except UnicodeEncodeError:
        raise PatternError(f"{pattern!r} is no valid text") from None
