"""GitHub as a tracker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import httpx
from msgspec import structs

from okrsync.connectors import Secret
from okrsync.connectors.governing import Governor
from okrsync.connectors.metering import UNMETERED
from okrsync.connectors.parallel import in_turn
from okrsync.connectors.remembering import one_by_one, parts
from okrsync.domain.comments import Comment
from okrsync.domain.settings import GitHubSettings
from okrsync.domain.trackers import (
    Batch,
    Clock,
    Dashboard,
    Fetched,
    Forbidden,
    LabelEdit,
    Look,
    Memory,
    Meter,
    NotFound,
    Probe,
    SliceState,
    TrackerError,
)
from okrsync.domain.work import WorkItem

from .api import Api
from .commands import Commands
from .dashboard import Dashboards
from .fetching import Fetcher
from .glancing import Glances
from .probing import probe
from .projects import Changes, changes, fragment
from .reading import Reader
from .repositories import Covered, Repositories
from .watermarks import load
from .writing import Writer

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class GitHubTracker:
    """domain.trackers.Tracker over GitHub's REST API, with GraphQL where the server has it. Slices and containers
    are repositories by their current `owner/repo`.

    Constructing it sends nothing; raises SignInFailed where the secret is missing. `client` is for tests.
    """

    def __init__(
        self,
        settings: GitHubSettings,
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
        self._settings = settings
        self._clock = clock
        self._api = Api(
            settings,
            secret,
            clock=clock,
            sleep=sleep,
            deadline=deadline,
            client=client,
            memory=memory,
            meter=meter or UNMETERED,
            governor=governor,
        )
        self._api.fields = fragment(settings.fields)
        self._repositories = Repositories(settings, self._api)
        self._commands = Commands(self._api, enabled=settings.commands)
        self._fetcher = Fetcher(self._api, self._repositories, self._commands)
        self._writer = Writer(self._api, self._repositories)
        self._dashboards = Dashboards(self._api, self._repositories)
        self._graphql = True

    @property
    def name(self) -> str:
        return self._settings.name

    def pull(self, slices: Mapping[str, SliceState], *, full: bool = False, sweep: bool = False) -> Iterator[Batch]:
        self._repositories.forget()
        self._commands.forget()
        read = [] if full else [name for name, state in slices.items() if state.watermark]
        glances = Glances(self._api) if read and self._graphql else None
        held = {name for name, state in slices.items() if state.held}
        covered = self._repositories.covered(held, read=read, glances=glances)
        if glances is not None and not sweep:  # which reads everything anyway
            known = set(read)
            glances.look(c.name for c in covered if c.name in known)
        owners = sorted({c.name.partition("/")[0] for c in covered if c.repo})
        entries = changes(self._api, self._settings.fields, owners) if self._api.fields else Changes()
        waiting, said = entries.warnings, set[str]()
        for batch in in_turn(
            partial(self._read, one, slices.get(one.name, SliceState()), glances, entries, full=full, sweep=sweep)
            for one in covered
        ):
            warnings = tuple(w for w in (*waiting, *batch.warnings) if w not in said)
            said.update(warnings)
            waiting = ()
            yield structs.replace(batch, warnings=warnings)

    def _read(
        self,
        covered: Covered,
        state: SliceState,
        glances: Glances | None,
        entries: Changes,
        *,
        full: bool,
        sweep: bool,
    ) -> Iterator[Batch]:
        """One repository; several are read at a time."""
        if covered.repo is None:
            yield Batch(slice=covered.name, problem=covered.problem, suspect=covered.lost)
            return
        reader = Reader(
            self._api,
            covered.repo,
            clock=self._clock,
            since=self._settings.since,
            commands=self._commands,
            graphql=self._graphql,
            glance=glances.get(covered.name) if glances else None,
        )
        warnings = covered.warnings
        try:
            for batch in reader.pull(state, full=full, sweep=sweep):
                if batch.watermark is not None and self._api.fields:
                    batch = self._with_fields(batch, covered.name, None if full else state.watermark, entries)  # noqa: PLW2901
                yield structs.replace(batch, warnings=(*warnings, *batch.warnings))
                warnings = ()
        except (NotFound, Forbidden) as error:
            problem = self._repositories.unreadable(covered.name, error)
            yield Batch(slice=covered.name, problem=problem, warnings=warnings)
        finally:
            self._graphql = self._graphql and reader.graphql

    def _with_fields(self, last: Batch, repo: str, before: str | None, entries: Changes) -> Batch:
        """The last batch of a repository, with the items whose entry in a project changed alone."""
        old = load(before) if before else None
        numbers, newest = entries.after(repo, (old.fields or old.moment) if old else _LONG_AGO)
        # everything was read just now, unless only what changed was asked for
        ids = [f"{self.name}:{repo}#{n}" for n in numbers] if old and not last.full else []
        found = self._fetcher.fetch(ids).items.values() if ids else ()
        cutoff = self._clock() - self._settings.since
        items = tuple(i for i in found if i.container == repo and (i.open or i.updated >= cutoff))
        watermark = structs.replace(load(last.watermark or ""), fields=newest)
        return structs.replace(last, items=(*last.items, *items), watermark=watermark.dump())

    def fetch(self, ids: Sequence[str]) -> Fetched:
        return self._fetcher.fetch(ids)

    def owns(self, id_: str) -> bool:
        connector, _, key = id_.partition(":")
        return connector == self.name and self._repositories.owns(key.rpartition("#")[0])

    def projects(self) -> tuple[str, ...]:
        return ()

    def writable(self, container: str) -> bool:
        return self._repositories.writable(container)

    def look(self, item: WorkItem, *, comments: bool) -> Look:
        return self._writer.look(item, comments=comments)

    def container_labels(self, container: str) -> frozenset[str] | None:
        return self._writer.container_labels(container)

    def add_labels(self, item: WorkItem, labels: Sequence[str]) -> None:
        self._writer.add_labels(item, labels)

    def remove_labels(self, item: WorkItem, labels: Sequence[str]) -> None:
        self._writer.remove_labels(item, labels)

    def label_batches(self, edits: Sequence[LabelEdit]) -> Sequence[Sequence[LabelEdit]]:
        """One by one: GitHub has no bulk edit."""
        return [(part,) for edit in edits for part in parts(edit)]

    def change_labels(self, batch: Sequence[LabelEdit]) -> Sequence[TrackerError | None]:
        return one_by_one(batch, self._writer.change_labels)

    def create_comment(self, item: WorkItem, comment: Comment) -> str:
        return self._writer.create_comment(item, comment)

    def update_comment(self, item: WorkItem, comment_id: str, comment: Comment) -> None:
        self._writer.update_comment(item, comment_id, comment)

    def delete_comment(self, item: WorkItem, comment_id: str) -> None:
        self._writer.delete_comment(item, comment_id)

    def create_label(self, container: str, label: str, color: str, description: str) -> None:
        self._writer.create_label(container, label, color, description)

    def delete_label(self, container: str, label: str) -> bool:
        return self._writer.delete_label(container, label)

    def find_ours(self, prefix: str) -> Iterator[Look]:
        yield from self._writer.find_ours(prefix, self._repositories.covered())

    def is_public(self, container: str) -> bool:
        return self._dashboards.is_public(container)

    def find_dashboard(self, container: str, ref: str | None) -> Dashboard | None:
        return self._dashboards.find(container, ref)

    def create_issue(self, container: str, title: str, content: Comment) -> str:
        return self._dashboards.create(container, title, content)

    def update_issue(self, container: str, ref: str, content: Comment) -> None:
        self._dashboards.update(container, ref, content)

    def probe(self) -> Probe:
        self._repositories.forget()
        cutoff = self._clock() - self._settings.since
        return probe(self._api, self._repositories, self._settings.fields, cutoff)

    def close(self) -> None:
        self._api.close()
