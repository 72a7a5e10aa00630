"""Which repositories have changed, for fifty of them in one GraphQL query.

A glance shows what a repository is (name, archived, visibility, our role) and the items that were updated last. Whoever
changes an item moves its `updatedAt`, and with it the item to the front: where the items within an overlap of the
newest are, number by number and second by second, those that were read, an incremental reading would yield nothing. So
a glance misses what `since` misses too, and nothing else:

- What moves no `updated_at` (a renamed label or milestone) shows with the item's next change; a repository that was
  archived or published is read anew in the run that sees it.
- Deleted and transferred items are the key sweep's. Its run reads every repository by REST whatever the glances say,
  so that a server whose two APIs disagree is found out within a day.
- An item that changes twice within a second, read in between: hence a reading proves nothing until its newest item is
  two seconds old.
- A change that becomes visible late: the overlap covers it, as it does for `since`.

What a glance does not show (null, an error, more items than it asked for) is not "unchanged": that repository is asked
by a conditional request. The same where GraphQL is missing or out of order.

Where a glance reaches back to what was read last time, it also tells from when on there is something to read. Of a few
repositories it takes along the details of the newest pull requests, which then need no query of their own.

Cost: two connections a repository, thus one point of GitHub's 5,000 an hour for fifty repositories; with details one
more for each pull request, thus two points for one repository, six for ten
(https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from msgspec import Struct

from okrsync.connectors.decoding import convert
from okrsync.connectors.parallel import in_order
from okrsync.domain.trackers import Forbidden, SignInFailed, SourceFailed

from .api import Api, GraphError
from .details import PULL, PullNode, hidden_closing
from .payloads import Permissions, Repo
from .projects import withheld
from .translate import PullDetails
from .watermarks import OVERLAP, Watermark, recent, spell, spelt

_AT_ONCE = 50
_MOST_ITEMS, _LEAST_EACH, _MOST_EACH = 1000, 10, 100  # of a query; of one connection
_WITH_DETAILS = 10  # repositories
_ORDER = "orderBy: {field: UPDATED_AT, direction: DESC}"


class Glance(Struct, frozen=True, kw_only=True):
    """shown    the items nearest to the newest, spelt as in a watermark; empty where it cannot be told
    settled  the newest was older than an overlap, so that a reading after the glance has seen all of it
    items    when the items that were updated last were updated, by number; all there are that are newer than `reach`
    details  of pull requests, by number and that moment
    """

    repo: Repo
    shown: str
    settled: bool
    items: Mapping[int, datetime]
    reach: datetime | None
    details: Mapping[tuple[int, datetime], PullDetails]

    def changed_since(self, before: Watermark) -> datetime | None:
        """The oldest moment from which there is something new to read; None where that cannot be told."""
        held = spelt(before.shown)
        if held is None or not self.shown:
            return None
        floor = max(held.values(), default=before.moment) - OVERLAP
        if self.reach is not None and self.reach >= floor:
            return None
        return min((at for n, at in self.items.items() if at >= floor and held.get(n) != at), default=None)


class _Item(Struct, rename="camel"):
    number: int
    updated_at: datetime


class _Items(Struct):
    nodes: list[_Item | None] | None = None


class _Pull(PullNode, rename="camel", kw_only=True):
    number: int
    updated_at: datetime


class _Pulls(Struct):
    nodes: list[_Pull | None] | None = None


class _Node(Struct, rename="camel", kw_only=True):
    name_with_owner: str
    is_archived: bool = False
    visibility: str = ""
    viewer_permission: str | None = None
    issues: _Items | None = None
    pull_requests: _Pulls | None = None

    def repo(self) -> Repo:
        role = self.viewer_permission
        return Repo(
            full_name=self.name_with_owner,
            archived=self.is_archived,
            private=self.visibility != "PUBLIC",
            visibility=self.visibility.lower(),
            permissions=Permissions(
                admin=role == "ADMIN",
                maintain=role == "MAINTAIN",
                push=role == "WRITE",
                triage=role == "TRIAGE",
                pull=role == "READ",
            )
            if role
            else None,
        )

    def glance(self, each: int, date: datetime | None) -> Glance:
        lists: list[Sequence[_Item | _Pull | None] | None] = [
            self.issues.nodes if self.issues else None,
            self.pull_requests.nodes if self.pull_requests else None,
        ]
        items: dict[int, datetime] = {}
        whole = True
        reach: datetime | None = None
        for nodes in lists:
            here = {node.number: node.updated_at for node in nodes or () if node}
            whole = whole and nodes is not None and len(here) == len(nodes)
            if len(nodes or ()) >= each:  # there may be more
                reach = max(filter(None, (reach, min(here.values(), default=None))), default=None)
            items |= here
        near = recent(items)
        newest = max(near.values(), default=None)
        told = whole and (reach is None or newest is None or reach < newest - OVERLAP)
        pulls = [p for p in (self.pull_requests.nodes if self.pull_requests else None) or () if p and p.id]
        return Glance(
            repo=self.repo(),
            shown=spell(near) if told else "",
            settled=newest is None or (date is not None and newest < date - OVERLAP),
            items=items,
            reach=reach,
            details={(p.number, p.updated_at): p.details() for p in pulls},
        )


class Glances:
    """What one pull has seen of repositories, by any name they were asked for."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._asked: set[str] = set()
        self._seen: dict[str, Glance] = {}

    def get(self, name: str) -> Glance | None:
        return self._seen.get(name.casefold())

    def look(self, names: Iterable[str]) -> None:
        """At those not asked for yet. Raises SignInFailed alone: what cannot be seen is asked elsewhere."""
        fresh = [n for n in dict.fromkeys(names) if n.casefold() not in self._asked | self._seen.keys()]
        self._asked.update(n.casefold() for n in fresh)
        parts = [fresh[at : at + _AT_ONCE] for at in range(0, len(fresh), _AT_ONCE)]
        for part, glances in zip(parts, in_order(partial(self._ask, part) for part in parts), strict=True):
            for name, glance in zip(part, glances, strict=False):
                if glance is not None:
                    self._seen[name.casefold()] = self._seen[glance.repo.full_name.casefold()] = glance

    def _ask(self, names: Sequence[str]) -> list[Glance | None]:
        """In the order asked; None for what is not shown."""
        each = max(_LEAST_EACH, min(_MOST_EACH, _MOST_ITEMS // (2 * len(names))))
        try:
            graph = self._api.graphql(_query(names, each, self._api.fields), {}, _tolerated)
        except SignInFailed:
            raise
        except (SourceFailed, Forbidden):
            return []
        data = (graph.data if graph else None) or {}
        date = graph.date if graph else None
        return [_glance(data.get(f"r{index}"), each, date) for index in range(len(names))]


def _glance(raw: Any, each: int, date: datetime | None) -> Glance | None:
    return convert(raw, _Node).glance(each, date) if raw else None


def _tolerated(error: GraphError) -> bool:
    """One repository, or one list in it, is not shown; the others are whole."""
    return (
        withheld(error)
        or hidden_closing(error)
        or (error.type in ("NOT_FOUND", "FORBIDDEN") and len(error.path or ()) in (1, 2))
    )


def _query(names: Sequence[str], each: int, fields: str) -> str:
    parts = []
    for index, name in enumerate(names):
        owner, _, repo = name.partition("/")
        parts.append(f"r{index}: repository(owner: {json.dumps(owner)}, name: {json.dumps(repo)}) {{ ...glance }}")
    listed = f"(first: {each}, {_ORDER})"
    details = f"{PULL} {fields}" if len(names) <= _WITH_DETAILS else ""
    return (
        "query { " + "\n".join(parts) + " }\n"
        "fragment glance on Repository { nameWithOwner isArchived visibility viewerPermission"
        f" issues{listed} {{ nodes {{ number updatedAt }} }}"
        f" pullRequests{listed} {{ nodes {{ number updatedAt {details} }} }} }}"
    )
