"""What the store holds, linked and judged: the state that findings, plans, reports and `explain` speak of."""

from __future__ import annotations

import functools
import gc
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from msgspec import Struct, structs

from . import findings as rules
from . import linking, mappings, planning, reading
from .bootstrap import Session
from .domain.findings import Finding, SourceReport, Standing, Summary, View
from .domain.goals import Goals, day
from .domain.links import Alignment, RuleMatches, Suggestion, Verdict
from .domain.rules import Mappings
from .domain.text import did_you_mean, iso
from .domain.work import Glimpse, StoredItem, WorkItem


class Judged(Struct, kw_only=True):
    """The linked and judged state of the store. `view` holds what counts; `held` (by id) and `everything` (by
    uid) also chased and archived items."""

    run: str
    at: datetime
    view: View
    findings: tuple[Finding, ...]
    summary: Summary
    everything: dict[str, WorkItem]
    held: dict[str, StoredItem]

    @property
    def run_json(self) -> dict[str, object]:
        cycle = self.view.goals.cycle
        return {
            "id": self.run,
            "at": iso(self.at),
            "cycle": cycle.id if cycle else None,
            "complete": self.view.complete,
            "sources": [s.json() for s in self.view.sources],
        }


ASKED = frozenset(
    (
        *("id", "connector", "container", "references", "okr", "labels", "trailers", "milestone_body", "commands"),
        *("state", "dropped", "closed_at", "archived"),
    )
)
"""The fields that are asked of every item."""
# What is asked of items that a finding may be about, besides what mapping rules ask.
_TOLD = frozenset(("id", "kind", "title", "url", "restricted", "references", "branch", "team", "state"))


def judge(session: Session) -> Judged:
    """Links and judges what the store holds. Reads nothing but the store."""
    configured = {c.name for c in session.workspace.connectors}
    stored = [s for s in live_items(session) if s.item.connector in configured]
    judging = _Judging(session)
    ends: list[_End] = []
    noted = _noting(stored, ends, since=rules.oldest(session.goals))
    resolution = judging.resolution(noted, judging.match)
    held = {s.item.id: s for s in stored}
    return judging.done(
        known=judging.standings(resolution, ends),
        items={s.item.id: s for s in stored if not s.chased and not s.item.archived},
        verdicts={id_: resolution.verdict(s.item) for id_, s in held.items()},
        held=held,
    )


def judge_findings(session: Session) -> Judged:
    """As `judge`, for findings and the summary alone: goes through the store without keeping its items, however many
    there are. `everything` and `held` are empty; the view holds only open work that a finding may be about, with
    verdicts that do not tell how they came about."""
    boards = _boards(session)
    judging = _Judging(session)
    configured = [c.name for c in session.workspace.connectors]
    with uncollected(), session.store.look(configured) as look:
        ends: list[_End] = []
        glimpses = _unboarded(session, look.all(ASKED | {"uid"}), boards) if boards else look.all(ASKED)
        noted = _noting(glimpses, ends, since=rules.oldest(session.goals))
        resolution = judging.resolution(noted, None)
        seen: dict[str, WorkItem] = {}
        for item in look.some(resolution.to_ask(), judging.fields):
            resolution.ask(item, judging.match(item))
            if item.open:
                seen[item.id] = item
        known = judging.standings(resolution, ends, alike=True)
        told = {s.id: seen[s.id] for s in known if s.id and s.open}
        return judging.done(
            known=known,
            told=told,
            verdicts={id_: resolution.verdict(item) for id_, item in told.items()},
        )


