"""What `/issues` does not say of a pull request: branch, merged, the issues it closes.

One GraphQL query per page; where a server has no GraphQL, the branches from `/pulls`, and closing references are left
to the closing keywords in the text.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from okrsync.connectors.decoding import convert
from okrsync.domain.text import clean
from okrsync.domain.trackers import Forbidden, NotFound

from .api import Api, GraphError, Page
from .payloads import Issue, PullHead
from .projects import refusal, withheld
from .translate import PullDetails

_NODES = 100
_CLOSES = 20
_MOST_WAITING = 8  # pages that wait until a query is full

CLOSING = f"""
closingIssuesReferences(first: {_CLOSES}) {{ totalCount nodes {{ number repository {{ nameWithOwner }} }} }}
"""
PULL = f"id headRefName isDraft merged {CLOSING}"


def _query(fields: str) -> str:
    issues = f"... on Issue {{ id {fields} }}" if fields else ""
    return f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on PullRequest {{ {PULL} {fields} }} {issues} }} }}"


class _RepoName(Struct, rename="camel"):
    name_with_owner: str


class _Closed(Struct):
    number: int
    repository: _RepoName


class _Closes(Struct, rename="camel"):
    total_count: int = 0
    nodes: list[_Closed | None] | None = None


class _Value(Struct):
    """Of a project's field, whatever its type."""

    text: str | None = None
    name: str | None = None
    title: str | None = None
    number: float | None = None

    @property
    def words(self) -> str:
        number = "" if self.number is None else f"{self.number:g}"
        return clean(self.text or self.name or self.title or number)


class _Values(Struct):
    okr: _Value | None = None
    estimate: _Value | None = None
    team: _Value | None = None


class _Projects(Struct):
    nodes: list[_Values | None] | None = None


class PullNode(Struct, rename="camel", kw_only=True):
    """A pull request as GraphQL shows it. Null among `closes`, or counted and not shown, is an issue we may not see."""

    id: str = ""
    head_ref_name: str | None = ""
    is_draft: bool = False
    merged: bool = False
    closes: _Closes | None = msgspec.field(default=None, name="closingIssuesReferences")
    project_items: _Projects | None = None

    def details(self) -> PullDetails:
        nodes = (self.closes.nodes if self.closes else None) or []
        closed = [c for c in nodes if c is not None]
        projects = [p for p in (self.project_items.nodes if self.project_items else None) or [] if p is not None]
        there = min(self.closes.total_count, _CLOSES) if self.closes else 0
        return PullDetails(
            branch=self.head_ref_name or "",
            draft=self.is_draft,
            merged=self.merged,
            closes=tuple((c.repository.name_with_owner, c.number) for c in closed),
            hidden=len(closed) < max(len(nodes), there),
            okr=okr_ids(p.okr.words for p in projects if p.okr),
            estimate=next((p.estimate.number for p in projects if p.estimate and p.estimate.number is not None), None),
            team=next((p.team.words for p in projects if p.team and p.team.words), ""),
        )


def okr_ids(texts: Iterable[str]) -> tuple[str, ...]:
    """Of the OKR fields, in order and once each; a text may hold several, split by commas, semicolons or lines."""
    parts = (part.strip() for text in texts for part in re.split(r"[,;\n]+", text))
    return tuple(dict.fromkeys(part for part in parts if part))


def hidden_closing(error: GraphError) -> bool:
    """The error only says that a closed issue lies where we may not look."""
    return error.type in ("NOT_FOUND", "FORBIDDEN") and "closingIssuesReferences" in (error.path or ())


