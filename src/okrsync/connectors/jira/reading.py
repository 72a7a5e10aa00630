"""Pulls: projects listed in full, or what changed in all of them since their watermarks, in one search."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct, structs

from okrsync.connectors.decoding import decode
from okrsync.domain.settings import JiraSettings
from okrsync.domain.trackers import Batch, Clock, Forbidden, NotFound, SliceState, SourceFailed
from okrsync.domain.work import WorkItem

from . import queries
from .client import QueryRefused, TokenExpired
from .fields import still_right
from .items import Items
from .listing import RESTARTS, Listing, by_container
from .marks import OVERLAP, Mark, Newest, read_mark, write_mark
from .payloads import CommentField, Issue, Person

_TOGETHER = 100  # projects in one query
_SLACK = 1  # minutes by which a clock that goes wrong may shorten the overlap


class _Since(Struct, frozen=True):
    """A project that is read incrementally."""

    mark: Mark
    held: int


class _AskAgain(Exception):
    """The first page of an answer shows that the question was wrong."""


class Reader:
    """`renew` looks the configured fields up again."""

    def __init__(self, items: Items, settings: JiraSettings, clock: Clock, renew: Callable[[], Items]) -> None:
        self._items = items
        self._client = items.client
        self._settings = settings
        self._clock = clock
        self._renew = renew

    def together(
        self, states: Mapping[str, SliceState], *, full: bool, sweep: bool
    ) -> Generator[Batch, None, list[str]]:
        """As many projects with one question as may be. Returns those that were not read, or of which nothing was
        shown although something should: these are to be looked at one by one."""
        keys = list(states)
        unsure: list[str] = []
        for start in range(0, len(keys), _TOGETHER):
            some = {key: states[key] for key in keys[start : start + _TOGETHER]}
            since = {} if full else _since(some)
            fresh = {key: state for key, state in some.items() if key not in since}
            if since:
                unsure += yield from self._tried(list(since), self._since_then(since, sweep=sweep))
            if fresh:
                listing = Listing(self._items, self._settings)
                unsure += yield from self._tried(list(fresh), listing.read(fresh, sure=False))
        return unsure

    def _since_then(self, since: Mapping[str, _Since], *, sweep: bool) -> Generator[Batch, None, list[str]]:
        """One canary that was deleted has the whole question refused: then without them."""
        try:
            return (yield from self._changes(since, sweep=sweep, alone=False))
        except QueryRefused:
            if not any(s.mark.canary for s in since.values()):
                raise
        without = {key: _Since(structs.replace(s.mark, canary=""), s.held) for key, s in since.items()}
        return (yield from self._changes(without, sweep=sweep, alone=False))

    def _tried(
        self, projects: list[str], reading: Generator[Batch, None, list[str]]
    ) -> Generator[Batch, None, list[str]]:
        """Where the question as a whole is refused, all of these are unsure."""
        try:
            return (yield from reading)
        except (QueryRefused, Forbidden):
            return projects
        except (TokenExpired, NotFound) as error:
            yield from self._unread(projects, error)
            return []

    def alone(self, project: str, state: SliceState, *, full: bool, sweep: bool) -> Iterator[Batch]:
        """One project that is known to be there. What cannot be read of it is told as a Batch with `problem`."""
        try:
            # Where nothing is held, an earlier pull may have been shown nothing: changes alone would miss the rest.
            since = {} if full or not state.held else _since({project: state})
            if since:
                yield from self._changes(since, sweep=sweep, alone=True)
            else:
                yield from Listing(self._items, self._settings).read({project: state}, sure=True)
        except (QueryRefused, TokenExpired, Forbidden, NotFound) as error:
            yield from self._unread([project], error)

    def _unread(self, projects: Sequence[str], error: Exception) -> Iterator[Batch]:
        if isinstance(error, NotFound):
            hint = "this server lacks the search: check the url, and `email` (only for Cloud)"
            raise SourceFailed(f"{error}; {hint}") from error
        for project in projects:
            if isinstance(error, TokenExpired):
                problem = f"the listing of {project} had to begin again {RESTARTS} times ({error})"
                problem += "; the next run tries again"
            elif isinstance(error, Forbidden):
                problem = f"{error}; give the account the permission Browse Projects (BROWSE_PROJECTS) in {project}"
            else:
                problem = f"{error}; check `jql` and `projects`"
            yield Batch(slice=project, problem=problem)

    # --- what changed

    def _changes(self, since: Mapping[str, _Since], *, sweep: bool, alone: bool) -> Generator[Batch, None, list[str]]:
        """Raises TokenExpired, QueryRefused."""
        newest = {key: Newest() for key in since}
        seen: dict[str, set[str]] = {key: set() for key in since}
        asking = _Asking(since, max(self._client.server_time(), self._clock()), canaries=not alone)
        left = RESTARTS
        while True:
            try:
                for issues in self._pages(asking):
                    items, warnings = self._items.translate(issues)
                    shown = by_container(items, since)
                    for key, theirs in shown.items():
                        newest[key].add(theirs)
                        seen[key].update(item.uid for item in theirs)
                        yield Batch(slice=key, items=tuple(theirs), warnings=warnings)
                        warnings = ()
                    if warnings:
                        yield Batch(slice=next(iter(since)), warnings=warnings)
                break
            except (_AskAgain, TokenExpired) as again:
                if not left:
                    raise TokenExpired(str(again)) from again
                left -= 1
        started = asking.started
        unsure = [key for key in since if not seen[key] and (since[key].held or not any(seen.values()))]
        sure = [key for key in since if key not in unsure]
        canaries: dict[str, str] = {}
        if alone:
            for key in unsure:
                canary = self._canary(key)
                if canary is None:
                    yield Batch(slice=key, suspect=True)
                else:
                    canaries[key] = canary
                    sure.append(key)
            unsure = []
        present = Listing(self._items, self._settings).present(sure) if sweep and sure else None
        for key in sure:
            before = since[key].mark
            if key in canaries:
                before = structs.replace(before, canary=canaries[key])
            mark = newest[key].mark(started, before, self._items.memory)
            there = present[key] if present is not None else None
            if there is not None:
                there.update(seen[key])
            yield Batch(slice=key, watermark=write_mark(mark), present=there)
        return unsure

    def _pages(self, asking: _Asking) -> Iterator[list[Issue]]:
        """Pages of what changed. Raises _AskAgain where the first shows that the server's clock is further on than was
        thought, or that a field is no longer what it was."""
        told: list[Mapping[str, str]] = []
        sent = self._clock()
        remembered = self._items.memory is not None
        jql, fields = asking.jql(self._settings), self._items.names
        pages = self._client.pages(jql, fields, steady=True, names=told.append if remembered else None)
        first = True
        for issues, _ in pages:
            if first:
                started = self._client.server_time(sent)
                if asking.too_short(started):
                    asking.now = self._client.server_time()
                    raise _AskAgain("the clocks disagree")
                if told and not still_right(self._items.fields, self._settings.fields, told[0]):
                    before, self._items = self._items.fields, self._renew()
                    if self._items.fields != before:
                        raise _AskAgain("a configured field changed")
                asking.started = started
                first = False
            yield issues

    def _canary(self, project: str) -> str | None:
        """The key of an item that the next pull must be shown; empty where none is in scope; None where the search
        shows nothing at all of a project of which we hold items."""
        for jql in (queries.newest_in_scope(project, self._settings), queries.anything(project)):
            issues, _, _ = self._client.page(jql, ("key",), 1, None)
            if issues:
                return (issues[0].key or "") if "updated DESC" in jql else ""
        return None

    # --- for undo without a journal

    def open_items(self, project: str, me: Person) -> Iterator[tuple[WorkItem, bool]]:
        """Open items as the search shows them, each with whether we may have commented on it: Jira may show only
        some of an item's comments here, and then we may have."""
        try:
            names = dict.fromkeys((*self._items.names, "comment"))
            for issues, _ in self._client.pages(queries.unfinished(project), tuple(names)):
                for issue in issues:
                    for item in self._items.translate([issue])[0]:
                        yield item, _commented(issue, me)
        except (QueryRefused, TokenExpired) as error:
            raise SourceFailed(str(error)) from error


