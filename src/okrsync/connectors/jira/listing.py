"""Projects in full: on Cloud all ids, then the issues in bulk; elsewhere page by page. A killed one goes on."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, islice
from operator import lt
from typing import TypeVar

import msgspec
from msgspec import Struct

from okrsync.connectors.decoding import decode
from okrsync.connectors.parallel import in_order
from okrsync.connectors.seen import Numbered, Seen
from okrsync.domain.settings import JiraSettings
from okrsync.domain.trackers import Batch, SliceState
from okrsync.domain.work import WorkItem

from . import queries
from .client import FirstPage, TokenExpired
from .items import Items, Listed, NoBulkFetch
from .marks import Newest, write_mark
from .payloads import Issue

T = TypeVar("T")

_RESUMABLE = timedelta(hours=24)  # an interrupted listing older than this begins anew
RESTARTS = 2
_NEVER = datetime.min.replace(tzinfo=UTC)
_CHUNK = 100  # a bulk fetch takes no more
_LONGEST_NUMBER = 18  # digits, in 64 bits


class _Resume(Struct, frozen=True):
    """Where an interrupted full listing goes on: on the page `after`, or behind an id where there is none; when it
    began (server time), the newest `updated` so far."""

    after: str
    started: datetime
    newest: datetime
    behind: int = 0


class _Project:
    """How far the listing of one project is. `have`: uids read so far; `away`: scanned, but not there any more."""

    def __init__(self, key: str, state: SliceState, now: datetime) -> None:
        self.key = key
        self.held = state.held
        self.resume = _read_resume(state.resume, now)
        self.started = self.resume.started if self.resume else now
        self.newest = Newest(self.resume.newest) if self.resume else Newest()
        self.behind = self.resume.behind if self.resume else 0
        self.ids: Sequence[int] = ()
        self.have: set[str] = set()
        self.away: set[str] = set()

    def restart(self) -> None:
        self.resume = None
        self.newest = Newest()

    def token(self, after: str = "", behind: int = 0) -> str:
        return msgspec.json.encode(_Resume(after, self.started, self.newest.at, behind)).decode()


class Listing:
    def __init__(self, items: Items, settings: JiraSettings) -> None:
        self._items = items
        self._client = items.client
        self._settings = settings

    def read(self, states: Mapping[str, SliceState], *, sure: bool) -> Generator[Batch, None, list[str]]:
        """Everything in scope of these projects. Returns those of which the search showed nothing at all; `sure`:
        then there is nothing. Raises TokenExpired, QueryRefused."""
        now = self._client.server_time()
        projects = {key: _Project(key, state, now) for key, state in states.items()}
        by_id = self._client.cloud and self._items.bulk
        if by_id and not any(project.resume and project.resume.after for project in projects.values()):
            try:
                return (yield from self._by_id(projects, sure=sure))
            except NoBulkFetch:
                for project in projects.values():
                    project.restart()
        empty: list[str] = []
        names = self._items.names
        afters = {key: project.resume.after or None if project.resume else None for key, project in projects.items()}
        firsts = in_order(partial(self._first, key, names, afters[key]) for key in projects)
        for project, first in zip(projects.values(), firsts, strict=True):
            if first is not None and not first[0] and first[1] is None and not project.resume and not sure:
                empty.append(project.key)
            else:
                yield from self._again_if_expired(project, first)
        return empty

    # --- by id (Cloud)

    def _by_id(self, projects: Mapping[str, _Project], *, sure: bool) -> Generator[Batch, None, list[str]]:
        """By ascending id, which nothing ever changes: whatever comes or goes meanwhile, no other issue moves. What
        changes behind us has an `updated` after `started`. Raises NoBulkFetch."""
        whole = False
        if not any(project.resume for project in projects.values()):
            # most projects are small: one page is all there is, and no scan is needed
            jql, names = queries.in_scope(list(projects), self._settings), self._items.names
            issues, following, _ = self._client.page(jql, names, _CHUNK, None)
            items, warnings = self._items.translate(issues)
            yield from self._shared(projects, items, warnings)
            whole = following is None and all(len(p.have) >= p.held for p in projects.values())
        if not whole:
            self._scan(projects)
        left = {project.key: self._left(project) for project in projects.values()}
        todo = Counter({key: len(ids) for key, ids in left.items()})
        pairs = ((projects[key], id_) for key, ids in left.items() for id_ in ids)
        chunks: Iterator[list[tuple[_Project, int]]] = iter(lambda: list(islice(pairs, _CHUNK)), [])
        for chunk, listed in in_order(partial(self._fetched, chunk) for chunk in chunks):
            warnings = listed.warnings
            for key, ids in _by_project(chunk).items():
                project = projects[key]
                todo[key] -= len(ids)
                items = self._theirs(project, ids, listed)
                token = project.token(behind=ids[-1]) if todo[key] else None
                yield Batch(slice=key, items=items, resume=token, full=True, warnings=warnings)
                warnings = ()
                if token is None:
                    yield self._end(project, self._scanned(project))
        empty: list[str] = []
        for key in (key for key, ids in left.items() if not ids):
            project = projects[key]
            present = self._scanned(project) if not whole else project.have
            if present or sure:
                yield self._end(project, present)
            else:
                empty.append(key)
        return empty

    def _left(self, project: _Project) -> Sequence[int]:
        behind, read = project.behind, {uid.partition(":")[2] for uid in project.have}
        return array("q", (id_ for id_ in project.ids if id_ > behind and str(id_) not in read))

    def _fetched(self, chunk: list[tuple[_Project, int]]) -> tuple[list[tuple[_Project, int]], Listed]:
        return chunk, self._items.listed([id_ for _, id_ in chunk])

    def _shared(
        self, projects: Mapping[str, _Project], items: Sequence[WorkItem], warnings: tuple[str, ...]
    ) -> Iterator[Batch]:
        for key, theirs in by_container(items, projects).items():
            project = projects[key]
            project.have.update(item.uid for item in theirs)
            project.newest.add(theirs)
            yield Batch(slice=key, items=tuple(theirs), full=True, warnings=warnings)
            warnings = ()
        if warnings:
            yield Batch(slice=next(iter(projects)), full=True, warnings=warnings)

    def _scan(self, projects: Mapping[str, _Project]) -> None:
        """Raises NoBulkFetch where an issue has no number."""
        for key, ids in self._ids(projects).items():
            projects[key].ids = ids
        fewer = [key for key, project in projects.items() if len(project.ids) < project.held]
        if fewer:
            # nothing is called gone on the word of one scan
            for key, ids in self._ids(fewer).items():
                projects[key].ids = _ascending(array("q", chain(projects[key].ids, ids)))

    def _theirs(self, project: _Project, ids: Sequence[int], listed: Listed) -> tuple[WorkItem, ...]:
        """What was moved since the scan is another project's."""
        asked = set(map(self._items.uid_of, ids))
        items: list[WorkItem] = []
        for item in listed.items:
            if item.uid not in asked:
                continue
            if item.container == project.key or item.container.upper() == project.key:
                items.append(item)
            else:
                project.away.add(item.uid)
        project.away.update(asked.intersection(map(self._items.uid_of, listed.gone)))
        project.newest.add(items)
        return tuple(items)

    def _scanned(self, project: _Project) -> Collection[str]:
        return Numbered(self._items.connector, project.ids, project.away)

    def _end(self, project: _Project, present: Collection[str]) -> Batch:
        mark = project.newest.mark(project.started, fields=self._items.memory)
        return Batch(slice=project.key, full=True, present=present, watermark=write_mark(mark))

    # --- by page

    def _first(self, project: str, names: Sequence[str], after: str | None) -> FirstPage | None:
        """None for a page token that is too old."""
        try:
            return self._client.page(queries.in_scope([project], self._settings), names, _CHUNK, after)
        except TokenExpired:
            return None

    def _again_if_expired(self, project: _Project, first: FirstPage | None) -> Iterator[Batch]:
        for left in range(RESTARTS, -1, -1):
            try:
                if first is None and project.resume is not None:
                    project.restart()
                yield from self._by_page(project, first)
                return
            except TokenExpired:
                if not left:
                    raise
                first = None
                project.restart()

    def _by_page(self, project: _Project, first: FirstPage | None) -> Iterator[Batch]:
        resume, seen = project.resume, Seen()
        jql, names = queries.in_scope([project.key], self._settings), self._items.names
        after = resume.after or None if resume else None
        for issues, following in self._client.listing(jql, names, after=after, first=first):
            items, warnings = self._items.translate(issues)
            seen.update(self._items.uid(issue) for issue in issues)
            project.newest.add(items)
            token = project.token(following) if following else None
            yield Batch(slice=project.key, items=items, resume=token, full=True, warnings=warnings)
        # A listing in two parts has not seen its first part; one by offsets (Data Center) misses what slid to an
        # earlier page when something before it was deleted; and nothing is called gone on the word of one listing.
        if resume or not self._client.cloud or len(seen) < project.held:
            present = self.present([project.key])[project.key]
            missed = [] if resume else [uid for uid in present if uid not in seen]
            for start in range(0, len(missed), _CHUNK):
                items = self._items.by_number([uid.partition(":")[2] for uid in missed[start : start + _CHUNK]])
                project.newest.add(items)
                yield Batch(slice=project.key, items=items, full=True)
            seen.update(present)
        yield self._end(project, seen)

    # --- what exists

    def present(self, projects: Sequence[str]) -> dict[str, Seen]:
        """The uids of everything in scope, by project."""
        return self._existing(projects, Seen, lambda seen, issues: seen.update(map(self._items.uid, issues)))

    def _ids(self, projects: Iterable[str]) -> dict[str, Sequence[int]]:
        """In the order in which they are fetched, whatever order the search has. Raises NoBulkFetch where an issue has
        no number."""
        found = self._existing(list(projects), _numbers, lambda ids, issues: ids.extend(map(_number, issues)))
        return {key: _ascending(ids) for key, ids in found.items()}

    def _existing(
        self, projects: Sequence[str], none: Callable[[], T], put: Callable[[T, Iterable[Issue]], None]
    ) -> dict[str, T]:
        """What was put into nothing, by project. Cloud gives 5000 per page where only ids or keys are asked for."""
        for left in range(RESTARTS, -1, -1):
            found = {key: none() for key in projects}
            try:
                jql, size = queries.in_scope(projects, self._settings), 5000 if self._client.cloud else 1000
                names = ("id",) if len(projects) == 1 else ("key",)
                for issues, _ in self._client.listing(jql, names, size=size):
                    homes: dict[str, list[Issue]] = {projects[0]: issues} if len(projects) == 1 else {}
                    for issue in issues if not homes else ():
                        homes.setdefault((issue.key or "").rpartition("-")[0].upper(), []).append(issue)
                    for key in found.keys() & homes.keys():
                        put(found[key], homes[key])
                return found
            except TokenExpired:
                if not left:
                    raise
        return found


