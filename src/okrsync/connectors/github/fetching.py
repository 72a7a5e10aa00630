"""Items by id from any repository: fifty to a GraphQL query; what that does not show is asked one by one."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from okrsync.connectors.decoding import convert
from okrsync.domain.trackers import Fetched, Forbidden, NotFound
from okrsync.domain.work import HIDDEN, WorkItem

from .api import Api, GraphError
from .commands import Actor, Commands
from .details import CLOSING, Details, PullNode, hidden_closing
from .payloads import Issue, IssueType, Label, Milestone, PullMark, Repo, User
from .projects import withheld
from .repositories import Repositories
from .translate import PullDetails, container_of, item_id, work_item

_ALIASES = 50
_ID = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]*)/(?!\.{1,2}#)([A-Za-z0-9_.-]+)#(\d{1,10})")
_COMMON = """
id number title url body createdAt updatedAt closedAt locked author { __typename login }
assignees(first: 1) { nodes { login } } labels(first: 100) { nodes { name } } milestone { title description }
comments(first: 1) { totalCount }
"""


def _item(fields: str) -> str:
    return f"""
... on Issue {{ {_COMMON} issueState: state stateReason {fields}
  issueType {{ name }} parent {{ number repository {{ nameWithOwner }} }} }}
... on PullRequest {{ {_COMMON} pullState: state isDraft merged headRefName {CLOSING} {fields} }}
"""


class _Named(Struct):
    login: str | None = None
    name: str | None = None


class _Names(Struct):
    nodes: list[_Named | None] | None = None


class _Count(Struct, rename="camel"):
    total_count: int = 0


class _RepoName(Struct, rename="camel"):
    name_with_owner: str


class _Parent(Struct):
    number: int
    repository: _RepoName


class _Node(Struct, rename="camel", kw_only=True):
    """An issue or a pull request; `merged` is there on pull requests alone."""

    typename: str = msgspec.field(name="__typename")
    id: str
    number: int
    title: str = ""
    url: str
    body: str | None = None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    issue_state: str = ""
    pull_state: str = ""
    state_reason: str | None = None
    locked: bool = False
    is_draft: bool = False
    author: Actor | None = None
    assignees: _Names | None = None
    labels: _Names | None = None
    milestone: Milestone | None = None
    issue_type: IssueType | None = None
    parent: _Parent | None = None
    comments: _Count | None = None

    def issue(self) -> Issue:
        """In the spelling of REST, so that there is one translation."""
        parent = self.parent
        return Issue(
            node_id=self.id,
            number=self.number,
            title=self.title,
            html_url=self.url,
            body=self.body,
            created_at=self.created_at,
            updated_at=self.updated_at,
            closed_at=self.closed_at,
            state="open" if "OPEN" in (self.issue_state, self.pull_state) else "closed",
            state_reason=(self.state_reason or "").lower(),
            locked=self.locked,
            draft=self.is_draft,
            user=self.author.user() if self.author else None,
            assignees=[User(n.login) for n in _nodes(self.assignees) if n.login],
            labels=[Label(n.name) for n in _nodes(self.labels) if n.name],
            milestone=self.milestone,
            type=self.issue_type,
            pull_request=PullMark() if self.typename == "PullRequest" else None,
            parent_issue_url=f"/repos/{parent.repository.name_with_owner}/issues/{parent.number}" if parent else None,
            comments=self.comments.total_count if self.comments else 0,
        )


class _Repository(Struct, rename="camel", kw_only=True):
    name_with_owner: str
    is_archived: bool = False
    visibility: str = ""
    item: dict[str, Any] | None = None


class Fetcher:
    def __init__(self, api: Api, repositories: Repositories, commands: Commands) -> None:
        self._api = api
        self._repositories = repositories
        self._commands = commands
        self.graphql = True

    def fetch(self, ids: Sequence[str]) -> Fetched:
        missing: list[str] = []
        forbidden: list[str] = []
        asked: dict[str, tuple[str, str, int]] = {}
        for id_ in dict.fromkeys(ids):
            found = _ID.fullmatch(id_.partition(":")[2])
            if id_ == f"{self._api.source}:{HIDDEN}":
                forbidden.append(id_)
            elif found and id_.partition(":")[0] == self._api.source:
                asked[id_] = found[1], found[2], int(found[3])
            else:
                missing.append(id_)
        items = self._by_graphql(asked)
        for id_, (owner, name, number) in asked.items():
            if id_ in items:
                continue
            try:
                items[id_] = self.one(f"{owner}/{name}", number)
            except NotFound:
                missing.append(id_)
            except Forbidden:
                forbidden.append(id_)
        # names are compared without case: acme/Web#1 is no move
        moved = {id_: item.id for id_, item in items.items() if item.id.casefold() != id_.casefold()}
        return Fetched(items=items, missing=tuple(missing), forbidden=tuple(forbidden), moved=moved)

    def one(self, repo: str, number: int) -> WorkItem:
        """Read directly, following a move. Raises NotFound, Forbidden."""
        issue = self._api.get(f"repos/{repo}/issues/{number}", Issue)
        where = self._repositories.get(container_of(issue) or repo)
        details = Details(self._api, where.full_name, graphql=self.graphql, since=None, open_too=False)
        said = self._commands.of([(where.full_name, issue)]).get(issue.node_id, ())
        if not (issue.is_pull or self._api.fields):
            return work_item(self._api.source, issue, where, commands=said)
        known = details.of([issue])[issue.node_id] if self.graphql else details.one(issue.number)
        if known is None:
            raise NotFound(f"{self._api.source}: {item_id(self._api.source, repo, number)} is gone")
        self.graphql = details.graphql
        return work_item(self._api.source, issue, where, known, said)

    def _by_graphql(self, asked: dict[str, tuple[str, str, int]]) -> dict[str, WorkItem]:
        """What one query after the other shows; the rest is left out."""
        found: dict[str, WorkItem] = {}
        ids = list(asked)
        for at in range(0, len(ids) if self.graphql else 0, _ALIASES):
            part = ids[at : at + _ALIASES]
            graph = self._api.graphql(_query([asked[id_] for id_ in part], self._api.fields), {}, _tolerated)
            if graph is None or graph.data is None or "r0" not in graph.data:
                self.graphql = False
                break
            rows = {id_: row for n, id_ in enumerate(part) if (row := _row(graph.data.get(f"r{n}"))) is not None}
            said = self._commands.of([(repo.full_name, issue) for repo, issue, _ in rows.values()])
            for id_, (repo, issue, details) in rows.items():
                found[id_] = work_item(self._api.source, issue, repo, details, said.get(issue.node_id, ()))
        return found


def _row(raw: Any) -> tuple[Repo, Issue, PullDetails] | None:
    if not raw or not raw.get("item"):
        return None
    repository = convert(raw, _Repository)
    public = repository.visibility == "PUBLIC"
    repo = Repo(full_name=repository.name_with_owner, archived=repository.is_archived, private=not public)
    issue = convert(repository.item, _Node).issue()
    return repo, issue, convert(repository.item, PullNode).details()


def _nodes(names: _Names | None) -> list[_Named]:
    return [n for n in (names.nodes if names else None) or [] if n is not None]


def _tolerated(error: GraphError) -> bool:
    """An item or repository that is not shown is asked for again by REST, which tells 301, 404 and 403 apart."""
    return (
        withheld(error)
        or hidden_closing(error)
        or (error.type in ("NOT_FOUND", "FORBIDDEN") and len(error.path or ()) <= 2)
    )


def _query(asked: Sequence[tuple[str, str, int]], fields: str) -> str:
    parts = [
        f"r{i}: repository(owner: {json.dumps(owner)}, name: {json.dumps(name)}) {{ nameWithOwner isArchived visibility"
        f" item: issueOrPullRequest(number: {number}) {{ __typename {_item(fields)} }} }}"
        for i, (owner, name, number) in enumerate(asked)
    ]
    return "query { " + "\n".join(parts) + " }"
