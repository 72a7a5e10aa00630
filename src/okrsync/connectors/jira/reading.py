"""Pulls: one slice per project, listed in full, or what changed since the watermark."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from okrsync.connectors.decoding import decode
from okrsync.domain.settings import JiraSettings
from okrsync.domain.text import iso
from okrsync.domain.trackers import Batch, Clock, Forbidden, NotFound, SliceState, SourceFailed
from okrsync.domain.work import WorkItem

from . import queries
from .client import QueryRefused, TokenExpired
from .items import Items
from .listing import RESTARTS, Listing, later
from .payloads import CommentField, Issue, Person

# Jira's `updated` has the grain of a minute, and its index lags: what is this near to the watermark is read again.
OVERLAP = timedelta(minutes=15)


class Reader:
    def __init__(self, items: Items, settings: JiraSettings, clock: Clock) -> None:
        self._items = items
        self._client = items.client
        self._settings = settings
        self._clock = clock
        self._listing = Listing(items, settings)

    def read(self, project: str, state: SliceState, *, full: bool, sweep: bool) -> Iterator[Batch]:
        """One project. What cannot be read of it is told as a Batch with `problem`."""
        try:
            # Where nothing is held, an earlier pull may have been shown nothing: changes alone would miss the rest.
            if full or state.watermark is None or not state.held:
                yield from self._listing.read(project, state)
            else:
                yield from self._changes(project, state, datetime.fromisoformat(state.watermark), sweep=sweep)
        except QueryRefused as refused:
            yield Batch(slice=project, problem=f"{refused}; check `jql` and `projects`")
        except TokenExpired as expired:
            problem = (
                f"the listing of {project} had to begin again {RESTARTS} times ({expired}); the next run tries again"
            )
            yield Batch(slice=project, problem=problem)
        except Forbidden as error:
            problem = f"{error}; give the account the permission Browse Projects (BROWSE_PROJECTS) in {project}"
            yield Batch(slice=project, problem=problem)
        except NotFound as error:
            raise SourceFailed(
                f"{error}; this server lacks the search: check the url, and `email` (only for Cloud)"
            ) from error

    def _changes(self, project: str, state: SliceState, watermark: datetime, *, sweep: bool) -> Iterator[Batch]:
        """What changed since the watermark, in relative JQL: neither time zones nor a skewed clock matter."""
        started = self._client.server_time()
        # If the two clocks disagree, the larger span only reads more.
        span = max(started, self._clock()) - watermark
        minutes = max(0, math.ceil(span.total_seconds() / 60)) + int(OVERLAP.total_seconds() // 60)
        jql = queries.changed(project, self._settings, minutes)
        newest = watermark
        seen: set[str] = set()
        for left in range(RESTARTS, -1, -1):
            try:
                for issues, _ in self._client.pages(jql, self._items.fields.names, steady=True):
                    items, warnings = self._items.translate(issues)
                    seen.update(self._items.uid(issue) for issue in issues)
                    newest = later(newest, items)
                    if items or warnings:
                        yield Batch(slice=project, items=items, warnings=warnings)
                break
            except TokenExpired:
                if not left:
                    raise
        if not seen and state.held and not self._anything(project):
            yield Batch(slice=project, suspect=True)
            return
        present = tuple(sorted(seen.union(self._listing.present(project)))) if sweep else None
        yield Batch(slice=project, watermark=iso(max(watermark, min(newest, started))), present=present)

    def _anything(self, project: str) -> bool:
        """The canary: does the search show anything at all of a project of which we hold items?"""
        issues, _ = next(self._client.pages(queries.everything(project), ("id",), size=1))
        return bool(issues)

    def open_items(self, project: str, me: Person) -> Iterator[tuple[WorkItem, bool]]:
        """Open items as the search shows them, each with whether we may have commented on it: Jira may show only
        some of an item's comments here, and then we may have."""
        try:
            for issues, _ in self._client.pages(queries.unfinished(project), (*self._items.fields.names, "comment")):
                for issue in issues:
                    for item in self._items.translate([issue])[0]:
                        yield item, _commented(issue, me)
        except (QueryRefused, TokenExpired) as error:
            raise SourceFailed(str(error)) from error


def _commented(issue: Issue, me: Person) -> bool:
    try:
        shown = decode(issue.fields, CommentField).comment
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True
    if shown is None:
        return False
    return len(shown.comments) < (shown.total or 0) or any(c.author and c.author.id == me.id for c in shown.comments)
