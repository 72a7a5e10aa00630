"""The ids of a million items, of which few are asked for."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import chain, compress, count, islice, pairwise
from operator import ge
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct, msgpack

if TYPE_CHECKING:
    Numbers: TypeAlias = "array[int] | memoryview[int]"
else:
    Numbers = memoryview  # as which they are read again

_TOGETHER = 16
_MOST_RUNS = 8
_unpack = msgpack.Decoder(list[str]).decode


class Ids(Struct, dict=True):
    """By place, which is a number.

    packed  stretches of so many ids each, one behind the other; they are unpacked where one of them is asked for
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
        parts = [msgpack.encode(ids[first : first + _TOGETHER]) for first in range(0, len(ids), _TOGETHER)]
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
        part = place // _TOGETHER
        return (self._parts.get(part) or self._unpacked(part))[place % _TOGETHER]

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
            part = bisect_right(self.heads, id_, least + 1, (last - 1) // _TOGETHER + 1) - 1
            among = self._parts.get(part) or self._unpacked(part)
            if id_ in among:
                place = self._found[id_] = part * _TOGETHER + among.index(id_)
                return place
        return None

    def add(self, id_: str) -> int:
        """Gives an id the next place."""
        place = self._found[id_] = len(self)
        self.more.append(id_)
        return place

    def _unpacked(self, part: int) -> list[str]:
        first = self.ends[part - 1] if part else 0
        ids = self._parts[part] = _unpack(self.packed[first : self.ends[part]])
        return ids

    @cached_property
    def _parts(self) -> dict[int, list[str]]:
        return {}

    @cached_property
    def _found(self) -> dict[str, int]:
        """Places of ids: of all where they are not sorted, else of those that were added and once found."""
        held = () if self.runs else chain.from_iterable(map(self._unpacked, range(len(self.ends))))
        found = {id_: place for place, id_ in enumerate(held)}
        found.update((id_, place) for place, id_ in enumerate(self.more, self.number))
        return found


def _runs(ids: Sequence[str]) -> list[tuple[int, int, str, str]]:
    starts = [0, *islice(compress(count(1), map(ge, ids, islice(ids, 1, None))), _MOST_RUNS)]
    if len(starts) > _MOST_RUNS or not ids:
        return []
    return [(first, last, ids[first], ids[last - 1]) for first, last in pairwise((*starts, len(ids)))]
