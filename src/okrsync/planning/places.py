"""Where a comment about missing or ended links belongs: on the topmost item the fix belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ..domain.findings import View
from ..domain.work import Via

_INHERITED = (Via.PARENT, Via.CLOSES, Via.KEY, Via.IMPLEMENTS)


class Place(NamedTuple):
    """root   id of the item that speaks for this one; None where no item can
    spoken whether an item above the root, which can bear no comment any more, bears ours already
    """

    root: str | None
    spoken: bool


def places(
    view: View, ids: Iterable[str], can_bear: Callable[[str], bool], bears: Callable[[str], bool]
) -> dict[str, Place]:
    """The place of each item, found by climbing, through items of the same alignment, to its parent, or to what it
    closes, names or implements: where the fix belongs is where its link would be inherited from.

    The topmost item that can bear a comment speaks for all below it; in a loop, the one with the smallest
    id. Closed items are climbed through: when the item that bore the comment closes, `bears` still knows it,
    and what lies below stays silent for as long as its alignment is that of the closed item, which is what
    its comment was about.
    """
    known: dict[str, Place] = {}
    for start in sorted(ids):
        trail: list[str] = []
        position: dict[str, int] = {}
        at: str | None = start
        while at is not None and at not in known and at not in position:
            position[at] = len(trail)
            trail.append(at)
            at = _above(view, at)
        place = Place(None, False)
        if at in known:
            place = known[at]
        elif at is not None:
            loop = trail[position[at] :]
            del trail[position[at] :]
            able = [member for member in loop if can_bear(member)]
            place = Place(min(able), False) if able else Place(None, any(map(bears, loop)))
            known.update(dict.fromkeys(loop, place))
        for member in reversed(trail):
            if place.root is None:
                able_here = can_bear(member)
                place = Place(member if able_here else None, place.spoken or (not able_here and bears(member)))
            known[member] = place
    return known


def _above(view: View, id_: str) -> str | None:
    """The first held item of the same alignment that this one inherits from."""
    verdict, stored = view.verdicts.get(id_), view.items.get(id_)
    if verdict is None or stored is None:
        return None
    references = sorted(
        (r for r in stored.item.references if r.via in _INHERITED), key=lambda r: _INHERITED.index(r.via)
    )
    for above in (verdict.parent, *(reference.target for reference in references)):
        if above is not None and above in view.items:
            other = view.verdicts.get(above)
            if other is not None and other.alignment is verdict.alignment:
                return above
    return None
