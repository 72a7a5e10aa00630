"""The verdict on one work item: its alignment, what it reaches, and why."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

from msgspec import Struct


class Alignment(StrEnum):
    LINKED = "linked"
    STALE = "stale"
    EXEMPT = "exempt"
    UNLINKED = "unlinked"
    UNKNOWN = "unknown"


class RuleMatch(Struct, frozen=True, kw_only=True):
    """A mapping rule that matched an item: `link` ids or an `exempt` class. `detail` says in words what matched."""

    rule: str
    link: tuple[str, ...] = ()
    exempt: str | None = None
    until: date | None = None
    detail: str = ""


class RuleMatches(Struct, frozen=True, kw_only=True):
    """What the mapping rules say of one item: the first rule in force that links or exempts; of the rules before it
    whose `until` has passed the first exemption (`expired`, for OKR105) and the first link (`lapsed`); and the first
    `team`."""

    match: RuleMatch | None = None
    expired: RuleMatch | None = None
    lapsed: RuleMatch | None = None
    team: str | None = None


NO_MATCH = RuleMatches()
"""Of most items."""


class Hop(Struct, frozen=True, kw_only=True):
    """One step of a path. `origin` and `to` are item ids or goal ids; JSON spells `origin` as `from`."""

    origin: str
    via: str
    to: str
    detail: str = ""

    def json(self) -> dict[str, str]:
        return {"from": self.origin, "via": self.via, "to": self.to, "detail": self.detail}


class Lost(Struct, frozen=True, kw_only=True):
    """Evidence that did not decide, and why: `farther than parent jira:PAY-1`, `unknown id`, ..."""

    origin: str
    via: str
    to: str
    detail: str
    why: str

    def json(self) -> dict[str, str]:
        return {"from": self.origin, "via": self.via, "to": self.to, "detail": self.detail, "why": self.why}


class Target(Struct, frozen=True, kw_only=True):
    """What one decisive piece of evidence reaches.

    `node` is the id the evidence names. `objectives` are those reached directly (what labels are made
    from); `ancestors` the parent objectives above them; `active` by DESIGN section 2 with grace;
    `awaiting_renewal` when it counts only by grace.
    """

    node: str
    initiative: str | None
    key_results: tuple[str, ...] = ()
    objectives: tuple[str, ...] = ()
    ancestors: tuple[str, ...] = ()
    bets: tuple[str, ...] = ()
    active: bool = True
    awaiting_renewal: bool = False
    ended: date | None = None
    cycle: str | None = None

    def json(self) -> dict[str, object]:
        return {
            "initiative": self.initiative,
            "key_results": list(self.key_results),
            "objectives": list(self.objectives),
            "bets": list(self.bets),
        }


class UnknownId(Struct, frozen=True, kw_only=True):
    """An explicit evidence on the item itself that names no goal (OKR103). `suggestion` is a clause to append,
    `; did you mean 'O1'?` or `; O1 is an objective`, or empty."""

    via: str
    id: str
    detail: str
    suggestion: str = ""


class CommandAnswer(Struct, frozen=True, kw_only=True):
    """What became of one `/okr` command; acknowledged in the one comment on the item.

    comment   the server's id of the comment it stands in
    line      as written, cut: a stranger's text, to be escaped
    verb      link | unlink | exempt | remove-exempt | why, empty for any other word
    entitled  whether its author may give commands; a stranger's need not be answered
    refused   why it has no effect, as a clause with what would be right; empty for what was accepted
    counts    a `link` or `exempt` that nobody replaced or withdrew: the one that holds now
    """

    comment: str
    line: str
    verb: str
    entitled: bool
    refused: str = ""
    counts: bool = False


class NearKey(Struct, frozen=True, kw_only=True):
    """A ticket that a pull request seems to mean and does not name rightly: `written` (`KAKFA-9503`) stands in its
    title or branch (`where`), `meant` is the ticket's id. Never evidence, told as a suggestion."""

    written: str
    meant: str
    where: str


class Suggestion(Struct, frozen=True, kw_only=True):
    """An initiative that unlinked work may belong to. Never acted on. `score` runs from 0 to 1 and only orders; `why`
    is a clause in words, holding at most words of titles, and ids."""

    initiative: str
    score: float
    why: str

    def json(self) -> dict[str, Any]:
        return {"initiative": self.initiative, "score": self.score, "why": self.why}


class Verdict(Struct, frozen=True, kw_only=True):
    """What linking says of one item.

    targets       what the decisive evidence reaches; active ones first, then in order of evidence
    path          from the item outwards, ending with `supports` hops up to the bet (first target first)
    also          other evidence that counts as much as what the path shows, each as its last hop
    parent        id of the structural parent (for roots, comments and the report), None without one
    parent_targets objectives the parent's own explicit evidence reaches directly (OKR104), with
    own_objectives those of the item's own explicit evidence
    expired       the exemption that would hold had its `until` not passed: (class, until)
    rule          name of the mapping rule that decided, if one did
    team          from the OKR field, a `team` rule, or the target's objective
    why           for unknown: what could not be read
    near_keys     for unlinked: tickets it seems to mean
    commands      what became of each `/okr` command in its comments, oldest first
    """

    id: str
    alignment: Alignment
    targets: tuple[Target, ...] = ()
    exempt_class: str | None = None
    path: tuple[Hop, ...] = ()
    also: tuple[Hop, ...] = ()
    lost: tuple[Lost, ...] = ()
    unknown_ids: tuple[UnknownId, ...] = ()
    parent: str | None = None
    own_objectives: tuple[str, ...] = ()
    parent_objectives: tuple[str, ...] = ()
    expired: tuple[str, date] | None = None
    rule: str | None = None
    team: str = ""
    why: str = ""
    near_keys: tuple[NearKey, ...] = ()
    commands: tuple[CommandAnswer, ...] = ()

    @property
    def objectives(self) -> tuple[str, ...]:
        """Ids of the objectives reached directly by active targets, sorted; what labels are made from."""
        return tuple(sorted({o for t in self.targets if t.active for o in t.objectives}))

    @property
    def awaiting_renewal(self) -> bool:
        active = [t for t in self.targets if t.active]
        return bool(active) and all(t.awaiting_renewal for t in active)
