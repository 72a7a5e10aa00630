"""Findings as text, a few together, so that of a hundred thousand only those that changed are taken apart."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, groupby, pairwise, repeat
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

    def changed(self, gone: Container[str], added: Iterable[Told]) -> list[Stretch]:
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
                self.group,
                ids[first],
                last - first,
                memoryview(msgpack.encode(ids[first:last])),
                memoryview(msgpack.encode(lengths[first:last])),
                self.text[starts[first] : starts[last] - reports.BETWEEN + reports.BEHIND],
            )
            for first, last in pairwise(sorted(edges))
            if first not in cut
        ]
        return sorted(left + new, key=attrgetter("first"))

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


def changed(stretches: Iterable[Stretch], gone: Collection[str], added: Iterable[Told]) -> list[Stretch]:
    """Without those about the subjects that are gone, and with others."""
    parts = {group: list(of) for group, of in groupby(stretches, key=attrgetter("group"))}
    more: defaultdict[Group, list[Told]] = defaultdict(list)
    for one in added:
        more[one.group].append(one)
    return [
        stretch
        for group in sorted(parts.keys() | more.keys())
        for stretch in _changed(parts.get(group, []), gone, more[group])
    ]


def _changed(stretches: list[Stretch], gone: Collection[str], added: list[Told]) -> list[Stretch]:
    """Likewise of one group."""
    if not stretches:
        return together(added)
    firsts = [stretch.first for stretch in stretches]

    def places(ids: Iterable[str]) -> Iterator[int]:
        """To which stretches they belong."""
        return (max(after - 1, 0) for after in map(bisect_right, repeat(firsts), ids))

    more: defaultdict[int, list[Told]] = defaultdict(list)
    for place, one in zip(places(one.id for one in added), added, strict=True):
        more[place].append(one)
    made = list(stretches)
    for place in sorted(more.keys() | set(places(gone)), reverse=True):
        made[place : place + 1] = stretches[place].changed(gone, more.get(place, ()))
    return made


def mended(stretches: Iterable[Stretch]) -> list[Stretch]:
    """With those put together again that were cut so short that several of them make one."""
    made: list[Stretch] = []
    waiting: list[Stretch] = []

    def put() -> None:
        made.extend(waiting if len(waiting) < 2 else together(one for stretch in waiting for one in stretch.apart()))
        waiting.clear()

    for stretch in stretches:
        if waiting and (
            waiting[0].group != stretch.group or sum(some.number for some in waiting) + stretch.number > _TOGETHER
        ):
            put()
        waiting.append(stretch)
    put()
    return made
