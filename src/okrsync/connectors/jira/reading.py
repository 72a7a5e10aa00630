"""Pulls: one slice per project, listed in full, or what changed since the watermark."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from okrsync.domain.settings import JiraSettings
from okrsync.domain.text import iso
from okrsync.domain.trackers import Batch, Clock, Forbidden, NotFound, SliceState, SourceFailed
from okrsync.domain.work import WorkItem

from .client import QueryRefused, TokenExpired
from .items import ORDER, Items, quoted
from .payloads import Comments, Issue, Person

# Jira's `updated` has the grain of a minute, and its index lags: what is this near to the watermark is read again.
OVERLAP = timedelta(minutes=15)
_RESUMABLE = timedelta(hours=24)  # an interrupted listing older than this begins anew
_RESTARTS = 2
_NEVER = datetime.min.replace(tzinfo=UTC)


class _Resume(Struct, frozen=True):
    """Where an interrupted full listing goes on: the page, when it began (server time), the newest `updated` so far."""

    after: str
    started: datetime
    newest: datetime


class Reader:
    def __init__(self, items: Items, settings: JiraSettings, clock: Clock) -> None:
        self._items = items
        self._client = items.client
        self._settings = settings
        self._clock = clock

    def read(self, project: str, state: SliceState, *, full: bool, sweep: bool) -> Iterator[Batch]:
        """One project. What cannot be read of it is told as a Batch with `problem`."""
        try:
            # Where nothing is held, an earlier pull may have been shown nothing: changes alone would miss the rest.
            if full or state.watermark is None or not state.held:
                yield from self._listing(project, state)
            else:
                yield from self._changes(project, state, datetime.fromisoformat(state.watermark), sweep=sweep)
        except QueryRefused as refused:
            yield Batch(slice=project, problem=f"{refused}; check `jql` and `projects`")
        except TokenExpired as expired:
            problem = (
                f"the listing of {project} had to begin again {_RESTARTS} times ({expired}); the next run tries again"
            )
            yield Batch(slice=project, problem=problem)
        except Forbidden as error:
            problem = f"{error}; give the account the permission Browse Projects (BROWSE_PROJECTS) in {project}"
            yield Batch(slice=project, problem=problem)
        except NotFound as error:
            raise SourceFailed(
                f"{error}; this server lacks the search: check the url, and `email` (only for Cloud)"
            ) from error

    def _listing(self, project: str, state: SliceState) -> Iterator[Batch]:
        """Everything in scope, page by page; resumed where an earlier one was interrupted."""
        now = self._client.server_time()
        resume = _read_resume(state.resume, now)
        for left in range(_RESTARTS, -1, -1):
            try:
                yield from self._list_from(project, resume, now, held=state.held)
                return
            except TokenExpired:
                if not left:
                    raise
                resume = None

    def _list_from(self, project: str, resume: _Resume | None, now: datetime, *, held: int) -> Iterator[Batch]:
        started = resume.started if resume else now
        newest = resume.newest if resume else _NEVER
        seen: set[str] = set()
        pages = self._client.pages(
            self._scope(project) + ORDER, self._items.fields.names, after=resume.after if resume else None
        )
        for issues, following in pages:
            items, warnings = self._items.translate(issues)
            seen.update(self._items.uid(issue) for issue in issues)
            newest = _later(newest, items)
            token = _write_resume(_Resume(following, started, newest)) if following else None
            yield Batch(slice=project, items=items, resume=token, full=True, warnings=warnings)
        # A listing in two parts has not seen its first part; one by offsets (Data Center) misses what slid to an
        # earlier page when something before it was deleted; and nothing is called gone on the word of one listing.
        if resume or not self._client.cloud or len(seen) < held:
            present = self._sweep(project)
            missed = [] if resume else [uid for uid in present if uid not in seen]
            for start in range(0, len(missed), 100):
                items = self._items.by_number([uid.partition(":")[2] for uid in missed[start : start + 100]])
                newest = _later(newest, items)
                yield Batch(slice=project, items=items, full=True)
            seen.update(present)
        watermark = iso(min(newest, started) if newest > _NEVER else started)
        yield Batch(slice=project, full=True, present=tuple(sorted(seen)), watermark=watermark)

    def _changes(self, project: str, state: SliceState, watermark: datetime, *, sweep: bool) -> Iterator[Batch]:
        """What changed since the watermark, in relative JQL: neither time zones nor a skewed clock matter."""
        started = self._client.server_time()
        # If the two clocks disagree, the larger span only reads more.
        span = max(started, self._clock()) - watermark
        minutes = max(0, math.ceil(span.total_seconds() / 60)) + int(OVERLAP.total_seconds() // 60)
        jql = f"{self._project(project)} AND updated >= -{minutes}m{self._filter()}{ORDER}"
        newest = watermark
        seen: set[str] = set()
        for left in range(_RESTARTS, -1, -1):
            try:
                for issues, _ in self._client.pages(jql, self._items.fields.names, steady=True):
                    items, warnings = self._items.translate(issues)
                    seen.update(self._items.uid(issue) for issue in issues)
                    newest = _later(newest, items)
                    if items or warnings:
                        yield Batch(slice=project, items=items, warnings=warnings)
                break
            except TokenExpired:
                if not left:
                    raise
        if not seen and state.held and not self._anything(project):
            yield Batch(slice=project, suspect=True)
            return
        present = tuple(sorted(seen.union(self._sweep(project)))) if sweep else None
        yield Batch(slice=project, watermark=iso(max(watermark, min(newest, started))), present=present)

    def _sweep(self, project: str) -> list[str]:
        """The uids of everything in scope. Cloud gives 5000 per page where only ids are asked for."""
        for left in range(_RESTARTS, -1, -1):
            try:
                pages = self._client.pages(
                    self._scope(project) + ORDER, ("id",), size=5000 if self._client.cloud else 1000
                )
                return [self._items.uid(issue) for issues, _ in pages for issue in issues]
            except TokenExpired:
                if not left:
                    raise
        return []

    def _anything(self, project: str) -> bool:
        """The canary: does the search show anything at all of a project of which we hold items?"""
        issues, _ = next(self._client.pages(self._project(project) + ORDER, ("id",), size=1))
        return bool(issues)

    def open_items(self, project: str, me: Person) -> Iterator[tuple[WorkItem, bool]]:
        """Open items as the search shows them, each with whether we may have commented on it: Jira may show only
        some of an item's comments here, and then we may have."""
        jql = f"{self._project(project)} AND statusCategory != Done{ORDER}"
        try:
            for issues, _ in self._client.pages(jql, (*self._items.fields.names, "comment")):
                for issue in issues:
                    for item in self._items.translate([issue])[0]:
                        yield item, _commented(issue, me)
        except (QueryRefused, TokenExpired) as error:
            raise SourceFailed(str(error)) from error

    # --- queries

    def _project(self, key: str) -> str:
        return f"project in ({quoted(key)})"

    def _filter(self) -> str:
        jql = re.sub(r"\border\s+by\b.*$", "", self._settings.jql or "", flags=re.IGNORECASE | re.DOTALL).strip()
        return f" AND ({jql})" if jql else ""

    def _scope(self, project: str) -> str:
        # whatever was closed since then was updated since then
        minutes = int(self._settings.since.total_seconds() // 60)
        since = f"-{minutes // 1440}d" if minutes % 1440 == 0 else f"-{minutes}m"
        return f"{self._project(project)} AND (statusCategory != Done OR updated >= {since}){self._filter()}"


def _commented(issue: Issue, me: Person) -> bool:
    try:
        shown = msgspec.convert((issue.fields or {}).get("comment"), Comments | None)
    except msgspec.ValidationError:
        return True
    if shown is None:
        return False
    return len(shown.comments) < (shown.total or 0) or any(c.author and c.author.id == me.id for c in shown.comments)


def _later(newest: datetime, items: Sequence[WorkItem]) -> datetime:
    return max((newest, *(item.updated for item in items)))


def _write_resume(resume: _Resume) -> str:
    return msgspec.json.encode(resume).decode()


def _read_resume(text: str | None, now: datetime) -> _Resume | None:
    try:
        resume = msgspec.json.decode(text or "null", type=_Resume | None)
    except msgspec.DecodeError:
        return None
    return resume if resume and now - resume.started < _RESUMABLE else None
