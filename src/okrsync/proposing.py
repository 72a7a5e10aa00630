"""What `bootstrap` proposes, tried out: the rules are resolved together with all that is there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from . import linking, mappings
from .bootstrap import Session
from .domain.findings import Summary
from .domain.links import Alignment, Verdict
from .domain.rules import Mappings, Rule
from .judging import Judged, resolved
from .mappings import Proposal
from .mappings.coverage import FEWEST, TOO_MUCH

_EXAMPLES = 3


class Proposed(Struct, frozen=True, kw_only=True):
    """The rules that earn their place, and the counts before and after accepting all of them."""

    proposals: tuple[Proposal, ...]
    before: Summary
    after: Summary


def propose(session: Session, judged: Judged) -> Proposed:
    """Proposals that each decide at least one open item and not most of them, and change nothing that is decided
    already."""
    view = judged.view
    prefix = session.workspace.settings.writeback.label_prefix
    taken = {rule.name for rule in session.workspace.mappings.rules}
    proposals = [
        structs.replace(p, name=f"{p.name} (proposed)") if p.name in taken else p
        for p in mappings.propose(view, linking.terms, label_prefix=prefix)
    ]
    firm = [p for p in proposals if not p.narrower and not p.team]
    settled = accepted(session, judged, firm)  # what hangs on an epic inherits: rules on titles leave it alone
    number = judged.summary.open
    most = TOO_MUCH * number if number >= FEWEST else number
    while True:
        after = accepted(session, judged, proposals)
        decided: dict[str, list[str]] = {}
        disturbing: set[str] = set()
        narrower = {p.name for p in proposals if p.narrower}
        for id_, stored in view.items.items():
            now, rule = after[id_], after[id_].rule
            if rule is None:
                continue
            if _altered(view.verdicts[id_], now) or (rule in narrower and _altered(settled[id_], now)):
                disturbing.add(rule)
            elif stored.item.open and view.verdicts[id_].alignment is Alignment.UNLINKED:
                decided.setdefault(rule, []).append(id_)
        kept = [
            p.narrowed() if p.name in disturbing else p
            for p in proposals
            if p.team or (0 < len(decided.get(p.name, ())) <= most and (p.narrower or p.name not in disturbing))
        ]
        if kept == proposals:
            break
        proposals = kept
    counted = tuple(
        p
        if p.team
        else structs.replace(p, items=len(decided[p.name]), examples=tuple(sorted(decided[p.name])[:_EXAMPLES]))
        for p in proposals
    )
    return Proposed(
        proposals=counted,
        before=judged.summary,
        after=Summary.of(view.with_verdicts(after)),
    )


def _altered(before: Verdict, now: Verdict) -> bool:
    """Whether something that was decided is decided otherwise. Another goal of the same objective may join in: a pull
    request for three tickets, of which the third is linked by a rule now."""
    if before.alignment is Alignment.UNLINKED:
        return False
    was, is_ = ((v.alignment, v.exempt_class, v.objectives) for v in (before, now))
    return was != is_ or any(target not in now.targets for target in before.targets)


def accepted(session: Session, judged: Judged, proposals: Sequence[Proposal]) -> Mapping[str, Verdict]:
    """The verdicts as they would be with the proposed rules behind those that there are."""
    workspace = session.workspace
    proposed = tuple(Rule.model_validate(p.rule()) for p in proposals)
    rules = Mappings(
        rules=(*workspace.mappings.rules, *proposed),
        classes=workspace.mappings.classes,
        budgets=workspace.mappings.budgets,
    )
    return resolved(session, judged, session.goals, rules, judged.at)
