"""The state of the pretended Jira: projects, fields, statuses, issues; building it and changing it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from .records import BulkTask, Comment, Issue, Project


@dataclass(slots=True)
class Field:
    """A Jira field definition; `kind` is the schema type."""

    id: str
    name: str
    kind: str
    custom: str = ""


SYSTEM_FIELDS = {
    "summary": "string",
    "status": "status",
    "statuscategorychangedate": "datetime",
    "issuetype": "issuetype",
    "project": "project",
    "labels": "array",
    "components": "array",
    "parent": "issuelink",
    "priority": "priority",
    "assignee": "user",
    "reporter": "user",
    "creator": "user",
    "created": "datetime",
    "updated": "datetime",
    "resolution": "resolution",
    "resolutiondate": "datetime",
    "description": "string",
    "issuelinks": "array",
    "subtasks": "array",
    "security": "securitylevel",
    "comment": "comments-page",
}
_NAMES = {
    "issuetype": "Issue Type",
    "resolutiondate": "Resolved",
    "issuelinks": "Linked Issues",
    "subtasks": "Sub-tasks",
    "security": "Security Level",
    "components": "Components",
    "statuscategorychangedate": "Status Category Changed",
}
_CUSTOM = "com.atlassian.jira.plugin.system.customfieldtypes:"
CUSTOM_FIELDS = (
    Field("customfield_10014", "Epic Link", "any", "com.pyxis.greenhopper.jira:gh-epic-link"),
    Field("customfield_10016", "Story Points", "number", _CUSTOM + "float"),
    Field("customfield_10001", "Team", "team", _CUSTOM + "atlassian-team"),
    Field("customfield_10050", "OKR Initiative", "option", _CUSTOM + "select"),
)
# how Data Center's plans hang epics on what is above them; Cloud has `parent` for that
PARENT_LINK = Field("customfield_10060", "Parent Link", "any", "com.atlassian.jpo:jpo-custom-field-parent")
TYPES = {  # name -> (id, hierarchy level)
    "Initiative": (10010, 2),
    "Epic": (10000, 1),
    "Story": (10001, 0),
    "Task": (10002, 0),
    "Bug": (10003, 0),
    "Service Request": (10005, 0),
    "Sub-task": (10004, -1),
}
STATUSES = {  # name -> (id, category)
    "To Do": (10000, "new"),
    "Backlog": (10001, "new"),
    "In Progress": (3, "indeterminate"),
    "In Review": (10002, "indeterminate"),
    "Done": (10003, "done"),
    "Closed": (6, "done"),
}
PRIORITIES = {"Highest": 1, "High": 2, "Medium": 3, "Low": 4, "Lowest": 5}


@dataclass
class JiraState:
    """`cloud` chooses the flavour; `cloud_id` names the site behind `/ex/jira/`, where Atlassian's gateway has it. The
    account's time zone knows no summer time, so that a fixed offset is always right. `index_lag`: the search sees an
    issue as it was before changes younger than this. `bulk`: the token may use bulk edit; `bulk_polls`: how often a
    bulk task says RUNNING first; `bulk_pace`: how long it takes for each issue; `bulk_tasks`: how many may be under
    way; `bulk_fails`: keys of issues it does not edit. `linking`: issue links are switched on. `mails`: what would have
    been mailed to watchers, as `KEY what`."""

    clock: Callable[[], datetime]
    cloud: bool = True
    cloud_id: str = "5f0e9d3c-0000-4000-8000-0c0ffee0ac3e"
    zone_name: str = "Africa/Lagos"
    zone: timezone = timezone(timedelta(hours=1))
    index_lag: timedelta = timedelta()
    bulk: bool = True
    linking: bool = True
    clearance: bool = True  # the account sees issues with a security level
    bulk_polls: int = 0
    bulk_pace: timedelta = timedelta()
    bulk_tasks: int = 5
    bulk_fails: set[str] = field(default_factory=set)
    fields: list[Field] = field(default_factory=list)
    statuses: dict[str, tuple[int, str]] = field(default_factory=lambda: dict(STATUSES))
    types: dict[str, tuple[int, int]] = field(default_factory=lambda: dict(TYPES))
    projects: dict[str, Project] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)  # present and former keys
    groups: dict[str, list[str]] = field(default_factory=dict)  # name -> logins
    roles: dict[str, list[str]] = field(default_factory=dict)  # in every project: name -> logins, and groups as `@name`
    sees_groups: bool = True  # the token may browse users and groups
    mails: list[str] = field(default_factory=list)
    tasks: dict[str, BulkTask] = field(default_factory=dict)
    _before: dict[int, Issue | None] = field(default_factory=dict)
    _next_issue: int = 10100
    _next_comment: int = 20000
    _next_remote_link: int = 30000

    def __post_init__(self) -> None:
        self.fields = [Field(k, _NAMES.get(k, k.capitalize()), v) for k, v in SYSTEM_FIELDS.items()]
        custom = CUSTOM_FIELDS if self.cloud else (*CUSTOM_FIELDS, PARENT_LINK)
        self.fields.extend(copy.copy(f) for f in custom)

    # --- building ---------------------------------------------------------------------------------------------

    def add_project(self, key: str, name: str, **more: Any) -> Project:
        project = Project(id=10000 + len(self.projects), key=key, name=name, **more)
        self.projects[key] = project
        return project

    def add_issue(self, project: str, title: str, *, key: str | None = None, **more: Any) -> Issue:
        """A new issue with the next key, or a given one. `parent` may be a key; times default to now."""
        home = self.projects[project]
        number = int(key.rsplit("-", 1)[1]) if key else home.last + 1
        home.last = max(home.last, number)
        created = more.pop("created", None) or self.clock()
        parent = more.pop("parent", None)
        issue = Issue(
            id=self._next_issue,
            key=f"{project}-{number}",
            project=project,
            title=title,
            created=created,
            updated=more.pop("updated", None) or created,
            parent=self.keys[parent] if isinstance(parent, str) else parent,
            **more,
        )
        self._next_issue += 1
        self.issues[issue.id] = issue
        self.keys[issue.key] = issue.id
        if self.category(issue) == "done":
            issue.resolution = issue.resolution or "Done"
            issue.resolved = issue.resolved or issue.updated
        issue.category_changed = issue.category_changed or issue.resolved or issue.created
        return issue

    # --- looking ----------------------------------------------------------------------------------------------

    def find(self, id_or_key: str) -> Issue | None:
        """By id, key or former key; None also for issues the token may not see is the caller's business."""
        number = int(id_or_key) if id_or_key.isdigit() else self.keys.get(id_or_key.upper())
        return self.issues.get(number) if number is not None else None

    def visible(self, issue: Issue) -> bool:
        return self.projects[issue.project].visible and (self.clearance or issue.security is None)

    def category(self, issue: Issue) -> str:
        return self.statuses[issue.status][1]

    def indexed(self) -> list[Issue]:
        """What the search sees: with `index_lag`, young changes are not there yet."""
        if not self.index_lag:
            return [i for i in self.issues.values() if self.visible(i)]
        edge = self.clock() - self.index_lag
        seen = (i if i.updated <= edge else self._before.get(i.id) for i in self.issues.values())
        return [i for i in seen if i is not None and self.visible(i)]

    def field(self, name_or_id: str) -> Field | None:
        folded = name_or_id.casefold()
        return next((f for f in self.fields if folded in (f.id.casefold(), f.name.casefold())), None)

    # --- changing ---------------------------------------------------------------------------------------------

    def touch(self, issue: Issue) -> None:
        """To be called before a change: keeps the former state for a lagging index, bumps `updated`."""
        now = self.clock()
        if self.index_lag and issue.updated <= now - self.index_lag:
            self._before[issue.id] = copy.deepcopy(issue)
        issue.updated = max(now, issue.updated)

    def set_status(self, issue: Issue, status: str, resolution: str | None = None) -> None:
        if status not in self.statuses:
            raise ValueError(f"no status {status!r}; there are {', '.join(self.statuses)}")
        self.touch(issue)
        before = self.category(issue)
        issue.status = status
        if self.category(issue) != before:
            issue.category_changed = issue.updated
        done = self.category(issue) == "done"
        issue.resolution = (resolution or "Done") if done else None
        issue.resolved = issue.updated if done else None

    def add_comment(self, issue: Issue, body: str, author: str, **more: Any) -> Comment:
        self.touch(issue)
        now = self.clock()
        self._next_comment += 1
        comment = Comment(id=self._next_comment, author=author, body=body, created=now, updated=now, **more)
        issue.comments.append(comment)
        return comment

    def add_remote_link(self, issue: Issue, link: dict[str, Any], id_: int | None = None) -> int:
        """A new one, or in place of the one with this id; returns its id."""
        if id_ is None:
            self._next_remote_link += 1
            id_ = self._next_remote_link
        self.touch(issue)
        issue.remote_links[id_] = link
        return id_

    def comment(self, comment_id: str) -> tuple[Issue, Comment] | None:
        for issue in self.issues.values():
            for comment in issue.comments:
                if str(comment.id) == comment_id:
                    return issue, comment
        return None

    def move(self, issue: Issue, project: str) -> str:
        """To another project, under its next key; the id stays, the former key still finds it."""
        home = self.projects[project]
        self.touch(issue)
        home.last += 1
        issue.project = project
        issue.key = f"{project}-{home.last}"
        self.keys[issue.key] = issue.id
        return issue.key

    def delete(self, issue: Issue) -> None:
        """With its sub-tasks, as Jira does; children of an epic stay."""
        for child in [c for c in self.issues.values() if c.parent == issue.id]:
            if self.types[child.type][1] < 0:
                self.delete(child)
            else:
                child.parent = None
        del self.issues[issue.id]
        self.keys = {k: v for k, v in self.keys.items() if v != issue.id}
