"""What a key sweep shows and no reading has brought: items that the account may see since somebody gave it a right,
which touches no item, so that nothing seems to have changed. What holds them is read from its beginning.

What was made while a sweep went on is shown as well, and is read with the next changes. So items count as missed where
two sweeps show them; and what a reading from the beginning does not bring either, as nobody can understand it, is not
waited for any longer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec
from msgspec import Struct, field, structs

from .domain.storage import Store
from .domain.trackers import SliceState

_MOST = 1000  # uids that are remembered of a slice: one is enough to have it read


class _Slice(Struct, omit_defaults=True):
    """
    shown   uids that the last sweep showed and the store did not hold
    beyond  those that a reading from the beginning did not bring
    anew    whether the slice is to be read so
    """

    shown: list[str] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    anew: bool = False


class Missed:
    """Of one source."""

    def __init__(self, store: Store, source: str) -> None:
        self._store = store
        self._source = source
        self._key = f"missed:{source}"
        self._slices = msgspec.json.decode(store.get_meta(self._key) or "{}", type=dict[str, _Slice])

    def anew(self, slices: Mapping[str, SliceState]) -> dict[str, SliceState]:
        """The slices, those that are to be read from their beginning without a watermark."""
        known = self._slices
        return {
            name: structs.replace(state, watermark=None) if name in known and known[name].anew else state
            for name, state in slices.items()
        }

    def note(self, slice_: str, present: Collection[str], *, full: bool) -> None:
        """What is there of a slice, as a sweep or a reading from the beginning has shown, after all was stored that was
        read."""
        if full and slice_ not in self._slices:
            return
        held = sum(uid in present for uid in self._store.held_uids(self._source, slice_))
        unheld = self._unheld(slice_, present) if held < len(present) else set()
        before = self._slices.pop(slice_, _Slice())
        if unheld and full:
            self._slices[slice_] = _Slice(beyond=_few(unheld))
        elif unheld:
            missed = unheld.intersection(before.shown).difference(before.beyond)
            self._slices[slice_] = _Slice(_few(unheld), _few(unheld.intersection(before.beyond)), bool(missed))
        now = msgspec.json.encode(self._slices).decode() if self._slices else ""
        if now != (self._store.get_meta(self._key) or ""):
            self._store.set_meta(self._key, now)

    def _unheld(self, slice_: str, present: Collection[str]) -> set[str]:
        held = set(self._store.held_uids(self._source, slice_))
        return {uid for uid in present if uid not in held}


def _few(uids: Iterable[str]) -> list[str]:
    return sorted(uids)[:_MOST]
