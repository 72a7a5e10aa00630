"""What is kept of a judgement, so that the next one goes only through what changed since."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from itertools import islice
from typing import TypeVar

from msgspec import Struct

from okrsync.domain.findings import Standing
from okrsync.linking import NOWHERE

from .ids import Ids, Numbers
from .sayings import SILENT
from .told import ByGroup

GONE = -1
_COLUMNS = {
    **dict.fromkeys(("up", "below", "beside"), ("i", NOWHERE)),
    "outlines": ("i", GONE),
    "said": ("q", SILENT),
    "stands": ("i", 0),
    "answered": ("i", 0),
    "telling": ("B", False),
}
"""What the numbers of each column are in memory, and the one of an item of which nothing is known."""
_ROOM = 0.02  # for so many more items there is room, as copying the columns takes long
_T = TypeVar("_T")


class Kept(Struct, kw_only=True, dict=True):
    """How all items stood, by places, which are numbers in the order of `ids`.

    basis     stands for all that a judgement hangs on besides items
    mark      of the state of the store that was looked at
    ids       those of items that are gone, too
    up        where an item's first edge leads, less than 0 without one, and where nobody asks how the item stands
    below     an item of which that is the first edge's end, and
    beside    another with the same end; NOWHERE where there is none (any more). As they were when this was written down
    forks     where all its edges lead, of items with more than one
    lost      the ids that an item refers to in vain
    outlines  `domain.outlines`, GONE of an item that is no longer held
    sayings   what items say themselves (`sayings`)
    said      the number of what an item says
    ways      in which items stand; the first, None, that of items that do not count
    stands    the number of an item's way
    counts    how many items stand in each way
    answers   what the mapping rules say of items, as digests; the first, empty, of those of which they were not asked
    answered  the number of the answer
    telling   whether a finding is about the item
    found     findings about work
    """

    basis: str
    mark: str
    ids: Ids
    up: Numbers
    below: Numbers
    beside: Numbers
    forks: dict[int, tuple[int, ...]]
    lost: dict[int, tuple[str, ...]]
    outlines: Numbers
    sayings: list[bytes]
    said: Numbers
    ways: list[Standing | None]
    stands: Numbers
    counts: list[int]
    answers: list[bytes]
    answered: Numbers
    telling: Numbers
    found: ByGroup

    def add(self, id_: str) -> int:
        """Gives an item a place; it counts as gone until more is known of it."""
        place = self.ids.add(id_)
        if place == len(self.up):
            self.make_room()
        for name, (_, unknown) in _COLUMNS.items():
            getattr(self, name)[place] = unknown
        self.counts[0] += 1
        return place

    def make_room(self) -> None:
        """For more items than there are places; what stands there means nothing."""
        number = len(self.ids)
        for name, (code, _) in _COLUMNS.items():
            column = getattr(self, name)
            if not isinstance(column, array):  # where it was read
                written, column = column, array(code)
                column.frombytes(written.cast("B"))
                setattr(self, name, column)
            column.frombytes(bytes(column.itemsize * (number + int(_ROOM * number) + 1 - len(column))))

    def read(self) -> None:
        """To be called once when it was read."""
        self.ids.ends = memoryview(self.ids.ends).cast("i")
        for name, (code, _) in _COLUMNS.items():
            setattr(self, name, getattr(self, name).cast(code))

    def count(self, ways: Mapping[int, int]) -> None:
        """Items in other ways than before, by place."""
        for place, way in ways.items():
            self.counts[self.stands[place]] -= 1
            self.counts[way] += 1

    def lead(self, place: int, above: int, ways: tuple[int, ...]) -> None:
        """Where an item's first edge leads, and all where there are several."""
        self.up[place] = above
        if ways:
            self.forks[place] = ways
        else:
            self.forks.pop(place, None)

    def drop(self, place: int) -> None:
        """The item is gone."""
        self.count({place: 0})
        self.up[place], self.outlines[place], self.stands[place], self.answered[place] = NOWHERE, GONE, 0, 0
        self.said[place] = SILENT
        self.forks.pop(place, None)
        self.lost.pop(place, None)

    def all_below(self, places: Collection[int]) -> set[int]:
        """These, and all from which a way led up to one of them when this was written down, or would have if it had
        been held."""
        reached = set(places)
        if not reached:
            return reached
        if self.lost:
            named = {self.ids[place] for place in reached}
            reached.update(place for place, ids in self.lost.items() if not named.isdisjoint(ids))
        waiting = list(reached)
        while waiting:
            new: set[int] = set()
            for place in waiting:
                under = self.below[place]
                while under >= 0:
                    new.add(under)
                    under = self.beside[under]
                new.update(self._forking.get(place, ()))
            waiting = list(new - reached)
            reached |= new
        return reached

    def way(self, stands: Standing | None) -> int:
        """The number of a way to stand."""
        number = _number(self._by_way, self.ways, stands)
        self.counts += [0] * (len(self.ways) - len(self.counts))
        return number

    def answer(self, digest: bytes) -> int:
        """The number of an answer."""
        return _number(self._by_answer, self.answers, digest)

    @cached_property
    def _forking(self) -> dict[int, list[int]]:
        """By where they lead: items that lead to several."""
        forking: dict[int, list[int]] = {}
        for place, ways in self.forks.items():
            for to in ways:
                forking.setdefault(to, []).append(place)
        return forking

    @cached_property
    def _by_way(self) -> dict[Standing | None, int]:
        return {stands: number for number, stands in enumerate(self.ways)}

    @cached_property
    def _by_answer(self) -> dict[bytes, int]:
        return {digest: number for number, digest in enumerate(self.answers)}


def led_to(up: Iterable[int], number: int) -> tuple[Numbers, Numbers]:
    """As `Kept.below` and `Kept.beside`, of so many items."""
    below, beside = array("i", [NOWHERE]) * number, array("i", [NOWHERE]) * number
    for place, above in enumerate(islice(up, number)):
        if above >= 0:
            beside[place] = below[above]
            below[above] = place
    return below, beside


def _number(known: dict[_T, int], told: list[_T], one: _T) -> int:
    number = known.setdefault(one, len(told))
    if number == len(told):
        told.append(one)
    return number
