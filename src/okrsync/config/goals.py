"""The goals of `config/okrs/`: nodes with their file and line, and what only shows across files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Any

from msgspec import Struct
from pydantic import ValidationError

from ..domain.goals import Cycle, GoalsFile, Node, NodeKind
from ..domain.text import did_you_mean
from .notes import Folder, Notes
from .places import item_id_complaint
from .wording import validate
from .yamlfile import Document, Loc, as_text

FOLDER = "config/okrs"
_MAX_LOOPS = 20  # told at once
SUPPORTS: Mapping[NodeKind, tuple[NodeKind, ...]] = {
    "objective": ("bet", "objective"),
    "initiative": ("key_result", "objective"),
}
_WORDS: Mapping[NodeKind, str] = {
    "bet": "a bet",
    "objective": "an objective",
    "key_result": "a key result",
    "initiative": "an initiative",
}


class Entry(Struct, frozen=True):
    """One goal as it stands in a file, even where the file is not valid: so that everything is told at once.

    `cycle` is the folded id of its file's cycle, None for a file without one."""

    kind: NodeKind
    id: str
    document: Document
    loc: Loc
    cycle: str | None
    parent: str = ""  # of a key result: its objective's id

    @property
    def folded(self) -> str:
        return self.id.casefold()

    @property
    def where(self) -> str:
        return f"{self.document.path}:{self.document.line(self.loc)}"

    def get(self, key: str) -> Any:
        return self.document.get((*self.loc, key))


class LoadedGoals(Struct, frozen=True, dict=True):
    """`complete` is False when a file could not be parsed, so that ids may stand in it that nobody knows."""

    nodes: tuple[Node, ...]
    cycles: tuple[Cycle, ...]
    entries: tuple[Entry, ...]
    complete: bool

    @cached_property
    def kinds(self) -> dict[str, set[NodeKind]]:
        """What a folded id names, over all cycles."""
        return _kinds(self.entries)


def load_goals(root: Path, types: Mapping[str, str], notes: Notes) -> LoadedGoals:
    """Reads all files and checks them against each other; `types` are the connectors' types by name."""
    documents, complete = Folder(root, FOLDER, notes).read(notes)
    files: list[tuple[Document, GoalsFile]] = []
    entries: list[Entry] = []
    for document in documents:
        value, complaints = validate(GoalsFile, document.data)
        notes.add_all(document, complaints)
        if value is not None:
            files.append((document, value))
        entries += _entries(document)
    cycles = _cycles(documents, notes)
    _unique(entries, notes)
    _living_on(entries, cycles, notes)
    _supports(entries, complete, notes)
    _no_loops(entries, notes)
    for entry in entries:
        if entry.kind == "initiative":
            _initiative(entry, types, notes)
    nodes = tuple(node for document, value in files for node in _nodes(document, value))
    ordered = tuple(sorted(cycles.values(), key=lambda c: (c.starts, c.ends, c.id)))
    return LoadedGoals(nodes, ordered, tuple(entries), complete)


def _entries(document: Document) -> Iterable[Entry]:
    named = document.get(("cycle", "id"))
    cycle = as_text(named).casefold() or document.path if document.get(("cycle",)) is not None else None

    def entry(kind: NodeKind, loc: Loc, raw: dict[str, Any], parent: str = "") -> list[Entry]:
        id_ = as_text(raw.get("id"))
        return [Entry(kind, id_, document, loc, cycle, parent)] if id_ else []

    for loc, raw in document.entries(("bets",)):
        yield from entry("bet", loc, raw)
    for loc, raw in document.entries(("objectives",)):
        yield from entry("objective", loc, raw)
        for below, key_result in document.entries((*loc, "key_results")):
            yield from entry("key_result", below, key_result, as_text(raw.get("id")))
    for loc, raw in document.entries(("initiatives",)):
        yield from entry("initiative", loc, raw)


def _cycles(documents: Iterable[Document], notes: Notes) -> dict[str, Cycle]:
    """By folded id. Files of one cycle agree on its dates and spelling."""
    found: dict[str, tuple[Cycle, Document]] = {}
    for document in documents:
        try:
            cycle = Cycle.model_validate(document.get(("cycle",)))
        except (ValidationError, OverflowError):
            continue  # told already by the file's own schema, or no cycle at all
        if cycle.starts > cycle.ends:
            notes.add(
                document,
                ("cycle", "ends"),
                f"cycle {cycle.id!r} ends on {cycle.ends}, before it starts on {cycle.starts}; swap the dates",
            )
        earlier, first = found.setdefault(cycle.id.casefold(), (cycle, document))
        where = f"{first.path}:{first.line(('cycle',))}"
        for key in ("id", "starts", "ends"):
            ours, theirs = getattr(cycle, key), getattr(earlier, key)
            if ours != theirs:
                notes.add(
                    document,
                    ("cycle", key),
                    f"cycle {cycle.id!r} has `{key}: {ours}` here and `{key}: {theirs}` in {where}; make them agree",
                )
    return {folded: cycle for folded, (cycle, _) in found.items()}


def _unique(entries: Iterable[Entry], notes: Notes) -> None:
    """Within a cycle; a file without a cycle belongs to every one."""
    by_id: dict[str, list[Entry]] = {}
    for entry in entries:
        same = by_id.setdefault(entry.folded, [])
        clash = next((e for e in same if e.cycle == entry.cycle or e.cycle is None or entry.cycle is None), None)
        same.append(entry)
        if clash is not None:
            notes.add(
                entry.document,
                (*entry.loc, "id"),
                f"the id {entry.id!r} is taken by {_WORDS[clash.kind]} in {clash.where}; give one of them another id",
            )


