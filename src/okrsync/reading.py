"""From the sources into the store: pull, shrink guard, chasing of references.

Sources are read in parallel threads; batches are stored by the calling thread, so that one database
connection suffices and rows and watermark move together.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct, structs

from . import linking
from .bootstrap import Session
from .chasing import SWEEP_EVERY, as_read, chase
from .domain.findings import SourceReport
from .domain.outlines import OUTLINED
from .domain.settings import ConnectorSettings, JiraSettings
from .domain.storage import sweep_due
from .domain.trackers import Batch, SourceFailed, Tracker, TrackerError
from .domain.work import HIDDEN, WorkItem
from .handover import End, Handover
from .logs import get_logger
from .missed import Missed

log = get_logger()

# A source that answers with less than this share of what it held is suspect.
SHRINK = 0.5
# The guard asks about the source; a slice below both of these cannot empty it.
MINOR_ITEMS = 10
MINOR_SHARE = 0.2

Progress = Callable[[str, int], None]
"""Told the source's name and the number of items just stored."""


class Pulled(Struct, kw_only=True):
    """What reading did. `unread` holds why a source or container could not be read; `loud` what must be said and
    ends with exit 3 although nothing failed (a first pull that found nothing)."""

    sources: tuple[SourceReport, ...]
    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    chased: int = 0
    loud: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def nothing_read(self) -> bool:
        return bool(self.sources) and not any(s.complete for s in self.sources)

    def json(self) -> dict[str, object]:
        counts = {f: getattr(self, f) for f in ("new", "changed", "same", "gone", "chased")}
        return {**counts, "warnings": [*self.loud, *self.warnings], "sources": [s.json() for s in self.sources]}


def pull(
    session: Session, *, full: bool = False, accept_shrink: bool = False, progress: Progress | None = None
) -> Pulled:
    """Reads every source, then chases what is referenced and not held. Raises StoreError and Stopped only: a source
    that fails is reported, the others go on."""
    begun = session.clock()
    session.start_budget()
    trackers = session.trackers()
    projects, failed = _projects(session, trackers)
    _reread_texts(session, projects)
    readers = {
        name: _Reader(
            session,
            tracker,
            settings=session.workspace.connector(name),
            projects=projects,
            full=full,
            accept_shrink=accept_shrink,
        )
        for name, tracker in trackers.items()
        if name not in failed
    }
    inbox = Handover(session.check_stop)
    threads = [threading.Thread(target=r.read, args=(inbox,), daemon=True) for r in readers.values()]
    for thread in threads:
        thread.start()
    try:
        running = len(threads)
        while running:
            pages: dict[str, list[Batch]] = {}
            for message in inbox.take():
                if isinstance(message, End):
                    running -= 1
                    if message.error is not None:
                        failed[message.source] = str(message.error)
                else:
                    pages.setdefault(message[0], []).append(message[1])
            for name, batches in pages.items():
                readers[name].store(batches)
                if progress is not None:
                    progress(name, sum(len(batch.items) for batch in batches))
    finally:
        inbox.close()  # a stop or an error of the store ends the readers too
    for name, reader in readers.items():
        if name not in failed and (trouble := reader.trouble or reader.nothing_readable):
            failed[name] = trouble
    session.start_budget()  # a source that used up its time must not cost the others their references,
    _reread_silent(session, [name for name, r in readers.items() if r.sweep and name not in failed], begun)
    chased = chase(session, trackers, projects, failed, begun=begun)
    session.check_stop()  # sources that were cut off are not reported as failed
    session.start_budget()  # nor their writes
    return _report(session, readers, failed, chased)


