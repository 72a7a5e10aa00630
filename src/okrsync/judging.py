"""What the store holds, linked and judged: the state that findings, plans, reports and `explain` speak of."""

from __future__ import annotations

import functools
import gc
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from msgspec import Struct, structs

from . import findings as rules
from . import linking, mappings, planning, reading
from .bootstrap import Session
from .domain.findings import Finding, SourceReport, Standing, Summary, View
from .domain.goals import Goals, day
from .domain.links import Alignment, RuleMatches, Suggestion, Verdict
from .domain.outlines import OUTLINED, Outlines, outlined
from .domain.rules import Mappings
from .domain.storage import Look
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


ASKED = OUTLINED | {"connector", "container", "team"}
"""The fields that are asked of items that have to be looked at themselves."""
# What is asked of items that a finding may be about, besides what mapping rules ask.
_TOLD = frozenset(("id", "connector", "kind", "title", "url", "restricted", "references", "branch", "team", "state"))


def judge(session: Session) -> Judged:
    """Links and judges what the store holds. Reads nothing but the store."""
    configured = {c.name for c in session.workspace.connectors}
    held = {s.item.id: s for s in live_items(session) if s.item.connector in configured}
    judging = _Judging(session)
    resolution = judging.resolution(outlined(held.values()), judging.match)
    return judging.done(
        known=linking.standings(resolution, judging.ends(resolution)),
        items={id_: s for id_, s in held.items() if not s.chased and not s.item.archived},
        verdicts={id_: resolution.verdict(s.item) for id_, s in held.items()},
        held=held,
    )


def judge_findings(session: Session) -> Judged:
    """As `judge`, for findings and the summary alone: goes through the store without keeping its items, however many
    there are. `everything` and `held` are empty; the view holds only open work that a finding may be about, with
    verdicts that do not tell how they came about."""
    boards = _boards(session)
    judging = _Judging(session)
    # what is pointed at comes first, mostly: it is found at once then
    configured = [c.name for c in sorted(session.workspace.connectors, key=lambda c: c.type != "jira")]
    with uncollected(), session.store.look(configured) as look:
        outlines = look.outlines(ASKED, judging.doubtful)
        resolution = judging.resolution(_unboarded(session, look, outlines, boards) if boards else outlines, None)
        ends = judging.ends(resolution)
        seen: dict[str, WorkItem] = {}
        for item in look.some(resolution.to_ask(ends), judging.fields):
            resolution.ask(item, judging.match(item))
            if item.open:
                seen[item.id] = item
        seen |= {item.id: item for item in look.some(resolution.to_tell(ends), _TOLD)}
        known = linking.standings_together(resolution, ends)
        told = {s.id: seen[s.id] for s in known if s.id and s.open}
        return judging.done(
            known=known,
            told=told,
            verdicts={id_: resolution.verdict(item) for id_, item in told.items()},
        )


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

    @property
    def doubtful(self) -> frozenset[str]:
        """Connectors of which some containers could not be read."""
        return frozenset(source.name for source in self._sources if source.unreadable)

    def resolution(
        self, items: Iterable[Outlines], matches: Callable[[WorkItem], RuleMatches] | None
    ) -> linking.Resolution:
        """Where rules are not asked at once, nothing is traced."""
        context = context_of(self._session, self._sources, self._now)
        return linking.Resolution(items, self._goals, matches, context, traced=matches is not None)

    def ends(self, resolution: linking.Resolution) -> list[int]:
        """By place."""
        return resolution.ends(rules.oldest(self._goals).date())

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


def live_items(session: Session) -> list[StoredItem]:
    """What the store holds; a dashboard issue of ours as if it was only chased: never counted, listed or written to."""
    stored = session.store.items()
    if boards := _boards(session):
        stored = [s if boards.isdisjoint(_names(s)) else structs.replace(s, chased=True) for s in stored]
    return stored


def _boards(session: Session) -> frozenset[str]:
    return planning.dashboard.identities(planning.dashboard.posted(session.store.dashboard_entries()))


def _unboarded(
    session: Session, look: Look, outlines: Iterable[Outlines], boards: frozenset[str]
) -> Iterator[Outlines]:
    """As `live_items` has it."""
    named = look.named(boards) | {now for old, now in session.store.aliases().items() if old.casefold() in boards}
    for some in outlines:
        found = {id_: n for n, id_ in enumerate(some.ids) if id_ in named or id_.casefold() in boards}
        chased = {found[item.id]: Glimpse(item, chased=True) for item in look.some(found, ASKED)}
        yield structs.replace(some, whole={**some.whole, **chased}) if chased else some


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
