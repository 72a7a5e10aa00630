"""Why the alignment rate moved: today's work, judged once more by the goals and rules of an earlier run.

The pure split stands in `reports.moves`; here is what needs the store, linking and mappings: the snapshot that a run
leaves behind, and the recounting from one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta

from pydantic import ValidationError

from .bootstrap import Session
from .domain.findings import View
from .domain.goals import Cycle, Goals, Initiative, Model, Node, day
from .domain.links import Alignment, Verdict
from .domain.rules import Mappings, Rule
from .domain.storage import Snapshot
from .domain.text import clean
from .domain.work import WorkItem
from .judging import Judged, resolved
from .logs import get_logger
from .reports.moves import Move, Scope, Since, covered, split

log = get_logger()

WEEK = timedelta(days=7)
STALE = timedelta(days=14)
"""A run further back than this says nothing about last week."""


_NOTHING_YET: dict[Since, str] = {
    "last run": "This is the first run that is recorded; the next one is compared with it.",
    "last week": "No run that is one to two weeks old is recorded yet.",
}


class Basis(Model):
    """What verdicts rest on besides work: the goals as they stood on a day, and the mapping rules."""

    nodes: tuple[Node, ...]
    cycles: tuple[Cycle, ...]
    grace: timedelta
    chosen: str | None
    today: date
    mappings: Mappings

    @property
    def goals(self) -> Goals:
        return Goals(self.nodes, self.cycles, today=self.today, grace=self.grace, chosen=self.chosen)


def basis(session: Session, at: datetime) -> Basis:
    workspace = session.workspace
    return Basis(
        nodes=workspace.nodes,
        cycles=workspace.cycles,
        grace=workspace.settings.cycles.grace,
        chosen=session.cycle,
        today=day(at),
        mappings=workspace.mappings,
    )


def snapshot(session: Session, judged: Judged) -> Snapshot:
    """How this run ends, for later ones to compare with."""
    standing: dict[str, dict[str, list[str]]] = {}
    for uid, (place, alignment) in sorted(_in_progress(judged.view, judged.view.verdicts).items()):
        standing.setdefault(alignment.value, {}).setdefault(place, []).append(uid)
    return Snapshot(
        run=judged.run,
        at=judged.at,
        standing={a: {p: tuple(uids) for p, uids in places.items()} for a, places in standing.items()},
        places=tuple(sorted(_held(judged.view))),
        basis=clean(basis(session, judged.at).model_dump_json()),
    )


def moves(session: Session, judged: Judged) -> tuple[Move, ...]:
    """Since the last recorded run other than this one, and since the last one that is a week old."""
    store = session.store
    last = store.snapshot(until=judged.at, other_than=judged.run)
    week = store.snapshot(until=judged.at - WEEK, other_than=judged.run)
    if week is not None and judged.at - week.at > STALE:
        week = None
    found = []
    since: Since
    for since, earlier in (("last run", last), ("last week", week)):
        if earlier is None:
            found.append(Move(since=since, why=_NOTHING_YET[since]))
        else:
            found.append(_move(session, judged, since, earlier))
    return tuple(found)


def _move(session: Session, judged: Judged, since: Since, earlier: Snapshot) -> Move:
    now = basis(session, judged.at)
    try:
        then = Basis.model_validate_json(earlier.basis)
    except ValidationError:
        log.warning("the goals and rules of an earlier run cannot be read", run=earlier.run)
        why = "Not split by cause: that run was recorded by another version of okrsync."
        return Move(since=since, run=earlier.run, at=earlier.at, why=why)
    recount = _Recount(session, judged, {"then": (then, earlier.at), "now": (now, judged.at)})
    before = {
        uid: Alignment(alignment)
        for alignment, places in earlier.standing.items()
        for uids in places.values()
        for uid in uids
    }
    places = {uid: p for held in earlier.standing.values() for p, uids in held.items() for uid in uids}
    work = recount.standing("then", "then")
    scope = Scope(
        held=_held(judged.view),
        places={uid: place for uid, (place, _) in _in_progress(judged.view, judged.view.verdicts).items()},
    )
    return split(
        since,
        earlier.run,
        earlier.at,
        before,
        {
            "coverage": covered(before, work, Scope(held=earlier.places, places=places), scope),
            "work": work,
            "goals": recount.standing("now", "then"),
            "mapping": recount.standing("now", "now"),
        },
        {
            "goals": tuple(_goal_changes(then.goals, now.goals)),
            "mapping": tuple(_rule_changes(then.mappings, now.mappings, then.today, now.today)),
            "coverage": tuple(_scope_changes(frozenset(earlier.places), scope.held, judged.view)),
        },
    )


class _Recount:
    """Today's work in progress under goals and rules of then or now; linking runs only where they differ."""

    def __init__(self, session: Session, judged: Judged, bases: Mapping[str, tuple[Basis, datetime]]) -> None:
        self._session = session
        self._judged = judged
        self._bases = bases
        self._same_goals = _shape(bases["then"][0].goals) == _shape(bases["now"][0].goals)
        self._same_rules = _rules_agree(bases["then"][0], bases["now"][0])

    def standing(self, goals: str, rules: str) -> dict[str, Alignment]:
        view = self._judged.view
        if (goals == "now" or self._same_goals) and (rules == "now" or self._same_rules):
            verdicts = view.verdicts
        else:
            ruled, at = self._bases[rules]
            verdicts = resolved(self._session, self._judged, self._bases[goals][0].goals, ruled.mappings, at)
        return {uid: alignment for uid, (_, alignment) in _in_progress(view, verdicts).items()}