class _Reader:
    """Reads one source in a thread (`read`) and stores its batches in the caller's (`store`)."""

    def __init__(
        self,
        session: Session,
        tracker: Tracker,
        *,
        settings: ConnectorSettings | None,
        projects: Mapping[str, str],
        full: bool,
        accept_shrink: bool,
    ) -> None:
        assert settings is not None
        self.session = session
        self.tracker = tracker
        self.projects = projects
        self.missed = Missed(session.store, tracker.name)
        self.slices = self.missed.anew(session.store.slices(tracker.name))
        # A scope that the operator changed is read anew, and what leaves with it is no shrink.
        self.scope = settings.model_dump_json(exclude=_unscoped(settings))
        self.rescoped = session.store.get_meta(f"scope:{tracker.name}") not in (None, self.scope)
        self.full = full or self.rescoped
        self.accept_shrink = accept_shrink or self.rescoped
        self.first = not self.slices
        now = session.clock()
        due = any(s.swept_at is None or now - s.swept_at >= SWEEP_EVERY for s in self.slices.values())
        # What one run found suspect stays so, and what is accepted is found, by a sweep, whenever the next was due.
        missed = session.store.get_meta(sweep_due(tracker.name))
        self.sweep = due or accept_shrink or bool(missed or session.store.get_meta(f"suspect:{tracker.name}"))
        self.counts = {"new": 0, "changed": 0, "same": 0, "gone": 0}
        self.seen: set[str] = set()
        self.unreadable: dict[str, str] = {}
        self.warnings: list[str] = []
        self.trouble = ""

    def read(self, inbox: Handover) -> None:
        error: TrackerError | None = None
        try:
            for batch in self.tracker.pull(self.slices, full=self.full, sweep=self.sweep):
                if not inbox.put((self.tracker.name, batch)):
                    return
                if self.session.clock() >= self.session.deadline:
                    raise SourceFailed("not read to its end within `run_timeout`; the next run goes on from here")
        except TrackerError as problem:
            error = problem
        except Exception as problem:  # an unexpected payload must not take the others down
            log.debug("reading failed", source=self.tracker.name, exc_info=True)
            error = SourceFailed(f"unexpected {type(problem).__name__} while reading: {problem!s:.200}")
        finally:
            inbox.put(End(self.tracker.name, error))

    def store(self, batches: Iterable[Batch]) -> None:
        """What comes in between pages that only bring items is told by what those before it have brought."""
        pages: list[Batch] = []
        for batch in batches:
            self.warnings += batch.warnings
            self.seen.add(batch.slice)
            if batch.problem is None and batch.present is None and not batch.suspect:
                pages.append(batch)
            else:
                self._save(pages)
                pages = []
                self._take(batch)
        self._save(pages)

    def _take(self, batch: Batch) -> None:
        if batch.problem is not None:
            if not batch.suspect:
                self.unreadable[batch.slice] = batch.problem
            elif self.accept_shrink:
                self.seen.discard(batch.slice)  # so it leaves as if the workspace no longer named it
            else:
                self.unreadable[batch.slice] = f"{batch.problem}; if it is gone, run once with --accept-shrink"
            return
        if self._suspect(batch):
            return
        if batch.suspect:  # accepted: the container shows nothing at all
            batch = structs.replace(batch, present=frozenset())
        self._save([batch])
        if batch.present is not None:
            self.missed.note(batch.slice, batch.present, full=batch.full)

    def _save(self, batches: Sequence[Batch]) -> None:
        if not batches:
            return
        read = [
            structs.replace(batch, items=tuple([linking.read_text(item, self.projects) for item in batch.items]))
            for batch in batches
        ]
        saved = self.session.store.save_batches(self.tracker.name, read, read_at=self.session.clock())
        for key in self.counts:
            self.counts[key] += getattr(saved, key)

    def _suspect(self, batch: Batch) -> bool:
        """The shrink guard. A suspect batch is not stored: neither tombstones nor watermark move. What held nothing
        before this run cannot shrink."""
        before = self.slices.get(batch.slice)
        if self.accept_shrink or not (batch.suspect or batch.present is not None) or not (before and before.held):
            return False
        present = batch.present or frozenset()
        there = Counter(uid in present for uid in self.session.store.held_uids(self.tracker.name, batch.slice))
        held, left = there.total(), there[True]
        if not held or (not batch.suspect and left >= held * SHRINK):
            return False
        why = (
            f"{batch.slice} answered with {left} of the {held} items it held; if that is right, run once with "
            "--accept-shrink, else check what the account may see"
        )
        if not self._minor(held):
            self.trouble = why
            return True
        if batch.suspect:  # too little to suspend the source for, and no proof that anything was deleted
            self.unreadable[batch.slice] = why
        return batch.suspect

    def _minor(self, held: int) -> bool:
        """A slice of a few items, a small part of its source: its shrinking says nothing about the source."""
        return held < MINOR_ITEMS and held < MINOR_SHARE * self.session.store.counted(self.tracker.name)

    @property
    def nothing_readable(self) -> str:
        """Why no container could be read, where none could: then the source as a whole failed."""
        return "; ".join(self.unreadable.values()) if self.unreadable.keys() >= self.seen else ""

    def finish(self, ok: bool) -> None:
        if ok or self.trouble:
            self.session.store.set_meta(f"suspect:{self.tracker.name}", self.trouble)
        if ok:
            self.session.store.set_meta(f"scope:{self.tracker.name}", self.scope)
            if self.sweep:
                self.session.store.set_meta(sweep_due(self.tracker.name), "")
            gone = [s for s in self.slices if s not in self.seen]
            # one that was renamed may be among those that could not be read
            if gone and (self.accept_shrink or not self.unreadable):
                self.session.store.forget_scope(self.tracker.name, gone)


def _unscoped(settings: ConnectorSettings) -> set[str]:
    """The keys that do not say what is read. What is switched off says no more than where nothing was known of it."""
    unscoped = {"write", "writes_per_minute", "writes_per_hour"}
    off = isinstance(settings, JiraSettings) and not settings.remote_links
    return unscoped | {"remote_links"} if off else unscoped


