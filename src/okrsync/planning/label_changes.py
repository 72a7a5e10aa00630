"""Labels of one item: wanted against observed, with the memory of what we wrote and what people undid."""

from __future__ import annotations

from datetime import datetime

from ..domain.changes import Change, Dismissal, Op, Owned
from ..domain.findings import View
from .inputs import Case, Draft
from .labels import Labels, folded


def decide(view: View, case: Case, labels: Labels, draft: Draft) -> None:
    """Adds this item's label changes, held ones and dismissals to the draft. Labels that are neither under
    the prefix nor could be ours are not even looked at."""
    item, owned = case.item, case.owned
    key = {label: folded(label, item.container) for label in (*item.labels, *case.wanted, *owned.labels)}
    observed = {key[label]: label for label in sorted(item.labels) if labels.under_prefix(label, item.container)}
    wanted = {key[label]: label for label in sorted(case.wanted)}
    confirmed = {key[label]: at for label, at in sorted(owned.labels.items())}
    dismissed = {folded(what, item.container): d for what, d in case.dismissals.items() if what != "comment"}
    pending = {folded(label, item.container) for label in owned.pending}

    unknown = not case.dismissals and owned == Owned(uid=item.uid)
    if unknown and any(labels.could_be_ours(label, item.container) for label in observed.values()):
        draft.unclaimed.append(item.uid)

    for k, label in wanted.items():
        at, dismissal = confirmed.get(k), dismissed.get(k)
        if k in observed:
            continue
        if dismissal is not None and _stands(dismissal, at):
            if dismissal.state == case.state:
                draft.hold(item.id, f"label {label}: a person removed it")
            else:
                # what it was dismissed for has changed
                draft.changes.append(_change(Op.ADD_LABEL, case, label))
        elif k in pending or at is None:
            # never ours, or a removal of our own may have got through unnoticed
            draft.changes.append(_change(Op.ADD_LABEL, case, label))
        elif case.stored.read_at > at:
            draft.hold(item.id, f"label {label}: a person removed it")
            draft.dismissals.append(_dismissal(view, case, label))
        else:
            draft.hold(item.id, f"label {label}: waiting for a reading newer than our own write")

    for k, label in observed.items():
        if k in wanted:
            continue
        if k in confirmed or k in pending or labels.could_be_ours(label, item.container):
            draft.changes.append(_change(Op.REMOVE_LABEL, case, label))
        else:
            draft.foreign.append((item.id, label))

    # Labels that are neither wanted nor there. A dismissal of one has lapsed, as alignment or wanted labels have
    # changed since; and one of ours that a person took off while it was not wanted is no dismissal once it is
    # wanted again. Both are remembered under the present state, from which any later one differs.
    present = {key[label] for label in item.labels}  # also under a prefix of former times
    absent = {folded(what, item.container): what for what in sorted({*owned.labels, *case.dismissals} - {"comment"})}
    for k, label in absent.items():
        if k in wanted or k in present or k in pending:
            continue
        at, dismissal = confirmed.get(k), dismissed.get(k)
        if dismissal is not None and _stands(dismissal, at):
            if dismissal.state != case.state:
                draft.dismissals.append(_dismissal(view, case, label))
        elif at is not None and case.stored.read_at > at:
            draft.dismissals.append(_dismissal(view, case, label))


def _stands(dismissal: Dismissal, confirmed: datetime | None) -> bool:
    """Concluded after the last write it could be about."""
    return confirmed is None or dismissal.at >= confirmed


def _change(op: Op, case: Case, label: str) -> Change:
    return Change(op=op, target=case.item.id, uid=case.item.uid, value=label, because=case.because, state=case.state)


def _dismissal(view: View, case: Case, label: str) -> Dismissal:
    return Dismissal(uid=case.item.uid, what=label, state=case.state, at=view.now)
