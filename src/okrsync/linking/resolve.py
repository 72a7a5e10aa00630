"""The verdict on every work item (DESIGN section 5): explicit evidence beats rules, nearer beats farther."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from sys import intern

from msgspec import Struct

from okrsync.domain.goals import Goals
from okrsync.domain.links import NO_MATCH, Alignment, RuleMatches, Target, Verdict
from okrsync.domain.work import Glimpse, StoredItem, WorkItem

from .context import Context
from .evidence import NOTHING, Evidence, Found, Reader
from .graph import Graph
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
    resolution = Resolution(held.values(), goals, matches, context)
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
    `also`, `lost`, `why`), which takes much less memory.
    """

    def __init__(
        self,
        items: Iterable[StoredItem | Glimpse],
        goals: Goals,
        matches: Rules | None,
        context: Context,
        *,
        traced: bool = True,
    ) -> None:
        self._traced = traced
        self._graph = Graph(context, traced=traced)
        self._projects = context.projects
        self._targets = Targets(goals)
        self._reader = Reader(goals, context)
        self._read: dict[int, Found] = {}
        self._teams: dict[int, str] = {}
        self._ruled: dict[int, tuple[Evidence, ...]] = {}
        self._expired: dict[int, tuple[Evidence, ...]] = {}
        self._ended: dict[int, tuple[Evidence, ...]] = {}
        self._weighed: dict[int, Weighed] = {}  # by identity of what was found
        self._reached: dict[tuple[int, ...], tuple[Target, ...]] = {}  # by identity of each
        self._take_in(items, matches)
        self._graph.connect()
        own = {place: read.own for place, read in self._read.items() if read.own}
        milestones = {place: read.milestone for place, read in self._read.items() if read.milestone}
        self._explicit = Spread(self._graph, own, milestones)
        self._barriers = Barriers(self._graph)

    def to_ask(self) -> set[str]:
        """Ids of the items that `ask` has to be given where the rules were not asked: those of which rules may decide,
        with all that is above them, and open or not those of which a finding may tell."""
        ids, found = self._graph.ids, self._explicit.found
        wanted = {ids[place] for place in self._left_to_rules}
        wanted.update(ids[place] for place in self.telling)
        distinct = {id(evidence): evidence for evidence in found if evidence}
        stale = {key for key, evidence in distinct.items() if self._weighed_as(evidence).alignment is Alignment.STALE}
        if stale:
            wanted.update(id_ for id_, evidence in zip(ids, found, strict=True) if id(evidence) in stale)
        return wanted

    def ask(self, item: WorkItem, rule: RuleMatches) -> None:
        """Takes in what the mapping rules say of an item."""
        self._note(self._graph.index[item.id], item, rule, ())

    @property
    def ids(self) -> list[str]:
        return self._graph.ids

    def weighed(self) -> Iterator[Weighed]:
        """How each item stands, by place."""
        explicit, ruled, barriers = self._explicit.distances, self._by_rule.distances, self._barriers.distances
        explicitly, by_rule = self._explicit.found, self._by_rule.found
        known, weigh = self._weighed, self._weigh
        for place, distance in enumerate(explicit):
            barrier = barriers[place]
            if distance != FAR and (barrier == FAR or distance < barrier):
                found = explicitly[place]
            elif barrier != FAR:
                yield _UNKNOWN
                continue
            elif ruled[place] != FAR:
                found = by_rule[place]
            else:
                yield _UNLINKED
                continue
            yield known.get(id(found)) or weigh(found)

    def parent(self, place: int) -> str | None:
        """The id of an item's structural parent."""
        return self._graph.parent(place)

    def is_parent(self) -> bytearray:
        """By place: whether other items have it as their structural parent."""
        return self._graph.is_parent()

    @cached_property
    def telling(self) -> frozenset[int]:
        """The places of items that bear ids that name nothing, or objectives that are not those of their parents."""
        return frozenset(place for place, read in self._read.items() if read.unknown or self._differs(place, read))

    def _differs(self, place: int, read: Found) -> bool:
        above = self._parent_objectives(self.parent(place))
        return bool(above) and self._objectives(read.own) not in ((), above)

    def verdict(self, item: WorkItem) -> Verdict:
        """Of an item that was given."""
        place = self._graph.index[item.id]
        read = self._read.get(place, NOTHING)
        decision = self._decide(place)
        winner = decision.winner
        known = decision.alignment is not Alignment.UNKNOWN
        unlinked = decision.alignment is Alignment.UNLINKED
        expired = next(iter(self._expiring.found[place]), None) if unlinked else None
        path = decision.path
        if winner and winner.node and self._traced:
            path += self._targets.supports(winner.node)
        lost, also = self._losers.of(place, decision) if self._traced else ((), ())
        parent = self.parent(place)
        return Verdict(
            id=item.id,
            alignment=decision.alignment,
            targets=decision.targets,
            exempt_class=winner.exempt or None if winner else None,
            path=path,
            also=also,
            lost=lost,
            unknown_ids=read.unknown,
            parent=parent,
            own_objectives=self._objectives(read.own) if known else (),
            parent_objectives=self._parent_objectives(parent) if known else (),
            expired=(expired.exempt, expired.until) if expired and expired.until else None,
            rule=winner.rule or None if winner else None,
            team=self._teams.get(place) or (self._targets.team(decision.targets[0]) if decision.targets else ""),
            why=decision.why,
            commands=read.commands,
            near_keys=near_keys(item, self._projects) if unlinked and item.open else (),
        )

    # --- taking in, once -----------------------------------------------------------------------------------

    def _take_in(self, items: Iterable[StoredItem | Glimpse], matches: Rules | None) -> None:
        read = self._reader.read
        match = matches if callable(matches) or matches is None else lambda item: matches.get(item.id, NO_MATCH)
        for place, stored in enumerate(self._graph.taking(items)):  # most say nothing and match nothing
            gone: tuple[Evidence, ...] = ()
            if (found := read(stored)) is not NOTHING:
                self._read[place] = found
                gone = found.expired
            if match is not None or gone:
                item = stored.item
                self._note(place, item, match(item) if match is not None else NO_MATCH, gone)

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
    def _left_to_rules(self) -> list[int]:
        """The places with neither explicit evidence nor anything unreadable on their chain; so is all above them."""
        pairs = zip(self._explicit.distances, self._barriers.distances, strict=True)
        return [place for place, (distance, barrier) in enumerate(pairs) if distance == barrier == FAR]

    @cached_property
    def _by_rule(self) -> Spread:
        ruled = {place: self._ruled[place] for place in self._left_to_rules if place in self._ruled}
        return Spread(self._graph, ruled, among=self._left_to_rules)

    @cached_property
    def _expiring(self) -> Spread:
        return Spread(self._graph, self._expired)

    @cached_property
    def _losers(self) -> Losers:
        return Losers(self._graph, self._targets, self._read, self._ruled, self._ended)

    # --- deciding ------------------------------------------------------------------------------------------

    def _decide(self, place: int) -> Decision:
        if self._is_certain(place):
            return self._decision(self._explicit, place, by_rule=False)
        if self._barriers.distances[place] != FAR:  # explicit evidence may hide behind it, so rules must not speak
            return Decision(alignment=Alignment.UNKNOWN, why=self._barriers.why(place) if self._traced else "")
        if self._by_rule.distances[place] != FAR:
            return self._decision(self._by_rule, place, by_rule=True)
        return Decision(alignment=Alignment.UNLINKED)

    def _is_certain(self, place: int) -> bool:
        """Explicit evidence decides only if nearer than anything unreadable: at the same distance everything
        counts, so what could not be read might count too."""
        explicit, barrier = self._explicit.distances[place], self._barriers.distances[place]
        return explicit != FAR and (barrier == FAR or explicit < barrier)

    def _decision(self, spread: Spread, place: int, *, by_rule: bool) -> Decision:
        found = spread.found[place]
        weighed = self._weighed_as(found)
        assert weighed.winner is not None  # something was found
        path = spread.path(place, weighed.winner) if self._traced else ()
        return Decision(
            alignment=weighed.alignment,
            distance=spread.distances[place],
            by_rule=by_rule,
            winner=weighed.winner.standing_on(path[-1].origin) if path else weighed.winner,
            targets=weighed.targets,
            path=path,
        )

    def _weighed_as(self, found: tuple[Evidence, ...]) -> Weighed:
        return self._weighed.get(id(found)) or self._weigh(found)

    def _weigh(self, found: tuple[Evidence, ...]) -> Weighed:
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
        weighed = Weighed(alignment=alignment, winner=winner, targets=targets)
        self._weighed[id(found)] = weighed
        return weighed

    # --- parents -------------------------------------------------------------------------------------------

    def _parent_objectives(self, parent: str | None) -> tuple[str, ...]:
        place = self._graph.index.get(parent) if parent else None
        if place is None or place in self._graph.unread or not self._is_certain(place):
            return ()
        return self._objectives(self._explicit.found[place])

    def _objectives(self, evidence: Iterable[Evidence]) -> tuple[str, ...]:
        targets: list[Target] = [self._targets.of(e.node) for e in evidence if e.node is not None]
        return tuple(sorted({id_ for target in targets if target.active for id_ in target.objectives}))
