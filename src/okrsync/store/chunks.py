"""Many values, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

_CHUNK = 500

_T = TypeVar("_T")


def chunks(values: Iterable[_T]) -> Iterator[Sequence[_T]]:
    """Pieces short enough for one IN list."""
    pending = list(values)
    for start in range(0, len(pending), _CHUNK):
        yield pending[start : start + _CHUNK]
