"""The ids of a million items, of which few are asked for."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import compress, count, islice, pairwise
from operator import ge
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    Numbers: TypeAlias = "array[int] | memoryview[int]"
else:
    Numbers = memoryview  # as which they are read again

_TOGETHER = 32
_MOST_RUNS = 8
_BETWEEN = "\0"
"""No text in a store holds it."""
_BYTE = _BETWEEN.encode()


class Ids(Struct, dict=True):
    """By place, which is a number.

    packed  stretches of so many ids each, one behind the other, with NUL before and behind each id; they are taken
            apart where one of them is asked for
    ends    where in it each ends
    heads   the first id of each
    number  of ids in there
    more    ids that were added since
    runs    places between which the ids are sorted, and the first and last of them: a store shows them so, one
            connector after the other. None where there are many such runs
    """

    packed: memoryview
    ends: Numbers
    heads: list[str]
    number: int
    runs: list[tuple[int, int, str, str]]
    more: list[str]

    @classmethod
    def of(cls, ids: Sequence[str]) -> Ids:
        parts = [
            _BETWEEN.join(("", *ids[first : first + _TOGETHER], "")).encode() for first in range(0, len(ids), _TOGETHER)
        ]
        ends, end = array("i"), 0
        for part in parts:
            end += len(part)
            ends.append(end)
        return cls(memoryview(b"".join(parts)), ends, list(ids[::_TOGETHER]), len(ids), _runs(ids), [])

    def __len__(self) -> int:
        return self.number + len(self.more)

    def __getitem__(self, place: int) -> str:
        if place >= self.number:
            return self.more[place - self.number]
        id_ = self._seen.get(place)
        if id_ is None:
            number, behind = divmod(place, _TOGETHER)
            id_ = self._seen[place] = self._part(number).split(_BYTE, behind + 2)[behind + 1].decode()
        return id_

    def find(self, id_: str) -> int | None:
        """The place of an id."""
        place = self._found.get(id_)
        if place is not None:
            return place
        for first, last, lowest, highest in self.runs:
            if not lowest <= id_ <= highest:
                continue
            least = first // _TOGETHER
            # what begins before the run may hold ids of the one before
            number = bisect_right(self.heads, id_, least + 1, (last - 1) // _TOGETHER + 1) - 1
            part = self._part(number)
            before = part.find(f"{_BETWEEN}{id_}{_BETWEEN}".encode())
            if before >= 0:
                place = self._found[id_] = number * _TOGETHER + part.count(_BYTE, 0, before)
                self._seen[place] = id_
                return place
        return None

    def add(self, id_: str) -> int:
        """Gives an id the next place."""
        place = self._found[id_] = len(self)
        self.more.append(id_)
        return place

    def _part(self, number: int) -> bytes:
        first = self.ends[number - 1] if number else 0
        return bytes(self.packed[first : self.ends[number]])

    @cached_property
    def _seen(self) -> dict[int, str]:
        return {}

    @cached_property
    def _found(self) -> dict[str, int]:
        """Places of ids: of all where they are not sorted, else of those that were added and once found."""
        found: dict[str, int] = {}
        for number in range(0 if self.runs else len(self.ends)):
            ids = self._part(number).decode().split(_BETWEEN)[1:-1]
            found.update(zip(ids, count(number * _TOGETHER)))
        found.update(zip(self.more, count(self.number)))
        return found


def _runs(ids: Sequence[str]) -> list[tuple[int, int, str, str]]:
    starts = [0, *islice(compress(count(1), map(ge, ids, islice(ids, 1, None))), _MOST_RUNS)]
    if len(starts) > _MOST_RUNS or not ids:
        return []
    return [(first, last, ids[first], ids[last - 1]) for first, last in pairwise((*starts, len(ids)))]
