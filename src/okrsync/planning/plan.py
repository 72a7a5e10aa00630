"""The plan of one run: what should be written, against what is there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from ..domain.changes import Change, Dismissal, Op, Owned, Plan
from ..domain.findings import Finding, View
from ..domain.links import Alignment
from . import comment_changes, label_changes
from .comments import ABOUT_ALIGNMENT
from .inputs import Case, Draft, Inputs, fingerprint, in_scope
from .labels import Labels

_RANK = {Op.CREATE_LABEL: 0, Op.REMOVE_LABEL: 1, Op.ADD_LABEL: 2, Op.CREATE_COMMENT: 3, Op.UPDATE_COMMENT: 3}


def plan(view: View, findings: Sequence[Finding], inputs: Inputs) -> Plan:
    """All changes, in order, with what is held and why. The same input gives the same plan.

    Items that are closed, archived, not writable or outside `writeback.only` are left alone; so are those whose
    alignment is `unknown`.
    """
    labels = Labels(inputs.settings, view.goals)
    cases = _cases(view, findings, inputs, labels)
    draft = Draft()
    for _, case in sorted(cases.items()):
        label_changes.decide(view, case, labels, draft)
    comment_changes.decide(view, findings, cases, inputs, draft)
    draft.changes.extend(_definitions(draft.changes, cases, inputs, labels))
    changes = tuple(sorted(draft.changes, key=lambda c: (_RANK[c.op], c.target, c.value, c.op)))
    return Plan(
        checksum=checksum(changes),
        changes=changes,
        held=tuple(sorted(draft.held, key=lambda h: (h.target, h.why))),
        dismissals=tuple(sorted(draft.dismissals, key=lambda d: (d.uid, d.what))),
        foreign=tuple(sorted(draft.foreign)),
        unclaimed=tuple(sorted(draft.unclaimed)),
    )


def checksum(changes: Iterable[Change]) -> str:
    """12 hex digits over what is to be written, and where; the order does not matter."""
    lines = sorted(f"{change.key} {change.target}" for change in changes)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def _cases(view: View, findings: Sequence[Finding], inputs: Inputs, labels: Labels) -> dict[str, Case]:
    because = {f.subject.id: f.code for f in findings if f.code in ABOUT_ALIGNMENT}
    dismissals: dict[str, dict[str, Dismissal]] = {}
    for (uid, what), dismissal in inputs.dismissals.items():
        dismissals.setdefault(uid, {})[what] = dismissal
    cases: dict[str, Case] = {}
    for id_, stored in view.items.items():
        verdict = view.verdicts.get(id_)
        if verdict is None or verdict.alignment is Alignment.UNKNOWN or not in_scope(view, stored, inputs):
            continue
        wanted, uid = labels.wanted(verdict), stored.item.uid
        cases[id_] = Case(
            stored=stored,
            verdict=verdict,
            wanted=wanted,
            state=fingerprint(verdict.alignment, wanted),
            because=because.get(id_, verdict.alignment.value),
            owned=inputs.owned.get(uid) or Owned(uid=uid),
            dismissals=dismissals.get(uid, {}),
        )
    return cases


def _definitions(changes: Iterable[Change], cases: Mapping[str, Case], inputs: Inputs, labels: Labels) -> list[Change]:
    """Definitions that labels added by this plan lack, one for each label and container."""
    wanted: dict[tuple[str, str], Change] = {}
    for change in changes:
        if change.op is not Op.ADD_LABEL:
            continue
        item = cases[change.target].item
        container = f"{item.connector}:{item.container}"
        defined = inputs.container_labels.get(container)
        if defined is None or change.value.casefold() in {label.casefold() for label in defined}:
            continue
        color, description = labels.definition(change.value)
        wanted.setdefault(
            (container, change.value.casefold()),
            Change(
                op=Op.CREATE_LABEL,
                target=container,
                uid=container,
                value=change.value,
                because=change.because,
                color=color,
                description=description,
            ),
        )
    return list(wanted.values())
