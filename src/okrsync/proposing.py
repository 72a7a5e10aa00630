"""What `bootstrap` proposes, tried out: the rules are resolved together with all that is there already."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from msgspec import Struct, structs

from . import linking, mappings
from .bootstrap import Session
from .domain.findings import Summary, View
from .domain.links import Alignment, Verdict
from .domain.rules import Mappings, Rule
from .judging import Judged, resolved
from .mappings.coverage import FEWEST, TOO_MUCH
from .mappings.propose import Proposal
from .mappings.propose import propose as propose_narrow
from .mappings.wide import ordered, propose_wide

_EXAMPLES = 3
_SEVERAL = 2  # items for a wide rule: for one, a label is the better remedy


class Proposed(Struct, frozen=True, kw_only=True):
    """The rules that earn their place, in the order that they must have, and the counts before accepting them, with the
    narrow ones alone, and with all. `spare` are exemptions for upkeep that the wide rules take whole: narrow ones that
    earn their place without these."""

    proposals: tuple[Proposal, ...]
    spare: tuple[Proposal, ...]
    before: Summary
    narrow: Summary
    after: Summary


def propose(session: Session, judged: Judged) -> Proposed:
    """Proposals that each decide at least one open item and not most of them, and change nothing that is decided
    already; and wide ones, for what they leave and for upkeep of an area."""
    view, prefix = judged.view, session.workspace.settings.writeback.label_prefix
    number = judged.summary.open
    most = int(TOO_MUCH * number) if number >= FEWEST else number
    proposals = _apart(session, propose_narrow(view, linking.terms, label_prefix=prefix))
    firm = [p for p in proposals if not p.narrower and not p.team]
    settled = accepted(session, judged, firm)  # what hangs on an epic inherits: rules on titles leave it alone
    while True:
        after = accepted(session, judged, proposals)
        decided, disturbing = _effects(view, view.verdicts, after)
        _, disturbed = _effects(view, settled, after)
        disturbing |= disturbed & {p.name for p in proposals if p.narrower}
        kept = _kept(proposals, decided, disturbing, range(1, most + 1))
        if kept == proposals:
            break
        proposals = kept
    narrow = [p for p in proposals if not p.team]
    teams = [p for p in proposals if p.team]
    alone, _ = _effects(view, view.verdicts, after)
    wide = _wide(session, judged, narrow)
    both = accepted(session, judged, ordered(narrow, wide)) if wide else after
    decided, _ = _effects(view, view.verdicts, both)
    of_area = {p.name for p in narrow if p.of_area}
    upkeep = {id_ for name, ids in alone.items() if name in of_area for id_ in ids}
    deciding = [_counted(p, decided.get(p.name, ()), upkeep) for p in ordered(narrow, wide)]
    return Proposed(
        proposals=(*(p for p in deciding if p.items or not p.of_area), *teams),
        spare=tuple(_counted(p, alone[p.name], ()) for p in narrow if p.of_area and p.name not in decided),
        before=judged.summary,
        narrow=Summary.of(view.with_verdicts(after)),
        after=Summary.of(view.with_verdicts(both)),
    )


def _wide(session: Session, judged: Judged, narrow: Sequence[Proposal]) -> list[Proposal]:
    """Those that each decide several open items that the narrow rules leave or exempt as upkeep of an area, change
    nothing else that these decide, and match no more than `okrsync check` lets pass."""
    firm = [p for p in narrow if not p.of_area]
    settled = accepted(session, judged, firm)
    view, prefix = judged.view.with_verdicts(settled), session.workspace.settings.writeback.label_prefix
    wide = _apart(session, propose_wide(view, firm, linking.terms, label_prefix=prefix), narrow)
    work = [s.item for s in view.items.values() if s.item.open]
    while wide:
        after = accepted(session, judged, ordered(narrow, wide))
        decided, disturbing = _effects(view, settled, after)
        kept = _kept(wide, decided, disturbing, range(_SEVERAL, len(work) + 1))
        uses = mappings.coverage(_with(session, [*firm, *kept]), work, judged.at, label_prefix=prefix)
        blamed = {use.rule.name for use in uses if next(mappings.remarks((use,), len(work)), None)}
        kept = [p for p in kept if p.name not in blamed]
        if kept == wide:
            return wide
        wide = kept
    return []


def _apart(session: Session, proposals: Sequence[Proposal], others: Sequence[Proposal] = ()) -> list[Proposal]:
    """With names that nothing else has."""
    taken = {rule.name for rule in session.workspace.mappings.rules} | {p.name for p in others}
    return [structs.replace(p, name=f"{p.name} (proposed)") if p.name in taken else p for p in proposals]


def _effects(
    view: View, before: Mapping[str, Verdict], after: Mapping[str, Verdict]
) -> tuple[dict[str, list[str]], set[str]]:
    """By rule, the open items without a verdict before that it decides; and the rules that alter one."""
    decided: dict[str, list[str]] = {}
    disturbing: set[str] = set()
    for id_, stored in view.items.items():
        now, rule = after[id_], after[id_].rule
        if rule is None:
            continue
        if _altered(before[id_], now):
            disturbing.add(rule)
        elif stored.item.open and before[id_].alignment is Alignment.UNLINKED:
            decided.setdefault(rule, []).append(id_)
    return decided, disturbing


def _kept(
    proposals: Sequence[Proposal], decided: Mapping[str, Sequence[str]], disturbing: Container[str], fits: range
) -> list[Proposal]:
    """Those that decide as many items as fits, narrowed where they disturb what is decided already."""
    return [
        p.narrowed() if p.name in disturbing else p
        for p in proposals
        if p.team or (len(decided.get(p.name, ())) in fits and (p.narrower or p.name not in disturbing))
    ]


def _counted(proposal: Proposal, decided: Sequence[str], upkeep: Container[str]) -> Proposal:
    more = sum(1 for id_ in decided if id_ in upkeep) if proposal.wide else 0
    return structs.replace(proposal, items=len(decided), upkeep=more, examples=tuple(sorted(decided)[:_EXAMPLES]))


def _altered(before: Verdict, now: Verdict) -> bool:
    """Whether something that was decided is decided otherwise. Another goal of the same objective may join in: a pull
    request for three tickets, of which the third is linked by a rule now."""
    if before.alignment is Alignment.UNLINKED:
        return False
    was, is_ = ((v.alignment, v.exempt_class, v.objectives) for v in (before, now))
    return was != is_ or any(target not in now.targets for target in before.targets)


def accepted(session: Session, judged: Judged, proposals: Sequence[Proposal]) -> Mapping[str, Verdict]:
    """The verdicts as they would be with the proposed rules behind those that there are."""
    return resolved(session, judged, session.goals, _with(session, proposals), judged.at)


def _with(session: Session, proposals: Sequence[Proposal]) -> Mappings:
    there = session.workspace.mappings
    proposed = tuple(Rule.model_validate(p.rule()) for p in proposals)
    return Mappings(rules=(*there.rules, *proposed), classes=there.classes, budgets=there.budgets)
