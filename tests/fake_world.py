"""Small worlds for planning and write-back: goals, items, verdicts, and one run over fakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from fake_store import FakeStore
from fake_tracker import FakeTracker
from okrsync.domain.changes import Applied, Plan
from okrsync.domain.findings import Finding, Severity, Subject, View
from okrsync.domain.goals import Bet, Cycle, Goals, Initiative, KeyResult, Node, Objective
from okrsync.domain.links import Alignment, Target, UnknownId, Verdict
from okrsync.domain.settings import WritebackSettings
from okrsync.domain.work import Kind, StoredItem, WorkItem
from okrsync.planning import Inputs, plan
from okrsync.writeback import apply, recover

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CYCLE = Cycle(id="2026-Q4", starts=date(2026, 10, 1), ends=date(2026, 12, 31))
OLD_CYCLE = Cycle(id="2026-Q3", starts=date(2026, 7, 1), ends=date(2026, 9, 30))
LONG_ID = "OBJECTIVE-" + "X" * 60


def days(n: float) -> timedelta:
    return timedelta(days=n)


def _node(kind: str, value: Bet | Objective | KeyResult | Initiative, parents: Sequence[str], cycle: Cycle) -> Node:
    return Node(kind=kind, id=value.id, title=value.title, cycle=cycle, parents=tuple(parents), owner=None, value=value)


def goals() -> Goals:
    nodes = [_node("bet", Bet(id="B1", title="Win the mid-market"), (), CYCLE)]
    for id_, cycle in (("O1", CYCLE), ("O2", CYCLE), (LONG_ID, CYCLE), ("OLD1", OLD_CYCLE)):
        nodes.append(_node("objective", Objective(id=id_, title=f"Title of {id_}", supports=("B1",)), ("B1",), cycle))
        nodes.append(_node("key_result", KeyResult(id=f"{id_}.KR1", title="A number moves"), (id_,), cycle))
    nodes.append(_node("initiative", Initiative(id="INIT-1", title="A build"), ("O1.KR1",), CYCLE))
    return Goals(nodes, [CYCLE, OLD_CYCLE], today=NOW.date(), grace=days(14))


GOALS = goals()


def item(number: int = 1, *, jira: bool = False, **fields: object) -> WorkItem:
    """github:acme/web#1, or jira:PAY-1: an open issue, 30 days old, touched yesterday."""
    connector, container = ("jira", "PAY") if jira else ("github", "acme/web")
    key = f"PAY-{number}" if jira else f"acme/web#{number}"
    usual = {
        "id": f"{connector}:{key}",
        "uid": f"{connector}:{1000 + number}",
        "connector": connector,
        "key": key,
        "container": container,
        "kind": Kind.ISSUE,
        "title": f"Work {number}",
        "url": f"https://example.test/{key}",
        "created": NOW - days(30),
        "updated": NOW - days(1),
    }
    return WorkItem(**(usual | fields))


def stored(work: WorkItem, *, read_at: datetime = NOW, moved_at: datetime | None = None) -> StoredItem:
    return StoredItem(item=work, read_at=read_at, moved_at=moved_at or work.updated)


def linked(id_: str, *objectives: str, **fields: object) -> Verdict:
    targets = tuple(
        Target(node=f"{o}.KR1", initiative=None, key_results=(f"{o}.KR1",), objectives=(o,), bets=("B1",))
        for o in objectives
    )
    return Verdict(id=id_, alignment=Alignment.LINKED, targets=targets, **fields)


def stale(id_: str, **fields: object) -> Verdict:
    target = Target(node="OLD1.KR1", initiative=None, key_results=("OLD1.KR1",), objectives=("OLD1",), active=False)
    return Verdict(id=id_, alignment=Alignment.STALE, targets=(target,), **fields)


def unlinked(id_: str, **fields: object) -> Verdict:
    return Verdict(id=id_, alignment=Alignment.UNLINKED, **fields)


def exempt(id_: str, **fields: object) -> Verdict:
    return Verdict(id=id_, alignment=Alignment.EXEMPT, exempt_class="tech-debt", **fields)


def unknown(id_: str, **fields: object) -> Verdict:
    return Verdict(id=id_, alignment=Alignment.UNKNOWN, why="jira could not be read", **fields)