class _Asking:
    """What is asked: `now` is the server's time as far as we know it, `started` when it answered, once it has."""

    def __init__(self, since: Mapping[str, _Since], now: datetime, *, canaries: bool) -> None:
        self.now = self.started = now
        self._since = since
        self._canaries = sorted({s.mark.canary for s in since.values() if s.mark.canary}) if canaries else []

    def jql(self, settings: JiraSettings) -> str:
        # Where nothing is held, an earlier pull may have been shown nothing: changes alone would miss the rest.
        minutes = {key: _minutes(s.mark.at, self.now) if s.held else None for key, s in self._since.items()}
        return queries.changed(minutes, self._canaries, settings)

    def too_short(self, started: datetime) -> bool:
        """If the two clocks disagree, the larger span only reads more; the smaller one would miss something."""
        return started - self.now > timedelta(minutes=_SLACK)


def _minutes(since: datetime, now: datetime) -> int:
    return max(0, math.ceil((now - since) / timedelta(minutes=1))) + int(OVERLAP / timedelta(minutes=1))


def _since(states: Mapping[str, SliceState]) -> dict[str, _Since]:
    marks = {key: read_mark(state.watermark) for key, state in states.items()}
    return {key: _Since(mark, states[key].held) for key, mark in marks.items() if mark is not None}


def _commented(issue: Issue, me: Person) -> bool:
    try:
        shown = decode(issue.fields, CommentField).comment
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True
    if shown is None:
        return False
    return len(shown.comments) < (shown.total or 0) or any(c.author and c.author.id == me.id for c in shown.comments)
