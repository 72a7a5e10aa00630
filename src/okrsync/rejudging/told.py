"""Findings as text, a few together, so that of a hundred thousand only those that changed are taken apart."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import groupby
from operator import attrgetter
from typing import TypeAlias

from msgspec import Struct, msgpack

from okrsync import reports

Group: TypeAlias = tuple[int, str, str]
_TOGETHER = 16
_order = attrgetter("group", "id")
_unpack = msgpack.Decoder(list[str]).decode
_unpack_numbers = msgpack.Decoder(list[int]).decode


class Told(Struct, array_like=True, gc=False):
    """A finding; they are sorted by group and id.

    group  the rank of its severity, its code, and the kind of its subject
    id     the subject's
    text   as JSON, up to the value of `since`
    """

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

    group: Group
    first: str
    number: int
    packed: memoryview
    lengths: memoryview
    text: memoryview

    @classmethod
    def of(cls, told: Sequence[Told]) -> Stretch:
        texts = [one.text for one in told]
        parts = (
            msgpack.encode([one.id for one in told]),
            msgpack.encode([len(text) for text in texts]),
            reports.joined(texts),
        )
        return cls(told[0].group, told[0].id, len(told), *(memoryview(part) for part in parts))

    @property
    def ids(self) -> list[str]:
        return _unpack(self.packed)

    def apart(self) -> Iterator[Told]:
        first = 0
        for id_, length in zip(self.ids, _unpack_numbers(self.lengths), strict=True):
            yield Told(self.group, id_, self.text[first : first + length])
            first += length + reports.BETWEEN

    def since(self, moments: Mapping[tuple[str, str, str], str]) -> bytes | memoryview:
        """As JSON, with the moments since which they are open, by code, kind and id."""
        if not moments:
            return self.text
        told = list(self.apart())
        _, code, kind = self.group
        return reports.joined([one.text for one in told], [moments.get((code, kind, one.id)) for one in told])


def together(told: Iterable[Told]) -> list[Stretch]:
    """In their order."""
    return [
        Stretch.of(some[first : first + _TOGETHER])
        for _, group in groupby(sorted(told, key=_order), key=attrgetter("group"))
        for some in [list(group)]
        for first in range(0, len(some), _TOGETHER)
    ]


def changed(stretches: Sequence[Stretch], gone: Set[str], added: Iterable[Told]) -> list[Stretch]:
    """Without those about the subjects that are gone, and with others."""
    groups = {
        group: (numbers[0], [stretches[number].first for number in numbers])
        for group, of in groupby(range(len(stretches)), key=lambda number: stretches[number].group)
        for numbers in [list(of)]
    }

    def place(group: Group, id_: str) -> int:
        """The number of the stretch to which that belongs."""
        number, firsts = groups[group]
        return number + max(bisect_right(firsts, id_) - 1, 0)

    more: defaultdict[int, list[Told]] = defaultdict(list)
    new: list[Told] = []
    for one in added:
        (more[place(one.group, one.id)] if one.group in groups else new).append(one)
    made: list[Stretch] = together(new)
    untouched = list[Stretch | None](stretches)
    for number in {place(group, id_) for group in groups for id_ in gone} | more.keys():
        stretch = stretches[number]
        if number in more or not gone.isdisjoint(stretch.ids):
            made += together((*(one for one in stretch.apart() if one.id not in gone), *more[number]))
            untouched[number] = None
    return sorted((*filter(None, untouched), *made), key=attrgetter("group", "first"))
