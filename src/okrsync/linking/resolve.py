"""The verdict on every work item (DESIGN section 5): explicit evidence beats rules, nearer beats farther."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from okrsync.domain.goals import Goals
from okrsync.domain.links import Alignment, RuleMatches, Target, Verdict
from okrsync.domain.work import StoredItem, Via, WorkItem

from .context import Context
from .evidence import NOTHING, Evidence, Found, Reader
from .graph import Barriers, Graph, Spread
from .lost import Decision, Losers
from .near import near_keys
from .targets import Targets

Rules = Callable[[WorkItem], RuleMatches] | Mapping[str, RuleMatches]
_NO_RULE = RuleMatches()


def resolve(items: Iterable[StoredItem], goals: Goals, matches: Rules, context: Context) -> dict[str, Verdict]:
    """A verdict for every item given, chased ones too, by id and ordered by id.

    items    all that the store holds, with the references and trailers of `read_text`
    matches  what the mapping rules say of an item: a function, or values by item id

    Pure: the same input in any order gives the same answer. Time grows with items and references; loops
    and chains of any depth end.
    """
    return _Resolution(items, goals, matches, context).verdicts()


class _Resolution:
    def __init__(self, items: Iterable[StoredItem], goals: Goals, matches: Rules, context: Context) -> None:
        self.graph = Graph(items, context)
        self.projects = context.projects
        self.targets = Targets(goals)
        self.read: dict[int, Found] = {}
        self.teams: dict[int, str] = {}
        ruled: dict[int, tuple[Evidence, ...]] = {}
        expired: dict[int, tuple[Evidence, ...]] = {}
        ended: dict[int, tuple[Evidence, ...]] = {}
        reader = Reader(goals, context, self.graph.items)
        for place, stored in enumerate(self.graph.items):
            item = stored.item
            read = reader.read(item)
            if read is not NOTHING:
                self.read[place] = read
            rule = matches(item) if callable(matches) else matches.get(item.id, _NO_RULE)
            if rule.match and (evidence := reader.from_rule(item, rule.match)):
                ruled[place] = evidence
            if gone := (*read.expired, *(reader.from_rule(item, rule.expired) if rule.expired else ())):
                ended[place] = expired[place] = gone
            if rule.lapsed:
                ended[place] = (*ended.get(place, ()), *reader.from_rule(item, rule.lapsed))
            if team := item.team or rule.team:
                self.teams[place] = team
        own = {place: read.own for place, read in self.read.items() if read.own}
        milestones = {place: read.milestone for place, read in self.read.items() if read.milestone}
        self.explicit = Spread(self.graph, own, milestones)
        self.ruled = Spread(self.graph, ruled)
        self.expired = Spread(self.graph, expired)
        self.barriers = Barriers(self.graph)
        self.losers = Losers(self.graph, self.targets, self.read, ruled, ended)

    def verdicts(self) -> dict[str, Verdict]:
        return {stored.item.id: self._verdict(place) for place, stored in enumerate(self.graph.items)}

    def _verdict(self, place: int) -> Verdict:
        item = self.graph.items[place].item
        read = self.read.get(place, NOTHING)
        decision = self._decide(place)
        winner = decision.winner
        known = decision.alignment is not Alignment.UNKNOWN
        expired: Evidence | None = None
        if decision.alignment is Alignment.UNLINKED:
            expired = next(iter(self.expired.found(place)), None)
        path = decision.path
        if winner and winner.node:
            path += self.targets.supports(winner.node)
        lost, also = self.losers.of(place, decision)
        unlinked = decision.alignment is Alignment.UNLINKED
        team = self.teams.get(place) or (self.targets.team(decision.targets[0]) if decision.targets else "")
        return Verdict(
            id=item.id,
            alignment=decision.alignment,
            targets=decision.targets,
            exempt_class=winner.exempt or None if winner else None,
            path=path,
            also=also,
            lost=lost,
            unknown_ids=read.unknown,
            parent=self._parent(item),
            own_objectives=self._objectives(read.own) if known else (),
            parent_objectives=self._parent_objectives(item) if known else (),
            expired=(expired.exempt, expired.until) if expired and expired.until else None,
            rule=winner.rule or None if winner else None,
            team=team,
            why=decision.why,
            commands=read.commands,
            near_keys=near_keys(item, self.projects) if unlinked and item.open else (),
        )

    def _decide(self, place: int) -> Decision:
        if place in self.graph.unread:
            return Decision(alignment=Alignment.UNKNOWN, why=self.graph.unread[place])
        explicit, barrier = self.explicit.distance(place), self.barriers.distance(place)
        if self._is_certain(place):
            assert explicit is not None  # what is certain is there
            return self._weigh(self.explicit, place, explicit, by_rule=False)
        if barrier is not None:  # explicit evidence may hide behind it, so rules must not speak
            return Decision(alignment=Alignment.UNKNOWN, why=self.barriers.why(place))
        ruled = self.ruled.distance(place)
        if ruled is not None:
            return self._weigh(self.ruled, place, ruled, by_rule=True)
        return Decision(alignment=Alignment.UNLINKED)

    def _is_certain(self, place: int) -> bool:
        """Explicit evidence decides only if nearer than anything unreadable: at the same distance everything
        counts, so what could not be read might count too."""
        explicit, barrier = self.explicit.distance(place), self.barriers.distance(place)
        return explicit is not None and (barrier is None or explicit < barrier)

    def _weigh(self, spread: Spread, place: int, distance: int, *, by_rule: bool) -> Decision:
        """At the winning distance one active goal links, else an exemption exempts, else all of it has ended."""
        found = spread.found(place)
        ties = [(e, self.targets.of(e.node)) for e in found if e.node is not None]
        ties.sort(key=lambda tie: not tie[1].active)  # stable: then in order of evidence
        exempt = [e for e in found if e.node is None]
        if ties and ties[0][1].active:
            alignment, winner = Alignment.LINKED, ties[0][0]
        elif exempt:
            alignment, winner, ties = Alignment.EXEMPT, exempt[0], []
        else:
            alignment, winner = Alignment.STALE, ties[0][0]
        return Decision(
            alignment=alignment,
            distance=distance,
            by_rule=by_rule,
            winner=winner,
            targets=tuple(target for _, target in ties),
            path=spread.path(place, winner),
        )

    # --- parents -------------------------------------------------------------------------------------------

    def _parent(self, item: WorkItem) -> str | None:
        stated = (r.target for r in item.references if r.via is Via.PARENT and r.structural)
        present = (self.graph.present(target) for target in stated)
        return next((id_ for id_ in present if id_ != item.id), None)

    def _parent_objectives(self, item: WorkItem) -> tuple[str, ...]:
        parent = self._parent(item)
        place = self.graph.index.get(parent) if parent else None
        if place is None or place in self.graph.unread or not self._is_certain(place):
            return ()
        return self._objectives(self.explicit.found(place))

    def _objectives(self, evidence: Iterable[Evidence]) -> tuple[str, ...]:
        targets: list[Target] = [self.targets.of(e.node) for e in evidence if e.node is not None]
        return tuple(sorted({id_ for target in targets if target.active for id_ in target.objectives}))
