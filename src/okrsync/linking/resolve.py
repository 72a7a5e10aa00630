"""The verdict on every work item (DESIGN section 5): explicit evidence beats rules, nearer beats farther."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from itertools import compress
from sys import intern

from msgspec import Struct

from okrsync.domain.goals import Goals
from okrsync.domain.links import NO_MATCH, Alignment, RuleMatches, Target, Verdict
from okrsync.domain.outlines import ENDED, OPEN, SPEAKS, SUPPORTS_NOTHING, Outlines, end, outlined
from okrsync.domain.work import StoredItem, WorkItem

from .context import Context
from .evidence import NOTHING, Evidence, Found, Reader
from .graph import NOWHERE, Graph
from .lost import Decision, Losers
from .near import near_keys
from .spread import FAR, Barriers, Spread
from .targets import Targets

Rules = Callable[[WorkItem], RuleMatches] | Mapping[str, RuleMatches]


def resolve(items: Iterable[StoredItem], goals: Goals, matches: Rules, context: Context) -> dict[str, Verdict]:
    """A verdict for every item given, chased ones too, by id and ordered by id.

    items    all that the store holds, with the references and trailers of `read_text`
    matches  what the mapping rules say of an item: a function, or values by item id

    Pure: the same input in any order gives the same answer. Time grows with items and references; loops
    and chains of any depth end.
    """
    held = {stored.item.id: stored for stored in items}
    resolution = Resolution(outlined(held.values()), goals, matches, context)
    return {id_: resolution.verdict(held[id_].item) for id_ in sorted(held)}


class Weighed(Struct, frozen=True, kw_only=True):
    """What comes of the evidence at the winning distance; the same for all items that find the same. No `winner`: there
    is none, or it cannot be told."""

    alignment: Alignment
    winner: Evidence | None = None
    targets: tuple[Target, ...] = ()


_UNLINKED = Weighed(alignment=Alignment.UNLINKED)
_UNKNOWN = Weighed(alignment=Alignment.UNKNOWN)


class Resolution:
    """How all items stand, by their places, which are numbers in the order of `ids`; as `resolve` says.

    Goes once through the items and keeps none of them: what a verdict tells of an item is worked out when asked for.
    `matches` may also be asked later (`ask`). Not `traced`: then verdicts do not tell how they came about (`path`,
    `also`, `lost`, `why`), which takes much less time and memory. With `since`, nobody asks how other work stands than
    what is open or was closed from that day on, and what is above that.
    """

    def __init__(
        self,
        items: Iterable[Outlines],
        goals: Goals,
        matches: Rules | None,
        context: Context,
        *,
        traced: bool = True,
        since: date | None = None,
    ) -> None:
        """Where `matches` are given, all items have to be whole."""
        self._traced = traced
        self._graph = Graph(context, traced=traced, since=since)
        self._projects = context.projects
        self._targets = Targets(goals)
        self._reader = Reader(goals, context, traced=traced)
        self._read: dict[int, Found] = {}
        self._teams: dict[int, str] = {}
        self._ruled: dict[int, tuple[Evidence, ...]] = {}
        self._expired: dict[int, tuple[Evidence, ...]] = {}
        self._ended: dict[int, tuple[Evidence, ...]] = {}
        self._weighed: dict[int, Weighed] = {}  # by identity of what was found
        self._reached: dict[tuple[int, ...], tuple[Target, ...]] = {}  # by identity of each
        self._direct: dict[int, tuple[str, ...]] = {}  # by identity of what stands on items
        self._take_in(items, matches)
        self._graph.connect()
        connected = self._graph.connected
        self._read = {place: read for place, read in self._read.items() if connected[place]}
        own = {place: read.own for place, read in self._read.items() if read.own}
        milestones = {place: read.milestone for place, read in self._read.items() if read.milestone}
        self._explicit = Spread(self._graph, own, milestones)
        self._barriers = Barriers(self._graph)
        # the places with neither explicit evidence nor anything unreadable on their chain; so is all above them
        self._left = self._explicit.missed()
        if barred := set(self._barriers.reached()):
            self._left = [place for place in self._left if place not in barred]

    @property
    def ids(self) -> list[str]:
        return self._graph.ids

    def ends(self, since: date) -> list[int]:
        """The end of each item (`domain.outlines`), by place; work that was closed before `since` is ENDED, before the
        day given at first where one was."""
        if self._graph.ends:
            return self._graph.ends
        first = since.toordinal()
        known = {outline: end(outline) for outline in set(self._graph.outlines)}
        known = {outline: ENDED if ENDED < day < first else day for outline, day in known.items()}
        return list(map(known.__getitem__, self._graph.outlines))

    def counted(self, ends: Sequence[int]) -> Sequence[int]:
        """The places of work that is open or may support something."""
        return self._graph.asked or [place for place, end in enumerate(ends) if end not in SUPPORTS_NOTHING]

    def to_ask(self, ends: Sequence[int]) -> list[str]:
        """Ids of the items that `ask` has to be given where the rules were not asked: those of which rules may decide,
        with all that is above them. How work stands that supports nothing and has nothing below it, nobody asks."""
        up, forks = self._graph.up, self._graph.forks
        wanted = {place for place in self._left if ends[place] not in SUPPORTS_NOTHING}
        waiting = list(wanted)
        while waiting:
            place = waiting.pop()
            for above in forks.get(place) or (up[place],):
                if above != NOWHERE and above not in wanted:
                    wanted.add(above)
                    waiting.append(above)
        self._left = sorted(wanted)
        return self._named(self._left)

    def to_tell(self, ends: Sequence[int]) -> list[str]:
        """Ids of the other open items of which a finding may tell."""
        wanted = {place for place in self.telling if ends[place] == OPEN}
        kinds = enumerate(self._explicit.kinds)
        stale = {number for number, found in kinds if found and self._weigh(found).alignment is Alignment.STALE}
        if stale:
            counted = self.counted(ends)
            found = map(self._explicit.found.__getitem__, counted)
            wanted.update(place for place in compress(counted, map(stale.__contains__, found)) if ends[place] == OPEN)
        return self._named(sorted(wanted.difference(self._left)))

    def _named(self, places: Iterable[int]) -> list[str]:
        return list(map(self._graph.ids.__getitem__, places))

    def ask(self, item: WorkItem, rule: RuleMatches) -> None:
        """Takes in what the mapping rules say of an item."""
        if rule is not NO_MATCH or item.team:
            self._note(self._graph.index[item.id], item, rule, ())

    def stands(self) -> tuple[list[Weighed], list[int]]:
        """The ways in which items stand, and by place the number of the one in which each does."""
        found, by_rule = self._explicit.found.copy(), self._by_rule
        ways = [self._weigh(kind) if kind else _UNLINKED for kind in (*self._explicit.kinds, *by_rule.kinds)]
        first = len(self._explicit.kinds)
        for place in self._left:
            found[place] = first + by_rule.found[place]
        for place in self._barriers.reached():
            if not self._is_certain(place):
                found[place] = len(ways)
        return [*ways, _UNKNOWN], found

    @property
    def graph(self) -> Graph:
        """Which item points at which."""
        return self._graph

    @cached_property
    def telling(self) -> frozenset[int]:
        """The places of items that bear ids that name nothing, or objectives that are not those of their parents."""
        return frozenset(place for place, read in self._read.items() if read.unknown or self._differs(place, read))

    def _differs(self, place: int, read: Found) -> bool:
        own = self._objectives(read.own)
        return bool(own) and self._parent_objectives(place) not in ((), own)

    def verdict(self, item: WorkItem) -> Verdict:
        """Of an item that was given, and of which it is asked how it stands."""
        place = self._graph.index[item.id]
        assert self._graph.connected[place], f"closed too long ago: {item.id}"
        read = self._read.get(place, NOTHING)
        decision = self._decide(place)
        winner = decision.winner
        known = decision.alignment is not Alignment.UNKNOWN
        unlinked = decision.alignment is Alignment.UNLINKED
        expired = next(iter(self._expiring.at(place)), None) if unlinked else None
        path = decision.path
        if winner and winner.node and self._traced:
            path += self._targets.supports(winner.node)
        lost, also = self._losers.of(place, decision) if self._traced else ((), ())
        return Verdict(
            id=item.id,
            alignment=decision.alignment,
            targets=decision.targets,
            exempt_class=winner.exempt or None if winner else None,
            path=path,
            also=also,
            lost=lost,
            unknown_ids=read.unknown,
            parent=self._graph.parent(place),
            own_objectives=self._objectives(read.own) if known else (),
            parent_objectives=self._parent_objectives(place) if known else (),
            expired=(expired.exempt, expired.until) if expired and expired.until else None,
            rule=winner.rule or None if winner else None,
            team=self._teams.get(place) or (self._targets.team(decision.targets[0]) if decision.targets else ""),
            why=decision.why,
            commands=read.commands,
            near_keys=near_keys(item, self._projects) if unlinked and item.open else (),
        )

    # --- taking in, once -----------------------------------------------------------------------------------

    def _take_in(self, items: Iterable[Outlines], matches: Rules | None) -> None:
        reader = self._reader
        match = matches if callable(matches) or matches is None else lambda item: matches.get(item.id, NO_MATCH)
        for some in items:
            first, whole = self._graph.take(some), some.whole
            pinned = reader.pins(some)
            for offset, stored in whole.items():  # of the others none says anything itself
                item, found = stored.item, NOTHING
                if offset in pinned:
                    found = reader.read_pinned(item.id, item, pinned.pop(offset))
                elif some.outlines[offset] & SPEAKS:
                    found = reader.read(item)
                if found is not NOTHING:
                    self._read[first + offset] = found
                if match is not None or found.expired:
                    self._note(first + offset, item, match(item) if match is not None else NO_MATCH, found.expired)
            for offset, pins in pinned.items():
                self._read[first + offset] = reader.read_pinned(some.ids[offset], None, pins)

    def _note(self, place: int, item: WorkItem, rule: RuleMatches, gone: tuple[Evidence, ...]) -> None:
        from_rule = self._reader.from_rule
        if rule is not NO_MATCH:
            if rule.match and (evidence := from_rule(rule.match)):
                self._ruled[place] = evidence
            if rule.expired:
                gone = (*gone, *from_rule(rule.expired))
            if rule.lapsed:
                self._ended[place] = from_rule(rule.lapsed)
        if gone:
            self._expired[place] = (*self._expired.get(place, ()), *gone)
            self._ended[place] = (*gone, *self._ended.get(place, ()))
        if team := item.team or rule.team:
            self._teams[place] = intern(team)

    @cached_property
    def _by_rule(self) -> Spread:
        ruled = {place: self._ruled[place] for place in self._left if place in self._ruled}
        return Spread(self._graph, ruled, among=self._left)

    @cached_property
    def _expiring(self) -> Spread:
        expired = {place: self._expired[place] for place in self._left if place in self._expired}
        return Spread(self._graph, expired, among=self._left)

    @cached_property
    def _losers(self) -> Losers:
        return Losers(self._graph, self._targets, self._read, self._ruled, self._ended)

    # --- deciding ------------------------------------------------------------------------------------------

    def _decide(self, place: int) -> Decision:
        if self._is_certain(place):
            return self._decision(self._explicit, place, by_rule=False)
        if self._barriers.distance(place) != FAR:  # explicit evidence may hide behind it, so rules must not speak
            return Decision(alignment=Alignment.UNKNOWN, why=self._barriers.why(place) if self._traced else "")
        if self._by_rule.found[place]:
            return self._decision(self._by_rule, place, by_rule=True)
        return Decision(alignment=Alignment.UNLINKED)

    def _is_certain(self, place: int) -> bool:
        """Explicit evidence decides only if nearer than anything unreadable: at the same distance everything
        counts, so what could not be read might count too."""
        if not self._explicit.found[place]:
            return False
        barrier = self._barriers.distance(place)
        return barrier == FAR or self._explicit.distance(place) < barrier

    def _decision(self, spread: Spread, place: int, *, by_rule: bool) -> Decision:
        weighed = self._weigh(spread.at(place))
        assert weighed.winner is not None  # something was found
        path = spread.path(place, weighed.winner) if self._traced else ()
        return Decision(
            alignment=weighed.alignment,
            distance=spread.distance(place) if self._traced else 0,
            by_rule=by_rule,
            winner=weighed.winner.standing_on(path[-1].origin) if path else weighed.winner,
            targets=weighed.targets,
            path=path,
        )

    def _weigh(self, found: tuple[Evidence, ...]) -> Weighed:
        weighed = self._weighed.get(id(found))
        if weighed is None:
            weighed = self._weighed[id(found)] = self._outcome(found)
        return weighed

    def _outcome(self, found: tuple[Evidence, ...]) -> Weighed:
        """At the winning distance one active goal links, else an exemption exempts, else all of it has ended."""
        ties = [(e, self._targets.of(e.node)) for e in found if e.node is not None]
        ties.sort(key=lambda tie: not tie[1].active)  # stable: then in order of evidence
        exempt = [e for e in found if e.node is None]
        if ties and ties[0][1].active:
            alignment, winner = Alignment.LINKED, ties[0][0]
        elif exempt:
            alignment, winner, ties = Alignment.EXEMPT, exempt[0], []
        else:
            alignment, winner = Alignment.STALE, ties[0][0]
        targets = tuple([target for _, target in ties])
        targets = self._reached.setdefault(tuple(map(id, targets)), targets)  # many find the same
        return Weighed(alignment=alignment, winner=winner, targets=targets)

    # --- parents -------------------------------------------------------------------------------------------

    def _parent_objectives(self, place: int) -> tuple[str, ...]:
        """What the explicit evidence of an item's parent reaches, where it can be told."""
        above = self._graph.above(place)
        if above == NOWHERE or above in self._graph.unread or not self._is_certain(above):
            return ()
        return self._objectives(self._explicit.at(above))

    def _objectives(self, evidence: tuple[Evidence, ...]) -> tuple[str, ...]:
        known = self._direct.get(id(evidence))
        if known is None:
            targets = [self._targets.of(e.node) for e in evidence if e.node is not None]
            known = tuple(sorted({id_ for target in targets if target.active for id_ in target.objectives}))
            self._direct[id(evidence)] = known
        return known
