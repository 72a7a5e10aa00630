"""Findings as text, a few together, so that of a hundred thousand only those that changed are taken apart."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise, repeat
from operator import attrgetter, itemgetter
from typing import TypeAlias

from msgspec import Struct, msgpack

from okrsync import reports

_TOGETHER = 16
_first = attrgetter("first")
_unpack = msgpack.Decoder(list[str]).decode
_unpack_numbers = msgpack.Decoder(list[int]).decode

Group: TypeAlias = tuple[int, str, str]
"""The rank of a finding's severity, its code, and the kind of its subject."""
One: TypeAlias = tuple[str, bytes | memoryview]
"""A finding of some group: its subject's id, and its text as JSON, up to the value of `since`."""


class Told(Struct, array_like=True, gc=False):
    """A finding."""

    group: Group
    id: str
    text: bytes | memoryview


class Stretch(Struct, array_like=True, gc=False, frozen=True):
    """Findings of one group that follow each other.

    first   the id of the first
    number  of findings
    packed  their ids
    lengths of their texts, packed, too
    text    of all as JSON where it is not known since when they are open (`reports.joined`)
    """

    first: str
    number: int
    packed: memoryview
    lengths: memoryview
    text: memoryview

    @classmethod
    def of(cls, ones: Sequence[One]) -> Stretch:
        ids, texts = zip(*ones, strict=True)
        parts = (msgpack.encode(ids), msgpack.encode([len(text) for text in texts]), reports.joined(texts))
        return cls(ids[0], len(ids), *(memoryview(part) for part in parts))

    @property
    def ids(self) -> list[str]:
        return _unpack(self.packed)

    def apart(self) -> Iterator[One]:
        first = 0
        for id_, length in zip(self.ids, _unpack_numbers(self.lengths), strict=True):
            yield id_, self.text[first : first + length]
            first += length + reports.BETWEEN

    def changed(self, gone: Container[str], added: Iterable[One]) -> list[Stretch]:
        """Without some and with others that belong here: cut, as the text is far longer than what is told of it."""
        ids = self.ids
        cut = {place for place, id_ in enumerate(ids) if id_ in gone}
        new = [Stretch.of([one]) for one in added]
        if not (cut or new):
            return [self]
        edges = {0, len(ids), *cut, *(place + 1 for place in cut), *(bisect_left(ids, one.first) for one in new)}
        lengths = _unpack_numbers(self.lengths)
        starts = list(accumulate((length + reports.BETWEEN for length in lengths), initial=0))
        left = [
            Stretch(
                ids[first],
                last - first,
                memoryview(msgpack.encode(ids[first:last])),
                memoryview(msgpack.encode(lengths[first:last])),
                self.text[starts[first] : starts[last] - reports.BETWEEN + reports.BEHIND],
            )
            for first, last in pairwise(sorted(edges))
            if first not in cut
        ]
        return sorted(left + new, key=_first)


ByGroup: TypeAlias = dict[Group, list[Stretch]]
"""Findings, in their order in each group; none is empty."""


def together(told: Iterable[Told]) -> ByGroup:
    return {group: _stretches(ones) for group, ones in _by_group(told).items()}


def apart(found: ByGroup) -> Iterator[Told]:
    """In their order."""
    for group in sorted(found):
        for stretch in found[group]:
            yield from (Told(group, *one) for one in stretch.apart())


def texts(found: ByGroup, moments: Mapping[tuple[str, str, str], str]) -> Iterator[bytes | memoryview]:
    """As JSON, with the moments since which they are open, by code, kind and id."""
    for group in sorted(found):
        if not moments:
            yield from (stretch.text for stretch in found[group])
            continue
        _, code, kind = group
        for stretch in found[group]:
            ids, ones = zip(*stretch.apart(), strict=True)
            yield reports.joined(ones, [moments.get((code, kind, id_)) for id_ in ids])


def changed(found: ByGroup, gone: Collection[str], added: Iterable[Told]) -> ByGroup:
    """Without those about the subjects that are gone, and with others."""
    more = _by_group(added)
    made = {group: _changed(found.get(group, []), gone, more.get(group, [])) for group in found.keys() | more.keys()}
    return {group: stretches for group, stretches in made.items() if stretches}


def _changed(stretches: list[Stretch], gone: Collection[str], added: list[One]) -> list[Stretch]:
    """Likewise of one group."""
    if not stretches:
        return _stretches(added)
    firsts = [stretch.first for stretch in stretches]

    def places(ids: Iterable[str]) -> Iterator[int]:
        """To which stretches they belong."""
        return (max(after - 1, 0) for after in map(bisect_right, repeat(firsts), ids))

    more: defaultdict[int, list[One]] = defaultdict(list)
    for place, one in zip(places(id_ for id_, _ in added), added, strict=True):
        more[place].append(one)
    made = list(stretches)
    for place in sorted(more.keys() | set(places(gone)), reverse=True):
        made[place : place + 1] = stretches[place].changed(gone, more.get(place, ()))
    return made


def mended(found: ByGroup) -> ByGroup:
    """With stretches put together again that were cut so short that several of them make one."""
    return {group: list(_mended(stretches)) for group, stretches in found.items()}


def _mended(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    waiting: list[Stretch] = []

    def put() -> Iterable[Stretch]:
        return waiting if len(waiting) < 2 else [Stretch.of([one for some in waiting for one in some.apart()])]

    for stretch in stretches:
        if sum(some.number for some in waiting) + stretch.number > _TOGETHER:
            yield from put()
            waiting = []
        waiting.append(stretch)
    yield from put()


def _by_group(told: Iterable[Told]) -> dict[Group, list[One]]:
    by_group: defaultdict[Group, list[One]] = defaultdict(list)
    for one in told:
        by_group[one.group].append((one.id, one.text))
    return by_group


def _stretches(ones: Iterable[One]) -> list[Stretch]:
    ones = sorted(ones, key=itemgetter(0))
    return [Stretch.of(ones[first : first + _TOGETHER]) for first in range(0, len(ones), _TOGETHER)]
