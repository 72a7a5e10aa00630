"""How items stand, for findings: of each of them, or of those together that are alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time
from itertools import compress, count

from okrsync.domain.findings import Standing
from okrsync.domain.links import Alignment
from okrsync.domain.outlines import ENDED, OPEN, UNCOUNTED

from .resolve import Resolution, Weighed

_APART = frozenset((Alignment.UNLINKED, Alignment.STALE))


def standings(resolution: Resolution, ends: Sequence[int]) -> list[Standing]:
    """Of every item that counts, but for closed work that supports nothing and has nothing below it."""
    weighed, numbers = resolution.stands()
    parents = resolution.parents(range(len(ends)))
    return [
        _one(resolution, place, end, weighed[numbers[place]])
        for place, end in enumerate(ends)
        if end != UNCOUNTED and (end != ENDED or place in parents)
    ]


def standings_together(resolution: Resolution, ends: Sequence[int]) -> list[Standing]:
    """Likewise, but one by one only of open work that a finding may be about, with what is above it; of the others of
    those together that are alike."""
    weighed, numbers = resolution.stands()
    apart = {number for number, one in enumerate(weighed) if one.alignment in _APART}
    listed = {place for place in compress(count(), map(apart.__contains__, numbers)) if ends[place] == OPEN}
    listed.update(place for place in resolution.telling if ends[place] == OPEN)
    waiting: Collection[int] = listed
    while waiting:
        above = {place for place in resolution.parents(waiting) if ends[place] != UNCOUNTED and numbers[place] in apart}
        waiting = above - listed
        listed |= waiting
    counting = set(ends) - {UNCOUNTED, ENDED}
    counts = Counter(compress(zip(numbers, ends, strict=True), map(counting.__contains__, ends)))
    counts.subtract((numbers[place], ends[place]) for place in listed)
    return [
        *(_one(resolution, place, ends[place], weighed[numbers[place]]) for place in sorted(listed)),
        *(
            _standing("", end, weighed[number], count=many)
            for (number, end), many in counts.items()
            if many > 0 and weighed[number].alignment is not Alignment.UNLINKED
        ),
    ]


def _one(resolution: Resolution, place: int, end: int, weighed: Weighed) -> Standing:
    telling = place in resolution.telling
    return _standing(resolution.ids[place], end, weighed, parent=resolution.parent(place), telling=telling)


def _standing(
    id_: str, end: int, weighed: Weighed, *, parent: str | None = None, telling: bool = False, count: int = 1
) -> Standing:
    winner = weighed.winner
    return Standing(
        id_,
        end == OPEN,
        datetime.combine(date.fromordinal(end), time.min, UTC) if end > ENDED else None,
        weighed.alignment,
        weighed.targets,
        winner.exempt or None if winner else None,
        winner.rule or None if winner else None,
        parent,
        telling,
        count,
    )
