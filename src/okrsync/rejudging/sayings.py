"""What items say themselves that others may inherit: most often the same few things, a label above all."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import cast

from msgspec import Struct, msgpack, structs

from okrsync.domain.outlines import LABEL
from okrsync.domain.work import Command, Glimpse, Reference, StoredItem, Trailer, WorkItem

SILENT = 0
"""The number of an item that says nothing."""
_MOST, _LONGEST = 10_000, 1_000  # how many, and bytes of each: what is said is chosen by strangers


class _Speaker(Struct, array_like=True, frozen=True, gc=False):
    """An item that says no more than the first four fields, of its labels those that may be evidence. It stands for one
    where nobody asks for other fields."""

    okr: tuple[str, ...]
    labels: tuple[str, ...]
    trailers: tuple[Trailer, ...]
    milestone_body: str
    id: str = ""
    commands: tuple[Command, ...] = ()
    references: tuple[Reference, ...] = ()


_unpack = msgpack.Decoder(_Speaker).decode


class Sayings:
    """
    packed  each different one, as it is kept, to which new ones are added; the first, empty, is that of most items
    """

    def __init__(self, packed: list[bytes]) -> None:
        self.packed = packed or [b""]
        self._numbers = {one: number for number, one in enumerate(self.packed)}
        self._known: dict[int, _Speaker] = {}

    def number(self, stored: StoredItem | Glimpse) -> int:
        """That of what an item says; less than 0, a digest, of one that says more than `speaker` could tell.

        Where a single reference leads, its target and outline tell (`domain.outlines`).
        """
        item: WorkItem = stored.item
        said = item.okr, _speaking(item.labels), item.trailers, item.milestone_body
        if not (stored.chased or item.commands or len(item.references) > 1):
            packed = msgpack.encode(said)
            number = self._numbers.get(packed)
            if number is None and len(packed) <= _LONGEST and len(self.packed) < _MOST:
                number = self._numbers[packed] = len(self.packed)
                self.packed.append(packed)
            if number is not None:
                return number
        told = msgpack.encode((stored.chased, said, item.commands, item.references))
        return -1 - (int.from_bytes(hashlib.blake2b(told, digest_size=8).digest()) >> 1)

    def speaker(self, number: int, id_: str) -> Glimpse:
        """An item, without what nobody asks of it where how it stands is not told."""
        said = self._known.get(number)
        if said is None:
            said = self._known[number] = _unpack(self.packed[number])
        return Glimpse(cast("WorkItem", structs.replace(said, id=id_)))


@lru_cache(maxsize=10_000)
def _speaking(labels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(label for label in labels if LABEL.match(label.strip()))
