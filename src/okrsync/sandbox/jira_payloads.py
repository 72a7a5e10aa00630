"""How the pretended Jira words its issues, comments, projects and fields: API v3 with ADF, v2 with text;
Cloud with account ids, Data Center with user names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from .adf import from_text
from .jira_state import PRIORITIES, Field
from .records import CATEGORIES, Comment, Issue, Project
from .world import World


class JiraPayloads:
    """`base` is the server's address, `version` 2 or 3."""

    def __init__(self, world: World, base: str, version: str) -> None:
        self.world, self.jira = world, world.jira
        self.base, self.api, self.version = base, f"{base}/rest/api/{version}", version
        self._custom = [f for f in self.jira.fields if f.custom]

    def time(self, moment: datetime | None) -> str | None:
        """`2026-11-16T10:00:00.000+0100`: milliseconds, the account's zone, no colon."""
        if moment is None:
            return None
        local = moment.astimezone(self.jira.zone)
        return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"

    def text(self, body: str, adf: dict[str, Any] | None) -> Any:
        if self.version == "2":
            return body
        return adf or from_text(body)

    def user(self, login: str | None) -> dict[str, Any] | None:
        person = self.world.people.get(login or "")
        if person is None:
            return None
        common = {"displayName": person.name, "active": True, "timeZone": self.jira.zone_name, "avatarUrls": {}}
        if self.jira.cloud:
            return {
                "self": f"{self.api}/user?accountId={person.account_id}",
                "accountId": person.account_id,
                "emailAddress": person.email,
                "accountType": "app" if person.bot else "atlassian",
                **common,
            }
        return {
            "self": f"{self.api}/user?username={person.login}",
            "name": person.login,
            "key": person.login,
            "emailAddress": person.email,
            **common,
        }

    def status(self, name: str) -> dict[str, Any]:
        id_, key = self.jira.statuses[name]
        number, title, colour = CATEGORIES[key]
        category = {
            "self": f"{self.api}/statuscategory/{number}",
            "id": number,
            "key": key,
            "colorName": colour,
            "name": title,
        }
        return {
            "self": f"{self.api}/status/{id_}",
            "id": str(id_),
            "name": name,
            "description": "",
            "statusCategory": category,
        }

    def type(self, name: str) -> dict[str, Any]:
        id_, level = self.jira.types[name]
        found = {
            "self": f"{self.api}/issuetype/{id_}",
            "id": str(id_),
            "name": name,
            "description": "",
            "subtask": level < 0,
        }
        return {**found, "hierarchyLevel": level} if self.jira.cloud else found

    def project(self, project: Project) -> dict[str, Any]:
        return {
            "self": f"{self.api}/project/{project.id}",
            "id": str(project.id),
            "key": project.key,
            "name": project.name,
            "projectTypeKey": project.type_key,
            "simplified": False,
            "avatarUrls": {},
        }

    def project_detail(self, project: Project) -> dict[str, Any]:
        return {
            **self.project(project),
            "description": "",
            "archived": project.archived,
            "isPrivate": False,
            "style": "classic",
            "issueTypes": [self.type(n) for n in self.jira.types],
        }

    def field(self, field: Field) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": field.kind, "system": field.id}
        names = [field.id]
        if field.custom:
            number = int(field.id.rsplit("_", 1)[1])
            schema = {"type": field.kind, "custom": field.custom, "customId": number}
            names = [f"cf[{number}]", field.name]
        return {
            "id": field.id,
            "key": field.id,
            "name": field.name,
            "custom": bool(field.custom),
            "orderable": True,
            "navigable": True,
            "searchable": True,
            "clauseNames": names,
            "schema": schema,
        }

    # --- issues -----------------------------------------------------------------------------------------------

    def brief(self, issue: Issue) -> dict[str, Any]:
        """A related issue inside another; one the token may not see is only named."""
        named: dict[str, Any] = {"id": str(issue.id), "key": issue.key, "self": f"{self.api}/issue/{issue.id}"}
        if self.jira.visible(issue):
            named["fields"] = {
                "summary": issue.title,
                "status": self.status(issue.status),
                "priority": self.priority(issue.priority),
                "issuetype": self.type(issue.type),
            }
        return named

    def priority(self, name: str) -> dict[str, Any]:
        return {
            "self": f"{self.api}/priority/{PRIORITIES.get(name, 3)}",
            "id": str(PRIORITIES.get(name, 3)),
            "name": name,
        }

    def comment(self, issue: Issue, comment: Comment, *, properties: bool = False) -> dict[str, Any]:
        shown = {
            "self": f"{self.api}/issue/{issue.id}/comment/{comment.id}",
            "id": str(comment.id),
            "author": self.user(comment.author),
            "updateAuthor": self.user(comment.author),
            "body": self.text(comment.body, comment.adf),
            "created": self.time(comment.created),
            "updated": self.time(comment.updated),
        }
        if self.jira.projects[issue.project].type_key == "service_desk":
            shown["jsdPublic"] = not comment.internal
        if properties:
            shown["properties"] = [{"key": k, "value": v} for k, v in comment.properties.items()]
        return shown

    def comments(self, issue: Issue) -> dict[str, Any]:
        rows = [self.comment(issue, c) for c in issue.comments]
        return {
            "comments": rows,
            "self": f"{self.api}/issue/{issue.id}/comment",
            "maxResults": len(rows),
            "total": len(rows),
            "startAt": 0,
        }

    def issue(self, issue: Issue, fields: set[str]) -> dict[str, Any]:
        """`fields`: ids; `*all`, `*navigable`, and `-id` to leave one out."""
        full = bool(fields & {"*all", "*navigable"}) or (bool(fields) and all(f.startswith("-") for f in fields))
        without = {f[1:] for f in fields if f.startswith("-")}
        made: dict[str, Any] = {}
        for name, make in _MAKERS.items():
            if (full or name in fields) and name not in without:
                made[name] = make(self, issue)
        if not self.jira.cloud:
            made.pop("statuscategorychangedate", None)
            if issue.parent is not None and self.jira.types[issue.type][1] >= 0:
                made.pop("parent", None)  # Data Center: stories hang on the Epic Link alone
        for field in self._custom:
            if (full or field.id in fields) and field.id not in without:
                made[field.id] = self._custom_value(issue, field)
        if "parent" in made and made["parent"] is None:
            del made["parent"]
        head = {"expand": "operations,versionedRepresentations,editmeta,changelog,renderedFields", "id": str(issue.id)}
        return {**head, "self": f"{self.api}/issue/{issue.id}", "key": issue.key, "fields": made}

    def _custom_value(self, issue: Issue, field: Field) -> Any:
        above = self.jira.issues.get(issue.parent) if issue.parent else None
        level = self.jira.types[above.type][1] if above else 0
        if field.name == "Epic Link":
            return above.key if above and level == 1 else None
        if field.name == "Parent Link":
            return above.key if above and level > 1 else None
        return issue.values.get(field.name)

    def above(self, issue: Issue) -> dict[str, Any] | None:
        above = self.jira.issues.get(issue.parent) if issue.parent else None
        return self.brief(above) if above else None

    def links(self, issue: Issue) -> list[dict[str, Any]]:
        shown = []
        for n, (kind, direction, other_id) in enumerate(issue.links):
            other = self.jira.issues.get(other_id)
            if other is None:
                continue
            inward, outward = _LINK_WORDS.get(kind, (kind.lower(), kind.lower()))
            shown.append(
                {
                    "id": f"{issue.id}{n}",
                    "type": {"id": "10200", "name": kind, "inward": inward, "outward": outward},
                    f"{direction}Issue": self.brief(other),
                }
            )
        return shown

    def subtasks(self, issue: Issue) -> list[dict[str, Any]]:
        if self.jira.types[issue.type][1] != 0:
            return []
        return [self.brief(i) for i in self.jira.issues.values() if i.parent == issue.id]


