"""The JQL that okrsync asks with. Projects are always named: Cloud refuses a query without bounds. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

from okrsync.domain.settings import JiraSettings

ORDER = " ORDER BY created ASC, key ASC"  # neither ever changes, so pages stay where they are


def quoted(text: str) -> str:
    """A JQL string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def everything(project: str) -> str:
    return f"project in ({quoted(project)}){ORDER}"


def unfinished(project: str) -> str:
    return f"project in ({quoted(project)}) AND statusCategory != Done{ORDER}"


def in_scope(project: str, settings: JiraSettings) -> str:
    # whatever was closed since then was updated since then
    minutes = int(settings.since.total_seconds() // 60)
    since = f"-{minutes // 1440}d" if minutes % 1440 == 0 else f"-{minutes}m"
    return f"project in ({quoted(project)}) AND (statusCategory != Done OR updated >= {since}){_own(settings)}{ORDER}"


def changed(project: str, settings: JiraSettings, minutes: int) -> str:
    """In relative JQL: neither time zones nor a skewed clock matter."""
    return f"project in ({quoted(project)}) AND updated >= -{minutes}m{_own(settings)}{ORDER}"


def bearing(projects: Collection[str], labels: Collection[str]) -> str:
    """What bears all of these labels, newly changed ones first."""
    known = " AND ".join(f"labels = {quoted(label)}" for label in sorted(labels))
    return f"project in ({', '.join(map(quoted, sorted(projects)))}) AND {known} ORDER BY updated DESC"


def _own(settings: JiraSettings) -> str:
    jql = re.sub(r"\border\s+by\b.*$", "", settings.jql or "", flags=re.IGNORECASE | re.DOTALL).strip()
    return f" AND ({jql})" if jql else ""
