"""Explicit evidence: what stands on an item itself and ties it to goals or exempts it (DESIGN section 5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from itertools import compress, count

from msgspec import Struct, structs

from okrsync.domain.goals import Goals, Initiative, Node, NodeKind
from okrsync.domain.links import CommandAnswer, RuleMatch, UnknownId
from okrsync.domain.outlines import LABEL, Outlines
from okrsync.domain.text import did_you_mean
from okrsync.domain.work import Trailer, Via, WorkItem

from .commands import fold
from .context import Context
from .references import trailers_of

LINKABLE: tuple[NodeKind, ...] = ("initiative", "key_result", "objective")  # links to bets are no links
_KINDS: dict[str, tuple[NodeKind, ...]] = {
    "okr": LINKABLE,
    "initiative": ("initiative",),
    "kr": ("key_result",),
    "objective": ("objective",),
}
_SPELLED = {"okr": "OKR", "initiative": "Initiative", "kr": "KR", "objective": "Objective"}
_A_KIND = {"initiative": "an initiative", "key_result": "a key result", "objective": "an objective", "bet": "a bet"}
# what a field holds that somebody had to fill in and did not; no id that exists
_NO_ID = frozenset({"-", "--", "\u2013", "\u2014", "?", "n/a", "na", "none", "null", "tba", "tbd"})
_MOST_ALIKE = 100_000  # past that all is forgotten: strangers choose what they write
# in the order in which evidence is shown; what is inherited by one hop from a milestone comes last
RANK = {
    v: n for n, v in enumerate((Via.FIELD, Via.LABEL, Via.TRAILER, Via.COMMAND, Via.PINNED, Via.MILESTONE, Via.RULE))
}


class Evidence(Struct, frozen=True, kw_only=True):
    """One fact that ties the item `source` to a goal (`node`) or exempts it (`exempt`); exactly one is set.

    What a rule says of many items in the same words is one piece of evidence, without `source` until it is told.
    """

    source: str
    via: Via
    detail: str
    node: Node | None = None
    exempt: str = ""
    rule: str = ""
    until: date | None = None

    @property
    def to(self) -> str:
        return self.node.id if self.node is not None else f"exempt:{self.exempt}"

    def standing_on(self, id_: str) -> Evidence:
        """With its source, which is the item it was found on."""
        return self if self.source else structs.replace(self, source=id_)

    @property
    def goal(self) -> tuple[str, ...]:
        """Two pieces of evidence with the same goal say the same."""
        return (self.node.kind, *self.node.key) if self.node is not None else ("exempt", self.exempt)


class Found(Struct, frozen=True, kw_only=True):
    """`own` stands on the item, `milestone` one hop away; of several that name the same goal only the first, the
    others are in `repeated` and `milestone_repeated`. `unknown` are own ids that name no goal,
    `milestone_unknown` those of the milestone. `expired` are exemptions whose last day has passed."""

    own: tuple[Evidence, ...] = ()
    repeated: tuple[Evidence, ...] = ()
    milestone: tuple[Evidence, ...] = ()
    milestone_repeated: tuple[Evidence, ...] = ()
    unknown: tuple[UnknownId, ...] = ()
    milestone_unknown: tuple[UnknownId, ...] = ()
    expired: tuple[Evidence, ...] = ()
    commands: tuple[CommandAnswer, ...] = ()


NOTHING = Found()
_Piece = Evidence | UnknownId


class Reader:
    """Reads the explicit evidence of items; goals, classes and pins are looked up once."""

    def __init__(self, goals: Goals, context: Context, *, traced: bool = True) -> None:
        """Not `traced`: what is found on one item stands for all that say the same, whatever its `source`."""
        self._goals = goals
        self._traced = traced
        self._alike: dict[tuple[object, ...], Found] = {}
        self._own: dict[tuple[object, ...], tuple[Evidence, ...]] = {}
        self._prefix = context.label_prefix.casefold()
        self._today = context.today
        self._classes = {c.casefold(): c for c in context.classes}
        # the same few ids stand on most items, right and wrong ones
        self._find = lru_cache(maxsize=10_000)(goals.find)
        self._suggest = lru_cache(maxsize=10_000)(self._look_for_similar)
        self._milestones: dict[str, tuple[Trailer, ...]] = {}
        self._pinned, self._renamed = _pins(goals, context)
        self._ruled: dict[RuleMatch, tuple[Evidence, ...]] = {}

    def pins(self, items: Outlines) -> dict[int, dict[Node, None]]:
        """Offset -> the initiatives that list the item under `work`, by its id or an old one."""
        if not self._pinned:
            return {}
        places = set(compress(count(), map(self._pinned.__contains__, map(str.casefold, items.ids))))
        places.update(offset for offset, stored in items.whole.items() if stored.aliases)
        if self._renamed:
            places.update(compress(count(), map(self._renamed.__contains__, items.ids)))
        found: dict[int, dict[Node, None]] = {}
        for offset in places:
            id_, stored = items.ids[offset], items.whole.get(offset)
            nodes = dict(self._renamed.get(id_, {}))
            for known in (id_, *(stored.aliases if stored is not None else ())):
                nodes |= self._pinned.get(known.casefold(), {})
            if nodes:
                found[offset] = nodes
        return found

    def read(self, item: WorkItem) -> Found:
        """What stands on an item."""
        if self._traced or item.commands:
            return self._read(item.id, item, ())
        key = item.okr, item.labels, item.trailers, item.milestone_body
        found = self._alike.get(key)
        if found is None:
            if len(self._alike) == _MOST_ALIKE:
                self._alike.clear()
            found = self._alike[key] = self._shared(self._read(item.id, item, ()))
        return found

    def _shared(self, found: Found) -> Found:
        """With the own evidence of others that name the same goals in the same ways."""
        if not found.own:
            return found
        same = tuple([(evidence.via, evidence.goal) for evidence in found.own])
        return structs.replace(found, own=self._own.setdefault(same, found.own))

    def read_pinned(self, id_: str, item: WorkItem | None, pins: Iterable[Node]) -> Found:
        """Likewise of an item that initiatives list, None where nothing stands on it."""
        return self._read(id_, item, pins)

    def _read(self, id_: str, item: WorkItem | None, pins: Iterable[Node]) -> Found:
        pieces: list[_Piece] = []
        commanded: list[Evidence] = []
        answers: tuple[CommandAnswer, ...] = ()
        milestone: list[_Piece] = []
        if item is not None:
            pieces += (*self._field(item), *self._labels(item), *self._trailers(item))
            if item.commands:
                commanded, answers = self._commands(item)
            if item.milestone_body:
                milestone += self._milestone(item)
        pieces += [e for e in commanded if e.until is None or e.until >= self._today]
        for node in pins:
            pieces.append(Evidence(source=id_, via=Via.PINNED, detail=f"listed under `work` of {node.id}", node=node))
        if not (pieces or milestone or answers):
            return NOTHING
        own, repeated = _distinct(pieces)
        near, near_repeated = _distinct(milestone)
        return Found(
            own=own,
            repeated=repeated,
            milestone=near,
            milestone_repeated=near_repeated,
            unknown=tuple(p for p in pieces if isinstance(p, UnknownId)),
            milestone_unknown=tuple(p for p in milestone if isinstance(p, UnknownId)),
            expired=tuple(e for e in commanded if e.until is not None and e.until < self._today),
            commands=answers,
        )

    def from_rule(self, match: RuleMatch) -> tuple[Evidence, ...]:
        """What a matching rule says of any item it matches in these words; ids that name no goal are left out (`check`
        reports them)."""
        found = self._ruled.get(match)
        if found is None:
            found = self._ruled[match] = self._from_rule(match)
        return found

    def _from_rule(self, match: RuleMatch) -> tuple[Evidence, ...]:
        detail = f"{match.rule}: {match.detail}" if match.detail else match.rule
        if match.exempt:
            found = Evidence(
                source="", via=Via.RULE, detail=detail, exempt=match.exempt, rule=match.rule, until=match.until
            )
            return (found,)
        nodes = (self._find(id_, LINKABLE) for id_ in match.link)
        return tuple(
            Evidence(source="", via=Via.RULE, detail=detail, node=node, rule=match.rule, until=match.until)
            for node in dict.fromkeys(nodes)
            if node is not None
        )

    # --- the kinds of evidence ----------------------------------------------------------------------------

    def _field(self, item: WorkItem) -> Iterator[_Piece]:
        for value in item.okr:
            for part in (p.strip() for p in re.split(r"[,;\n]", value)):
                if not part:
                    continue
                words = [word.rstrip(":") for word in part.split()]
                if all(map(self._goals.knows, words)):
                    ids = words
                elif part.casefold() in _NO_ID:
                    continue
                else:  # options often read `INIT-1 One-page checkout`
                    ids = words[:1] if self._goals.knows(words[0]) else [part]
                for id_ in ids:
                    yield self._goal(item, Via.FIELD, part, id_, LINKABLE)

    def _labels(self, item: WorkItem) -> Iterator[_Piece]:
        for label in item.labels:
            match = LABEL.fullmatch(label.strip())
            if not match or (self._prefix and label.casefold().startswith(self._prefix)):
                continue
            word, certain, id_ = match[1].lower(), match[2] != "-", match[3]
            if word == "exempt":
                class_ = self._classes.get(id_.casefold())
                if class_ is not None:
                    yield Evidence(source=item.id, via=Via.LABEL, detail=label, exempt=class_)
                elif certain:
                    hint = did_you_mean(id_, self._classes.values())
                    yield UnknownId(via=Via.LABEL, id=id_, detail=label, suggestion=hint)
                continue
            piece = self._goal(item, Via.LABEL, label, id_, _KINDS[word])
            if certain or isinstance(piece, Evidence):  # `objective-c` is a language
                yield piece

    def _trailers(self, item: WorkItem) -> Iterator[_Piece]:
        for trailer in item.trailers:
            yield from self._trailer(item, Via.TRAILER, trailer)

    def _commands(self, item: WorkItem) -> tuple[list[Evidence], tuple[CommandAnswer, ...]]:
        standing, answers = fold(item.commands, find=self._commanded, classes=self._classes)
        if standing is None:
            return [], answers
        detail = f"{standing.line} ({standing.at})"
        found = [Evidence(source=item.id, via=Via.COMMAND, detail=detail, node=node) for node in standing.nodes]
        if standing.exempt:
            found.append(
                Evidence(source=item.id, via=Via.COMMAND, detail=detail, exempt=standing.exempt, until=standing.until)
            )
        return found, answers

    def _commanded(self, id_: str) -> Node | str:
        """The goal that a command names, else why it names none."""
        return self._find(id_, LINKABLE) or f"no goal has the id {id_[:80]!r}{self._suggest(id_[:80], LINKABLE)}"

    def _milestone(self, item: WorkItem) -> Iterator[_Piece]:
        body = item.milestone_body
        if body not in self._milestones:
            self._milestones[body] = trailers_of(body)
        for trailer in self._milestones[body]:
            yield from self._trailer(item, Via.MILESTONE, trailer)

    def _trailer(self, item: WorkItem, via: Via, trailer: Trailer) -> Iterator[_Piece]:
        if all(self._is_id(id_) for id_ in trailer.ids):
            line = f"{_SPELLED.get(trailer.kind, trailer.kind)}: {', '.join(trailer.ids)}"
            for id_ in trailer.ids:
                yield self._goal(item, via, line, id_, _KINDS.get(trailer.kind, LINKABLE))

    def _is_id(self, token: str) -> bool:
        """`Objective: faster` is prose; `Objective: O7` is a mistake worth telling."""
        return self._goals.knows(token) or (token.isascii() and token[:1].isalpha() and any(c.isdigit() for c in token))

    def _goal(self, item: WorkItem, via: Via, detail: str, id_: str, kinds: tuple[NodeKind, ...]) -> _Piece:
        node = self._find(id_, kinds)
        if node is not None:
            return Evidence(source=item.id, via=via, detail=detail, node=node)
        return UnknownId(via=via, id=id_, detail=detail, suggestion=self._suggest(id_, kinds))

    def _look_for_similar(self, id_: str, kinds: tuple[NodeKind, ...]) -> str:
        other = self._goals.find(id_)
        if other is not None:
            return f"; {other.id} is {_A_KIND[other.kind]}"
        return did_you_mean(id_, dict.fromkeys(n.id for n in self._goals if n.kind in kinds))


def _distinct(pieces: Iterable[_Piece]) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
    """The first evidence for each goal, and the rest; pieces come in the order in which they are shown."""
    first: dict[tuple[str, ...], Evidence] = {}
    rest: dict[Evidence, None] = {}
    for piece in pieces:
        if isinstance(piece, Evidence) and first.setdefault(piece.goal, piece) != piece:
            rest[piece] = None
    return tuple(first.values()), tuple(rest)


def _pins(goals: Goals, context: Context) -> tuple[dict[str, dict[Node, None]], dict[str, dict[Node, None]]]:
    """What initiatives list under `work`: by folded id, and by the present id of items that are listed under an old
    one."""
    wanted: dict[str, dict[Node, None]] = {}
    for node in goals.nodes:
        if isinstance(node.value, Initiative):
            for id_ in node.value.work:
                meant = goals.find(node.id, ("initiative",))
                assert meant is not None  # the node itself is one
                wanted.setdefault(id_.casefold(), {})[meant] = None
    renamed: dict[str, dict[Node, None]] = {}
    for old, new in context.aliases.items() if wanted else ():
        if old.casefold() in wanted:
            renamed.setdefault(new, {}).update(wanted[old.casefold()])
    return wanted, renamed