def bad_id(id_: str = "O9", suggestion: str = "; did you mean 'O1'?") -> UnknownId:
    return UnknownId(via="label", id=id_, detail=f"label objective:{id_}", suggestion=suggestion)


def view(items: Sequence[StoredItem], verdicts: Sequence[Verdict], now: datetime = NOW) -> View:
    return View(
        now=now,
        goals=GOALS,
        items={s.item.id: s for s in items},
        verdicts={v.id: v for v in verdicts},
    )


def finding(code: str, work: WorkItem) -> Finding:
    slugs = {
        "OKR101": "unlinked-work",
        "OKR102": "stale-link",
        "OKR103": "unknown-okr-id",
        "OKR104": "disagreeing-links",
        "OKR105": "expired-exemption",
    }
    subject = Subject(kind=work.kind.value, id=work.id, title=work.title, url=work.url)
    return Finding(
        code=code, slug=slugs[code], severity=Severity.WARNING, subject=subject, message="it is so", remedy="fix it"
    )


def findings_of(seen: View) -> list[Finding]:
    """What the rules of family 1 say."""
    found = []
    for id_, held in sorted(seen.items.items()):
        verdict = seen.verdicts[id_]
        if not held.item.open:
            continue
        if verdict.alignment is Alignment.UNLINKED:
            found.append(finding("OKR105" if verdict.expired else "OKR101", held.item))
        if verdict.alignment is Alignment.STALE:
            found.append(finding("OKR102", held.item))
        if verdict.unknown_ids:
            found.append(finding("OKR103", held.item))
        if verdict.own_objectives and verdict.parent_objectives:
            found.append(finding("OKR104", held.item))
    return found


def settings(**fields: object) -> WritebackSettings:
    return WritebackSettings(enabled=True, **fields)


class World:
    """Trackers, a store, people's links (`verdicts`, by item id), and runs over them. The clock ticks a second
    with every look at it."""

    def __init__(self, trackers: Sequence[FakeTracker], config: WritebackSettings) -> None:
        self.trackers: dict[str, FakeTracker] = {t.name: t for t in trackers}
        self.store = FakeStore()
        self.config = config
        self.verdicts: dict[str, Verdict] = {}
        self.now = NOW
        self.runs = 0
        self.enabled_at = NOW - days(100)

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def pull(self) -> None:
        for tracker in self.trackers.values():
            for work in tracker.items.values():
                self.store.put(work, read_at=self.clock())

    def view(self) -> View:
        held = self.store.items()
        known: Mapping[str, Verdict] = self.verdicts
        return view(held, [known[s.item.id] for s in held], now=self.clock())

    def plan(self) -> Plan:
        seen = self.view()
        containers = {(s.item.connector, s.item.container) for s in seen.items.values()}
        made = plan(
            seen,
            findings_of(seen),
            Inputs(
                settings=self.config,
                writable=lambda work: self.trackers[work.connector].configured(work.container),
                owned=self.store.owned(),
                dismissals=self.store.dismissals(),
                container_labels={f"{n}:{c}": self._definitions(n, c) for n, c in containers},
                enabled_at=self.enabled_at,
                comments_today=0,
            ),
        )
        self.store.save_plan(made, run=str(self.runs), at=self.clock())
        return made

    def _definitions(self, name: str, container: str) -> frozenset[str] | None:
        defined = self.trackers[name].definitions
        return None if defined is None else frozenset(defined.get(container, ()))

    def run(self, made: Plan | None = None) -> Applied:
        """Recover, read, plan, write. With a plan `made` before: write that."""
        self.runs += 1
        by_uid = {s.item.uid: s.item for s in self.store.items()}
        recovered = recover(store=self.store, trackers=self.trackers, items_by_uid=by_uid, clock=self.clock)
        if made is None:
            self.pull()
            made = self.plan()
        return apply(
            made.changes,
            items={s.item.uid: s.item for s in self.store.items()},
            trackers=self.trackers,
            store=self.store,
            clock=self.clock,
            run=str(self.runs),
            alive=lambda: self.store.held_lease,
            suspended=recovered.suspended,
        )
