"""Which items changed since a moment: each transaction that writes items marks them with a number of its own, higher
than all before it."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, select

from .database import upsert
from .schema import meta

KEY = "changes"
# Beside the last number stand tokens of this many transactions: they tell a database that was restored from a copy, in
# which the same number may stand for something else.
_REMEMBERED = 256


def first_change() -> str:
    """What the small memory holds of an empty database, or of one that was never marked."""
    return f"0 {secrets.token_hex(4)}"


def next_change(c: Connection) -> int:
    """The number for what this transaction writes. Whoever else writes waits for its end, so that numbers are seen in
    the order in which they were given."""
    told = select(meta.c.value).where(meta.c.key == KEY).with_for_update()
    last, tokens = _parsed(c.execute(told).scalar())
    kept = [*tokens, secrets.token_hex(4)][-_REMEMBERED:]
    upsert(c, meta, [{"key": KEY, "value": " ".join((str(last + 1), *kept))}])
    return last + 1


def mark(c: Connection) -> str:
    """Stands for the state that this transaction sees."""
    last, tokens = _parsed(c.execute(select(meta.c.value).where(meta.c.key == KEY)).scalar())
    return f"{last} {tokens[-1]}"


def since(c: Connection, marked: str) -> int | None:
    """The number above which changes are newer than the mark; None where that cannot be told: too much happened since,
    or the mark is of another database."""
    back, number, tokens, token = _compared(c, marked)
    return number if 0 <= back < len(tokens) and tokens[-1 - back] == token else None


def fades(c: Connection, marked: str) -> bool:
    """Whether that will soon be so."""
    return _compared(c, marked)[0] > _REMEMBERED // 2


def _compared(c: Connection, marked: str) -> tuple[int, int, list[str], str]:
    last, tokens = _parsed(c.execute(select(meta.c.value).where(meta.c.key == KEY)).scalar())
    number, _, token = marked.partition(" ")
    return last - int(number), int(number), tokens, token


def _parsed(told: str | None) -> tuple[int, list[str]]:
    number, *tokens = (told or first_change()).split(" ")
    return int(number), tokens
