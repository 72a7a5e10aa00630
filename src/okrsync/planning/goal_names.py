"""How a comment names goals."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.comments import Span, code
from ..domain.goals import Goals
from ..domain.work import WorkItem

_LONGEST_TITLE = 120


def goal_names(goals: Goals, item: WorkItem, ids: Sequence[str]) -> list[Span | str]:
    """`O1` (Its title), `O2` (Its title); in a public repository ids alone, as titles are nobody else's business."""
    spans: list[Span | str] = []
    for id_ in sorted(ids):
        if spans:
            spans.append(", ")
        spans.append(code(id_))
        node = None if item.public else goals.find(id_)
        if node is not None:
            title = " ".join(node.title.split())
            cut = title if len(title) <= _LONGEST_TITLE else title[: _LONGEST_TITLE - 1] + "…"
            spans.append(f" ({cut})")
    return spans or ["none"]