def _held(view: View) -> frozenset[str]:
    return frozenset(_place(stored.item) for stored in view.items.values())


def _place(item: WorkItem) -> str:
    return f"{item.connector}:{item.container}"


def _in_progress(view: View, verdicts: Mapping[str, Verdict]) -> dict[str, tuple[str, Alignment]]:
    """Place and alignment by uid."""
    items = ((id_, stored.item) for id_, stored in view.items.items())
    return {item.uid: (_place(item), verdicts[id_].alignment) for id_, item in items if item.in_progress}


# --- what was changed, in phrases ----------------------------------------------------------------------------------


def _shape(goals: Goals) -> object:
    """All of goals that a verdict depends on; titles, owners and values do not."""
    active = [c.id for c in goals.active_cycles]
    return active, [(*_key(n), _anchors(n), goals.counts(n)) for n in goals]


def _key(node: Node) -> tuple[str, ...]:
    return (node.kind, *node.key)


def _anchors(node: Node) -> object:
    return node.parents, node.cycle, node.value.work if isinstance(node.value, Initiative) else ()


def _goal_changes(then: Goals, now: Goals) -> Iterator[str]:
    old, new = {_key(n): n for n in then}, {_key(n): n for n in now}
    both = [(old[key], new[key]) for key in new if key in old]
    yield from _named("added", (n.id for key, n in new.items() if key not in old))
    yield from _named("removed", (n.id for key, n in old.items() if key not in new))
    yield from _named("ended", (n.id for o, n in both if then.counts(o) and not now.counts(n)))
    yield from _named("active again", (n.id for o, n in both if now.counts(n) and not then.counts(o)))
    yield from _named("tied anew", (n.id for o, n in both if _anchors(o) != _anchors(n)))


def _rules_agree(then: Basis, now: Basis) -> bool:
    """Whether the rules of both say the same of any item; rules about ages never do for certain."""
    if then.mappings.rules != now.mappings.rules or then.mappings.classes != now.mappings.classes:
        return False
    aged = any(rule.when.created or rule.when.updated for rule in now.mappings.rules)
    return not aged and not any(_ran_out(rule, then.today, now.today) for rule in now.mappings.rules)


def _ran_out(rule: Rule, then: date, now: date) -> bool:
    return rule.until is not None and (rule.until < then) != (rule.until < now)


def _rule_changes(then: Mappings, now: Mappings, was: date, today: date) -> Iterator[str]:
    old, new = {r.name: r for r in then.rules}, {r.name: r for r in now.rules}
    yield from _named("added", (name for name in new if name not in old))
    yield from _named("removed", (name for name in old if name not in new))
    yield from _named("changed", (name for name, rule in new.items() if name in old and old[name] != rule))
    yield from _named("ran out", (r.name for r in now.rules if _ran_out(r, was, today)))
    if [n for n in old if n in new] != [n for n in new if n in old]:
        yield "put into another order"


def _scope_changes(then: frozenset[str], now: Collection[str], view: View) -> Iterator[str]:
    yield from _named("new in scope", (place for place in sorted(now) if place not in then))
    yield from _named("no longer in scope", sorted(then - frozenset(now)))
    failed = [s.name for s in view.sources if not s.complete]
    failed += [f"{s.name}:{container}" for s in view.sources for container in s.unreadable]
    yield from _named("not read now", failed)


def _named(what: str, names: Iterable[str], most: int = 5) -> Iterator[str]:
    found = list(dict.fromkeys(names))
    if found:
        rest = f" and {len(found) - most} more" if len(found) > most else ""
        yield f"{what}: {', '.join(found[:most])}{rest}"
