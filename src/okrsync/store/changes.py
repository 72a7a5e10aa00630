"""Which items changed since a moment: each transaction that writes items marks them with a number of its own, higher
than all before it. What the small memory holds of that is `told` here."""

from __future__ import annotations

import secrets

KEY = "changes"
# Beside the last number stand tokens of this many transactions: they tell a database that was restored from a copy, in
# which the same number may stand for something else.
_REMEMBERED = 256


def first_change() -> str:
    """What the small memory holds of an empty database, or of one that was never marked."""
    return f"0 {secrets.token_hex(4)}"


def following(told: str | None) -> tuple[int, str]:
    """The number for what a transaction writes, and what the small memory holds then."""
    last, tokens = _parsed(told)
    kept = [*tokens, secrets.token_hex(4)][-_REMEMBERED:]
    return last + 1, " ".join((str(last + 1), *kept))


def mark(told: str | None) -> str:
    """Stands for the state of which this is told."""
    last, tokens = _parsed(told)
    return f"{last} {tokens[-1]}"


def since(told: str | None, marked: str) -> int | None:
    """The number above which changes are newer than the mark; None where that cannot be told: too much happened since,
    or the mark is of another database."""
    back, number, tokens, token = _compared(told, marked)
    return number if 0 <= back < len(tokens) and tokens[-1 - back] == token else None


def fades(told: str | None, marked: str) -> bool:
    """Whether that will soon be so."""
    return _compared(told, marked)[0] > _REMEMBERED // 2


def _compared(told: str | None, marked: str) -> tuple[int, int, list[str], str]:
    last, tokens = _parsed(told)
    number, _, token = marked.partition(" ")
    return last - int(number), int(number), tokens, token


def _parsed(told: str | None) -> tuple[int, list[str]]:
    number, *tokens = (told or first_change()).split(" ")
    return int(number), tokens
