"""Items with all that is above them, read only where what was kept does not tell enough."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct, field

from okrsync.domain.outlines import PARENT, Outlines
from okrsync.domain.storage import Look
from okrsync.domain.work import Glimpse, StoredItem
from okrsync.judging import Judging
from okrsync.linking import NOWHERE

from .kept import GONE, Kept
from .sayings import SILENT, Sayings


class _Rows(Struct):
    """The columns of `Outlines` while they are filled, and the places of these items."""

    ids: list[str] = field(default_factory=list)
    targets: list[str | None] = field(default_factory=list)
    outlines: list[int] = field(default_factory=list)
    whole: dict[int, StoredItem | Glimpse] = field(default_factory=dict)
    places: list[int] = field(default_factory=list)

    def add(self, place: int, id_: str, target: str | None, outline: int) -> None:
        self.ids.append(id_)
        self.targets.append(target)
        self.outlines.append(outline)
        self.places.append(place)


class Upward:
    """
    places  of the outlines that were given out last, in their order
    """

    def __init__(self, judging: Judging, look: Look, kept: Kept, sayings: Sayings) -> None:
        self._judging = judging
        self._look = look
        self._kept = kept
        self._sayings = sayings
        self._changed: dict[int, tuple[Outlines, int]] = {}
        self.places: list[int] = []

    def note(self, place: int, now: Outlines, offset: int) -> None:
        """How an item is that changed."""
        self._changed[place] = now, offset

    def outlines(self, places: Collection[int]) -> Iterator[Outlines]:
        """Of the items at these places and of all above them, each once."""
        kept = self._kept
        self.places = []
        known: set[int] = set()
        wanted = set(places)
        while wanted:
            known |= wanted
            above: set[int] = set()
            asked: dict[str, int] = {}
            rows: defaultdict[str, _Rows] = defaultdict(_Rows)
            for place in wanted:
                if place in self._changed:
                    some, offset = self._changed[place]
                    made, target, whole = rows[some.connector], some.targets[offset], some.whole.get(offset)
                    if whole is not None:
                        made.whole[len(made.ids)] = whole
                    made.add(place, some.ids[offset], target, some.outlines[offset])
                    if target is not None or whole is not None:
                        above.update(self._led_to(place, target, whole))
                    continue
                id_, to, outline = kept.ids[place], kept.up[place], kept.outlines[place]
                said = kept.said[place]
                if said < 0 or not self._tells(place, to, outline):
                    asked[id_] = place
                    continue
                made = rows[id_.partition(":")[0]]
                if said != SILENT:
                    made.whole[len(made.ids)] = self._sayings.speaker(said, id_)
                target = None
                if to >= 0:
                    target = kept.ids[to]
                    above.update((to,) if kept.outlines[to] != GONE else self._borne(target))
                made.add(place, id_, target, outline)
            for connector, made in rows.items():
                self.places += made.places
                yield Outlines(connector, made.ids, made.targets, made.outlines, made.whole)
            for some in self._judging.outlines(self._look, asked) if asked else ():
                places = [asked[id_] for id_ in some.ids]
                self.places += places
                for offset, place in enumerate(places):
                    above.update(self._led_to(place, some.targets[offset], some.whole.get(offset)))
                yield some
            wanted = above - known

    def _tells(self, place: int, to: int, outline: int) -> bool:
        """Whether what was kept of where an item leads tells to what it refers. One that leads nowhere may name itself
        as its parent."""
        return to >= 0 or (to == NOWHERE and not outline & PARENT and place not in self._kept.lost)

    def _led_to(self, place: int, target: str | None, whole: StoredItem | Glimpse | None) -> Iterable[int]:
        """Where an item leads, and where that would be if it had not been renamed."""
        kept = self._kept
        if target is None:
            references = whole.item.references if whole is not None else ()
            return {to for reference in references for to in self._borne(reference.target)}
        to = kept.up[place]
        if to >= 0 and kept.outlines[to] != GONE and kept.ids[to] == target:
            return (to,)
        return self._borne(target)

    def _borne(self, id_: str) -> Iterable[int]:
        """The places of those that bear an id, or bore it before they were renamed."""
        aliases = self._judging.context.aliases
        passed: set[str] = set()
        while id_ not in passed:
            passed.add(id_)
            place = self._kept.ids.find(id_)
            if place is not None:
                yield place
            id_ = aliases.get(id_, id_)
