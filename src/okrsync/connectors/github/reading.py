"""Pulling one repository: first pull, full listing, only what changed, key sweep.

Every listing is ordered by creation, so that an item that changes while pages are read moves nowhere and none is
stepped over; what changed meanwhile is caught by a closing pass. Long listings are read several pages at a time by
their numbers; where an item has left such a listing meanwhile, another may have been stepped over, and the listing is
read again from link to link. The watermark is the newest `updated_at` the server has shown, less the time the reading
took (by our clock: only a length, never a moment), and every incremental pull goes another overlap further back; it
stays where it is while nothing is newer, so that the server can answer "not modified". Where a glance (`glancing.py`)
shows what was read last time, nothing is asked at all.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct, structs

from okrsync.connectors.decoding import decode
from okrsync.connectors.parallel import in_order
from okrsync.connectors.seen import Seen
from okrsync.domain.text import iso
from okrsync.domain.trackers import Batch, Clock, Forbidden, NotFound, SliceState, SourceFailed, TrackerError
from okrsync.domain.work import Command

from .api import PAGE, Api, Page
from .commands import Commands
from .details import Details, full_queries
from .glancing import Glance
from .payloads import Issue, Repo, Uid, uid
from .translate import PullDetails, work_item
from .watermarks import OVERLAP, Watermark, load, nature, recent, spell

Row = TypeVar("Row", Issue, Uid)

_SAME_SECOND = timedelta(seconds=2)  # younger than this, an item may change again and show the same time
_STEP = timedelta(minutes=1)  # by less the watermark does not move
_QUERIES_AT_A_TIME = 4
_MOST_RELISTINGS = 3
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_STABLE = {"sort": "created", "direction": "asc"}
_ALL = {"state": "all", **_STABLE}
_Listing = Literal["closed", "open", "all"]
# what is closed meanwhile is then new to the closing pass
_APART: tuple[_Listing, ...] = ("closed", "open")
_NO_GRAPHQL = (
    "the server answers no GraphQL; branches are read from /pulls, and closing references only as keywords in text"
)


class _Resume(Struct, kw_only=True):
    """Where a killed first pull goes on: in the listing of what was closed, of what is open, or of both."""

    listing: _Listing
    url: str
    started: datetime
    newest: datetime | None = None


class _Scan:
    """What one reading of a slice gathers on its way.

    paged     some listing had more than one page
    seen      which items were shown, and as of when
    shifting  pages were asked for by number of a listing that items leave
    moved     the last pass met items that may have left or entered a listing meanwhile
    base      the watermark whose overlap the last pass began with; `etag` of its answer, if that was one page
    recent    when what lies within an overlap of the newest was updated, by number
    date      when the last pass began, by the server's clock
    """

    def __init__(self, source: str, started: datetime, newest: datetime | None = None) -> None:
        self._source = source
        self.started = started
        self.newest = newest
        self.paged = False
        self.seen = Seen()
        self.shifting = False
        self.moved = False
        self.base: datetime | None = None
        self.etag = ""
        self.recent: dict[int, datetime] = {}
        self.date: datetime | None = None

    def saw(self, page: Page[Issue]) -> None:
        self.paged = self.paged or page.next is not None
        self.date = self.date or page.date
        self.recent = recent(self.recent | {i.number: i.updated_at for i in page.items})
        for issue in page.items:
            self.newest = max(self.newest or issue.updated_at, issue.updated_at)
            self.seen.note(uid(self._source, issue), _moment(issue))

    def knows(self, issue: Issue) -> bool:
        """Whether it was shown as it is."""
        return self.seen.knows(uid(self._source, issue), _moment(issue))

    @property
    def shown(self) -> str:
        newest = max(self.recent.values(), default=None)
        settled = newest is None or (self.date is not None and newest <= self.date - _SAME_SECOND)
        return spell(self.recent) if settled else ""


class Reader:
    """One repository within one pull. `glance`: what was seen of it before. `graphql` turns False once the server has
    shown that it has none."""

    def __init__(
        self,
        api: Api,
        repo: Repo,
        *,
        clock: Clock,
        since: timedelta,
        commands: Commands,
        graphql: bool,
        glance: Glance | None = None,
    ) -> None:
        self._api = api
        self._repo = repo
        self._path = f"repos/{repo.full_name}/issues"
        self._clock = clock
        self._cutoff = clock() - since
        self._glance = glance
        self._commands = commands
        self.graphql = graphql

    def pull(self, state: SliceState, *, full: bool, sweep: bool) -> Iterator[Batch]:
        """Raises Forbidden, NotFound for the repository as a whole."""
        before = load(state.watermark) if state.watermark else None
        if full or (sweep and before and self._api.fields):
            yield from self._full()
        elif before is None:
            yield from self._first(state)
        elif before.nature not in ("", nature(self._repo)):
            yield from self._full()  # it was archived or published, which its items have to know
        elif not sweep and before.shown and self._glance is not None and self._glance.shown == before.shown:
            yield Batch(slice=self._repo.full_name, watermark=state.watermark)
        else:
            yield from self._changed(before, held=state.held, sweep=sweep)

    def _first(self, state: SliceState) -> Iterator[Batch]:
        """Everything open, and what was closed and was still touched after the cutoff."""
        resume = self._valid(_load(state.resume))
        scan = _Scan(self._api.source, resume.started if resume else self._clock(), resume.newest if resume else None)
        details = self._details(self._cutoff, open_too=True)
        if resume:
            yield from self._listed(resume.listing, self._api.pages(resume.url, Issue), scan, details)
            if resume.listing == "closed":
                yield from self._listed("open", self._numbered("open"), scan, details)
        else:
            yield from self._begun(scan, details)
        for _ in range(_MOST_RELISTINGS):
            yield from self._closing_pass(scan)
            if not (scan.moved and scan.shifting):
                break
            scan.shifting = False  # by cursors nothing shifts; older servers have none
            for listing in _APART:
                pages = self._api.pages(self._path, Issue, self._filters(listing))
                yield from self._listed(listing, pages, scan, details)
        # where nothing was held, nothing can be gone: the first sweep is done
        yield self._end(scan, None if state.resume or state.held else scan.seen)

    def _begun(self, scan: _Scan, details: Details) -> Iterator[Batch]:
        """One listing of everything where that takes no more pages than what is open and what was closed apart."""
        first = self._page(Issue)
        if not first.items and self._repo.open_issues_count:
            raise Forbidden(f"{self._path} shows none of {self._repo.open_issues_count} open issues")
        if first.next is None or 1 < first.last <= -(-self._repo.open_issues_count // PAGE) + 1:
            pages = self._api.numbered(first, self._path, Issue, _ALL)
            yield from self._listed("all", pages, scan, details)
            return
        for listing in _APART:
            yield from self._listed(listing, self._numbered(listing), scan, details)

    def _listed(
        self, listing: _Listing, pages: Iterable[Page[Issue]], scan: _Scan, details: Details
    ) -> Iterator[Batch]:
        for page, batch in self._batches(self._wanted(pages, scan), details):
            scan.shifting = scan.shifting or (page.numbered and listing != "all")
            going_on = _Resume(listing=listing, url=page.next or "", started=scan.started, newest=scan.newest)
            if page.next is None and listing == "closed":
                # a kill between the listings begins the second one, whose address needs no cursor
                going_on = structs.replace(going_on, listing="open", url=self._path)
            yield structs.replace(batch, resume=_dump(going_on) if going_on.url else None)

    def _filters(self, listing: _Listing) -> dict[str, str]:
        if listing == "open":
            return {"state": "open", **_STABLE}
        return {"state": "closed", "since": _stamp(self._cutoff), **_STABLE}

    def _numbered(self, listing: _Listing) -> Iterator[Page[Issue]]:
        filters = self._filters(listing)
        return self._api.numbered(self._page(Issue, filters), self._path, Issue, filters)

    def _full(self) -> Iterator[Batch]:
        """All items in any state, so that what is missing is known to be gone; translated are those that a first
        pull would read."""
        scan = _Scan(self._api.source, self._clock())
        details = self._details(self._cutoff, open_too=True)
        for pages in self._complete(Issue, scan.seen):
            for _, batch in self._batches(self._wanted(pages, scan), details):
                yield structs.replace(batch, full=True)
        for batch in self._closing_pass(scan):
            yield structs.replace(batch, full=True)
        yield structs.replace(self._end(scan, scan.seen), full=True)

    def _changed(self, before: Watermark, *, held: int, sweep: bool) -> Iterator[Batch]:
        scan = _Scan(self._api.source, self._clock(), before.moment)
        fresh = self._glance.changed_since(before) if self._glance and not sweep else None
        unchanged = yield from self._since(fresh or before.moment - OVERLAP, scan, "" if fresh else before.etag)
        if fresh:
            scan.base = None  # the next reading goes back by a whole overlap again
        # the newest item we hold lies within the overlap: no answer at all is odd, unless it was deleted
        nothing = held and not (scan.seen or unchanged)
        if nothing and not self._api.get(self._path, list[Uid], {"state": "all", "per_page": 1}):
            yield Batch(slice=self._repo.full_name, suspect=True)
            return
        present = Seen()
        for pages in self._complete(Uid, present) if sweep else ():
            for page in pages:
                present.update(uid(self._api.source, one) for one in page.items)
        yield self._end(scan, present if sweep else None, before.shown if unchanged else None)

    def _complete(self, type_: type[Row], seen: Seen) -> Iterator[Iterator[Page[Row]]]:
        """The pages of everything, each to be put into `seen` before the next is taken. Pages by number are trusted
        only if as many items came as there were up to the newest at the beginning; else all are yielded once more,
        from link to link."""
        first = self._page(type_)
        if first.last > 1:
            newest = self._api.page(self._path, Uid, {"state": "all", "direction": "desc", "per_page": 1})
            first = self._page(type_)  # again, since something may have left it before they were counted
            pages = self._api.numbered(first, self._path, type_, _ALL)
            last = uid(self._api.source, newest.items[0]) if newest and newest.items else ""
            counts: list[int] = []
            yield self._counted(pages, last, seen, counts)
            if newest and newest.last in counts[:1]:
                return
            seen.clear()
            first = self._page(type_)
        yield self._api.linked(first, type_)

    def _counted(self, pages: Iterable[Page[Row]], last: str, seen: Seen, counts: list[int]) -> Iterator[Page[Row]]:
        """The pages; where `last` is shown, `counts` gets the number of items up to it."""
        for page in pages:
            uids = list(dict.fromkeys(uid(self._api.source, one) for one in page.items))
            if last in uids:
                counts.append(len(seen) + sum(one not in seen for one in uids[: uids.index(last) + 1]))
            yield page

    def _closing_pass(self, scan: _Scan) -> Iterator[Batch]:
        """What changed while several pages were read."""
        scan.moved = False
        if scan.paged and scan.newest is not None:
            since = scan.newest - (self._clock() - scan.started) - OVERLAP
            scan.started = self._clock()
            yield from self._since(since, scan)

    def _since(self, since: datetime, scan: _Scan, etag: str = "") -> Generator[Batch, None, bool]:
        """What changed since then and was not shown as it is; returns whether the answer was "not modified"."""
        scan.base, scan.etag, scan.date = since + OVERLAP, etag, None
        first = self._api.page(self._path, Issue, {**_ALL, "since": _stamp(since)}, etag=etag)
        if first is None:
            return True
        scan.etag = first.etag if first.items and first.next is None else ""
        details = self._details(since, open_too=False)
        for _, batch in self._batches(self._fresh(self._api.linked(first, Issue), scan), details):
            yield batch
        return False

    def _fresh(self, pages: Iterable[Page[Issue]], scan: _Scan) -> Iterator[Page[Issue]]:
        for page in pages:
            fresh = [i for i in page.items if not scan.knows(i)]
            scan.moved = scan.moved or any(i.state != "open" or i.state_reason == "reopened" for i in fresh)
            scan.saw(page)
            yield structs.replace(page, items=fresh)

    def _wanted(self, pages: Iterable[Page[Issue]], scan: _Scan) -> Iterator[Page[Issue]]:
        for page in pages:
            scan.saw(page)
            yield structs.replace(
                page, items=[i for i in page.items if i.state == "open" or i.updated_at >= self._cutoff]
            )

    def _batches(self, pages: Iterable[Page[Issue]], details: Details) -> Iterator[tuple[Page[Issue], Batch]]:
        """Each page as it comes, in order, once the details of its pull requests are there; an error of a page after
        all pages before it, so that they can be stored."""

        def ask(
            pulls: list[Issue], whole: list[Page[Issue]]
        ) -> tuple[dict[str, PullDetails | None], dict[str, tuple[Command, ...]], list[Page[Issue]]]:
            said = self._commands.of([(self._repo.full_name, issue) for page in whole for issue in page.items])
            return details.of(pulls), said, whole

        failed: list[TrackerError] = []

        def readable() -> Iterator[Page[Issue]]:
            try:
                yield from pages
            except TrackerError as error:
                failed.append(error)

        before: dict[str, PullDetails | None] = {}  # a page's pull requests may lie in two queries
        asks = (
            partial(ask, pulls, whole) for pulls, whole in full_queries(readable(), issues_too=bool(self._api.fields))
        )
        for found, said, whole in in_order(asks, _QUERIES_AT_A_TIME):
            known = {**before, **found}
            for page in whole:
                yield page, self._batch(page.items, known, said, details)
            before = found
        if failed:
            raise failed[0]

    def _batch(
        self,
        issues: list[Issue],
        known: Mapping[str, PullDetails | None],
        said: Mapping[str, tuple[Command, ...]],
        details: Details,
    ) -> Batch:
        warnings: tuple[str, ...] = ()
        if self.graphql and not details.graphql:
            self.graphql = False
            warnings = (_NO_GRAPHQL,)
        items = []
        for issue in issues:
            found = known.get(issue.node_id)
            if not issue.is_pull or found is not None:
                commands = said.get(issue.node_id, ())
                items.append(work_item(self._api.source, issue, self._repo, found, commands))
        return Batch(slice=self._repo.full_name, items=tuple(items), warnings=warnings)

    def _end(self, scan: _Scan, present: Collection[str] | None, shown: str | None = None) -> Batch:
        """`shown`: as it was, where nothing was read."""
        newest = scan.newest or self._repo.created_at or _LONG_AGO
        moment = newest - (self._clock() - scan.started)
        etag = ""
        if scan.base is not None and moment < scan.base + _STEP:
            moment, etag = scan.base, scan.etag
        if self._glance is not None and self._glance.shown and self._glance.settled:
            shown = self._glance.shown
        elif shown is None:
            shown = scan.shown
        watermark = Watermark(moment=moment, etag=etag, shown=shown, nature=nature(self._repo))
        return Batch(slice=self._repo.full_name, watermark=watermark.dump(), present=present)

    def _page(self, type_: type[Row], filters: Mapping[str, str] = _ALL) -> Page[Row]:
        page = self._api.page(self._path, type_, filters)
        assert page is not None, "asked without an etag"
        return page

    def _details(self, since: datetime, *, open_too: bool) -> Details:
        return Details(
            self._api,
            self._repo.full_name,
            graphql=self.graphql,
            since=since,
            open_too=open_too,
            known=self._glance.details if self._glance else None,
        )

    def _valid(self, resume: _Resume | None) -> _Resume | None:
        """None where the server no longer knows the address: the slice then starts afresh."""
        if resume is None or not resume.url.startswith("http"):
            return resume
        try:
            self._api.request("GET", resume.url, type=list[Uid])
        except (SourceFailed, NotFound):
            return None
        return resume


def _moment(issue: Issue) -> int:
    """When it was updated, in microseconds."""
    return int(issue.updated_at.timestamp() * 1_000_000)


def _stamp(moment: datetime) -> str:
    return iso(moment) or ""


def _dump(resume: _Resume) -> str:
    return msgspec.json.encode(resume).decode()


def _load(text: str | None) -> _Resume | None:
    try:
        return decode(text, _Resume) if text else None
    except msgspec.DecodeError:
        return None