_UNLINKED, _STALE = Alignment.UNLINKED, Alignment.STALE


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the search for cycles of garbage: of a million items nearly all is kept to the end, and to look through
    that again and again takes seconds."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class _Judging:
    """One judgement: what it is based on besides items."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._now = session.clock()
        self._goals = session.goals
        self._sources = reading.last_sources(session)
        prefix = session.workspace.settings.writeback.label_prefix
        self._matcher = mappings.compile(session.workspace.mappings, label_prefix=prefix)
        self.fields = _TOLD.union(self._matcher.fields)

    def match(self, item: WorkItem) -> RuleMatches:
        return self._matcher.match(item, self._now)

    def resolution(
        self, stored: Iterable[StoredItem | Glimpse], matches: Callable[[WorkItem], RuleMatches] | None
    ) -> linking.Resolution:
        """Where rules are not asked at once, nothing is traced."""
        context = context_of(self._session, self._sources, self._now)
        return linking.Resolution(stored, self._goals, matches, context, traced=matches is not None)

    def standings(self, resolution: linking.Resolution, ends: Sequence[_End], *, alike: bool = False) -> list[Standing]:
        """Of the items of which it matters how they stand. `alike`: those that no finding is about are put together."""
        standings: list[Standing] = []
        counts: Counter[tuple[int, date | bool]] = Counter()
        first: dict[tuple[int, date | bool], tuple[_End, linking.Weighed]] = {}
        parents, parent_of, telling = resolution.is_parent(), resolution.parent, resolution.telling
        for place, (id_, end, weighed) in enumerate(zip(resolution.ids, ends, resolution.weighed(), strict=True)):
            if end is None or (end is False and not parents[place]):
                continue
            told = place in telling
            if alike and not told and weighed.alignment is not _UNLINKED and weighed.alignment is not _STALE:
                if end is not False:
                    key = id(weighed), day(end) if isinstance(end, datetime) else end
                    counts[key] += 1
                    if key not in first:
                        first[key] = end, weighed
                continue
            standings.append(_standing(id_, end, weighed, parent_of(place), telling=told))
        together: dict[tuple[object, ...], Standing] = {}
        for which, (end, weighed) in first.items():
            one = _standing("", end, weighed, None, count=counts[which])
            same = which[1], one.alignment, id(one.targets), one.exempt_class, one.rule
            known = together.get(same)
            together[same] = structs.replace(known, count=known.count + one.count) if known else one
        return [*standings, *together.values()]

    def done(
        self,
        *,
        known: list[Standing],
        verdicts: dict[str, Verdict],
        items: Mapping[str, StoredItem] = {},
        told: Mapping[str, WorkItem] = {},
        held: dict[str, StoredItem] | None = None,
    ) -> Judged:
        workspace, store = self._session.workspace, self._session.store
        view = View(
            now=self._now,
            goals=self._goals,
            items=items,
            told=told,
            verdicts=verdicts,
            sources=self._sources,
            budgets=workspace.mappings.budgets,
            known=known,
        )
        found = rules.evaluate(view, workspace.settings.rules)
        if since := store.since():
            found = tuple(structs.replace(f, since=since.get(f.key)) for f in found)
        return Judged(
            run=f"{self._now:%Y%m%dT%H%M%S%f}Z",
            at=self._now,
            view=view,
            findings=found,
            summary=Summary.of(view),
            everything={s.item.uid: s.item for s in (held or {}).values()},
            held=held or {},
        )


def _standing(
    id_: str, end: _End, weighed: linking.Weighed, parent: str | None, *, telling: bool = False, count: int = 1
) -> Standing:
    winner = weighed.winner
    return Standing(
        id_,
        end is True,
        end if isinstance(end, datetime) else None,
        weighed.alignment,
        weighed.targets,
        winner.exempt or None if winner else None,
        winner.rule or None if winner else None,
        parent,
        telling,
        count,
    )


# Of an item: open (True), when it was closed where that may support a goal, else False; None where it does not count.
_End = datetime | bool | None


def _noting(
    stored: Iterable[StoredItem | Glimpse], ends: list[_End], *, since: datetime
) -> Iterator[StoredItem | Glimpse]:
    """Passes items on, with a note of the end of each."""
    for s in stored:
        item = s.item
        if s.chased or item.archived:
            ends.append(None)
        elif item.state == "open":
            ends.append(True)
        else:
            closed = item.closed_at
            ends.append(closed if closed is not None and not item.dropped and closed >= since else False)
        yield s


def live_items(session: Session) -> list[StoredItem]:
    """What the store holds; a dashboard issue of ours as if it was only chased: never counted, listed or written to."""
    stored = session.store.items()
    if boards := _boards(session):
        stored = [s if boards.isdisjoint(_names(s)) else structs.replace(s, chased=True) for s in stored]
    return stored


def _boards(session: Session) -> frozenset[str]:
    return planning.dashboard.identities(planning.dashboard.posted(session.store.dashboard_entries()))


def _unboarded(session: Session, glimpses: Iterable[Glimpse], boards: frozenset[str]) -> Iterator[Glimpse]:
    """As `live_items` has it."""
    moved = {present for old, present in session.store.aliases().items() if old.casefold() in boards}
    for glimpse in glimpses:
        item = glimpse.item
        if item.id in moved or item.id.casefold() in boards or item.uid.casefold() in boards:
            yield structs.replace(glimpse, chased=True)
        else:
            yield glimpse


def _names(stored: StoredItem) -> set[str]:
    return {name.casefold() for name in (stored.item.uid, stored.item.id, *stored.aliases)}


def context_of(session: Session, sources: Iterable[SourceReport], now: datetime) -> linking.Context:
    """What resolution must know of a run besides items, goals and rules."""
    sources = tuple(sources)
    return linking.Context(
        failed=frozenset(s.name for s in sources if not s.complete),
        failed_containers=frozenset((s.name, c) for s in sources for c in s.unreadable),
        unreachable=session.store.unreachable(),
        aliases=session.store.aliases(),
        classes=session.workspace.mappings.classes,
        label_prefix=session.workspace.settings.writeback.label_prefix,
        today=day(now),
        connectors=frozenset(c.name for c in session.workspace.connectors),
        projects=json.loads(session.store.get_meta("projects") or "{}"),
    )


def resolved(session: Session, judged: Judged, goals: Goals, rules: Mappings, at: datetime) -> Mapping[str, Verdict]:
    """The verdicts on all that is held, by id, if these were the goals and rules; rules are asked as of `at`. Raises
    PatternError."""
    matcher = mappings.compile(rules, label_prefix=session.workspace.settings.writeback.label_prefix)
    context = structs.replace(context_of(session, judged.view.sources, judged.at), classes=rules.classes)
    return linking.resolve(judged.held.values(), goals, lambda item: matcher.match(item, at), context)


def explain_rule(session: Session, judged: Judged, name: str) -> dict[str, Any]:
    """The JSON of `explain --rule`: what a mapping rule matches of the open work, and what it takes. Raises
    linking.UnknownSubject (exit 2)."""
    workspace = session.workspace
    known = {rule.name: rule for rule in workspace.mappings.rules}
    folded = {known_name.casefold(): known_name for known_name in known}
    if name.casefold() not in folded:
        raise linking.UnknownSubject(f"there is no mapping rule {name!r}{did_you_mean(name, known)}")
    work = {id_: s.item for id_, s in judged.view.items.items() if s.item.open}
    prefix = workspace.settings.writeback.label_prefix
    uses = mappings.coverage(workspace.mappings, work.values(), judged.at, label_prefix=prefix)
    use = next(u for u in uses if u.rule.name == folded[name.casefold()])
    verdicts, restricted = judged.view.verdicts, workspace.settings.reports.restricted
    return {
        "rule": use.rule.name,
        "link": list(use.rule.link),
        "exempt": use.rule.exempt,
        "team": use.rule.team,
        "until": use.rule.until.isoformat() if use.rule.until else None,
        "in_force": use.in_force,
        "open": len(work),
        "matches": len(use.matches),
        "takes": use.takes,
        "remarks": [*mappings.remarks((use,), len(work))],
        "items": [
            {
                "id": id_,
                "title": work[id_].title if restricted or not work[id_].restricted else "",
                "alignment": verdicts[id_].alignment.value,
                "taken_by": taker,
                "decides": verdicts[id_].rule == use.rule.name,
            }
            for id_, taker in sorted(use.matches.items())
        ],
    }


def suggestions(judged: Judged) -> Callable[[WorkItem], Sequence[Suggestion]]:
    """Likely initiatives of one item. What all work says is looked at with the first question, and only then."""

    @functools.cache
    def suggester() -> linking.Suggester:
        return linking.Suggester(judged.view.goals, judged.held.values(), judged.view.verdicts)

    return lambda item: suggester().of(item)


def explain(session: Session, judged: Judged, id_: str) -> dict[str, Any]:
    """The JSON of `explain`. Raises linking.UnknownSubject (exit 2)."""
    view = judged.view
    data = linking.explain(
        id_,
        goals=view.goals,
        items=judged.held,
        verdicts=view.verdicts,
        aliases=session.store.aliases(),
        supporting=rules.supporting(view, id_),
    )
    data["findings"] = [f.json() for f in judged.findings if f.subject.id == data["id"]]
    stored = judged.held.get(data["id"])
    if stored is not None:
        prefix = session.workspace.settings.writeback.label_prefix.casefold()
        if data["alignment"] in (Alignment.UNLINKED, Alignment.STALE) and stored.item.open:
            data["suggestions"] = [suggestion.json() for suggestion in suggestions(judged)(stored.item)]
        owned = session.store.owned().get(stored.item.uid)
        data["observed_labels"] = [x for x in stored.item.labels if x.casefold().startswith(prefix)]
        data["owned_comment"] = owned.comment_id if owned else None
    return data