def _numbers() -> array[int]:
    return array("q")


def _ascending(numbers: array[int]) -> array[int]:
    if all(map(lt, numbers, islice(numbers, 1, None))):
        return numbers
    return array("q", sorted(set(numbers)))


def _number(issue: Issue) -> int:
    number = str(issue.id or issue.key)
    if not number.isdecimal() or len(number) > _LONGEST_NUMBER:
        raise NoBulkFetch
    return int(number)


def by_container(items: Iterable[WorkItem], projects: Iterable[str]) -> dict[str, list[WorkItem]]:
    """The items by upper-case project; what was moved out of all of these is left out."""
    found: dict[str, list[WorkItem]] = {key: [] for key in projects}
    for item in items:
        if (key := item.container.upper()) in found:
            found[key].append(item)
    return {key: theirs for key, theirs in found.items() if theirs}


def _by_project(chunk: Sequence[tuple[_Project, int]]) -> dict[str, list[int]]:
    ids: dict[str, list[int]] = {}
    for project, id_ in chunk:
        ids.setdefault(project.key, []).append(id_)
    return ids


def _read_resume(text: str | None, now: datetime) -> _Resume | None:
    try:
        resume = decode(text, _Resume) if text else None
    except msgspec.DecodeError:
        return None
    return resume if resume and now - resume.started < _RESUMABLE else None
