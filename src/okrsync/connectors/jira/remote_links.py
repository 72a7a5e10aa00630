"""Remote links of issues to pull requests: a request for each issue, since no search and no bulk fetch shows them.

Asked for every issue that a pull brings, open or closed, but for those that it only brings again: adding or removing a
link moves `updated`.
API: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-remote-links/ (on Data Center v2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

import msgspec
from msgspec import Struct, structs

from okrsync.connectors.decoding import decode
from okrsync.connectors.parallel import in_order
from okrsync.domain.settings import JiraSettings
from okrsync.domain.trackers import Batch, Forbidden, Memory, NotFound
from okrsync.domain.work import WorkItem
from okrsync.linking import pull_request

from .client import JiraClient
from .marks import OVERLAP, PILE
from .payloads import RemoteLink

_MOST = 200  # pull requests of one issue; no person links to more
_ASKED = "remote links"
_NEAR = OVERLAP + timedelta(minutes=5)  # an idle pull brings again what is this near before the newest
_SETTLED = timedelta(minutes=2)  # a link that was added just after the question may bear the same `updated`


class _Answer(Struct, frozen=True, array_like=True):
    """The pull requests that an issue linked to when it was last updated."""

    updated: datetime
    pull_requests: tuple[str, ...]


_Answers = dict[str, _Answer]  # by uid


class RemoteLinks:
    """For one tracker. What it asked of the newest issues is remembered from run to run, so that an idle pull, which
    brings these again, asks nothing."""

    def __init__(self, client: JiraClient, settings: JiraSettings, memory: Memory) -> None:
        self._client = client
        self._settings = settings
        self._memory = memory

    def added(self, batches: Iterator[Batch], *, anew: bool) -> Iterator[Batch]:
        """The batches with the remote links of their items. `anew`: nothing remembered is relied on."""
        before = self._recalled()
        known = {} if anew else {uid: answer for theirs in before.values() for uid, answer in theirs.items()}
        newest: dict[str, _Answers] = {}
        refused: set[str] = set()
        with closing(batches):  # type: ignore[type-var]  # a generator
            for batch in batches:
                items, warnings = self._linked(batch.items, known, newest, refused)
                yield structs.replace(batch, items=items, warnings=(*batch.warnings, *warnings))
        if (after := before | newest) != before:
            self._memory.remember(_ASKED, msgspec.json.encode(after).decode())

    def _recalled(self) -> dict[str, _Answers]:
        """By project."""
        try:
            return decode(self._memory.recall(_ASKED) or "{}", dict[str, _Answers])
        except msgspec.DecodeError:
            return {}

    def _linked(
        self, items: Iterable[WorkItem], known: _Answers, newest: dict[str, _Answers], refused: set[str]
    ) -> tuple[tuple[WorkItem, ...], list[str]]:
        """The items with their links, and what has to be said, once for each project. Notes in `newest` what the next
        pull need not ask again."""
        warnings: list[str] = []
        linked: list[WorkItem] = []
        settled = self._client.server_time() - _SETTLED
        for item, found in in_order(partial(self._answer, item, known) for item in items):
            place = item.container
            if isinstance(found, Forbidden):
                linked.append(item)
                if place not in refused:
                    refused.add(place)
                    hint = "ask Jira's administrator whether issue linking is on, or take it out of `remote_links`"
                    warnings.append(f"{place}: remote links may not be read and count as none ({found}); {hint}")
            elif found is None:
                linked.append(item)
            else:
                linked.append(structs.replace(item, remote_links=found) if found else item)
                if item.updated <= settled:
                    newest.setdefault(place, {})[item.uid] = _Answer(item.updated, found)
        newest.update({place: _near(theirs) for place, theirs in newest.items()})
        return tuple(linked), warnings

    def _answer(self, item: WorkItem, known: _Answers) -> tuple[WorkItem, tuple[str, ...] | Forbidden | None]:
        """What an issue links to, None where nobody asks. One that is gone links to nothing."""
        if not self._settings.may_link(item.container):
            return item, None
        if (told := known.get(item.uid)) is not None and told.updated == item.updated:
            return item, told.pull_requests
        number = quote(item.uid.partition(":")[2], safe="")
        try:
            links = self._client.call("GET", f"issue/{number}/remotelink", type=list[RemoteLink]).value
        except NotFound:
            return item, ()
        except Forbidden as error:
            return item, error
        found = {name for link in links or () if (name := pull_request(link.url))}
        return item, tuple(sorted(found)[:_MOST])


def _near(answers: _Answers) -> _Answers:
    """Those that the next pull of the project may bring again."""
    ordered = sorted(answers.items(), key=lambda one: (one[1].updated, one[0]), reverse=True)[: 2 * PILE]
    return {uid: answer for uid, answer in ordered if answer.updated >= ordered[0][1].updated - _NEAR}
