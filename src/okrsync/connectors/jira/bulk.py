"""Labels of many issues by bulk edit (Cloud): submits tasks, waits for them, tells the outcome of each edit.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-bulk-operations/
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from okrsync.domain.trackers import (
    Clock,
    Forbidden,
    LabelEdit,
    Memory,
    NotFound,
    NoTimeLeft,
    NotSent,
    OutcomeUnknown,
    SourceFailed,
    TrackerError,
    WriteRefused,
)
from okrsync.logs import get_logger

from . import batching
from .client import JiraClient, QueryRefused, TokenExpired
from .queries import bearing

Outcome = TrackerError | None

ASK_AGAIN = timedelta(days=1)
"""How long the missing permission for bulk changes is believed."""

_REFUSED = "bulk refused"
_NONE = (404, 405, 501)  # no such endpoint here, or a proxy before it
_FINAL = ("COMPLETE", "FAILED", "CANCELLED", "DEAD")
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
_PER_ISSUE = 0.03  # seconds, until a task of some size has shown it
_TELLING = 100
_STUCK = timedelta(minutes=10)
_ID_PAGE = 5000  # a search for ids alone gives so many

_log = get_logger()


class Submitted(Struct, rename="camel"):
    task_id: str


class Progress(Struct, rename="camel"):
    """How far a task is. Issues by the server's own ids."""

    status: str = ""
    progress_percent: int | None = None
    processed_accessible_issues: list[int] | None = None
    failed_accessible_issues: dict[str, list[str]] | None = None


class _Running(Struct):
    """A submitted task. `seen`: issues that bear the labels by now, though the task was not asked."""

    id: str
    task: batching.Task
    since: datetime
    moved: datetime
    percent: int = 0
    seen: set[str] = set()

    @property
    def all_seen(self) -> bool:
        return len(self.seen) == len(self.task.edits)


