"""The dashboard issue in a repository, which need not be a configured one: found by mark and login, edited in place."""

from __future__ import annotations

from itertools import islice
from types import NoneType
from urllib.parse import quote

from okrsync.domain.comments import Comment
from okrsync.domain.trackers import Dashboard, Forbidden, NotFound, NotWritable

from . import markdown
from .api import Api
from .payloads import Issue
from .repositories import Repositories
from .translate import container_of

_NEWEST = 1000  # issues


class Dashboards:
    def __init__(self, api: Api, repositories: Repositories) -> None:
        self._api = api
        self._repositories = repositories

    def is_public(self, container: str) -> bool:
        return self._repositories.get(container).public

    def find(self, container: str, ref: str | None) -> Dashboard | None:
        """A repository that cannot be read tells nothing about its issues: NotFound only where it can be."""
        if ref is None:
            return self._search(container)
        try:
            issue = self._api.get(_path(container, ref), Issue)
        except NotFound as error:
            self._check_readable(container, error)
            raise
        home = container_of(issue)
        if home and home.casefold() not in (
            container.casefold(),
            self._repositories.get(container).full_name.casefold(),
        ):
            raise NotFound(f"{self._api.source}: {container}#{ref} was moved to {home}")
        return _shown(issue)

    def _check_readable(self, container: str, error: NotFound) -> None:
        self._repositories.forget()
        try:
            self._repositories.get(container)
        except NotFound:
            raise Forbidden(str(error)) from error

    def _search(self, container: str) -> Dashboard | None:
        """By our own issues, oldest first: a listing, which unlike the search shows what was just created.

        Some Enterprise Cloud servers show nothing where the creator asked for is an App's bot: then the newest issues
        are looked through, whoever wrote them, since a second dashboard would be worse than ten requests.
        """
        login = self._api.login()
        path, order = f"repos/{container}/issues", {"state": "all", "sort": "created"}
        for issue in self._api.all(path, Issue, {**order, "creator": login, "direction": "asc"}):
            if self._ours(issue, login):
                return _shown(issue)
        if not login.endswith("[bot]"):
            return None
        newest = islice(self._api.all(path, Issue, {**order, "direction": "desc"}), _NEWEST)
        ours = [issue for issue in newest if self._ours(issue, login)]
        return _shown(ours[-1]) if ours else None

    def _ours(self, issue: Issue, login: str) -> bool:
        by_us = issue.user is not None and issue.user.login.casefold() == login.casefold()
        return by_us and not issue.is_pull and markdown.dashboard_hash(issue.body or "") is not None

    def create(self, container: str, title: str, content: Comment) -> str:
        """Never sent twice: raises OutcomeUnknown where the answer was lost."""
        try:
            answer = self._api.request(
                "POST",
                f"repos/{container}/issues",
                type=Issue,
                json={"title": title, "body": markdown.dashboard_body(content)},
            )
        except Forbidden as error:
            raise NotWritable(str(error)) from error
        return str(answer.value.number)

    def update(self, container: str, ref: str, content: Comment) -> None:
        body = {"body": markdown.dashboard_body(content)}
        try:
            self._api.request("PATCH", _path(container, ref), type=NoneType, json=body)
        except Forbidden as error:
            raise NotWritable(str(error)) from error


def _path(container: str, ref: str) -> str:
    return f"repos/{container}/issues/{quote(ref, safe='')}"


def _shown(issue: Issue) -> Dashboard:
    hash_ = markdown.dashboard_hash(issue.body or "")
    return Dashboard(ref=str(issue.number), open=issue.state == "open", hash=hash_ or "")
