"""What the store holds, linked and judged: the state that findings, plans, reports and `explain` speak of."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, structs

from . import findings as rules
from . import linking, mappings, planning, reading
from .bootstrap import Session
from .domain.findings import Finding, SourceReport, Summary, View
from .domain.goals import day
from .domain.links import Alignment, Suggestion
from .domain.text import did_you_mean, iso
from .domain.work import StoredItem, WorkItem


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


def judge(session: Session) -> Judged:
    """Links and judges what the store holds. Reads nothing but the store."""
    now = session.clock()
    goals = session.goals
    settings = session.workspace.settings
    configured = {c.name for c in session.workspace.connectors}
    sources = reading.last_sources(session)
    stored = [s for s in live_items(session) if s.item.connector in configured]
    matcher = mappings.compile(session.workspace.mappings, label_prefix=settings.writeback.label_prefix)
    context = context_of(session, sources, now)
    verdicts = linking.resolve(stored, goals, lambda item: matcher.match(item, now), context)
    counted = {s.item.id: s for s in stored if not s.chased and not s.item.archived}
    view = View(
        now=now,
        goals=goals,
        items=counted,
        verdicts=verdicts,
        sources=sources,
        budgets=session.workspace.mappings.budgets,
    )
    since = session.store.since()
    found = tuple(structs.replace(f, since=since.get(f.key)) for f in rules.evaluate(view, settings.rules))
    return Judged(
        run=f"{now:%Y%m%dT%H%M%S%f}Z",
        at=now,
        view=view,
        findings=found,
        summary=Summary.of(view),
        everything={s.item.uid: s.item for s in stored},
        held={s.item.id: s for s in stored},
    )


def live_items(session: Session) -> list[StoredItem]:
    """What the store holds; a dashboard issue of ours as if it was only chased: never counted, listed or written to."""
    stored = session.store.items()
    boards = planning.dashboard.identities(planning.dashboard.posted(session.store.dashboard_entries()))
    if boards:
        stored = [s if boards.isdisjoint(_names(s)) else structs.replace(s, chased=True) for s in stored]
    return stored


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
