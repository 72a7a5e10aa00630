"""What judging has to know of most items, in two columns: there may be a million of them, and most say nothing of goals
themselves and point at one other item or none."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from .goals import day
from .text import regex
from .work import Glimpse, StoredItem, Via, WorkItem

# An outline is a number: these bits, and above them the item's end. The store keeps it: what it says of an item may
# only change together with a migration that makes all of them anew.
SPEAKS = 1
"""It has to be looked at itself: it may say something of goals, points at several items, or links to pull requests."""
STRUCTURAL = 2
"""The server states its one reference."""
PARENT = 4
"""Its one reference is to its structural parent."""
_END = 3
_PARENT = Via.PARENT

# Ends; any other is the UTC day on which work was closed that may support a goal, as an ordinal.
UNCOUNTED, OPEN, ENDED = 0, 1, 2
SUPPORTS_NOTHING = frozenset((UNCOUNTED, ENDED))
"""The ends of items that support nothing, whatever they are tied to."""

LABEL = regex(r"(initiative|kr|objective|exempt)\s*([:/-])\s*(\S.*)", re.IGNORECASE)
"""A label that may be evidence (DESIGN section 5)."""


OUTLINED = frozenset(
    (
        *("id", "references", "okr", "labels", "trailers", "milestone_body", "commands"),
        *("state", "dropped", "closed_at", "archived", "remote_links"),
    )
)
"""The fields of an item that `outline` asks for."""


class Outlines(Struct, frozen=True):
    """Items of one connector, by columns.

    targets   the id that an item's one reference is to; None without any, and where it has several
    outlines  as `outline` makes them
    whole     offset -> the item, at least of those that have to be looked at themselves and of chased ones
    """

    connector: str
    ids: Sequence[str]
    targets: Sequence[str | None]
    outlines: Sequence[int]
    whole: Mapping[int, StoredItem | Glimpse]


def outline(item: WorkItem) -> tuple[str | None, int]:
    """An item's target and outline."""
    bits, target = 0, None
    references = item.references
    if references:
        if len(references) == 1:
            reference = references[0]
            target = reference.target
            if reference.structural:
                bits = STRUCTURAL | PARENT if reference.via is _PARENT else STRUCTURAL
        else:
            bits = SPEAKS
    if _any_speaks(item.labels) or item.okr or item.trailers or item.milestone_body or item.commands:
        bits |= SPEAKS
    if item.remote_links:
        bits |= SPEAKS
    if item.archived:
        return target, bits
    if item.state == "open":
        return target, bits | OPEN << _END
    closed = item.closed_at
    if closed is None or item.dropped:
        return target, bits | ENDED << _END
    return target, bits | day(closed).toordinal() << _END


def end(of: int) -> int:
    """The end that an outline says."""
    return of >> _END


def uncounted(of: int) -> int:
    """The outline of the same item where it does not count."""
    return of & ((1 << _END) - 1)


def outlined(stored: Iterable[StoredItem]) -> Iterator[Outlines]:
    """Of items that are there, all of them whole."""
    by_connector: defaultdict[str, list[StoredItem]] = defaultdict(list)
    for one in stored:
        by_connector[one.item.connector].append(one)
    for connector, held in by_connector.items():
        targets, outlines = zip(*(outline(one.item) for one in held), strict=True)
        yield Outlines(connector, [one.item.id for one in held], targets, outlines, dict(enumerate(held)))


@lru_cache(maxsize=10_000)
def _any_speaks(labels: tuple[str, ...]) -> bool:
    return any(LABEL.match(label.strip()) for label in labels)
