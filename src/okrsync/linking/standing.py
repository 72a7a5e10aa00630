"""How items stand, for findings: of each of them, or of those together that are alike."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from itertools import compress

from msgspec import Struct

from okrsync.domain.findings import Standing
from okrsync.domain.links import Alignment
from okrsync.domain.outlines import ENDED, OPEN, UNCOUNTED

from .resolve import Resolution, Weighed

_APART = frozenset((Alignment.UNLINKED, Alignment.STALE))


def standings(resolution: Resolution, ends: Sequence[int]) -> list[Standing]:
    """Of every item that counts, but for closed work that supports nothing and has nothing below it."""
    weighed, numbers = resolution.stands()
    parents = resolution.parents(range(len(ends)))
    listed = [p for p, end in enumerate(ends) if end != UNCOUNTED and (end != ENDED or p in parents)]
    return list(_each(resolution, listed, ends, weighed, numbers))


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
    weighed, found = resolution.stands()
    ways: list[Standing | None] = [None]
    known: dict[Standing | None, int] = {None: 0}
    numbered: dict[tuple[int, int], int] = {}
    counted = resolution.counted(ends)
    standing = list(zip(map(found.__getitem__, counted), map(ends.__getitem__, counted), strict=True))
    for number, end in set(standing):
        stands = _alike(weighed[number], end)
        numbered[number, end] = known.setdefault(stands, len(ways))
        if numbered[number, end] == len(ways):
            ways.append(stands)
    told = list(map(numbered.__getitem__, standing))
    numbers = array("i", bytes(4 * len(ends)))
    for place, way in zip(counted, told, strict=True):
        numbers[place] = way
    counts = Counter(told)
    counts[0] = len(ends) - len(told)
    apart = [way is not None and way.open and way.alignment in _APART for way in ways]
    listed = set(compress(counted, map(apart.__getitem__, told)))
    places = _with_parents(resolution, listed, ends, weighed, found)
    return Ways(
        ways=ways,
        numbers=numbers,
        counts=list(map(counts.__getitem__, range(len(ways)))),
        listed=list(_each(resolution, sorted(places), ends, weighed, found)),
    )


def _with_parents(
    resolution: Resolution,
    listed: set[int],
    ends: Sequence[int],
    weighed: Sequence[Weighed],
    numbers: Sequence[int],
) -> set[int]:
    """Open work that stands apart, with what else a finding may be about, and what of the kind is above it."""
    apart = {number for number, one in enumerate(weighed) if one.alignment in _APART}
    listed = listed.union(place for place in resolution.telling if ends[place] == OPEN)
    waiting: Collection[int] = listed
    while waiting:
        above = {place for place in resolution.parents(waiting) if ends[place] != UNCOUNTED and numbers[place] in apart}
        waiting = above - listed
        listed |= waiting
    return listed


def _each(
    resolution: Resolution,
    places: Iterable[int],
    ends: Sequence[int],
    weighed: Sequence[Weighed],
    numbers: Sequence[int],
) -> Iterator[Standing]:
    ids, parent, telling = resolution.ids, resolution.parent, resolution.telling
    known: dict[tuple[int, int], Standing] = {}
    for place in places:
        number, end = numbers[place], ends[place]
        like = known.get((number, end))
        if like is None:
            like = known[number, end] = _alike(weighed[number], end)
        yield Standing(
            ids[place],
            like.open,
            like.closed_at,
            like.alignment,
            like.targets,
            like.exempt_class,
            like.rule,
            parent(place),
            place in telling,
        )


def _alike(weighed: Weighed, end: int) -> Standing:
    """Of an item that stands in this way and ended so."""
    winner = weighed.winner
    return Standing(
        id="",
        open=end == OPEN,
        closed_at=datetime.combine(date.fromordinal(end), time.min, UTC) if end > ENDED else None,
        alignment=weighed.alignment,
        targets=weighed.targets,
        exempt_class=winner.exempt or None if winner else None,
        rule=winner.rule or None if winner else None,
    )
