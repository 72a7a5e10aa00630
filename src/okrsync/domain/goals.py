"""Goals: cycles, bets, objectives, key results, initiatives, and the graph they form.

The models are at once the schema of `config/okrs/*.yaml` and the values the pure rooms work on.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError


class Model(BaseModel):
    """Frozen, unknown keys forbidden.

    The modules of models, and of what msgspec decodes, do without `from __future__ import annotations`: each annotation
    would be a text, to be compiled again at every start."""

    # built with the first use: what a run does not read costs it no time. So that defaults need not be built for
    # themselves, they are made by `model_construct`.
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, defer_build=True)


def _number_is_text(value: object) -> object:
    # `id: 1` and `id: 2026` are what people write; YAML makes them numbers
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _no_truth_value(value: object) -> object:
    # Python takes `true` for 1; whoever writes it under a number meant something else
    if isinstance(value, bool):
        raise PydanticCustomError("float_type", "must be a number")
    return value


# Ids stand in lists (`,` `;`), behind `label:` and before `/`, so these characters cannot be part of one.
Id = Annotated[
    str,
    BeforeValidator(_number_is_text),
    Field(pattern=r"^[\p{L}\p{N}][^\p{C},;:/\\\\]*$", max_length=80),
    # not every editor knows \p in a pattern
    WithJsonSchema({"type": ["string", "integer"], "pattern": r"^[^,;:/\\]+$", "maxLength": 80}),
]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Number = Annotated[float, BeforeValidator(_no_truth_value)]
Owner = str | tuple[str, ...] | None


class Cycle(Model):
    """The period an OKR set is valid for; both days inclusive, UTC."""

    id: Id
    starts: date
    ends: date


class Bet(Model):
    """A strategic choice. `weight`: intended share of effort, percent."""

    id: Id
    title: Text
    owner: Owner = None
    weight: Number | None = Field(default=None, ge=0, le=100)
    continues: bool = False


class SupportedElsewhere(Model):
    """Support that Jira and GitHub cannot show; counts until `review_by`, inclusive."""

    what: Text
    owner: str | None = None
    review_by: date


class KeyResult(Model):
    """A measured outcome. `confidence` runs from 0 to 1."""

    id: Id
    title: Text
    owner: Owner = None
    baseline: Number | None = None
    target: Number | None = None
    current: Number | None = None
    unit: str = ""
    as_of: date | None = None
    confidence: Number | None = Field(default=None, ge=0, le=1)
    supported_elsewhere: SupportedElsewhere | None = None
    continues: bool = False

    @property
    def progress(self) -> float | None:
        """From 0 (baseline) to 1 (target), unclamped; None where it cannot be told."""
        if self.target is None or self.current is None or self.baseline is None or self.target == self.baseline:
            return None
        return (self.current - self.baseline) / (self.target - self.baseline)


class Objective(Model):
    id: Id
    title: Text
    level: Literal["company", "function", "team"] = "company"
    supports: tuple[Id, ...] = ()
    owner: Owner = None
    team: str = ""
    weight: Number | None = Field(default=None, ge=0, le=100)
    key_results: tuple[KeyResult, ...] = ()
    continues: bool = False


class Initiative(Model):
    id: Id
    title: Text
    supports: tuple[Id, ...] = ()
    owner: Owner = None
    team: str = ""
    status: Literal["proposed", "active", "paused", "done", "stopped"] = "active"
    ended: date | None = None
    work: tuple[str, ...] = ()
    continues: bool = False


class GoalsFile(Model):
    """One file of `config/okrs/`."""

    cycle: Cycle | None = None
    bets: tuple[Bet, ...] = ()
    objectives: tuple[Objective, ...] = ()
    initiatives: tuple[Initiative, ...] = ()


NodeKind = Literal["bet", "objective", "key_result", "initiative"]


class Node(Model):
    """One goal in one cycle (`cycle` None: its file names none, it never ends).

    `parents` are the ids it supports (a key result's parent is its objective); they are looked up in the
    same cycle first.
    """

    kind: NodeKind
    id: str
    title: str
    cycle: Cycle | None
    parents: tuple[str, ...]
    owner: Owner
    value: Bet | Objective | KeyResult | Initiative
    path: str = ""  # file it stands in, relative to the workspace
    line: int = 1

    def __hash__(self) -> int:
        return hash((self.kind, self.id, self.cycle.id if self.cycle else None))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and (self.kind, self.id, self.cycle) == (other.kind, other.id, other.cycle)

    @property
    def key(self) -> tuple[str, str]:
        """Folded id and cycle id: unique over all goals."""
        return self.id.casefold(), self.cycle.id if self.cycle else ""


class Goals:
    """All goals of a workspace, and what is active on a day.

    Pure and immutable after construction. `today` is a UTC date; `grace` is `cycles.grace`; `chosen` is
    the cycle named by `--cycle`, which then is the only active one.
    """

    def __init__(
        self,
        nodes: Iterable[Node],
        cycles: Iterable[Cycle],
        *,
        today: date,
        grace: timedelta,
        chosen: str | None = None,
    ) -> None:
        self.nodes: tuple[Node, ...] = tuple(nodes)
        self.cycles: tuple[Cycle, ...] = tuple(sorted(cycles, key=lambda c: (c.starts, c.ends, c.id)))
        self.today = today
        self.grace = grace
        self._by_id: dict[str, list[Node]] = {}
        for node in self.nodes:
            self._by_id.setdefault(node.id.casefold(), []).append(node)
        self.active_cycles: tuple[Cycle, ...] = self._active_cycles(chosen)
        self._active_ids = {c.id for c in self.active_cycles}

    def _active_cycles(self, chosen: str | None) -> tuple[Cycle, ...]:
        if chosen is not None:
            return tuple(c for c in self.cycles if c.id.casefold() == chosen.casefold())
        now = [c for c in self.cycles if c.starts <= self.today <= c.ends]
        if not now:  # between two cycles the last one stays active; a year and its last quarter end together
            last = max((c.ends for c in self.cycles if c.ends < self.today), default=None)
            now = [c for c in self.cycles if c.ends == last]
        return tuple(sorted(now, key=lambda c: (c.ends - c.starts, c.id)))

    @property
    def between_cycles(self) -> bool:
        """True when the active cycle has in fact ended (the last one stays active, with a warning)."""
        return bool(self.active_cycles) and all(c.ends < self.today for c in self.active_cycles)

    @property
    def cycle(self) -> Cycle | None:
        """`run.cycle`: the shortest active one."""
        return self.active_cycles[0] if self.active_cycles else None

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def knows(self, id_: str) -> bool:
        return id_.casefold() in self._by_id

    def find(self, id_: str, kinds: tuple[NodeKind, ...] | None = None, near: Node | None = None) -> Node | None:
        """The node an id means: near's own cycle first (for `supports`), then the active cycle's, then one
        that never ends, then the latest one's. None where no such node exists."""
        found = [n for n in self._by_id.get(id_.casefold(), ()) if kinds is None or n.kind in kinds]
        if not found:
            return None
        order = {c.id: i for i, c in enumerate(self.active_cycles)}

        def rank(node: Node) -> tuple[int, int, int]:
            if near is not None and node.cycle == near.cycle:
                return (0, 0, 0)
            if node.cycle is None:
                return (2, 0, 0)
            if node.cycle.id in order:
                return (1, order[node.cycle.id], 0)
            return (3, 0, -node.cycle.ends.toordinal())

        return min(found, key=rank)

    def parents(self, node: Node) -> tuple[Node, ...]:
        """What a node supports, dangling ids left out."""
        kinds: tuple[NodeKind, ...] = {
            "bet": (),
            "objective": ("bet", "objective"),
            "key_result": ("objective",),
            "initiative": ("key_result", "objective"),
        }[node.kind]  # type: ignore[assignment]  # mypy widens the tuples of literals
        found = (self.find(p, kinds, near=node) for p in node.parents)
        return tuple(n for n in found if n is not None)

    def ended_on(self, node: Node) -> date | None:
        """The day a node ended, None while it has not. Proposed, paused and future count as active.

        `date.min` where an initiative is done or stopped and nobody wrote when: no grace runs from that.
        """
        days: list[date] = []
        if node.cycle is not None and node.cycle.id not in self._active_ids and node.cycle.ends < self.today:
            days.append(node.cycle.ends)
        value = node.value
        if isinstance(value, Initiative) and value.status in ("done", "stopped"):
            day = value.ended or date.min
            if day <= self.today:
                days.append(day)
        return min(days) if days else None

    def is_active(self, node: Node) -> bool:
        """Active in the strict sense: not done, stopped or in an ended cycle."""
        return self.ended_on(node) is None

    def counts(self, node: Node) -> bool:
        """Active, or ended less than `grace` ago: a link to it is `linked`."""
        ended = self.ended_on(node)
        return ended is None or (ended != date.min and self.today <= ended + self.grace)

    def current(self, kind: NodeKind | None = None) -> tuple[Node, ...]:
        """Nodes of the active cycles and of files without a cycle, in file order: what findings judge."""
        return tuple(
            n
            for n in self.nodes
            if (kind is None or n.kind == kind) and (n.cycle is None or n.cycle.id in self._active_ids)
        )


def day(moment: datetime) -> date:
    """The UTC day of a moment."""
    return moment.astimezone(UTC).date()
