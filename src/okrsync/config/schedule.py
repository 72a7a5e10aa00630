"""Is a schedule well formed: `every 30s`, or the five fields of a cron expression."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

from ..domain.text import parse_duration

# as the library names them in its errors: position, our words, lowest, highest
_FIELDS = {
    "minute": (0, "minute", 0, 59),
    "hour": (1, "hour", 0, 23),
    "day-of-month": (2, "day of the month", 1, 31),
    "month": (3, "month", 1, 12),
    "day-of-week": (4, "day of the week", 0, 7),
}
_EXAMPLES = 'write a cron expression such as "*/15 * * * *", or `every 30s`'
_ANY_DAY = datetime(2024, 1, 1, tzinfo=UTC)


def check_schedule(text: str) -> str:
    """The text itself. Raises ValueError saying which field is wrong."""
    if text.lower().startswith("every "):
        if parse_duration(text[6:]) < timedelta(seconds=1):
            raise ValueError(f"{text!r} is no pause at all; {_EXAMPLES}")
        return text
    fields = text.split()
    if len(fields) != len(_FIELDS):
        count = f"{len(fields)} field{'s' * (len(fields) != 1)}"
        raise ValueError(f"{text[:60]!r} has {count} instead of five; {_EXAMPLES}")
    try:
        next(CronSim(text, _ANY_DAY))
    except CronSimError as error:
        raise ValueError(f"{_wrong(fields, str(error))}; {_EXAMPLES}") from None
    except StopIteration:
        raise ValueError(f"{text[:60]!r} names a day that never comes; {_EXAMPLES}") from None
    return text


def _wrong(fields: list[str], error: str) -> str:
    known = _FIELDS.get(error.removeprefix("Bad "))
    if known is None:
        return f"{' '.join(fields)[:60]!r} is no cron expression"
    position, words, lowest, highest = known
    if position == 2 and fields[2].isdigit() and lowest <= int(fields[2]) <= highest:
        return f"{fields[2]!r} is a {words} that the months {fields[3][:40]!r} do not have"
    return f"{fields[position][:40]!r} is no {words} ({lowest} to {highest})"
