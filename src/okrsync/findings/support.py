"""What reaches what: the work behind each goal, and the top of each tree of work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import UTC, date, datetime, time

from msgspec import Struct

from okrsync.domain.findings import Standing, View
from okrsync.domain.goals import Cycle, Goals, Node, day
from okrsync.domain.links import Alignment, Target
from okrsync.domain.work import WorkItem

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Support(Struct, frozen=True, kw_only=True):
    """Ids of the work that reaches one goal, sorted: open, and closed (not dropped) within the goal's cycle."""

    open: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.open or self.closed)


def in_gap(goals: Goals) -> bool:
    """True between two cycles: no cycle contains today, so the last one stays active. False for a past
    cycle chosen by hand while another one runs."""
    return goals.between_cycles and not any(c.starts <= goals.today <= c.ends for c in goals.cycles)


def closed_in_cycle(goals: Goals, item: WorkItem | Standing, cycle: Cycle | None = None) -> bool:
    """Whether an item was closed within `cycle`, or within any active one where None is given.

    Between two cycles the last one stays active, so work closed after its end still counts for it. In a
    workspace without any cycle nothing ever ends, and all closed work counts.
    """
    if item.closed_at is None or item.open:
        return False
    closed: date = day(item.closed_at)
    cycles = (cycle,) if cycle is not None else goals.active_cycles
    open_ended = in_gap(goals)
    return not cycles or any(c.starts <= closed and (open_ended or closed <= c.ends) for c in cycles)


def oldest(goals: Goals) -> datetime:
    """Work that was closed before that supports nothing."""
    cycles = goals.active_cycles
    return datetime.combine(min(c.starts for c in cycles), time.min, UTC) if cycles else _LONG_AGO


def support(view: View) -> Mapping[tuple[str, str], Support]:
    """For each current goal, by `Node.key`, the work that reaches it.

    A key result is reached by work whose target names it or an initiative for it; an objective by work on
    it, on its key results, and on the objectives below it; a bet by all of that. Open work counts through
    active targets only: what hangs on a stopped initiative supports nothing. Work closed within the goal's
    cycle did support it, whatever became of the initiative since.
    """
    opened: dict[tuple[str, str], list[str]] = {}
    closed: dict[tuple[str, str], list[str]] = {}
    for standing, nodes in _supporting(view):
        for node in nodes:
            if standing.open:
                opened.setdefault(node.key, []).append(standing.id)
            elif closed_in_cycle(view.goals, standing, node.cycle):
                closed.setdefault(node.key, []).append(standing.id)
    return {
        node.key: Support(
            open=tuple(sorted(opened.get(node.key, ()))),
            closed=tuple(sorted(closed.get(node.key, ()))),
        )
        for node in view.goals.current()
    }


def supported(view: View) -> Set[tuple[str, str]]:
    """The current goals, by `Node.key`, that some work reaches, as `support` says."""
    found: set[tuple[str, str]] = set()
    number = len({node.key for node in view.goals.current()})
    settled: set[int] = set()  # by identity: lists of which all is found
    for standing, nodes in _supporting(view):
        if id(nodes) in settled:
            continue
        if len(found) == number:
            break
        missing = [node for node in nodes if node.key not in found]
        for node in missing:
            if standing.open or closed_in_cycle(view.goals, standing, node.cycle):
                found.add(node.key)
        if not missing:
            settled.add(id(nodes))
    return found


def _supporting(view: View) -> Iterator[tuple[Standing, Sequence[Node]]]:
    """Work that may support something, with the current goals it reaches, which are the same list for the same
    targets."""
    current: dict[str, list[Node]] = {}
    for node in view.goals.current():
        current.setdefault(node.id.casefold(), []).append(node)
    known: dict[tuple[bool, int], list[Node]] = {}  # by identity: most that find the same share their targets
    alike: dict[tuple[bool, tuple[Target, ...]], list[Node]] = {}
    since = oldest(view.goals)
    for standing in view.standings():
        if standing.alignment is not Alignment.LINKED and standing.alignment is not Alignment.STALE:
            continue
        if not standing.open and (standing.closed_at is None or standing.closed_at < since):
            continue
        key = standing.open, id(standing.targets)
        nodes = known.get(key)
        if nodes is None:
            nodes = alike.get((standing.open, standing.targets))
            if nodes is None:
                reached = _reached(t for t in standing.targets if t.active or not standing.open)
                nodes = [node for goal in sorted(reached) for node in current.get(goal, ())]
                alike[standing.open, standing.targets] = nodes
            known[key] = nodes
        yield standing, nodes


def supporting(view: View, id_: str) -> tuple[str, ...]:
    """Ids of the work that supports the goal with this id now, sorted; none where there is no such goal."""
    node = view.goals.find(id_)
    found = support(view).get(node.key, Support()) if node else Support()
    return tuple(sorted((*found.open, *found.closed)))


def _reached(targets: Iterable[Target]) -> set[str]:
    """Folded ids of everything the targets reach."""
    return {
        id_.casefold()
        for t in targets
        for id_ in (*t.key_results, *t.objectives, *t.ancestors, *t.bets, *((t.initiative,) if t.initiative else ()))
    }


def doubt(view: View) -> str:
    """Why "nothing supports this" cannot be claimed of this view, as a sentence; empty when it can.

    Missing support is a claim about everything there is, so nothing is claimed where a source or a container
    was not read to its end. A forbidden ticket alone does not make a run incomplete (DESIGN section 5): the few
    items that hang on one are shown as unknown beside the claim.
    """
    unread = sorted(s.name for s in view.sources if not s.complete or s.unreadable)
    return f"{' and '.join(unread)} could not be read completely" if unread else ""


def roots(view: View, alignment: Alignment | None = None) -> Mapping[str, str]:
    """For each open item (with the given alignment) the topmost open item above it with the same alignment: where a fix
    belongs.

    An item without such a parent is its own root. In a loop of parents the smallest open id stands for all.
    """
    standings = {s.id: s for s in view.standings() if alignment is None or s.alignment is alignment}
    top: dict[str, str | None] = {}
    for start, standing in standings.items():
        if standing.parent not in standings:  # of most: there is no way to go
            top[start] = start if standing.open else None
            continue
        chain: list[str] = []
        place: dict[str, int] = {}
        id_: str | None = start
        while id_ is not None and id_ not in top and id_ not in place:
            place[id_] = len(chain)
            chain.append(id_)
            id_ = _same_parent(standings, id_)
        if id_ is not None and id_ in place:
            loop = chain[place[id_] :]
            del chain[place[id_] :]
            first = min((i for i in loop if standings[i].open), default=None)
            top.update(dict.fromkeys(loop, first))
        above = top.get(id_) if id_ is not None else None
        for below in reversed(chain):
            above = above or (below if standings[below].open else None)
            top[below] = above
    return {i: top[i] or i for i, standing in standings.items() if standing.open}


def _same_parent(standings: Mapping[str, Standing], id_: str) -> str | None:
    standing = standings[id_]
    parent = standing.parent
    if parent is None or parent not in standings or standings[parent].alignment is not standing.alignment:
        return None
    return parent
