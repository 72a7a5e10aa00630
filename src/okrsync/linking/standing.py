"""How items stand, for findings: of each of them, or of those together that are alike."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time
from itertools import compress
from operator import getitem
from typing import cast

from msgspec import Struct

from okrsync.domain.findings import Standing
from okrsync.domain.links import Alignment
from okrsync.domain.outlines import ENDED, OPEN, UNCOUNTED

from .resolve import Resolution, Weighed

_APART = frozenset((Alignment.UNLINKED, Alignment.STALE))


def standings(resolution: Resolution, ends: Sequence[int]) -> list[Standing]:
    """Of every item that counts, but for closed work that supports nothing and has nothing below it."""
    known = _Known(resolution, ends)
    parents = resolution.graph.all_above(range(len(ends)))
    return known.each([p for p, end in enumerate(ends) if end != UNCOUNTED and (end != ENDED or p in parents)])


class Ways(Struct):
    """How items stand together.

    ways     in which they do, as Standings of one item without its id; the first, None, is that of items that do not
             count and of closed work that supports nothing
    numbers  by place, the number of its way
    counts   how many items stand in each
    listed   open work that a finding may be about, with what is above it, one by one
    """

    ways: list[Standing | None]
    numbers: array[int]
    counts: list[int]
    listed: list[Standing]


def standings_together(resolution: Resolution, ends: Sequence[int]) -> Ways:
    known = _Known(resolution, ends)
    counted = resolution.counted(ends)
    told = known.numbers(counted)
    ways = known.ways.copy()
    numbers = array("i", bytes(4 * len(ends)))
    for place, way in zip(counted, told, strict=True):
        numbers[place] = way
    counts = Counter(told)
    counts[0] = len(ends) - len(told)
    apart = [way is not None and way.open and way.alignment in _APART for way in ways]
    listed = set(compress(counted, map(apart.__getitem__, told)))
    return Ways(
        ways=ways,
        numbers=numbers,
        counts=list(map(counts.__getitem__, range(len(ways)))),
        listed=known.each(sorted(known.with_parents(listed))),
    )


class _Known:
    """The ways in which items stand, each worked out once; the first is that of no item."""

    def __init__(self, resolution: Resolution, ends: Sequence[int]) -> None:
        self.ways: list[Standing | None] = [None]
        self._resolution = resolution
        self._weighed, self._found = resolution.stands()
        self._ends = ends
        numbered: dict[Standing, int] = {}
        self._by_end = [_ByEnd(one, self.ways, numbered) for one in self._weighed]

    def numbers(self, places: Sequence[int]) -> list[int]:
        """The number of each one's way."""
        found = map(self._found.__getitem__, places)
        return list(map(getitem, map(self._by_end.__getitem__, found), map(self._ends.__getitem__, places)))

    def each(self, places: Sequence[int]) -> list[Standing]:
        """How each of these stands."""
        ids, telling = self._resolution.ids, self._resolution.telling
        ways = cast("list[Standing]", list(map(self.ways.__getitem__, self.numbers(places))))
        return [
            Standing(
                ids[place],
                like.open,
                like.closed_at,
                like.alignment,
                like.targets,
                like.exempt_class,
                like.rule,
                parent,
                place in telling,
            )
            for place, like, parent in zip(places, ways, self._resolution.graph.parents(places), strict=True)
        ]

    def with_parents(self, listed: set[int]) -> set[int]:
        """Open work that stands apart, with what else a finding may be about, and what of the kind is above it."""
        resolution, ends, found = self._resolution, self._ends, self._found
        apart = {number for number, one in enumerate(self._weighed) if one.alignment in _APART}
        listed = listed.union(place for place in resolution.telling if ends[place] == OPEN)
        waiting: Collection[int] = listed
        while waiting:
            above = {p for p in resolution.graph.all_above(waiting) if ends[p] != UNCOUNTED and found[p] in apart}
            waiting = above - listed
            listed |= waiting
        return listed


class _ByEnd(dict[int, int]):
    """By its end, the number of the way in which an item stands that finds this."""

    def __init__(self, weighed: Weighed, ways: list[Standing | None], numbered: dict[Standing, int]) -> None:
        self._weighed, self._ways, self._numbered = weighed, ways, numbered

    def __missing__(self, end: int) -> int:
        winner = self._weighed.winner
        stands = Standing(
            id="",
            open=end == OPEN,
            closed_at=datetime.combine(date.fromordinal(end), time.min, UTC) if end > ENDED else None,
            alignment=self._weighed.alignment,
            targets=self._weighed.targets,
            exempt_class=winner.exempt or None if winner else None,
            rule=winner.rule or None if winner else None,
        )
        number = self[end] = self._numbered.setdefault(stands, len(self._ways))
        if number == len(self._ways):
            self._ways.append(stands)
        return number
