"""Issues as work items: a page translated, by key in bulk, one read directly."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from msgspec import Struct

from okrsync.domain.settings import JiraSettings
from okrsync.domain.trackers import Fetched, Forbidden, ItemUnavailable, NotFound, SourceFailed
from okrsync.domain.work import WorkItem

from .client import JiraClient, QueryRefused, TokenExpired
from .commands import Commands
from .fields import CustomFields
from .payloads import Issue
from .queries import ORDER, quoted
from .translate import Unreadable, page_type, read, translate

_NO_BULK = (400, 403, 404, 405)


class NoBulkFetch(Exception):
    """This server, or a proxy before it, has no bulk fetch for us."""


class Listed(Struct, frozen=True):
    """`gone`: those of the asked ids that exist no longer."""

    items: tuple[WorkItem, ...]
    warnings: tuple[str, ...]
    gone: tuple[int, ...]


class Items:
    """Asks for the `fields` that the configuration needs, and no others. `looked_up`: they had to be found among all
    that this Jira has. `site` is where people browse."""

    def __init__(
        self,
        client: JiraClient,
        settings: JiraSettings,
        fields: CustomFields,
        commands: Commands,
        *,
        site: str,
        looked_up: bool = False,
    ) -> None:
        self.client = client
        self.fields = fields
        self._commands = commands
        self.names = (*fields.names, *commands.fields)  # everything to ask for
        self._page = page_type(fields)
        self.memory = fields if looked_up else None  # what the next run need not look up again
        self.bulk = client.cloud  # until the server says that it has none
        self.connector = settings.name
        self._site = site

    def translate(self, issues: Sequence[Issue]) -> tuple[tuple[WorkItem, ...], tuple[str, ...]]:
        """Work items, and a warning for each issue that cannot be understood."""
        items: list[WorkItem] = []
        warnings: list[str] = []
        for issue in issues:
            try:
                content = read(issue, self.fields)
                item = translate(issue, content, connector=self.connector, site=self._site, custom=self.fields)
                items.append(self._commands.added(item, issue, content.fields))
            except Unreadable as error:
                warnings.append(f"skipped an issue that cannot be understood: {error}")
        return tuple(items), tuple(warnings)

    def uid(self, issue: Issue) -> str:
        return f"{self.connector}:{issue.id or issue.key}"

    def uid_of(self, id_: int) -> str:
        return f"{self.connector}:{id_}"

    def fetch(self, ids: Sequence[str]) -> Fetched:
        """Keys in bulk; the ones that are not in the answer one by one, since only that tells moved, forbidden
        and gone apart. Jira answers 404 also for issues that we may not see."""
        asked = {id_: id_.partition(":")[2].upper() for id_ in ids}
        found: dict[str, WorkItem] = {}
        keys = sorted(set(asked.values()))
        for start in range(0, len(keys), 100):
            found.update((i.key, i) for i in self._bulk(keys[start : start + 100]))
        items: dict[str, WorkItem] = {}
        moved: dict[str, str] = {}
        missing: list[str] = []
        forbidden: list[str] = []
        for id_, key in asked.items():
            try:
                item = found.get(key) or self.one(key)
            except NotFound:
                missing.append(id_)
            except Forbidden:
                forbidden.append(id_)
            else:
                items[id_] = item
                if item.key != key:
                    moved[id_] = item.id
        return Fetched(items=items, missing=tuple(missing), forbidden=tuple(forbidden), moved=moved)

    def one(self, id_or_key: str) -> WorkItem:
        """Read directly, never from the search index. Raises NotFound, Forbidden."""
        items, warnings = self.translate([self._issue(id_or_key)])
        if not items:
            raise SourceFailed("; ".join(warnings))
        return items[0]

    def _issue(self, id_or_key: str) -> Issue:
        params = {"fields": ",".join(self.names)}
        return self.client.call("GET", f"issue/{quote(id_or_key, safe='')}", type=Issue, params=params).value

    def listed(self, ids: Sequence[int]) -> Listed:
        """Up to 100 by the server's own ids, for a listing (Cloud). Raises NoBulkFetch. May run beside others."""
        asked = [str(id_) for id_ in ids]
        body = {"issueIdsOrKeys": asked, "fields": list(self.names)}
        answer = self.client.call("POST", "issue/bulkfetch", type=self._page, json=body, reads=True, statuses=_NO_BULK)
        if answer.status != 200:
            self.bulk = False
            raise NoBulkFetch
        issues = answer.value.issues
        told = {str(issue.id) for issue in issues}
        gone: list[int] = []
        for id_ in asked:
            if id_ not in told:
                # the index named it: only its own answer tells gone from left out
                try:
                    issues.append(self._issue(id_))
                except NotFound:
                    gone.append(int(id_))
                except Forbidden:
                    continue
        items, warnings = self.translate(issues)
        return Listed(items, warnings, tuple(gone))

    def by_number(self, numbers: Sequence[str]) -> tuple[WorkItem, ...]:
        """Up to 100 by the server's own ids; what is gone is left out."""
        found = {item.uid.partition(":")[2]: item for item in self._bulk(numbers, "id")}
        for number in numbers:
            if number not in found:
                try:
                    found[number] = self.one(number)
                except ItemUnavailable:
                    continue
        return tuple(found.values())

    def _bulk(self, keys: Sequence[str], field: str = "key") -> tuple[WorkItem, ...]:
        """Up to 100; some or all may be absent from the answer."""
        names = self.names
        if self.client.cloud:
            body = {"issueIdsOrKeys": list(keys), "fields": list(names)}
            answer = self.client.call(
                "POST", "issue/bulkfetch", type=self._page, json=body, reads=True, statuses=_NO_BULK
            )
            return self.translate(answer.value.issues)[0] if answer.value else ()
        try:
            # one unknown key makes Jira refuse the whole query; then each is asked for on its own
            jql = f"{field} in ({', '.join(map(quoted, keys))}){ORDER}"
            return tuple(item for issues, _ in self.client.pages(jql, names) for item in self.translate(issues)[0])
        except (QueryRefused, TokenExpired):
            return ()