_LINK_WORDS = {
    "Implement": ("is implemented by", "implements"),
    "Blocks": ("is blocked by", "blocks"),
    "Relates": ("relates to", "relates to"),
    "Duplicate": ("is duplicated by", "duplicates"),
}
_MAKERS: dict[str, Callable[[JiraPayloads, Issue], Any]] = {
    "summary": lambda _p, i: i.title,
    "status": lambda p, i: p.status(i.status),
    "statuscategorychangedate": lambda p, i: p.time(i.category_changed),
    "issuetype": lambda p, i: p.type(i.type),
    "project": lambda p, i: p.project(p.jira.projects[i.project]),
    "labels": lambda _p, i: list(i.labels),
    "components": lambda _p, i: [{"id": str(10300 + n), "name": c} for n, c in enumerate(i.components)],
    "parent": lambda p, i: p.above(i),
    "priority": lambda p, i: p.priority(i.priority),
    "assignee": lambda p, i: p.user(i.assignee),
    "reporter": lambda p, i: p.user(i.reporter),
    "creator": lambda p, i: p.user(i.reporter),
    "created": lambda p, i: p.time(i.created),
    "updated": lambda p, i: p.time(i.updated),
    "resolution": lambda _p, i: {"id": "10000", "name": i.resolution} if i.resolution else None,
    "resolutiondate": lambda p, i: p.time(i.resolved),
    "description": lambda p, i: p.text(i.body, i.adf) if i.body else None,
    "issuelinks": lambda p, i: p.links(i),
    "subtasks": lambda p, i: p.subtasks(i),
    "security": lambda _p, i: {"id": "10100", "name": i.security} if i.security else None,
    "comment": lambda p, i: p.comments(i),
}
