"""`/okr` commands in the comments of issues and pull requests, and whether their authors may give them.

A comment moves the `updated_at` of its item, so an item that is read again brings all its comments along, and one that
has none costs nothing: GraphQL shows those of fifty items in one query. Where a server has no GraphQL, or an item has
more comments than a query shows, the item's own listing is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from urllib.parse import quote

import msgspec
from msgspec import Struct

from okrsync.connectors.decoding import convert
from okrsync.domain.text import clean
from okrsync.domain.trackers import Forbidden, NotFound
from okrsync.domain.work import Command
from okrsync.linking import command_lines

from . import markdown
from .api import Api, GraphError
from .payloads import Comment, Issue, Permission, User
from .translate import utc

_ITEMS = 50
_SHOWN = 100  # of an item's comments, the newest
_WRITERS = ("OWNER", "MEMBER", "COLLABORATOR")
_URL = re.compile(r"issuecomment-(\d+)$")
_COMMENTS = (
    f"comments(last: {_SHOWN}) {{ totalCount nodes {{ url body createdAt authorAssociation"
    " author { __typename login } } }"
)
_QUERY = (
    "query($ids: [ID!]!) { nodes(ids: $ids)"
    f" {{ ... on Issue {{ id {_COMMENTS} }} ... on PullRequest {{ id {_COMMENTS} }} }} }}"
)


class Actor(Struct):
    """Somebody, as GraphQL shows them."""

    login: str = ""
    kind: str = msgspec.field(default="User", name="__typename")

    def user(self) -> User:
        """GraphQL leaves out the `[bot]` that REST shows."""
        suffix = "[bot]" if self.kind == "Bot" and not self.login.endswith("[bot]") else ""
        return User(self.login + suffix, self.kind)


class _Comment(Struct, rename="camel", kw_only=True):
    url: str
    body: str | None = ""
    created_at: datetime
    author_association: str = ""
    author: Actor | None = None

    def plain(self) -> Comment:
        """In the spelling of REST, so that there is one translation. GraphQL's own ids have outgrown its numbers, or
        are missing on older servers: the address has had them always."""
        found = _URL.search(self.url)
        return Comment(
            id=int(found[1]) if found else 0,
            body=self.body,
            user=self.author.user() if self.author else None,
            author_association=self.author_association,
            created_at=self.created_at,
        )


class _Comments(Struct, rename="camel"):
    total_count: int = 0
    nodes: list[_Comment | None] | None = None


class _Node(Struct):
    id: str = ""
    comments: _Comments | None = None


class Commands:
    """For one tracker; what it has asked about people holds until `forget`. Several threads may ask at a time."""

    def __init__(self, api: Api, *, enabled: bool) -> None:
        self._api = api
        self._enabled = enabled
        self._graphql = True
        self._writes: dict[tuple[str, str], bool] = {}

    def forget(self) -> None:
        self._writes.clear()

    def of(self, issues: Iterable[tuple[str, Issue]]) -> dict[str, tuple[Command, ...]]:
        """By node id, for issues with the repository they are in; those without commands are left out. Raises
        Forbidden."""
        asked = [row for row in issues if row[1].comments] if self._enabled else []
        found: dict[str, tuple[Command, ...]] = {}
        for start in range(0, len(asked), _ITEMS):
            part = asked[start : start + _ITEMS]
            for (repo, issue), comments in zip(part, self._comments(part), strict=True):
                commands = tuple(self._commands(repo, comments))
                if commands:
                    found[issue.node_id] = commands
        return found

    def _comments(self, part: Sequence[tuple[str, Issue]]) -> Iterator[list[Comment]]:
        nodes = self._nodes([issue.node_id for _, issue in part]) if self._graphql else None
        if nodes is None:
            self._graphql = False
            nodes = [None] * len(part)
        for (repo, issue), node in zip(part, nodes, strict=True):
            there = node.comments if node else None
            shown = [c.plain() for c in (there.nodes if there else None) or () if c is not None]
            if there is not None and len(shown) == there.total_count:
                yield shown
            else:
                yield self._listed(repo, issue.number)

    def _nodes(self, ids: list[str]) -> list[_Node | None] | None:
        """In the order asked, None where a node is not shown; None for all where there is no GraphQL."""
        graph = self._api.graphql(_QUERY, {"ids": ids}, _tolerated)
        if graph is None or graph.data is None or "nodes" not in graph.data:
            return None
        nodes = convert(graph.data["nodes"], list[_Node | None])
        return nodes if len(nodes) == len(ids) else [None] * len(ids)

    def _listed(self, repo: str, number: int) -> list[Comment]:
        try:
            return list(self._api.all(f"repos/{repo}/issues/{number}/comments", Comment))
        except NotFound:  # gone meanwhile
            return []

    def _commands(self, repo: str, comments: Iterable[Comment]) -> Iterator[Command]:
        for comment in comments:
            text = clean(comment.body)
            if comment.created_at is None or markdown.marked_hash(text) or not command_lines(text):
                continue
            login = comment.user.login if comment.user else ""
            yield Command(
                author=clean(login),
                entitled=comment.author_association in _WRITERS or (bool(login) and self._may_write(repo, login)),
                text=text,
                at=utc(comment.created_at),
                comment=str(comment.id),
            )

    def _may_write(self, repo: str, login: str) -> bool:
        """Asked of the server: an association does not tell of teams, nor of members who hide that they are."""
        key = repo.casefold(), login.casefold()
        if key not in self._writes:
            path = f"repos/{repo}/collaborators/{quote(login, safe='')}/permission"
            try:
                self._writes[key] = self._api.get(path, Permission).permission in ("admin", "write")
            except (NotFound, Forbidden):
                self._writes[key] = False
        return self._writes[key]


def _tolerated(error: GraphError) -> bool:
    """What is not shown here is asked for by REST, which tells gone from forbidden."""
    return error.type in ("NOT_FOUND", "FORBIDDEN")
