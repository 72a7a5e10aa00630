"""The Jira connector: `domain.trackers.Tracker` for Cloud and Data Center."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import httpx

from okrsync.connectors.governing import Governor
from okrsync.connectors.metering import UNMETERED
from okrsync.connectors.remembering import Forgetful, one_by_one
from okrsync.domain.comments import Comment
from okrsync.domain.settings import JiraSettings
from okrsync.domain.trackers import (
    Batch,
    Clock,
    Dashboard,
    Fetched,
    Forbidden,
    ItemUnavailable,
    LabelEdit,
    Look,
    Memory,
    Meter,
    NotFound,
    Probe,
    SliceState,
    SourceFailed,
    TrackerError,
)
from okrsync.domain.work import WorkItem

from .bulk import Bulk
from .client import JiraClient, Secret, reveal
from .commands import Commands
from .dashboard import Dashboards
from .fields import CustomFields, resolve
from .items import Items
from .marks import read_mark
from .payloads import Person, Project
from .reading import Reader
from .remote_links import RemoteLinks
from .writing import Writer


class JiraTracker:
    """One configured Jira. Nothing is sent before the first method is called.

    A slice is a project key. Raises TrackerError subclasses only; see `domain.trackers` for each method.
    """

    def __init__(
        self,
        settings: JiraSettings,
        secret: Secret,
        *,
        clock: Clock,
        sleep: Callable[[float], None],
        deadline: Callable[[], datetime],
        client: httpx.Client | None = None,
        memory: Memory | None = None,
        meter: Meter | None = None,
        governor: Governor | None = None,
    ) -> None:
        remembered = memory or Forgetful()
        self._settings = settings
        self._secret = secret
        self._clock = clock
        self._client = JiraClient(
            settings,
            secret,
            clock=clock,
            sleep=sleep,
            deadline=deadline,
            client=client,
            meter=meter or UNMETERED,
            governor=governor,
        )
        self._commands = Commands(self._client, settings)
        self._remote_links = RemoteLinks(self._client, settings, remembered)
        self._writer = Writer(self._client, memory=remembered, clock=clock)
        self._dashboards = Dashboards(self._client, self._writer)
        self._bulk = Bulk(self._client, memory=remembered, clock=clock, sleep=sleep, deadline=deadline)
        self._listed = tuple(dict.fromkeys(key.strip().upper() for key in settings.projects))
        self._site = (settings.site or ("" if settings.gateway else settings.url)).rstrip("/")
        self._found: Items | None = None
        self._just_seen: dict[str, Project] | None = None
        self._signed_in: Person | None = None

    @property
    def name(self) -> str:
        return self._settings.name

    def close(self) -> None:
        self._client.close()

    # --- scope

    def projects(self) -> tuple[str, ...]:
        """Configured ones, else all that the account sees now. Raises SourceFailed where that is none: an account that
        has become nobody is shown an empty Jira with status 200."""
        if self._listed:
            return self._listed
        self._just_seen = self._visible()
        return tuple(sorted(self._just_seen))

    def owns(self, id_: str) -> bool:
        connector, _, key = id_.partition(":")
        return connector == self.name and (not self._listed or key.rpartition("-")[0].upper() in self._listed)

    def writable(self, container: str) -> bool:
        return self._settings.may_write(container)

    # --- reading

    def pull(self, slices: Mapping[str, SliceState], *, full: bool = False, sweep: bool = False) -> Iterator[Batch]:
        batches = self._pulled(slices, full=full, sweep=sweep)
        if not self._settings.remote_links:
            return batches
        return self._remote_links.added(batches, anew=full or sweep)

    def _pulled(self, slices: Mapping[str, SliceState], *, full: bool, sweep: bool) -> Iterator[Batch]:
        """All projects with one question as far as that goes. Who we are and what we may see is asked where something
        is read for the first time, where the search refuses a project, and where it shows nothing of one: an account
        that has become nobody is shown an empty Jira with status 200."""
        self._signed_in = None
        self._commands.forget()
        # a run asks for the projects first and pulls then: one answer serves both, but never a second pull
        visible, self._just_seen = self._just_seen, None
        if not self._listed and visible is None:
            visible = self._visible()
        lost = {key for key, state in slices.items() if state.held and key not in (visible or ()) and key != "*"}
        scope = self._listed or sorted((visible or {}).keys() | lost)
        states = {key: slices.get(key, SliceState()) for key in scope if self._listed or key not in lost}
        if not self._listed:
            yield from map(self._not_seen, sorted(lost))
        with self._source():
            known = all(read_mark(state.watermark) for state in states.values()) and not full
            if not known:
                _ = self._me
            self._remember(states if known and not sweep else {})
            reader = Reader(self._items, self._settings, self._clock, self._renew)
        unsure = yield from reader.together(states, full=full, sweep=sweep)
        if not unsure:
            return
        with self._source():
            _ = self._me
        visible = visible or self._visible()
        yield from (self._not_seen(key) for key in unsure if key not in visible)
        there = [key for key in unsure if key in visible]
        if 1 < len(there) < len(unsure):  # one project that nobody shows has the whole question refused
            there = yield from reader.together({key: states[key] for key in there}, full=full, sweep=sweep)
        for key in there:
            yield from reader.alone(key, states[key], full=full, sweep=sweep)

    def _not_seen(self, key: str) -> Batch:
        problem = f"{self.name}: project {key} does not exist, is archived, or may not be seen by this account"
        hint = "correct `projects`, or give the account Browse Projects (BROWSE_PROJECTS) in it"
        # what nobody names may be gone for good
        return Batch(slice=key, problem=f"{problem}; {hint}", suspect=not self._listed)

    def fetch(self, ids: Sequence[str]) -> Fetched:
        with self._source():
            items = self._items
        return items.fetch(ids)

    def look(self, item: WorkItem, *, comments: bool) -> Look:
        with self._source():
            items = self._items
        present = items.one(item.uid.partition(":")[2])
        return Look(item=present, comments=self._writer.comments(present, self._me) if comments else None)

    def find_ours(self, prefix: str) -> Iterator[Look]:
        """JQL can look for labels neither by prefix nor for comment properties. So all open items of the writable
        projects are searched, and those looked at that bear such a label or on which we have commented."""
        with self._source():
            projects = self._listed or tuple(sorted(self._visible()))
            reader = Reader(self._items, self._settings, self._clock, self._renew)
            me = self._me
        for project in filter(self.writable, projects):
            for item, commented in reader.open_items(project, me):
                if not commented and not any(_under(prefix, label) for label in item.labels):
                    continue
                try:
                    look = self.look(item, comments=True)
                except (NotFound, Forbidden):
                    continue  # gone since the search
                if look.item.open and (look.comments or any(_under(prefix, label) for label in look.item.labels)):
                    yield look

    def probe(self) -> Probe:
        from .probe import probe  # noqa: PLC0415  # the library behind it costs each start 0.2 s, and only this asks it

        return probe(self._settings, reveal(self._secret, self._settings), self._client)

    # --- writing

    def container_labels(self, container: str) -> frozenset[str] | None:  # noqa: ARG002  # the protocol's shape
        return None  # Jira's labels need no definition

    def create_label(self, container: str, label: str, color: str, description: str) -> None:
        """Jira's labels need no definition."""

    def delete_label(self, container: str, label: str) -> bool:  # noqa: ARG002  # the protocol's shape
        """A Jira label is gone with its last use."""
        return True

    def add_labels(self, item: WorkItem, labels: Sequence[str]) -> None:
        self._writer.change_labels(LabelEdit(item=item, add=tuple(labels)))

    def remove_labels(self, item: WorkItem, labels: Sequence[str]) -> None:
        self._writer.change_labels(LabelEdit(item=item, remove=tuple(labels)))

    def label_batches(self, edits: Sequence[LabelEdit]) -> Sequence[Sequence[LabelEdit]]:
        return self._bulk.batches(edits)

    def change_labels(self, batch: Sequence[LabelEdit]) -> Sequence[TrackerError | None]:
        return self._bulk.send(batch) if len(batch) > 1 else one_by_one(batch, self._writer.change_labels)

    def create_comment(self, item: WorkItem, comment: Comment) -> str:
        return self._writer.create_comment(item, comment)

    def update_comment(self, item: WorkItem, comment_id: str, comment: Comment) -> None:
        self._writer.update_comment(item, comment_id, comment)

    def delete_comment(self, item: WorkItem, comment_id: str) -> None:
        self._writer.delete_comment(item, comment_id)

    # --- the dashboard issue

    def is_public(self, container: str) -> bool:  # noqa: ARG002  # the protocol's shape
        return False

    def find_dashboard(self, container: str, ref: str | None) -> Dashboard | None:
        return self._dashboards.find(container, ref, "" if ref else self._me.id)

    def create_issue(self, container: str, title: str, content: Comment) -> str:
        return self._dashboards.create(container, title, content)

    def update_issue(self, container: str, ref: str, content: Comment) -> None:
        self._dashboards.update(container, ref, content)

    # --- looked up once

    @property
    def _items(self) -> Items:
        return self._found or self._renew()

    def _renew(self) -> Items:
        """Looks the configured fields up."""
        wanted = self._settings.fields
        fields, problems = resolve(wanted, self._client.field_definitions() if self._named else ())
        if problems:
            raise SourceFailed(f"{self.name}: " + "; ".join(problems))
        return self._take(fields)

    def _remember(self, states: Mapping[str, SliceState]) -> None:
        """Takes the fields as an earlier run found them, where all projects tell the same; else, and with each sweep,
        they are looked up anew."""
        marks = [read_mark(state.watermark) for state in states.values()]
        told = {mark.fields for mark in marks if mark is not None}
        fields = told.pop() if len(told) == 1 else None
        if not self._named or (fields is None and states and self._found is not None):
            return
        if fields is None:
            self._found = None
        elif self._found is None:
            self._take(fields)

    def _take(self, fields: CustomFields) -> Items:
        if not self._site:
            self._site = self._client.site()
        self._found = Items(
            self._client, self._settings, fields, self._commands, site=self._site, looked_up=self._named
        )
        return self._found

    @property
    def _named(self) -> bool:
        """Whether fields have to be found: Cloud's own have the same ids everywhere."""
        wanted = self._settings.fields
        return not self._client.cloud or bool(wanted.okr or wanted.estimate or wanted.team)

    def _visible(self) -> dict[str, Project]:
        """By upper-case key: the configured projects that exist and may be seen, else all that may be seen."""
        with self._source():
            visible = {project.key.upper(): project for project in self._client.projects(self._listed)}
        if not visible and not self._listed:
            raise SourceFailed(f"{self.name}: the account sees no project; give it Browse Projects, or list `projects`")
        return visible

    @property
    def _me(self) -> Person:
        if self._signed_in is None:
            self._signed_in = self._client.myself()
        return self._signed_in

    @contextmanager
    def _source(self) -> Iterator[None]:
        """What is refused here concerns no item, but the whole source."""
        try:
            yield
        except ItemUnavailable as error:
            raise SourceFailed(f"{error}; check the url and the account's permissions") from error


def _under(prefix: str, label: str) -> bool:
    return label.casefold().startswith(prefix.casefold())
