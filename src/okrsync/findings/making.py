"""How rules make specs, subjects and findings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from okrsync.domain.findings import Finding, RuleSpec, Severity, Subject, View
from okrsync.domain.goals import Node, Owner
from okrsync.domain.settings import RulesSettings
from okrsync.domain.work import Kind, WorkItem

Check = Callable[[View, RulesSettings], Iterable[Finding]]

KIND_WORDS = {Kind.EPIC: "epic", Kind.ISSUE: "issue", Kind.SUBTASK: "sub-task", Kind.PULL_REQUEST: "pull request"}

# What people write where a name will stand some day.
NOBODY = frozenset({"", "tbd", "tba", "tbc", "todo", "n/a", "none", "nobody", "unassigned", "unowned", "open"})


def spec(code: str, slug: str, severity: Severity, check: Check) -> RuleSpec:
    """A rule; its function's docstring is what `okrsync rule CODE` prints."""
    return RuleSpec(code=code, slug=slug, severity=severity, doc=inspect.getdoc(check) or "", check=check)


def about_item(item: WorkItem) -> Subject:
    return Subject(kind=item.kind.value, id=item.id, title=item.title, url=item.url)


def about_goal(node: Node) -> Subject:
    return Subject(kind=node.kind, id=node.id, title=node.title)


def where(node: Node) -> dict[str, Any]:
    """Evidence that says which cycle and which line of the workspace a goal stands in."""
    return {"cycle": node.cycle.id if node.cycle else None, "file": node.path, "line": node.line}


def in_file(node: Node) -> str:
    """` in config/okrs/q4.yaml`, for remedies; empty where the file is not known."""
    return f" in {node.path}" if node.path else ""


def owners(owner: Owner) -> tuple[str, ...]:
    """The names a goal is owned by, without empty ones and placeholders such as TBD."""
    names = (owner,) if isinstance(owner, str) else owner or ()
    return tuple(n.strip() for n in names if n.casefold().strip("?!.- \t") not in NOBODY)


def listed(words: Iterable[str], limit: int = 5) -> str:
    """`a, b and c`; beyond the limit `a, b, c, d, e and 3 more`."""
    all_ = list(words)
    shown, rest = all_[:limit], len(all_) - limit
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))
