"""One project in full: on Cloud all ids, then the issues in bulk; elsewhere page by page. A killed one goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
from msgspec import Struct

from okrsync.connectors.parallel import in_order
from okrsync.domain.settings import JiraSettings
from okrsync.domain.text import iso
from okrsync.domain.trackers import Batch, SliceState
from okrsync.domain.work import WorkItem

from . import queries
from .client import TokenExpired
from .items import Items, NoBulkFetch

_RESUMABLE = timedelta(hours=24)  # an interrupted listing older than this begins anew
RESTARTS = 2
_NEVER = datetime.min.replace(tzinfo=UTC)
_CHUNK = 100  # a bulk fetch takes no more


class _Resume(Struct, frozen=True):
    """Where an interrupted full listing goes on: on the page `after`, or behind an id where there is none; when it
    began (server time), the newest `updated` so far."""

    after: str
    started: datetime
    newest: datetime
    behind: int = 0


class Listing:
    def __init__(self, items: Items, settings: JiraSettings) -> None:
        self._items = items
        self._client = items.client
        self._settings = settings

    def read(self, project: str, state: SliceState) -> Iterator[Batch]:
        """Everything in scope. Raises TokenExpired, QueryRefused."""
        now = self._client.server_time()
        resume = _read_resume(state.resume, now)
        if self._client.cloud and self._items.bulk and not (resume and resume.after):
            try:
                yield from self._by_id(project, resume, now, held=state.held)
                return
            except NoBulkFetch:
                resume = None
        for left in range(RESTARTS, -1, -1):
            try:
                yield from self._by_page(project, resume, now, held=state.held)
                return
            except TokenExpired:
                if not left:
                    raise
                resume = None

    def _by_id(self, project: str, resume: _Resume | None, now: datetime, *, held: int) -> Iterator[Batch]:
        """By ascending id, which nothing ever changes: whatever comes or goes meanwhile, no other issue moves. What
        changes behind us has an `updated` after `started`. Raises NoBulkFetch."""
        started, newest = (resume.started, resume.newest) if resume else (now, _NEVER)
        have: set[str] = set()
        if resume is None:
            # most projects are small: one page is all there is, and no scan is needed
            jql, names = queries.in_scope(project, self._settings), self._items.fields.names
            issues, following = next(self._client.listing(jql, names))
            items, warnings = self._items.translate(issues)
            have.update(map(self._items.uid, issues))
            newest = later(newest, items)
            yield Batch(slice=project, items=items, full=True, warnings=warnings)
            if following is None and len(have) >= held:
                present = tuple(sorted(have))
                yield Batch(slice=project, full=True, present=present, watermark=_watermark(newest, started))
                return
        ids = self._ids(project)
        if len(ids) < held:
            # nothing is called gone on the word of one scan
            ids = sorted({*ids, *self._ids(project)})
        behind = resume.behind if resume else 0
        left = [id_ for id_ in ids if id_ > behind and self._items.uid_of(id_) not in have]
        chunks = [left[start : start + _CHUNK] for start in range(0, len(left), _CHUNK)]
        away: set[str] = set()
        fetched = in_order(partial(self._items.listed, chunk) for chunk in chunks)
        for chunk, listed in zip(chunks, fetched, strict=True):
            # what was moved since the scan is another project's
            items = tuple(item for item in listed.items if item.container.upper() == project)
            away.update(item.uid for item in listed.items if item.container.upper() != project)
            away.update(map(self._items.uid_of, listed.gone))
            newest = later(newest, items)
            token = _write_resume(_Resume("", started, newest, chunk[-1])) if chunk is not chunks[-1] else None
            yield Batch(slice=project, items=items, resume=token, full=True, warnings=listed.warnings)
        present = tuple(uid for uid in map(self._items.uid_of, ids) if uid not in away)
        yield Batch(slice=project, full=True, present=present, watermark=_watermark(newest, started))

    def _by_page(self, project: str, resume: _Resume | None, now: datetime, *, held: int) -> Iterator[Batch]:
        started, newest = (resume.started, resume.newest) if resume else (now, _NEVER)
        seen: set[str] = set()
        jql, names = queries.in_scope(project, self._settings), self._items.fields.names
        for issues, following in self._client.listing(jql, names, after=resume.after or None if resume else None):
            items, warnings = self._items.translate(issues)
            seen.update(self._items.uid(issue) for issue in issues)
            newest = later(newest, items)
            token = _write_resume(_Resume(following, started, newest)) if following else None
            yield Batch(slice=project, items=items, resume=token, full=True, warnings=warnings)
        # A listing in two parts has not seen its first part; one by offsets (Data Center) misses what slid to an
        # earlier page when something before it was deleted; and nothing is called gone on the word of one listing.
        if resume or not self._client.cloud or len(seen) < held:
            present = self.present(project)
            missed = [] if resume else [uid for uid in present if uid not in seen]
            for start in range(0, len(missed), _CHUNK):
                items = self._items.by_number([uid.partition(":")[2] for uid in missed[start : start + _CHUNK]])
                newest = later(newest, items)
                yield Batch(slice=project, items=items, full=True)
            seen.update(present)
        yield Batch(slice=project, full=True, present=tuple(sorted(seen)), watermark=_watermark(newest, started))

    def present(self, project: str) -> list[str]:
        """The uids of everything in scope. Cloud gives 5000 per page where only ids are asked for."""
        for left in range(RESTARTS, -1, -1):
            try:
                jql, size = queries.in_scope(project, self._settings), 5000 if self._client.cloud else 1000
                pages = self._client.listing(jql, ("id",), size=size)
                return [self._items.uid(issue) for issues, _ in pages for issue in issues]
            except TokenExpired:
                if not left:
                    raise
        return []

    def _ids(self, project: str) -> list[int]:
        """In the order in which they are fetched, whatever order the search has. Raises NoBulkFetch where an issue has
        no number."""
        numbers = {uid.partition(":")[2] for uid in self.present(project)}
        if not all(map(str.isdecimal, numbers)):
            raise NoBulkFetch
        return sorted(map(int, numbers))


def later(newest: datetime, items: Sequence[WorkItem]) -> datetime:
    return max((newest, *(item.updated for item in items)))


def _watermark(newest: datetime, started: datetime) -> str | None:
    return iso(min(newest, started) if newest > _NEVER else started)


def _write_resume(resume: _Resume) -> str:
    return msgspec.json.encode(resume).decode()


def _read_resume(text: str | None, now: datetime) -> _Resume | None:
    try:
        resume = msgspec.json.decode(text or "null", type=_Resume | None)
    except msgspec.DecodeError:
        return None
    return resume if resume and now - resume.started < _RESUMABLE else None
