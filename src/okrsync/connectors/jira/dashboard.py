"""The dashboard issue in a project, which need not be a configured one.

JQL cannot look for entity properties that no installed app has declared, so the issue bears a label by which it is
found, and the property, which only programs write, by which it is known.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from msgspec import Struct

from okrsync.connectors.decoding import decode
from okrsync.domain.comments import Comment
from okrsync.domain.trackers import Dashboard, Forbidden, NotFound, NotWritable, OutcomeUnknown, WriteRefused

from . import adf, payloads, wiki
from .client import JiraClient, QueryRefused, TokenExpired
from .queries import labelled
from .writing import MARK, Writer

LABEL = "okrsync-dashboard"
_PREFERRED = {"task": 0, "story": 1}
_FIELDS = ("creator", "status", "project")


class _Shown(Struct):
    """What a look needs of an issue's fields."""

    creator: payloads.Person | None = None
    status: payloads.Status | None = None
    project: payloads.Named | None = None


class _Found(Struct):
    id: str | int
    fields: _Shown


class _Created(Struct):
    id: str | int | None = None


class _Type(Struct, rename="camel"):
    id: str | int
    name: str | None = None
    subtask: bool | None = None
    hierarchy_level: int | None = None


class _Project(Struct, rename="camel"):
    key: str
    issue_types: list[_Type] | None = None


class Dashboards:
    def __init__(self, client: JiraClient, writer: Writer) -> None:
        self._client = client
        self._writer = writer

    def find(self, project: str, ref: str | None, me: str) -> Dashboard | None:
        """`me`: the id of our own account."""
        if ref is None:
            return self._search(project, me)
        try:
            issue = self._client.call(
                "GET", f"issue/{quote(ref, safe='')}", type=_Found, params={"fields": ",".join(_FIELDS)}
            ).value
        except NotFound as error:
            self._check_readable(project, error)
            raise
        home = issue.fields.project.key if issue.fields.project else None
        if home and home.upper() != project.upper():
            raise NotFound(f"the dashboard issue was moved to {home}")
        return self._shown(issue)

    def _check_readable(self, project: str, error: NotFound) -> None:
        """Jira answers 404 also for what an account may not see."""
        try:
            self._project(project)
        except NotFound:
            raise Forbidden(str(error)) from error

    def _search(self, project: str, me: str) -> Dashboard | None:
        self._project(project)  # a query for a project that is not there is refused without saying so
        try:
            for issues, _ in self._client.pages(labelled(project, LABEL), _FIELDS):
                for found in issues:
                    creator = decode(found.fields, _Shown, strict=False).creator
                    if found.id is None or creator is None or me not in (creator.account_id, creator.key, creator.name):
                        continue
                    # read directly: the index may show an older state
                    shown = self.find(project, str(found.id), me)
                    if shown is not None and shown.hash:
                        return shown
        except QueryRefused as error:
            raise WriteRefused(str(error)) from error
        except TokenExpired as error:
            raise OutcomeUnknown(f"the search for the dashboard in {project} was cut off: {error}") from error
        return None

    def _shown(self, issue: _Found) -> Dashboard:
        path = f"issue/{quote(str(issue.id), safe='')}/properties/{MARK}"
        mark = self._client.call("GET", path, type=payloads.Property, statuses=(403, 404)).value
        value = mark.value if mark else None
        content = value.get("dashboard") if isinstance(value, dict) else None
        status = issue.fields.status
        done = status is not None and status.status_category is not None and status.status_category.key == "done"
        return Dashboard(ref=str(issue.id), open=not done, hash=content if isinstance(content, str) else "")

    def create(self, project: str, title: str, content: Comment) -> str:
        """Never sent twice: raises OutcomeUnknown where the answer was lost."""
        fields = {
            "project": {"key": project},
            "issuetype": {"id": self._type(project)},
            "summary": title,
            "description": self._text(content),
            "labels": [LABEL],
        }
        try:
            answer = self._client.call(
                "POST", "issue", type=_Created, json={"fields": fields, "properties": _properties(content)}
            )
        except Forbidden as error:
            raise NotWritable(str(error)) from error
        if answer.value is None or answer.value.id is None:
            raise OutcomeUnknown(f"{project}: Jira took the issue, but did not say which it is")
        return str(answer.value.id)

    def _type(self, project: str) -> str:
        """The project's Task, else its Story, else its first type that is neither a sub-task nor, as far as the server
        tells, above ordinary issues (Data Center does not: there epics demand more fields)."""
        types = [t for t in self._project(project).issue_types or () if not t.subtask]
        if not types:
            raise WriteRefused(
                f"project {project} shows no issue type that could be created; check `writeback.dashboard`"
            )
        return str(min(types, key=lambda t: (bool(t.hierarchy_level), _PREFERRED.get((t.name or "").casefold(), 2))).id)

    def _project(self, project: str) -> _Project:
        return self._client.call("GET", f"project/{quote(project, safe='')}", type=_Project).value

    def update(self, project: str, ref: str, content: Comment) -> None:
        """Text and mark in one call."""
        body = {"fields": {"description": self._text(content)}, "properties": _properties(content)}
        self._writer.quietly(project, f"issue/{quote(ref, safe='')}", body)

    def _text(self, content: Comment) -> Any:
        return adf.render(content) if self._client.cloud else wiki.render(content)


def _properties(content: Comment) -> list[dict[str, Any]]:
    return [{"key": MARK, "value": {"v": 1, "dashboard": content.hash}}]
