"""Writing: labels and our one comment, with notifications off wherever Jira has a switch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from okrsync.connectors.transport import Params
from okrsync.domain.comments import Comment
from okrsync.domain.trackers import (
    Clock,
    Forbidden,
    LabelEdit,
    Memory,
    NotFound,
    NotWritable,
    OurComment,
    OutcomeUnknown,
)
from okrsync.domain.work import WorkItem
from okrsync.logs import get_logger

from . import adf, payloads, wiki
from .client import JiraClient

MARK = "okrsync"  # the comment property by which we know our own
PUBLIC = "sd.public.comment"  # Jira Service Management's: {"internal": true} keeps it from customers

_log = get_logger()


_LOUD = "loud projects"
ASK_AGAIN = timedelta(days=30)
"""How long a project is known not to let us switch notifications off."""


class Writer:
    def __init__(self, client: JiraClient, *, memory: Memory, clock: Clock) -> None:
        self._client = client
        self._memory = memory
        self._clock = clock

    # --- labels

    def change_labels(self, edit: LabelEdit) -> None:
        """Both parts in one call. Atomic, and no error where nothing changes."""
        steps = [{"remove": label} for label in edit.remove] + [{"add": label} for label in edit.add]
        if steps:
            self.quietly(edit.item.container, f"issue/{_id(edit.item)}", {"update": {"labels": steps}})

    def quietly(self, project: str, path: str, body: dict[str, Any]) -> None:
        """PUT without notifications; on 403 once with them, remembered for the project: the switch needs the
        permission to administer it. Raises NotWritable where that is forbidden, too."""
        told, loud = self._loud(project)
        if not loud:
            try:
                self._client.call("PUT", path, type=type(None), params={"notifyUsers": False}, json=body)
                return
            except Forbidden:
                pass
        try:
            self._client.call("PUT", path, type=type(None), json=body)
        except Forbidden as error:
            raise NotWritable(str(error)) from error
        if not loud:
            self._memory.remember(_LOUD, json.dumps(self._known() | {project: self._clock().isoformat()}))
        if not told:
            _log.warning(
                "jira.notifications",
                project=project,
                message="Jira mails watchers about our edits here; give the account Administer Projects to prevent it",
            )

    def _loud(self, project: str) -> tuple[bool, bool]:
        """Whether it was said that the project does not let us switch notifications off, and whether it still holds."""
        at = self._known().get(project)
        return at is not None, at is not None and self._clock() - datetime.fromisoformat(at) < ASK_AGAIN

    def _known(self) -> dict[str, str]:
        known: dict[str, str] = json.loads(self._memory.recall(_LOUD) or "{}")
        return known

    # --- comments

    def comments(self, item: WorkItem, me: payloads.Person) -> tuple[OurComment, ...]:
        """Those that bear our mark and were written by our own account, oldest first."""
        ours: list[OurComment] = []
        for comment in self._all_comments(item):
            author = comment.author
            if author is None or me.id not in (author.account_id, author.key, author.name):
                continue
            if comment.properties is None:
                mark = self._mark(str(comment.id))
            else:
                mark = next((p.value for p in comment.properties if p.key == MARK), None)
            if mark is not None:
                content = mark.get("hash") if isinstance(mark, dict) else None
                ours.append(OurComment(id=str(comment.id), hash=content if isinstance(content, str) else ""))
        return tuple(ours)

    def _all_comments(self, item: WorkItem) -> Iterator[payloads.Comment]:
        start = 0
        while True:
            params: Params = {"startAt": start, "maxResults": 100, "orderBy": "created", "expand": "properties"}
            page = self._client.call("GET", f"issue/{_id(item)}/comment", type=payloads.Comments, params=params).value
            yield from page.comments
            start += len(page.comments)
            if not page.comments or page.total is None or start >= page.total:
                return

    def _mark(self, comment_id: str) -> Any:
        path = f"comment/{quote(comment_id, safe='')}/properties/{MARK}"
        found = self._client.call("GET", path, type=payloads.Property, statuses=(403, 404)).value
        return found.value if found else None

    def create_comment(self, item: WorkItem, comment: Comment) -> str:
        """Raises OutcomeUnknown where the answer was lost: never sent twice."""
        try:
            answer = self._client.call(
                "POST", f"issue/{_id(item)}/comment", type=payloads.Comment, json=self._body(item, comment)
            )
        except Forbidden as error:
            raise NotWritable(str(error)) from error
        if answer.value is None:
            raise OutcomeUnknown(f"{item.id}: Jira took the comment, but did not say which it is")
        return str(answer.value.id)

    def update_comment(self, item: WorkItem, comment_id: str, comment: Comment) -> None:
        """The text first, then its hash: after a crash in between, the old hash makes the next run write both again."""
        quoted = quote(comment_id, safe="")
        path = f"issue/{_id(item)}/comment/{quoted}"
        if self._client.cloud:
            self.quietly(item.container, path, self._body(item, comment))
        else:
            self._forbidden_is_not_writable("PUT", path, self._body(item, comment))
        self._forbidden_is_not_writable("PUT", f"comment/{quoted}/properties/{MARK}", _stamp(comment))

    def delete_comment(self, item: WorkItem, comment_id: str) -> None:
        try:
            self._forbidden_is_not_writable("DELETE", f"issue/{_id(item)}/comment/{quote(comment_id, safe='')}", None)
        except NotFound:
            return

    def _forbidden_is_not_writable(self, method: str, path: str, body: Any) -> None:
        try:
            self._client.call(method, path, type=type(None), json=body)
        except Forbidden as error:
            raise NotWritable(str(error)) from error

    def _body(self, item: WorkItem, comment: Comment) -> dict[str, Any]:
        properties: list[dict[str, Any]] = [{"key": MARK, "value": _stamp(comment)}]
        if item.service_desk:
            properties.append({"key": PUBLIC, "value": {"internal": True}})
        return {"body": adf.render(comment) if self._client.cloud else wiki.render(comment), "properties": properties}


def _stamp(comment: Comment) -> dict[str, Any]:
    return {"v": 1, "hash": comment.hash}


def _id(item: WorkItem) -> str:
    """The server's own id: a moved issue stays itself."""
    return quote(item.uid.partition(":")[2], safe="")
