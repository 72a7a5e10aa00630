"""What is kept of a judgement, so that the next one goes only through what changed since."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain, compress, count, islice, pairwise
from operator import ge
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from msgspec import Struct

from okrsync.domain.findings import Standing
from okrsync.linking import NOWHERE

if TYPE_CHECKING:
    Numbers: TypeAlias = "array[int]"
else:
    Numbers = array  # not to be subscripted before Python 3.12

GONE = -1
_MOST_RUNS = 8
_T = TypeVar("_T")


class Told(Struct, array_like=True, gc=False):
    """A finding about work.

    order  what findings are sorted by: the rank of the severity, the code, the subject's kind and its id
    text   as JSON, up to the value of `since`
    """

    order: tuple[int, str, str, str]
    text: bytes


class Kept(Struct, kw_only=True, dict=True):
    """How all items stood, by places, which are numbers in the order of `ids`.

    basis     stands for all that a judgement hangs on besides items
    mark      of the state of the store that was looked at
    ids       those of items that are gone, too
    runs      stretches of `ids` that are sorted: a store shows them so, one connector after the other
    up        where an item's first edge leads, less than 0 without one, and where nobody asks how the item stands
    forks     where all its edges lead, of items with more than one
    inner     whether something leads to an item, or once did
    lost      the ids that an item refers to in vain
    outlines  `domain.outlines`, GONE of an item that is no longer held
    said      by id: a digest of what an item says itself, of those that do
    ways      in which items stand; the first, None, that of items that do not count
    stands    the number of an item's way
    counts    how many items stand in each way
    answers   what the mapping rules say of items, as digests; the first, empty, of those of which they were not asked
    answered  the number of the answer
    found     findings about work, sorted
    """

    basis: str
    mark: str
    ids: list[str]
    runs: list[tuple[int, int]]
    up: Numbers
    forks: dict[int, tuple[int, ...]]
    inner: bytearray
    lost: dict[int, tuple[str, ...]]
    outlines: Numbers
    said: dict[str, bytes]
    ways: list[Standing | None]
    stands: Numbers
    counts: list[int]
    answers: list[bytes]
    answered: Numbers
    found: list[Told]

    def find(self, id_: str) -> int | None:
        """The place of an item, also of one that is gone."""
        place = self._others.get(id_)
        if place is not None:
            return place
        for first, last in self.runs:
            place = bisect_left(self.ids, id_, first, last)
            if place < last and self.ids[place] == id_:
                return place
        return None

    def add(self, id_: str) -> int:
        """Gives an item a place; it counts as gone until more is known of it."""
        self._others[id_] = place = len(self.ids)
        self.ids.append(id_)
        self.up.append(NOWHERE)
        self.inner.append(False)
        self.outlines.append(GONE)
        self.stands.append(0)
        self.counts[0] += 1
        self.answered.append(0)
        return place

    def stand(self, place: int, way: int) -> None:
        """In another way than before."""
        self.counts[self.stands[place]] -= 1
        self.counts[way] += 1
        self.stands[place] = way

    def lead(self, place: int, above: int, ways: tuple[int, ...]) -> None:
        """Where an item's first edge leads, and all where there are several."""
        self.up[place] = above
        for to in (above, *ways):
            if to >= 0:
                self.inner[to] = True
        if ways:
            self.forks[place] = ways
        else:
            self.forks.pop(place, None)

    def drop(self, place: int) -> None:
        """The item is gone."""
        self.stand(place, 0)
        self.up[place], self.outlines[place], self.answered[place] = NOWHERE, GONE, 0
        self.forks.pop(place, None)
        self.lost.pop(place, None)
        self.said.pop(self.ids[place], None)

    def below(self, places: Collection[int]) -> set[int]:
        """These, and all from which a way leads up to one of them, or would if it was held."""
        reached = set(places)
        if not reached:
            return reached
        named = {self.ids[place] for place in reached}
        reached.update(place for place, ids in self.lost.items() if not named.isdisjoint(ids))
        marked = bytearray(len(self.ids) + 2)  # the last are for what leads nowhere
        for place in reached:
            marked[place] = True
        inner = list(compress(count(), self.inner))  # what has nothing below it needs to be looked at once only
        ups = list(map(self.up.__getitem__, inner))
        more = True
        while more:
            new = {place for place in compress(inner, map(marked.__getitem__, ups)) if not marked[place]}
            forked = (place for place, ways in self.forks.items() if any(map(marked.__getitem__, ways)))
            new.update(place for place in forked if not marked[place])
            for place in new:
                marked[place] = True
            reached |= new
            more = bool(new)
        reached.update(compress(count(), map(marked.__getitem__, self.up)))
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
    def _others(self) -> dict[str, int]:
        """The places of items outside the sorted stretches."""
        first = self.runs[-1][1] if self.runs else 0
        return {id_: place for place, id_ in enumerate(islice(self.ids, first, None), first)}

    @cached_property
    def _by_way(self) -> dict[Standing | None, int]:
        return {stands: number for number, stands in enumerate(self.ways)}

    @cached_property
    def _by_answer(self) -> dict[bytes, int]:
        return {digest: number for number, digest in enumerate(self.answers)}


def led_to(up: Iterable[int], forks: Mapping[int, Iterable[int]], number: int) -> bytearray:
    """As `Kept.inner`."""
    inner = bytearray(number)
    for place in chain(set(up), *forks.values()):
        if place >= 0:
            inner[place] = True
    return inner


def sorted_runs(ids: Sequence[str]) -> list[tuple[int, int]]:
    """As `Kept.runs`; none where there are many."""
    starts = [0, *islice(compress(count(1), map(ge, ids, islice(ids, 1, None))), _MOST_RUNS)]
    return [] if len(starts) > _MOST_RUNS else list(pairwise((*starts, len(ids))))


def _number(known: dict[_T, int], told: list[_T], one: _T) -> int:
    number = known.setdefault(one, len(told))
    if number == len(told):
        told.append(one)
    return number
