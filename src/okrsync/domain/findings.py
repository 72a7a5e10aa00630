"""Findings: a rule's verdict on a subject, and what a rule is given to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, structs

from .goals import Goals
from .links import Alignment, Target, Verdict
from .settings import RulesSettings
from .work import StoredItem, WorkItem


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for error, 2 for info: smaller is graver."""
        return ("error", "warning", "info").index(self.value)


class Subject(Struct, frozen=True, kw_only=True):
    """What a finding is about. kind: epic | issue | subtask | pull_request | bet | objective | key_result |
    initiative | goals."""

    kind: str
    id: str
    title: str = ""
    url: str = ""


class Finding(Struct, frozen=True, kw_only=True):
    """`since` is the id of the run that first saw it, None until a run has been recorded."""

    code: str
    slug: str
    severity: Severity
    subject: Subject
    message: str
    remedy: str
    evidence: dict[str, Any] = {}
    since: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two findings of two runs the same one."""
        return self.code, self.subject.kind, self.subject.id

    def json(self) -> dict[str, Any]:
        subject = {f: getattr(self.subject, f) for f in ("kind", "id", "title", "url")}
        return {
            "code": self.code,
            "slug": self.slug,
            "severity": self.severity.value,
            "subject": subject,
            "message": self.message,
            "remedy": self.remedy,
            "evidence": self.evidence,
            "since": self.since,
        }


class SourceReport(Struct, frozen=True, kw_only=True):
    """How reading one connector went. `items` counts what the store holds of it (tombstones and chased
    items left out); `unreadable` are containers that could not be read although the source could."""

    name: str
    complete: bool
    items: int = 0
    error: str | None = None
    unreadable: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """What is wrong, to be told behind the name, which most errors begin with; empty where nothing is."""
        return (self.error or "").removeprefix(f"{self.name}: ")

    def json(self) -> dict[str, Any]:
        complete = self.complete and not self.unreadable
        return {"name": self.name, "complete": complete, "items": self.items, "error": self.error}


class Standing(Struct, frozen=True, gc=False):
    """How one item that counts stands, without its text: what is asked of each of them, open and closed.

    closed_at  of closed work that may support a goal, by its day and because it was not dropped; else None
    parent     id of the structural parent, None without one
    telling    False only where neither unknown ids nor objectives unlike its parent's can stand on it
    count      how many items alike it stands for; several have no `id` and no `parent`
    """

    id: str
    open: bool
    closed_at: datetime | None
    alignment: Alignment
    targets: tuple[Target, ...] = ()
    exempt_class: str | None = None
    rule: str | None = None
    parent: str | None = None
    telling: bool = False
    count: int = 1


class View(Struct, frozen=True, kw_only=True):
    """Everything that findings, plans and reports judge: the linked state of one run.

    `items` and `verdicts` are keyed by item id and hold every item that counts (no chased, no
    tombstoned, no archived ones), open and closed. `budgets` are the mappings': exemption class -> the share of
    open work it may take. Where `known` is given, it holds how these stand, but for closed work that supports nothing
    and has nothing below it. A view made for findings alone has no `items`: `told` and `verdicts` then hold open work
    only that some finding may be about, and of the other work that is alike `known` says it once. There is no finding
    about work without a verdict.
    """

    now: datetime
    goals: Goals
    items: Mapping[str, StoredItem]
    verdicts: Mapping[str, Verdict]
    sources: tuple[SourceReport, ...] = ()
    budgets: Mapping[str, float] = {}
    known: Sequence[Standing] | None = None
    told: Mapping[str, WorkItem] = {}

    def item(self, id_: str) -> WorkItem | None:
        """Work that a finding is about; None for goals."""
        stored = self.items.get(id_)
        return stored.item if stored is not None else self.told.get(id_)

    def standings(self) -> Iterable[Standing]:
        """Of every item that counts, but for closed ones that no rule asks of, in no order."""
        if self.known is not None:
            return self.known
        return (_standing(stored.item, self.verdicts[id_]) for id_, stored in self.items.items())

    def with_verdicts(self, verdicts: Mapping[str, Verdict]) -> View:
        """The same work judged otherwise: how it stood before is not carried over."""
        return structs.replace(self, verdicts=verdicts, known=None)

    @property
    def complete(self) -> bool:
        return all(s.complete and not s.unreadable for s in self.sources)


def _standing(item: WorkItem, verdict: Verdict) -> Standing:
    return Standing(
        id=item.id,
        open=item.open,
        closed_at=None if item.open or item.dropped else item.closed_at,
        alignment=verdict.alignment,
        targets=verdict.targets,
        exempt_class=verdict.exempt_class,
        rule=verdict.rule,
        parent=verdict.parent,
        telling=bool(verdict.unknown_ids or verdict.own_objectives),
    )


class Summary(Struct, frozen=True, kw_only=True):
    """Counts over open work. `alignment_rate` is linked / (linked + stale + unlinked), None over nothing."""

    open: int
    linked: int
    stale: int
    exempt: int
    unlinked: int
    unknown: int
    alignment_rate: float | None

    @classmethod
    def of(cls, view: View) -> Summary:
        counts: Counter[str] = Counter()
        for standing in view.standings():
            if standing.open:
                counts[standing.alignment.value] += standing.count
        return cls._from(counts)

    @classmethod
    def in_progress(cls, view: View) -> Summary:
        """Over what somebody works on (`WorkItem.in_progress`)."""
        return cls.count(view.verdicts[i].alignment for i, s in view.items.items() if s.item.in_progress)

    @classmethod
    def backlog(cls, view: View) -> Summary:
        """Over open work that nobody has started."""
        backlog = (i for i, s in view.items.items() if s.item.open and not s.item.in_progress)
        return cls.count(view.verdicts[i].alignment for i in backlog)

    @classmethod
    def count(cls, alignments: Iterable[Alignment]) -> Summary:
        return cls._from(Counter(alignment.value for alignment in alignments))

    @classmethod
    def _from(cls, n: Counter[str]) -> Summary:
        """By the alignments' texts: to hash an enum takes much longer."""
        judged = n["linked"] + n["stale"] + n["unlinked"]
        return cls(
            open=sum(n.values()),
            **{a.value: n[a.value] for a in Alignment},
            alignment_rate=round(n["linked"] / judged, 4) if judged else None,
        )


class RuleSpec(Struct, frozen=True, kw_only=True):
    """One finding rule: `check` is pure and yields findings with `severity` as the default; evaluation
    applies `rules.severity` and `rules.ignore`. `doc` is the docstring that `okrsync rule` prints."""

    code: str
    slug: str
    severity: Severity
    doc: str
    check: Callable[[View, RulesSettings], Iterable[Finding]]


class KrValue(Struct, frozen=True, kw_only=True):
    """A key result's value as one run saw it."""

    run: str
    kr: str
    cycle: str
    current: float | None
    as_of: date | None