class Bulk:
    """Knows whether bulk edit is to be had here, and which issues it has failed on."""

    def __init__(
        self,
        client: JiraClient,
        *,
        memory: Memory,
        clock: Clock,
        sleep: Callable[[float], None],
        deadline: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._memory = memory
        self._clock = clock
        self._sleep = sleep
        self._deadline = deadline
        self._absent = not client.cloud
        self._refused: bool | None = None
        self._alone: set[str] = set()
        self._searching = True  # until the search index shows itself to lag
        self._per_issue = _PER_ISSUE

    def batches(self, edits: Sequence[LabelEdit]) -> list[tuple[LabelEdit, ...]]:
        """Sends nothing."""
        return batching.batches(edits, self._alone) if self._usable() else [(edit,) for edit in edits]

    def send(self, batch: Sequence[LabelEdit]) -> list[Outcome]:
        """The outcome of each edit, in order."""
        outcomes: dict[str, Outcome] = {}
        waiting = batching.tasks(batch)
        if self._clock() + timedelta(seconds=self._wait(waiting)) > self._deadline():
            return [NoTimeLeft("a bulk edit would not end within this run; the next run goes on")] * len(batch)
        while waiting and self._usable():
            running: list[_Running] = []
            try:
                while waiting and self._usable() and (begun := self._submit(waiting[0])):
                    running.append(begun)
                    waiting.pop(0)
            except OutcomeUnknown as error:
                outcomes |= _all(waiting.pop(0), error)
            except SourceFailed as error:
                outcomes |= {edit.item.uid: error for task in waiting for edit in task.edits}
                waiting.clear()
            else:
                if waiting and not running and self._usable():
                    # refused though nothing else of ours is under way: single calls say why
                    self._alone |= {edit.item.uid for edit in waiting.pop(0).edits}
            outcomes |= self._settle(running)
        not_sent = NotSent("bulk edit did not take it")
        return [outcomes.get(edit.item.uid, not_sent) for edit in batch]

    # --- whether

    def _usable(self) -> bool:
        if self._refused is None:
            at = self._memory.recall(_REFUSED)
            self._refused = at is not None and self._clock() - datetime.fromisoformat(at) < ASK_AGAIN
        return not self._absent and not self._refused

    def _submit(self, task: batching.Task) -> _Running | None:
        """None where it is not taken; it may be once others are done. Raises SourceFailed, OutcomeUnknown."""
        option = "ADD" if task.verb == "add" else "REMOVE"
        labels = [{"name": label} for label in task.labels]
        body = {
            "selectedActions": ["labels"],
            "selectedIssueIdsOrKeys": [_number(edit) for edit in task.edits],
            "editedFieldsInput": {
                "labelsFields": [{"fieldId": "labels", "bulkEditMultiSelectFieldOption": option, "labels": labels}]
            },
            "sendBulkNotification": False,
        }
        try:
            # the same labels a second time change nothing: it may be sent again
            answer = self._client.call(
                "POST", "bulk/issues/fields", type=Submitted, json=body, statuses=_NONE, idempotent=True
            )
        except Forbidden as error:
            self._refused = True
            self._memory.remember(_REFUSED, self._clock().isoformat())
            hint = "give the account the global permission Make bulk changes (BULK_CHANGE)"
            _log.warning("jira.bulk", message=f"labels are written one by one: {hint}", error=str(error))
            return None
        except (NotFound, WriteRefused) as error:
            _log.debug("jira.bulk", message="a task was refused", error=str(error))
            return None
        if answer.status in _NONE:
            self._absent = True
            return None
        if answer.value is None:
            raise OutcomeUnknown("Jira took a bulk edit, but did not say which task it is")
        now = self._clock()
        return _Running(answer.value.task_id, task, since=now, moved=now)

    # --- waiting

    def _settle(self, running: list[_Running]) -> dict[str, Outcome]:
        """Waits until all are done, and asks as seldom as it can: of the oldest only, and where several tasks write the
        same labels, the search index for all of them at once."""
        outcomes: dict[str, Outcome] = {}
        wait = self._wait([one.task for one in running])
        while running:
            head = running[0]
            if wait_over := self._clock() + timedelta(seconds=wait) > self._deadline():
                break
            self._sleep(wait)
            try:
                wait = _bounded(self._finished(running, outcomes))
            except TrackerError as error:
                unknown = OutcomeUnknown(str(error))
                return outcomes | {uid: unknown for one in running for uid in _all(one.task, unknown)}
            if running and self._clock() - running[0].moved > _STUCK and running[0] is head:
                break
        if running:
            why = "the time for this run is used up" if wait_over else "it does not go on"
            unknown = OutcomeUnknown(f"Jira has not finished a bulk edit, and {why}")
            outcomes |= {uid: unknown for one in running for uid in _all(one.task, unknown)}
        return outcomes

    def _wait(self, tasks: Sequence[batching.Task]) -> float:
        """Seconds until these tasks, under way together, are probably done."""
        return _bounded(max((self._per_issue * len(task.edits) for task in tasks), default=0.0))

    def _finished(self, running: list[_Running], outcomes: dict[str, Outcome]) -> float:
        """Takes finished tasks out, from the oldest on; returns how long the next one will still take."""
        searched: set[tuple[str, ...]] = set()
        while running:
            one = running[0]
            alike = [other for other in running if other.task.labels == one.task.labels]
            if len(alike) > 1 and one.task.verb == "add" and self._searching and one.task.labels not in searched:
                searched.add(one.task.labels)
                if self._search(alike) and not one.all_seen:
                    return self._left(one, 100 * len(one.seen) // len(one.task.edits))
            if one.all_seen:
                outcomes |= _all(one.task, None)
            else:
                progress = self._progress(one)
                if progress.status not in _FINAL:
                    return self._left(one, progress.progress_percent or 0)
                if one.task.labels in searched and not one.seen:
                    self._searching = False
                outcomes |= self._outcomes(one.task, progress)
            if len(one.task.edits) >= _TELLING:
                self._per_issue = (self._clock() - one.since).total_seconds() / len(one.task.edits)
            running.pop(0)
        return 0.0

    def _progress(self, one: _Running) -> Progress:
        answer = self._client.call("GET", f"bulk/queue/{one.id}", type=Progress, statuses=(400, 404))
        if answer.value is None:
            raise OutcomeUnknown(f"Jira does not know its bulk edit {one.id} any more: {answer.message}")
        return answer.value

    def _left(self, one: _Running, percent: int) -> float:
        """Seconds, by what it has done so far."""
        now = self._clock()
        if percent != one.percent:
            one.percent, one.moved = percent, now
        spent = (now - one.since).total_seconds()
        return spent * (100 - one.percent) / one.percent if one.percent else spent

    def _search(self, alike: Sequence[_Running]) -> bool:
        """What bears the labels in the index bears them: they were not there when we set out. What does not may yet.
        False where it tells nothing new."""
        edits = [edit for one in alike for edit in one.task.edits]
        jql = bearing({edit.item.container for edit in edits}, alike[0].task.labels)
        try:
            issues, _ = next(self._client.pages(jql, ["id"], size=_ID_PAGE))
        except (QueryRefused, TokenExpired, SourceFailed):
            self._searching = False
            return False
        before = sum(len(one.seen) for one in alike)
        found = {str(issue.id) for issue in issues}
        for one in alike:
            one.seen |= {edit.item.uid for edit in one.task.edits if _number(edit) in found}
        return sum(len(one.seen) for one in alike) > before

    def _outcomes(self, task: batching.Task, progress: Progress) -> dict[str, Outcome]:
        """What it did not do is tried alone, which says why not."""
        done = {str(number) for number in progress.processed_accessible_issues or ()}
        failed = progress.failed_accessible_issues or {}
        outcomes: dict[str, Outcome] = {}
        for edit in task.edits:
            number, uid = _number(edit), edit.item.uid
            if number in done and number not in failed:
                outcomes[uid] = None
                continue
            self._alone.add(uid)
            why = "; ".join(failed.get(number, ())) or f"not among the issues of a task that is {progress.status}"
            outcomes[uid] = NotSent(f"bulk edit: {why}")
        return outcomes


def _bounded(seconds: float) -> float:
    return min(max(seconds, _FIRST_WAIT), _LONGEST_WAIT)


def _number(edit: LabelEdit) -> str:
    """The server's own id: a moved issue stays itself."""
    return edit.item.uid.partition(":")[2]


def _all(task: batching.Task, outcome: Outcome) -> dict[str, Outcome]:
    return {edit.item.uid: outcome for edit in task.edits}
