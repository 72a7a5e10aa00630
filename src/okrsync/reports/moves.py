"""Why the alignment rate of work in progress moved between two runs, split into what moved it.

The rate is recounted in four steps, each of which changes one thing only, from how work stood then to how it stands
now: what could be read (coverage), the work itself, the goals, the mapping rules. The points of the steps add up to
the whole move. The steps in between are hypothetical: today's work judged by the goals and rules of then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from math import floor
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from okrsync.domain.findings import Summary
from okrsync.domain.links import Alignment

from .withheld import PROGRESS, withheld_because

Since = Literal["last run", "last week"]
CAUSES = ("work", "goals", "mapping", "coverage")

Standing = Mapping[str, Alignment]  # the items in progress, by uid


class Cause(Struct, frozen=True, kw_only=True):
    """What one sort of change did. `points` are percentage points of the rate, to one decimal.

    Items in progress that by this change `entered` or `left`, became linked (`gained`), stopped being linked
    (`lost`), or went from one other alignment to another (`other`). `details` name what was changed, as phrases.
    """

    name: str
    points: float
    entered: int = 0
    left: int = 0
    gained: int = 0
    lost: int = 0
    other: int = 0
    details: tuple[str, ...] = ()


class Move(Struct, frozen=True, kw_only=True):
    """The rate of work in progress then and now. `why` says, as a sentence, why it is not compared or not split;
    then `causes` is empty. `run` is None where there is nothing to compare with."""

    since: Since
    run: str | None = None
    at: datetime | None = None
    before: float | None = None
    after: float | None = None
    why: str = ""
    causes: tuple[Cause, ...] = ()

    @property
    def points(self) -> float | None:
        """Percentage points to one decimal; None where a rate is missing."""
        if self.before is None or self.after is None:
            return None
        return round((self.after - self.before) * 100, 1)


class Scope(Struct, frozen=True):
    """What one run could see: `held` are the `<connector>:<container>` of everything that counted, `places` says in
    which of them each item in progress lived, by uid."""

    held: Collection[str]
    places: Mapping[str, str]


def covered(before: Standing, today: Standing, then: Scope, now: Scope) -> dict[str, Alignment]:
    """How work would have stood then with what can be read today: `before` with those items as in `today` that
    were unknown on one side only, or live where one of the runs held nothing.

    today  today's work judged by the goals and rules of then
    """
    found = dict(before)
    for uid, alignment in today.items():
        if uid in before:
            if (before[uid] is Alignment.UNKNOWN) != (alignment is Alignment.UNKNOWN):
                found[uid] = alignment
        elif now.places[uid] not in then.held:
            found[uid] = alignment
    for uid in before.keys() - today.keys():
        if then.places[uid] not in now.held:
            del found[uid]
    return found


def split(
    since: Since,
    run: str,
    at: datetime,
    first: Standing,
    steps: Mapping[str, Standing],
    details: Mapping[str, tuple[str, ...]],
) -> Move:
    """The move from the standing of `first` to that after the last step, in the order of `steps`; each step is
    named after its cause. `details` says in phrases what was changed, by cause."""
    standings = [first, *steps.values()]
    before, after = Summary.count(first.values()), Summary.count(standings[-1].values())
    compared = Move(since=since, run=run, at=at, before=shown(before), after=shown(after))
    why = not_compared(before, after)
    if why:
        return replace(compared, why=why)
    rates: list[float] = []
    for standing in standings:
        rate = Summary.count(standing.values()).alignment_rate
        rates.append(rates[-1] if rate is None else rate)  # a step that leaves nothing to judge moves nothing
    whole = round((rates[-1] - rates[0]) * 100, 1)  # as `Move.points` has it, to the last bit
    points = _rounded([(b - a) * 100 for a, b in pairwise(rates)], whole)
    causes = {
        name: _cause(name, moved, old, new, details.get(name, ()))
        for name, moved, (old, new) in zip(steps, points, pairwise(standings), strict=True)
    }
    return replace(compared, causes=tuple(causes[name] for name in CAUSES))


def not_compared(before: Summary, after: Summary) -> str:
    """Why two rates are not held against each other, as a sentence; empty where they can be."""
    for summary, when in ((before, "then"), (after, "now")):
        if summary.alignment_rate is None:
            return f"There is nothing to compare: no work in progress could be judged {when}."
        if withheld_because(summary, PROGRESS):
            return f"Not compared: too much work in progress could not be read {when}."
    return ""


def shown(summary: Summary) -> float | None:
    """The rate where it is not withheld."""
    return None if withheld_because(summary, PROGRESS) else summary.alignment_rate


def _cause(name: str, points: float, old: Standing, new: Standing, details: tuple[str, ...]) -> Cause:
    both = [(old[uid], new[uid]) for uid in old.keys() & new.keys() if old[uid] is not new[uid]]
    return Cause(
        name=name,
        points=points,
        entered=len(new.keys() - old.keys()),
        left=len(old.keys() - new.keys()),
        gained=sum(b is Alignment.LINKED for _, b in both),
        lost=sum(a is Alignment.LINKED for a, _ in both),
        other=sum(Alignment.LINKED not in pair for pair in both),
        details=details,
    )


def _rounded(points: Sequence[float], whole: float) -> list[float]:
    """To tenths that add up to `whole`: what is left over goes to the largest remainders."""
    tenths = [floor(p * 10) for p in points]
    missing = round(whole * 10) - sum(tenths)
    by_remainder = sorted(range(len(points)), key=lambda n: tenths[n] - points[n] * 10)
    for n in by_remainder[: max(missing, 0)]:
        tenths[n] += 1
    return [t / 10 for t in tenths]
