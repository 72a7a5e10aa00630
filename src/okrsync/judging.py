"""What the store holds, linked and judged: the state that findings, plans, reports and `explain` speak of."""

from __future__ import annotations

import functools
import gc
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from itertools import islice
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
from .domain.settings import JiraSettings
from .domain.storage import Changes, Look
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
_AGES = frozenset(("created", "updated"))
_AT_ONCE = 1000  # items of which mapping rules are asked together, with their descriptions if need be
# What is asked of items that a finding may be about, besides what mapping rules ask.
_TOLD = frozenset(("id", "connector", "kind", "title", "url", "restricted", "references", "branch", "team", "state"))


def judge(session: Session) -> Judged:
    """Links and judges what the store holds. Reads nothing but the store."""
    configured = {c.name for c in session.workspace.connectors}
    held = {s.item.id: s for s in live_items(session) if s.item.connector in configured}
    judging = Judging(session)
    if judging.remote is not None:
        held = judging.remote.all_tied(held)
    resolution = judging.resolution(outlined(held.values()), judging.match)
    return judging.done(
        known=linking.standings(resolution, judging.ends(resolution)),
        items={id_: s for id_, s in held.items() if not s.chased and not s.item.archived},
        verdicts={id_: resolution.verdict(s.item) for id_, s in held.items()},
        held=held,
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
        gc.freeze()  # both together: what was made meanwhile is not looked through at once, but counts as old
        gc.unfreeze()
        gc.enable()


class Looked(Struct):
    """How items stand, without having kept them.

    ends     by place (`domain.outlines`)
    answers  by id: what the mapping rules say of those of which they were asked
    about    ids of the items that findings are asked about; None: of all
    seen     by id: those of them that are open and that a finding may be about, and more
    """

    resolution: linking.Resolution
    ends: list[int]
    answers: dict[str, RuleMatches]
    about: Set[str] | None
    seen: dict[str, WorkItem]

    def told(self, known: Iterable[Standing]) -> tuple[dict[str, WorkItem], dict[str, Verdict]]:
        """The open items of these that findings are asked about, and the verdicts on them."""
        about = self.about
        told = {s.id: self.seen[s.id] for s in known if s.id and s.open and (about is None or s.id in about)}
        return told, {id_: self.resolution.verdict(item) for id_, item in told.items()}


class Judging:
    """One judgement: what it is based on besides items."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reading = session.reading
        self.now = session.clock()
        self.goals = session.goals
        self.sources = reading.last_sources(session)
        self.context = context_of(session, self.sources, self.now)
        self.boards = _boards(session)
        jira = [c for c in session.workspace.connectors if isinstance(c, JiraSettings) and c.remote_links]
        self.remote = linking.RemoteLinks({c.name: c.may_link for c in jira}, self.context) if jira else None
        self._asked = ASKED | linking.REMOTE_ASKED if jira else ASKED
        prefix = session.workspace.settings.writeback.label_prefix
        self._matcher = mappings.compile(session.workspace.mappings, label_prefix=prefix)
        self._fields = _TOLD.union(self._matcher.fields)

    def match(self, item: WorkItem) -> RuleMatches:
        return self._matcher.match(item, self.now)

    def match_all(self, items: Sequence[WorkItem]) -> list[RuleMatches]:
        return self._matcher.match_all(items, self.now)

    @property
    def asks_for_time(self) -> bool:
        """Whether a rule's answer depends on when it is asked."""
        return not _AGES.isdisjoint(self._matcher.fields)

    def resolution(
        self, items: Iterable[Outlines], matches: Callable[[WorkItem], RuleMatches] | None
    ) -> linking.Resolution:
        """Where rules are not asked at once, nothing is traced, and only work that may support something is looked at,
        with what is above it."""
        if matches is not None:
            return linking.Resolution(items, self.goals, matches, self.context)
        return linking.Resolution(items, self.goals, None, self.context, traced=False, since=self._since)

    def ends(self, resolution: linking.Resolution) -> list[int]:
        """By place."""
        return resolution.ends(self._since)

    @property
    def _since(self) -> date:
        return rules.oldest(self.goals).date()

    # --- without keeping items

    def look(self) -> AbstractContextManager[Look]:
        # what is pointed at comes first, mostly: it is found at once then
        configured = sorted(self._session.workspace.connectors, key=lambda c: c.type != "jira")
        return self._reading.look([c.name for c in configured])

    def outlines(self, look: Look, ids: Collection[str] | None = None) -> Iterator[Outlines]:
        """Of all items or of these; dashboard issues of ours and pull requests that issues link to as `judge` has
        them."""
        return self._as_judged(look, look.outlines(self._asked, self._doubtful, ids))

    def changed(self, look: Look, mark: str, most: int) -> Changes | None:
        """As a look tells it, of outlines as they are here."""
        changes = look.changed(mark, most, self._asked, self._doubtful)
        return changes and structs.replace(changes, held=self._as_judged(look, changes.held))

    def _as_judged(self, look: Look, outlines: Iterable[Outlines]) -> Iterator[Outlines]:
        if self.boards:
            outlines = self._unboarded(look, outlines)
        if self.remote is not None:
            outlines = self.remote.tie(outlines, lambda linked: look.some(linked, self._asked))
        yield from outlines

    @property
    def _doubtful(self) -> frozenset[str]:
        """Connectors whose items have to be seen whole: some containers could not be read, or what may link there."""
        doubtful = {source.name for source in self.sources if source.unreadable}
        if self.remote is not None and self.remote.whole:
            doubtful |= {c.name for c in self._session.workspace.connectors if c.type != "jira"}
        return frozenset(doubtful)

    def _unboarded(self, look: Look, outlines: Iterable[Outlines]) -> Iterator[Outlines]:
        present = self._reading.aliases().items()
        named = look.named(self.boards) | {now for old, now in present if old.casefold() in self.boards}
        for some in outlines:
            found = {id_: n for n, id_ in enumerate(some.ids) if id_ in named or id_.casefold() in self.boards}
            chased = {found[item.id]: Glimpse(item, chased=True) for item in look.some(found, self._asked)}
            yield structs.replace(some, whole={**some.whole, **chased}) if chased else some

    def look_over(self, look: Look, outlines: Iterable[Outlines], about: Set[str] | None = None) -> Looked:
        """How these stand; all that is above each of them has to be among them. `about`: ids of the items that findings
        are asked about, if not about all."""
        resolution = self.resolution(outlines, None)
        ends = self.ends(resolution)
        answers: dict[str, RuleMatches] = {}
        seen: dict[str, WorkItem] = {}
        asked = look.some(resolution.to_ask(ends), self._fields)
        while some := list(islice(asked, _AT_ONCE)):
            for item, answer in zip(some, self.match_all(some), strict=True):
                answers[item.id] = answer
                resolution.ask(item, answer)
                if item.open and (about is None or item.id in about):
                    seen[item.id] = item
        telling = resolution.to_tell(ends)
        telling = telling if about is None else [id_ for id_ in telling if id_ in about]
        seen |= {item.id: item for item in look.some(telling, _TOLD)}
        if self.remote is not None:
            seen = {id_: self.remote.tied(item) for id_, item in seen.items()}
        return Looked(resolution, ends, answers, about, seen)

    # --- what comes of it

    @property
    def run(self) -> str:
        return f"{self.now:%Y%m%dT%H%M%S%f}Z"

    def view(
        self,
        *,
        known: list[Standing],
        verdicts: dict[str, Verdict],
        items: Mapping[str, StoredItem] = {},
        told: Mapping[str, WorkItem] = {},
    ) -> View:
        return View(
            now=self.now,
            goals=self.goals,
            items=items,
            told=told,
            verdicts=verdicts,
            sources=self.sources,
            budgets=self._session.workspace.mappings.budgets,
            known=known,
        )

    def done(
        self,
        *,
        known: list[Standing],
        verdicts: dict[str, Verdict],
        items: Mapping[str, StoredItem] = {},
        told: Mapping[str, WorkItem] = {},
        held: dict[str, StoredItem] | None = None,
    ) -> Judged:
        workspace, reading = self._session.workspace, self._reading
        view = self.view(known=known, items=items, told=told, verdicts=verdicts)
        found = rules.evaluate(view, workspace.settings.rules)
        if since := reading.since():
            found = tuple(structs.replace(f, since=since.get(f.key)) for f in found)
        return Judged(
            run=self.run,
            at=self.now,
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
    return planning.dashboard.identities(planning.dashboard.posted(session.reading.dashboard_entries()))


def _names(stored: StoredItem) -> set[str]:
    return {name.casefold() for name in (stored.item.uid, stored.item.id, *stored.aliases)}


def context_of(session: Session, sources: Iterable[SourceReport], now: datetime) -> linking.Context:
    """What resolution must know of a run besides items, goals and rules."""
    sources = tuple(sources)
    return linking.Context(
        failed=frozenset(s.name for s in sources if not s.complete),
        failed_containers=frozenset((s.name, c) for s in sources for c in s.unreadable),
        unreachable=session.reading.unreachable(),
        aliases=session.reading.aliases(),
        classes=session.workspace.mappings.classes,
        label_prefix=session.workspace.settings.writeback.label_prefix,
        today=day(now),
        connectors=frozenset(c.name for c in session.workspace.connectors),
        projects=json.loads(session.reading.get_meta("projects") or "{}"),
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
