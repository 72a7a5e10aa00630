"""Looking before a write, and writing: labels, our one comment, label definitions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import NoneType
from typing import Any
from urllib.parse import quote

from msgspec import structs

from okrsync.connectors.transport import Answer, Params
from okrsync.domain.comments import Comment as CommentValue
from okrsync.domain.trackers import Forbidden, LabelEdit, Look, NotFound, NotWritable, OurComment, WriteRefused
from okrsync.domain.work import Kind, Via, WorkItem

from . import markdown
from .api import Api
from .payloads import Comment, Issue, Label, Uid
from .repositories import Covered, Repositories
from .translate import PullDetails, container_of, number_in, work_item


class Writer:
    def __init__(self, api: Api, repositories: Repositories) -> None:
        self._api = api
        self._repositories = repositories

    def look(self, item: WorkItem, *, comments: bool) -> Look:
        """The item as it is now. It keeps the branch, the closing references, the project fields and the commands of
        the last pull: they decide nothing about a write."""
        issue = self._api.get(_path(item), Issue)
        repo = self._repositories.get(container_of(issue) or item.container)
        details = PullDetails(branch=item.branch, draft=bool(issue.draft)) if item.kind is Kind.PULL_REQUEST else None
        now = work_item(item.connector, issue, repo, details)
        closing = tuple(r for r in item.references if r.structural and r.via is Via.CLOSES)
        references = tuple(dict.fromkeys((*now.references, *closing)))
        kept = {"okr": item.okr, "estimate": item.estimate, "team": item.team, "commands": item.commands}
        now = structs.replace(now, references=references, **kept)
        return Look(item=now, comments=self._ours(now, issue.comments or 0) if comments else None)

    def _ours(self, item: WorkItem, count: int) -> tuple[OurComment, ...]:
        """`count`: how many comments the item says it has. Raises Forbidden where none of them is shown: ours may be
        among them."""
        path = f"{_path(item)}/comments"
        shown = list(self._api.all(path, Comment))
        if count and not shown:
            raise Forbidden(f"{self._api.source}: GET /{path}: shows none of {count} comments")
        return tuple(ours for comment in shown if (ours := self._our_comment(comment)) is not None)

    def _our_comment(self, comment: Comment) -> OurComment | None:
        hash_ = markdown.marked_hash(comment.body or "")
        if hash_ is None or comment.user is None or comment.user.login.casefold() != self._api.login().casefold():
            return None
        return OurComment(id=str(comment.id), hash=hash_)

    # --- items

    def add_labels(self, item: WorkItem, labels: Sequence[str]) -> None:
        """An answer that does not show them is none: what counts as done and is not there would be taken for something
        that people took away."""

        def lacking(shown: list[Label]) -> str | None:
            missing = {label.casefold() for label in labels} - {label.name.casefold() for label in shown}
            return f"the answer does not show {', '.join(sorted(missing))}" if missing else None

        if labels:
            path, json = f"{_path(item)}/labels", {"labels": list(labels)}
            self._write("POST", path, json=json, idempotent=True, type_=list[Label], doubt=lacking)

    def remove_labels(self, item: WorkItem, labels: Sequence[str]) -> None:
        for label in labels:
            self._write("DELETE", f"{_path(item)}/labels/{quote(label, safe='')}", statuses=(404,))

    def change_labels(self, edit: LabelEdit) -> None:
        self.remove_labels(edit.item, edit.remove)
        self.add_labels(edit.item, edit.add)

    def create_comment(self, item: WorkItem, comment: CommentValue) -> str:
        path = f"{_path(item)}/comments"
        try:
            answer = self._api.request("POST", path, type=Comment, json={"body": markdown.body(comment)})
        except Forbidden as error:
            raise NotWritable(str(error)) from error
        return str(answer.value.id)

    def update_comment(self, item: WorkItem, comment_id: str, comment: CommentValue) -> None:
        self._write("PATCH", _comment_path(item, comment_id), json={"body": markdown.body(comment)}, type_=Comment)

    def delete_comment(self, item: WorkItem, comment_id: str) -> None:
        self._write("DELETE", _comment_path(item, comment_id), statuses=(404, 410))

    # --- label definitions

    def container_labels(self, container: str) -> frozenset[str]:
        return frozenset(label.name for label in self._api.all(f"repos/{container}/labels", Label))

    def create_label(self, container: str, label: str, color: str, description: str) -> None:
        answer = self._write(
            "POST",
            f"repos/{container}/labels",
            json={"name": label, "color": color.lstrip("#"), "description": description[:100]},  # GitHub's limit
            idempotent=True,
            statuses=(422,),
        )
        if answer.status == 422 and "already_exists" not in answer.message:
            raise WriteRefused(f"{self._api.source}: label {label!r} in {container}: 422: {answer.message}")

    def delete_label(self, container: str, label: str) -> bool:
        used: Params = {"labels": label, "state": "all", "per_page": 1}
        if self._api.get(f"repos/{container}/issues", list[Uid], used):
            return False
        self._write("DELETE", f"repos/{container}/labels/{quote(label, safe='')}", statuses=(404,))
        return True

    # --- undo without a journal

    def find_ours(self, prefix: str, covered: Sequence[Covered]) -> Iterator[Look]:
        for one in covered:
            if one.repo is None or not self._repositories.writable(one.name):
                continue
            found: dict[int, Issue] = {}
            for label in sorted(
                n for n in self.container_labels(one.name) if n.casefold().startswith(prefix.casefold())
            ):
                filters = {"labels": label, "state": "open"}
                found.update((i.number, i) for i in self._api.all(f"repos/{one.name}/issues", Issue, filters))
            comments: dict[int, list[OurComment]] = {}
            for comment in self._api.all(f"repos/{one.name}/issues/comments", Comment):
                ours, number = self._our_comment(comment), number_in(comment.issue_url)
                if ours is not None and number is not None:
                    comments.setdefault(number, []).append(ours)
            for number in sorted(found.keys() | comments.keys()):
                issue = found.get(number) or self._issue(one.name, number)
                if issue is not None and issue.state == "open":
                    item = work_item(self._api.source, issue, one.repo)
                    yield Look(item=item, comments=tuple(comments.get(number, ())))

    def _issue(self, repo: str, number: int) -> Issue | None:
        try:
            return self._api.get(f"repos/{repo}/issues/{number}", Issue)
        except (NotFound, Forbidden):
            return None

    def _write(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        idempotent: bool | None = None,
        statuses: Sequence[int] = (),
        type_: type[Any] = NoneType,
        doubt: Callable[[Any], str | None] | None = None,
    ) -> Answer[Any]:
        """As `Api.request`."""
        how = {"json": json, "idempotent": idempotent, "statuses": statuses, "doubt": doubt}
        try:
            return self._api.request(method, path, type=type_, **how)
        except Forbidden as error:  # archived, locked, or no permission: GitHub says all three with 403
            raise NotWritable(str(error)) from error


def _path(item: WorkItem) -> str:
    return f"repos/{item.container}/issues/{item.key.rpartition('#')[2]}"


def _comment_path(item: WorkItem, comment_id: str) -> str:
    return f"repos/{item.container}/issues/comments/{quote(comment_id, safe='')}"
