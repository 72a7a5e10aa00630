"""Is a schedule well formed: `every 30s`, or the five fields of a cron expression."""

from __future__ import annotations

from datetime import timedelta

from ..domain.text import parse_duration

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# name, lowest, highest, names that stand for numbers from the lowest on
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_EXAMPLES = 'write a cron expression such as "*/15 * * * *", or `every 30s`'


def check_schedule(text: str) -> str:
    """The text itself. Raises ValueError saying which field is wrong."""
    if text.lower().startswith("every "):
        if parse_duration(text[6:]) < timedelta(seconds=1):
            raise ValueError(f"{text!r} is no pause at all; {_EXAMPLES}")
        return text
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"{text[:60]!r} has {len(fields)} fields instead of five; {_EXAMPLES}")
    for field, (name, lowest, highest, names) in zip(fields, _FIELDS, strict=True):
        if not all(_fits(part, lowest, highest, names) for part in field.split(",")):
            raise ValueError(f"{field[:40]!r} is no {name} ({lowest} to {highest}); {_EXAMPLES}")
    return text


def _fits(part: str, lowest: int, highest: int, names: tuple[str, ...]) -> bool:
    span, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdigit() and 0 < int(step[:9]) <= highest):
        return False
    if span == "*":
        return True
    numbers = [_number(bound, lowest, names) for bound in span.split("-")]
    if len(numbers) > 2 or not all(n is not None and lowest <= n <= highest for n in numbers):
        return False
    return numbers == sorted(n for n in numbers if n is not None)


def _number(text: str, lowest: int, names: tuple[str, ...]) -> int | None:
    if text.lower() in names:
        return names.index(text.lower()) + lowest
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else None
