"""Pulling one repository: first pull, full listing, only what changed, key sweep.

Every listing is ordered by creation, so that an item that changes while pages are read moves nowhere and none is
stepped over; what changed meanwhile is caught by a closing pass. The watermark is the newest `updated_at` the server
has shown, less the time the reading took (by our clock: only a length, never a moment), and every incremental pull
goes another overlap further back.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct, structs

from okrsync.domain.text import iso
from okrsync.domain.trackers import Batch, Clock, NotFound, SliceState, SourceFailed

from .api import Api, Page
from .details import Details
from .payloads import Issue, Repo, Uid
from .translate import work_item

_OVERLAP = timedelta(minutes=5)
_MOST_RELISTINGS = 3
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_STABLE = {"sort": "created", "direction": "asc"}
_NO_GRAPHQL = (
    "the server answers no GraphQL; branches are read from /pulls, and closing references only as keywords in text"
)


class _Resume(Struct, kw_only=True):
    """Where a killed first pull goes on: in the listing of what is open (0), or of what was closed (1)."""

    listing: int
    url: str
    started: datetime
    newest: datetime | None = None


class _Scan:
    """What one reading of a slice gathers on its way. `paged`: some listing had more than one page; `seen_open`:
    what was listed as open."""

    def __init__(self, started: datetime, newest: datetime | None = None) -> None:
        self.started = started
        self.newest = newest
        self.paged = False
        self.seen_open: set[str] = set()

    def saw(self, page: Page[Issue]) -> None:
        self.paged = self.paged or page.next is not None
        for issue in page.items:
            if self.newest is None or issue.updated_at > self.newest:
                self.newest = issue.updated_at
            if issue.state == "open":
                self.seen_open.add(issue.node_id)


class Reader:
    """One repository within one pull. `graphql` turns False once the server has shown that it has none."""

    def __init__(self, api: Api, repo: Repo, *, clock: Clock, since: timedelta, graphql: bool) -> None:
        self._api = api
        self._repo = repo
        self._path = f"repos/{repo.full_name}/issues"
        self._clock = clock
        self._cutoff = clock() - since
        self.graphql = graphql

    def pull(self, state: SliceState, *, full: bool, sweep: bool) -> Iterator[Batch]:
        """Raises Forbidden, NotFound for the repository as a whole."""
        if full:
            yield from self._full()
        elif state.watermark is None:
            yield from self._first(state.resume)
        else:
            yield from self._changed(datetime.fromisoformat(state.watermark), held=state.held, sweep=sweep)

    def _first(self, resume_text: str | None) -> Iterator[Batch]:
        """Everything open, then what was closed and was still touched after the cutoff."""
        resume = self._valid(_load(resume_text))
        scan = _Scan(resume.started if resume else self._clock(), resume.newest if resume else None)
        details = self._details(self._cutoff, open_too=True)
        yield from self._listed(scan, details, resume)
        for _ in range(_MOST_RELISTINGS):
            closed = yield from self._closing_pass(scan, [])
            # where pages go by number, each item that left the open ones pulled the later ones a place forward
            if not closed or (resume is None and not closed & scan.seen_open):
                break
            resume, scan.seen_open = None, set()
            yield from self._listed(scan, details, None)
        yield self._end(scan, None)

    def _listed(self, scan: _Scan, details: Details, resume: _Resume | None) -> Iterator[Batch]:
        listings = ({"state": "open"}, {"state": "closed", "since": _stamp(self._cutoff)})
        for number, filters in enumerate(listings):
            if resume and number < resume.listing:
                continue
            at = resume.url if resume and number == resume.listing else self._path
            for page in self._api.pages(at, Issue, {**filters, **_STABLE}):
                scan.saw(page)
                # a kill between the listings begins the second one, whose address needs no cursor
                here, url = (number, page.next) if page.next else (number + 1, self._path)
                going_on = _Resume(listing=here, url=url, started=scan.started, newest=scan.newest)
                yield self._batch(page.items, details, resume=_dump(going_on) if here < len(listings) else None)

    def _full(self) -> Iterator[Batch]:
        """All items in any state, so that what is missing is known to be gone; translated are those that a first
        pull would read."""
        scan = _Scan(self._clock())
        details = self._details(self._cutoff, open_too=True)
        present: list[str] = []
        for page in self._api.pages(self._path, Issue, {"state": "all", **_STABLE}):
            scan.saw(page)
            present += [i.node_id for i in page.items]
            wanted = [i for i in page.items if i.state == "open" or i.updated_at >= self._cutoff]
            yield structs.replace(self._batch(wanted, details), full=True)
        for batch in self._closing_pass(scan, present):
            yield structs.replace(batch, full=True)
        yield structs.replace(self._end(scan, present), full=True)

    def _changed(self, watermark: datetime, *, held: int, sweep: bool) -> Iterator[Batch]:
        scan = _Scan(self._clock(), watermark)
        changed = yield from self._since(watermark - _OVERLAP, scan)
        # the newest item we hold lies within the overlap: no answer at all is odd, unless it was deleted
        if not changed and held and not self._api.get(self._path, list[Uid], {"state": "all", "per_page": 1}):
            yield Batch(slice=self._repo.full_name, suspect=True)
            return
        present = None
        if sweep:
            present = [u.node_id for u in self._api.all(self._path, Uid, {"state": "all", **_STABLE})]
        yield self._end(scan, present)

    def _closing_pass(self, scan: _Scan, present: list[str]) -> Generator[Batch, None, set[str]]:
        """What changed while several pages were read; returns what of it is closed."""
        if not scan.paged or scan.newest is None:
            return set()
        since = scan.newest - (self._clock() - scan.started) - _OVERLAP
        scan.started = self._clock()
        changed = yield from self._since(since, scan)
        present += [i.node_id for i in changed]
        return {i.node_id for i in changed if i.state != "open"}

    def _since(self, since: datetime, scan: _Scan) -> Generator[Batch, None, list[Issue]]:
        details = self._details(since, open_too=False)
        found: list[Issue] = []
        for page in self._api.pages(self._path, Issue, {"state": "all", "since": _stamp(since), **_STABLE}):
            for issue in page.items:
                scan.newest = max(scan.newest or issue.updated_at, issue.updated_at)
            found += [structs.replace(i, body=None) for i in page.items]  # bodies need not be held
            yield self._batch(page.items, details)
        return found

    def _batch(self, issues: Sequence[Issue], details: Details, resume: str | None = None) -> Batch:
        known = details.of(issues)
        warnings: tuple[str, ...] = ()
        if self.graphql and not details.graphql:
            self.graphql = False
            warnings = (_NO_GRAPHQL,)
        items = tuple(
            work_item(self._api.source, issue, self._repo, known.get(issue.node_id))
            for issue in issues
            if not issue.is_pull or known[issue.node_id] is not None
        )
        return Batch(slice=self._repo.full_name, items=items, resume=resume, warnings=warnings)

    def _end(self, scan: _Scan, present: Sequence[str] | None) -> Batch:
        newest = scan.newest or self._repo.created_at or _LONG_AGO
        watermark = iso(newest - (self._clock() - scan.started))
        uids = None if present is None else tuple(f"{self._api.source}:{p}" for p in dict.fromkeys(present))
        return Batch(slice=self._repo.full_name, watermark=watermark, present=uids)

    def _details(self, since: datetime, *, open_too: bool) -> Details:
        return Details(self._api, self._repo.full_name, graphql=self.graphql, since=since, open_too=open_too)

    def _valid(self, resume: _Resume | None) -> _Resume | None:
        """None where the server no longer knows the address: the slice then starts afresh."""
        if resume is None or not resume.url.startswith("http"):
            return resume
        try:
            self._api.request("GET", resume.url, type=list[Uid])
        except (SourceFailed, NotFound):
            return None
        return resume


def _stamp(moment: datetime) -> str:
    return iso(moment) or ""


def _dump(resume: _Resume) -> str:
    return msgspec.json.encode(resume).decode()


def _load(text: str | None) -> _Resume | None:
    try:
        return msgspec.json.decode(text, type=_Resume) if text else None
    except msgspec.DecodeError:
        return None