def _living_on(entries: Iterable[Entry], cycles: Mapping[str, Cycle], notes: Notes) -> None:
    """An id in a later cycle is the same goal: same title, or `continues: true`. Else old tickets would silently
    count for a new goal."""
    by_id: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        if entry.cycle in cycles:
            by_id.setdefault(entry.folded, {}).setdefault(entry.cycle or "", entry)
    for same in by_id.values():
        ordered = sorted(same, key=lambda folded: (cycles[folded].starts, cycles[folded].ends, folded))
        for before, after in pairwise(ordered):
            old, new = same[before], same[after]
            if old.kind != new.kind:
                notes.add(
                    new.document,
                    (*new.loc, "id"),
                    f"{new.id!r} was {_WORDS[old.kind]} in cycle {cycles[before].id} ({old.where}) and is "
                    f"{_WORDS[new.kind]} here; use a new id",
                )
            elif _title(old) != _title(new) and new.get("continues") is not True:
                notes.add(
                    new.document,
                    (*new.loc, "title"),
                    f"{new.id!r} has another title in cycle {cycles[before].id} ({old.where}), so old tickets would "
                    "count for a new goal; use a new id, the same title, or `continues: true`",
                )


def _title(entry: Entry) -> str:
    return " ".join(as_text(entry.get("title")).split()).casefold()


def _kinds(entries: Iterable[Entry]) -> dict[str, set[NodeKind]]:
    kinds: dict[str, set[NodeKind]] = {}
    for entry in entries:
        kinds.setdefault(entry.folded, set()).add(entry.kind)
    return kinds


def _supports(entries: Iterable[Entry], complete: bool, notes: Notes) -> None:
    kinds = _kinds(entries)
    names: dict[NodeKind, list[str]] = {}
    for entry in entries:
        names.setdefault(entry.kind, []).append(entry.id)
    for entry in entries:
        allowed = SUPPORTS.get(entry.kind, ())
        if not allowed:
            continue
        for loc, id_ in entry.document.texts((*entry.loc, "supports")):
            there = kinds.get(id_.casefold(), set())
            if there & set(allowed):
                continue
            what = " or ".join(_WORDS[k] for k in allowed)
            if there:
                wrong = f"{entry.id!r} supports {id_!r}, {_WORDS[min(there)]}; name {what}"
            elif complete:
                near = did_you_mean(id_, [name for kind in allowed for name in names.get(kind, ())])
                wrong = f"{entry.id!r} supports {id_[:80]!r}, which does not exist; name {what}{near}"
            else:
                continue
            notes.add(entry.document, loc, wrong)


def _no_loops(entries: Iterable[Entry], notes: Notes) -> None:
    objectives = [e for e in entries if e.kind == "objective"]
    by_id: dict[str, list[int]] = {}
    for number, entry in enumerate(objectives):
        by_id.setdefault(entry.folded, []).append(number)

    above: dict[int, list[int]] = {}
    for number, entry in enumerate(objectives):
        for _, id_ in entry.document.texts((*entry.loc, "supports")):
            same = by_id.get(id_.casefold(), [])
            # looked up in the same cycle first, as everywhere
            above.setdefault(number, []).extend([n for n in same if objectives[n].cycle == entry.cycle] or same)
    for _ in range(_MAX_LOOPS):
        try:
            TopologicalSorter(above).prepare()
        except CycleError as error:
            loop: list[int] = error.args[1]
            first = objectives[min(loop)]
            shown = " and ".join(repr(objectives[n].id) for n in sorted(set(loop))[:6])
            how = "support each other in a circle" if len(set(loop)) > 1 else "supports itself"
            notes.add(first.document, (*first.loc, "supports"), f"{shown} {how}; take one `supports` out")
            for number in loop:
                above.pop(number, None)
        else:
            return


def _initiative(entry: Entry, types: Mapping[str, str], notes: Notes) -> None:
    status = entry.get("status")
    if entry.get("ended") is not None and status not in ("done", "stopped"):
        notes.add(
            entry.document,
            (*entry.loc, "ended"),
            f"initiative {entry.id!r} has `ended` and is {status or 'active'}; set `status: done` or `stopped`",
        )
    for loc, id_ in entry.document.texts((*entry.loc, "work")):
        wrong = item_id_complaint(id_, types)
        if wrong and isinstance(entry.document.get(loc), str):  # the schema says what else is wrong
            notes.add(entry.document, loc, wrong)


def _nodes(document: Document, value: GoalsFile) -> Iterable[Node]:
    def node(kind: NodeKind, goal: Any, parents: tuple[str, ...], loc: Loc) -> Node:
        # of values that are validated: a schema for all of them together would take longer to build than the goals' own
        return Node.model_construct(
            kind=kind,
            id=goal.id,
            title=goal.title,
            cycle=value.cycle,
            parents=parents,
            owner=goal.owner,
            value=goal,
            path=document.path,
            line=document.line(loc),
        )

    for i, bet in enumerate(value.bets):
        yield node("bet", bet, (), ("bets", i))
    for i, objective in enumerate(value.objectives):
        yield node("objective", objective, objective.supports, ("objectives", i))
        for j, key_result in enumerate(objective.key_results):
            yield node("key_result", key_result, (objective.id,), ("objectives", i, "key_results", j))
    for i, initiative in enumerate(value.initiatives):
        yield node("initiative", initiative, initiative.supports, ("initiatives", i))
