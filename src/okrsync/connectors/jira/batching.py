"""Which label edits go into bulk tasks together, and which alone, so that the fewest requests are sent. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from okrsync.domain.trackers import LabelEdit

MOST_ISSUES = 1000
"""One task takes no more
(https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-bulk-operations/)."""

AT_A_TIME = 5
"""The site takes no more tasks at a time, those of other users included (same page)."""

_TASK = 2  # requests: to submit it and to ask for its outcome

Verb = Literal["add", "remove"]


class Task(Struct, frozen=True):
    """One bulk edit: the same labels for all these issues."""

    verb: Verb
    labels: tuple[str, ...]
    edits: tuple[LabelEdit, ...]


def batches(edits: Sequence[LabelEdit], alone: Collection[str] = ()) -> list[tuple[LabelEdit, ...]]:
    """Batches that are tasks under way at the same time (`tasks` tells which), no issue in two of them; removals
    before additions. Then batches of one edit each: where a task would take more requests, and the uids of `alone`."""
    many = [edit for edit in edits if edit.item.uid not in alone]
    while small := {uid for verb in _VERBS for uid in _too_few(many, verb)}:
        many = [edit for edit in many if edit.item.uid not in small]
    together = {edit.item.uid for edit in many}
    found = [batch for verb in _VERBS for batch in _abreast(_lots(many, verb))]
    return found + [(edit,) for edit in edits if edit.item.uid not in together]


def tasks(batch: Sequence[LabelEdit]) -> list[Task]:
    """The tasks of one batch."""
    return [
        Task(verb, labels, chunk)
        for verb in _VERBS
        for labels, group in _by_labels([edit for edit in batch if getattr(edit, verb)], verb).items()
        for chunk in _chunks(group)
    ]


_VERBS: tuple[Verb, ...] = ("remove", "add")


def _too_few(edits: Sequence[LabelEdit], verb: Verb) -> Iterator[str]:
    """Issues in tasks so small that single calls are as cheap; one call both removes and adds."""
    for group in _groups(edits, verb).values():
        for chunk in _chunks(group):
            if sum(1 / (bool(edit.add) + bool(edit.remove)) for edit in chunk) <= _TASK:
                yield from (edit.item.uid for edit in chunk)


def _groups(edits: Sequence[LabelEdit], verb: Verb) -> Mapping[tuple[str, ...], Sequence[LabelEdit]]:
    """By the labels of an issue together, or label by label where that makes fewer tasks."""
    concerned = [edit for edit in edits if getattr(edit, verb)]
    together, apart = _by_labels(concerned, verb), _by_label(concerned, verb)
    return together if _cost(together) <= _cost(apart) else apart


def _by_labels(edits: Sequence[LabelEdit], verb: Verb) -> dict[tuple[str, ...], list[LabelEdit]]:
    groups: dict[tuple[str, ...], list[LabelEdit]] = {}
    for edit in edits:
        groups.setdefault(tuple(sorted(getattr(edit, verb))), []).append(edit)
    return groups


def _by_label(edits: Sequence[LabelEdit], verb: Verb) -> dict[tuple[str, ...], list[LabelEdit]]:
    groups: dict[tuple[str, ...], list[LabelEdit]] = {}
    for edit in edits:
        for label in getattr(edit, verb):
            groups.setdefault((label,), []).append(edit)
    return groups


def _cost(groups: Mapping[tuple[str, ...], Sequence[LabelEdit]]) -> int:
    """Requests."""
    return sum(min(_TASK, len(chunk)) for group in groups.values() for chunk in _chunks(group))


def _chunks(group: Sequence[LabelEdit]) -> Iterator[tuple[LabelEdit, ...]]:
    for start in range(0, len(group), MOST_ISSUES):
        yield tuple(group[start : start + MOST_ISSUES])


def _lots(edits: Sequence[LabelEdit], verb: Verb) -> list[list[LabelEdit]]:
    """Each group as parts of edits that do only this, in as many pieces as may be under way together, biggest first:
    tasks with the same labels are confirmed together."""
    lots: list[list[LabelEdit]] = []
    for labels, group in _groups(edits, verb).items():
        parts = [
            LabelEdit(item=edit.item, add=labels) if verb == "add" else LabelEdit(item=edit.item, remove=labels)
            for edit in group
        ]
        size = MOST_ISSUES * AT_A_TIME
        lots += (parts[start : start + size] for start in range(0, len(parts), size))
    return sorted(lots, key=len, reverse=True)


class _Abreast(Struct):
    tasks: int = 0
    uids: set[str] = set()
    edits: list[LabelEdit] = []


def _abreast(lots: Sequence[Sequence[LabelEdit]]) -> list[tuple[LabelEdit, ...]]:
    """Each lot into the first batch that has room and none of its issues: two tasks must not edit one issue at once."""
    found: list[_Abreast] = []
    for lot in lots:
        count, uids = -(-len(lot) // MOST_ISSUES), {edit.item.uid for edit in lot}
        for batch in found:
            if batch.tasks + count <= AT_A_TIME and batch.uids.isdisjoint(uids):
                break
        else:
            batch = _Abreast()
            found.append(batch)
        batch.tasks += count
        batch.uids |= uids
        batch.edits += lot
    return [tuple(batch.edits) for batch in found]