class Details:
    """Pull request details for one pull of one repository.

    since  where only the branches of `/pulls` can be had: how far back pull requests matter; None for all
    known  what needs no asking, by number and `updated_at`
    """

    def __init__(
        self,
        api: Api,
        repo: str,
        *,
        graphql: bool,
        since: datetime | None,
        open_too: bool,
        known: Mapping[tuple[int, datetime], PullDetails] | None = None,
    ) -> None:
        self._api = api
        self._repo = repo
        self._since = since
        self._open_too = open_too
        self._known = known or {}
        self._branches: dict[int, PullDetails] | None = None
        self._listing = threading.Lock()
        self.graphql = graphql

    def of(self, issues: Sequence[Issue]) -> dict[str, PullDetails | None]:
        """By node id; None for a pull request that is gone meanwhile. Raises Forbidden."""
        found: dict[str, PullDetails | None] = {}
        pulls: list[Issue] = []
        for issue in (i for i in issues if i.is_pull or self._api.fields):
            known = self._known.get((issue.number, issue.updated_at))
            if known is None:
                pulls.append(issue)
            else:
                found[issue.node_id] = known
        for at in range(0, len(pulls), _NODES):
            found.update(self._ask(pulls[at : at + _NODES]))
        return found

    def _ask(self, pulls: Sequence[Issue]) -> dict[str, PullDetails | None]:
        nodes = self._nodes([p.node_id for p in pulls]) if self.graphql else None
        if nodes is None and self._api.fields:
            raise Forbidden(f"{self._api.source}: `fields` needs GraphQL, which this server does not answer")
        if nodes is None:
            self.graphql = False
            return {p.node_id: self._rest(p.number) for p in pulls}
        return {
            p.node_id: n.details() if n else self.one(p.number) if p.is_pull else None
            for p, n in zip(pulls, nodes, strict=True)
        }

    def _nodes(self, ids: list[str]) -> list[PullNode | None] | None:
        """In the order asked, None where a node is gone; None for all where there is no GraphQL."""
        refused: list[GraphError] = []

        def tolerated(error: GraphError) -> bool:
            alone = error.type in ("NOT_FOUND", "FORBIDDEN") and len(error.path or ()) == 2
            if withheld(error) or (alone and error.type == "FORBIDDEN"):
                refused.append(error)
            return alone or withheld(error) or hidden_closing(error)

        graph = self._api.graphql(_query(self._api.fields), {"ids": ids}, tolerated)
        if refused:
            why = refusal(refused) or f"GraphQL: {refused[0].message[:200]}"
            raise Forbidden(f"{self._api.source}: {why}")
        if graph is None or graph.data is None or "nodes" not in graph.data:
            return None
        nodes = convert(graph.data["nodes"], list[PullNode | None])
        if len(nodes) == len(ids):
            # in the order asked: an id of the older format may come back in the newer one
            return [n if n and n.id else None for n in nodes]
        by_id = {n.id: n for n in nodes if n is not None}
        return [by_id.get(id_) for id_ in ids]

    def _rest(self, number: int) -> PullDetails | None:
        with self._listing:  # once, whoever asks first
            if self._branches is None:
                self._branches = self._list_branches()
        return self._branches.get(number) or self.one(number)

    def one(self, number: int) -> PullDetails | None:
        try:
            return _from_rest(self._api.get(f"repos/{self._repo}/pulls/{number}", PullHead))
        except NotFound:
            return None

    def _list_branches(self) -> dict[int, PullDetails]:
        """`/pulls` has no `since`: newest first until what matters ends."""
        found: dict[int, PullDetails] = {}
        path = f"repos/{self._repo}/pulls"
        if self._open_too:
            for pull in self._api.all(path, PullHead, {"state": "open", "sort": "created", "direction": "asc"}):
                found[pull.number] = _from_rest(pull)
        state = "closed" if self._open_too else "all"
        for pull in self._api.all(path, PullHead, {"state": state, "sort": "updated", "direction": "desc"}):
            if self._since is not None and pull.updated_at < self._since:
                break
            found[pull.number] = _from_rest(pull)
        return found


def full_queries(pages: Iterable[Page[Issue]], *, issues_too: bool) -> Iterator[tuple[list[Issue], list[Page[Issue]]]]:
    """Pull requests for one query each, and the pages of which, with that query, every detail is known: a listing
    mixes issues and pull requests, so that one query serves several pages."""
    pulls: list[Issue] = []
    waiting: list[Page[Issue]] = []
    for page in pages:
        pulls += [i for i in page.items if i.is_pull or issues_too]
        waiting.append(page)
        if len(pulls) >= _NODES:
            asked, pulls = pulls[:_NODES], pulls[_NODES:]
            whole = waiting[:-1] if pulls else waiting  # what is left over is of this page
            waiting = waiting[len(whole) :]
            yield asked, whole
        elif not pulls or len(waiting) >= _MOST_WAITING:
            yield pulls, waiting
            pulls, waiting = [], []
    if waiting:
        yield pulls, waiting


def _from_rest(pull: PullHead) -> PullDetails:
    return PullDetails(
        branch=pull.head.ref if pull.head else "", draft=bool(pull.draft), merged=pull.merged_at is not None
    )
