"""The safety gate: how much of a plan may be written in this run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..domain.changes import DASHBOARD_OPS, Change, Gate, Op, Plan
from ..domain.findings import View
from ..domain.settings import Limits
from ..domain.work import WorkItem

FEWEST = 20
"""A share of fewer open items than this says nothing: `limits.share` does not apply."""


def gate(plan: Plan, approved: frozenset[str], limits: Limits, known_open: int) -> Gate:
    """Lets approved changes through, up to `limits.changes`; of the others nothing when they touch more than
    `limits.share` of the known open items in writable places, else what room is left. Order is kept.

    Label definitions count for neither limit; they go along with the additions that need them. Nor does the dashboard
    issue, which goes always: it says what is held back.
    """
    writes = [change for change in plan.changes if change.op is not Op.CREATE_LABEL and change.op not in DASHBOARD_OPS]
    agreed = [change for change in writes if change.key in approved]
    fresh = [change for change in writes if change.key not in approved]
    refused = _refusal(plan, fresh, limits, known_open)
    taken = agreed[: limits.changes]
    extra = [] if refused else fresh[: limits.changes - len(taken)]
    allowed = {change.key for change in (*taken, *extra)}
    needed = {_definition_of(c) for c in plan.changes if c.op is Op.ADD_LABEL and c.key in allowed}

    def goes(change: Change) -> bool:
        if change.op is Op.CREATE_LABEL:
            return (change.target, change.value.casefold()) in needed
        return change.op in DASHBOARD_OPS or change.key in allowed

    return Gate(
        allowed=tuple(filter(goes, plan.changes)),
        pending=len(agreed) - len(taken),
        cut=0 if refused else len(fresh) - len(extra),
        refused=refused,
    )


def known_open(view: View, writable: Callable[[WorkItem], bool]) -> int:
    """Open items in writable places: what `limits.share` is a share of."""
    return sum(s.item.open and not s.item.archived and writable(s.item) for s in view.items.values())


def _refusal(plan: Plan, fresh: Sequence[Change], limits: Limits, known_open: int) -> str:
    touched = len({change.uid for change in fresh})
    if limits.share >= 1 or known_open < FEWEST or touched / known_open <= limits.share:
        return ""
    return (
        f"{touched} of {known_open} open items would be touched ({touched / known_open:.0%}), more than limits.share "
        f"({limits.share:.0%}) lets through unseen; look at them with `okrsync plan`, then let them through with "
        f"`okrsync approve {plan.checksum}`"
    )


def _definition_of(change: Change) -> tuple[str, str]:
    """A definition's target is `<connector>:<container>`, that of an item there `<connector>:<container>#<number>`."""
    return change.target.rpartition("#")[0], change.value.casefold()