def _projects(session: Session, trackers: Mapping[str, Tracker]) -> tuple[dict[str, str], dict[str, str]]:
    """Jira project key -> connector, and the sources that failed already. What a failed source named last time
    stays known, so that the verdicts of the others do not change on its account."""
    known: dict[str, str] = json.loads(session.store.get_meta("projects") or "{}")
    projects: dict[str, str] = {}
    failed: dict[str, str] = {}
    for name, tracker in trackers.items():
        settings = session.workspace.connector(name)
        jira = settings if isinstance(settings, JiraSettings) else None
        projects = (jira.renamed if jira else {}) | projects
        if not (jira and jira.projects):
            # a project that the account sees no longer is still one: its keys do not become plain words
            projects |= {key: owner for key, owner in known.items() if owner == name}
        try:
            projects |= dict.fromkeys(tracker.projects(), name)
        except TrackerError as problem:
            failed[name] = str(problem)
    return projects, failed


def _reread_texts(session: Session, projects: Mapping[str, str]) -> None:
    """References are extracted when an item is stored; when the known projects change, all texts are read again."""
    known = json.dumps(dict(sorted(projects.items())))
    before = session.store.get_meta("projects")
    changed: dict[datetime, list[WorkItem]] = {}
    if before is not None and before != known:
        for stored in session.store.items():
            fresh = linking.read_text(stored.item, projects)
            if fresh != stored.item:
                changed.setdefault(stored.read_at, []).append(fresh)
        for read_at, items in changed.items():
            session.store.refresh(items, read_at=read_at)
    session.store.set_meta("projects", known)


def _reread_silent(session: Session, swept: Collection[str], begun: datetime) -> None:
    """With each sweep, items are read again of which something may change that moves no `updated`: whose comments hold
    commands (a deleted or edited one is withdrawn), and that point at something hidden from us (it may be shown by
    now)."""
    ids: list[str] = []
    with session.store.look(swept) as look:
        for some in look.outlines(OUTLINED):
            ids += [id_ for id_, to in zip(some.ids, some.targets, strict=True) if to and _is_hidden(to)]
            ids += [s.item.id for s in some.whole.values() if _changes_silently(s.item)]
    direct(session, session.store.read_before(set(ids), begun), at=session.clock())


def _changes_silently(item: WorkItem) -> bool:
    return bool(item.commands) or any(_is_hidden(r.target) for r in item.references)


def _is_hidden(target: str) -> bool:
    return target.endswith(f":{HIDDEN}")


def _report(session: Session, readers: Mapping[str, _Reader], failed: Mapping[str, str], chased: int) -> Pulled:
    sources: list[SourceReport] = []
    loud: list[str] = []
    warnings: list[str] = []
    totals = {"new": 0, "changed": 0, "same": 0, "gone": 0}
    for settings in session.workspace.connectors:
        reader = readers.get(settings.name)
        error = failed.get(settings.name)
        if reader is not None:
            reader.finish(error is None)
            warnings += [f"{settings.name}: {w}" for w in reader.warnings]
            for key in totals:
                totals[key] += reader.counts[key]
        unreadable = reader.unreadable if reader is not None else {}
        items = session.store.counted(settings.name)
        if error is None and unreadable:
            error = "; ".join(unreadable.values())
        if error is None and items == 0 and session.store.get_meta(f"read:{settings.name}") is None:
            error = _nothing(settings)
            loud.append(f"{settings.name}: {error}")
        if settings.name not in failed:
            session.store.set_meta(f"read:{settings.name}", "once")
        sources.append(
            SourceReport(
                name=settings.name,
                complete=settings.name not in failed,
                items=items,
                error=error,
                unreadable=tuple(sorted(unreadable)),
            )
        )
    save_sources(session, sources)
    return Pulled(sources=tuple(sources), chased=chased, loud=tuple(loud), warnings=tuple(warnings), **totals)


def _nothing(settings: ConnectorSettings) -> str:
    if isinstance(settings, JiraSettings):
        return "read, but holds no item; check `projects` and `jql`, and that the account may browse them"
    return "read, but holds no item; check `repos`, and that the token may read their issues"


def save_sources(session: Session, sources: Iterable[SourceReport]) -> None:
    """Kept for the verbs that judge what the store holds without reading anything."""
    session.store.set_meta("sources", msgspec.json.encode(list(sources)).decode())


def last_sources(session: Session) -> tuple[SourceReport, ...]:
    """How the last reading went; connectors never read yet are not complete."""
    rows = msgspec.json.decode(session.reading.get_meta("sources") or "[]", type=list[SourceReport])
    known = {row.name: row for row in rows}
    return tuple(
        known[c.name]
        if c.name in known
        else SourceReport(name=c.name, complete=False, error="never read; run `okrsync pull`")
        for c in session.workspace.connectors
    )


def direct(session: Session, ids: Iterable[str], *, at: datetime) -> int:
    """Reads items again, directly and not from a search index, before a person's removal is concluded."""
    projects = json.loads(session.store.get_meta("projects") or "{}")
    by_source: dict[str, list[str]] = {}
    for id_ in sorted(ids):
        by_source.setdefault(id_.partition(":")[0], []).append(id_)
    count = 0
    for name, wanted in by_source.items():
        try:
            answer = session.trackers()[name].fetch(wanted)
        except (TrackerError, KeyError) as problem:
            log.warning("direct reading failed", source=name, error=str(problem))
            continue
        fresh = as_read(session, answer, projects)
        session.store.refresh(fresh, read_at=at)
        count += len(fresh)
    return count
