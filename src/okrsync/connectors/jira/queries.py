"""The JQL that okrsync asks with. Projects are always named: Cloud refuses a query without bounds. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from okrsync.domain.settings import JiraSettings

ORDER = " ORDER BY created ASC, key ASC"  # neither ever changes, so pages stay where they are


def quoted(text: str) -> str:
    """A JQL string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unfinished(project: str) -> str:
    return f"project in ({quoted(project)}) AND statusCategory != Done{ORDER}"


def newest_in_scope(project: str, settings: JiraSettings) -> str:
    return f"{_in_scope([project], settings)}{_own(settings)} ORDER BY updated DESC, key ASC"


def labelled(project: str, label: str) -> str:
    return f"project in ({quoted(project)}) AND labels = {quoted(label)}{ORDER}"


def anything(project: str) -> str:
    return f"project in ({quoted(project)}){ORDER}"


def in_scope(projects: Sequence[str], settings: JiraSettings) -> str:
    return f"{_in_scope(projects, settings)}{_own(settings)}{ORDER}"


def changed(minutes: Mapping[str, int | None], canaries: Sequence[str], settings: JiraSettings) -> str:
    """What was updated in the last minutes, by project (None: whatever is in scope), and the canaries. In relative
    JQL: neither time zones nor a skewed clock matter."""
    spans: dict[int | None, list[str]] = {}
    for project, span in minutes.items():
        spans.setdefault(span, []).append(project)
    clauses = [
        _in_scope(projects, settings) if span is None else f"{_in(projects)} AND updated >= -{span}m"
        for span, projects in spans.items()
    ]
    if canaries:
        clauses.append(f"key in ({', '.join(map(quoted, canaries))})")
    either = clauses[0] if len(clauses) == 1 else "(" + " OR ".join(f"({clause})" for clause in clauses) + ")"
    return f"{either}{_own(settings)}{ORDER}"


def _in(projects: Sequence[str]) -> str:
    return f"project in ({', '.join(map(quoted, projects))})"


def _in_scope(projects: Sequence[str], settings: JiraSettings) -> str:
    # whatever was closed since then was updated since then
    minutes = int(settings.since.total_seconds() // 60)
    since = f"-{minutes // 1440}d" if minutes % 1440 == 0 else f"-{minutes}m"
    return f"{_in(projects)} AND (statusCategory != Done OR updated >= {since})"


def bearing(projects: Collection[str], labels: Collection[str]) -> str:
    """What bears all of these labels, newly changed ones first."""
    known = " AND ".join(f"labels = {quoted(label)}" for label in sorted(labels))
    return f"project in ({', '.join(map(quoted, sorted(projects)))}) AND {known} ORDER BY updated DESC"


def _own(settings: JiraSettings) -> str:
    jql = re.sub(r"\border\s+by\b.*$", "", settings.jql or "", flags=re.IGNORECASE | re.DOTALL).strip()
    return f" AND ({jql})" if jql else ""
