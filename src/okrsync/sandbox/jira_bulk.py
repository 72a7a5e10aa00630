"""Bulk edit of the pretended Jira Cloud: labels of up to 1,000 issues in a task that goes on behind the answer.

A task works as its world's clock moves (`bulk_pace`), or is done at once, whenever anybody calls; what it has not come
to yet is unchanged.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from .jira_calls import jira_error
from .jira_write import check_labels
from .records import BulkTask, Issue
from .wire import Call, Handler, answer
from .world import World

MOST_ISSUES = 1000
_EDIT = "You do not have permission to edit this issue."


def submit(call: Call) -> Response:
    """201 with the task's id; 403 without the permission Make bulk changes; 429 where too many are under way."""
    body, world = call.json(), call.world
    jira = world.jira
    if not jira.bulk:
        raise jira_error(403, "You do not have the permission to make bulk changes.")
    asked, actions = body.get("selectedIssueIdsOrKeys"), body.get("selectedActions")
    if not isinstance(asked, list) or not asked or len(asked) > MOST_ISSUES:
        raise jira_error(400, f"Between 1 and {MOST_ISSUES} issues have to be selected.")
    fields = body.get("editedFieldsInput") or {}
    steps = fields.get("labelsFields") or []
    if actions != ["labels"] or len(steps) != 1 or set(fields) != {"labelsFields"}:
        raise jira_error(400, "Selected actions and edited fields do not match, or are not supported.")
    _check(steps[0])
    if sum(not _over(world, task) for task in jira.tasks.values()) >= jira.bulk_tasks:
        raise jira_error(429, "Too many bulk operations are in progress. Try again later.")
    found = [jira.find(str(one)) for one in dict.fromkeys(map(str, asked))]
    visible = [issue for issue in found if issue is not None and jira.visible(issue)]
    now = world.clock()
    task = BulkTask(
        id=str(10000 + len(jira.tasks)),
        asked=len(asked),
        waiting=[issue.id for issue in visible],
        steps=steps,
        quiet=body.get("sendBulkNotification") is False,
        submitted=now,
        updated=now,
        polls=jira.bulk_polls,
        invalid=len(found) - len(visible),
    )
    jira.tasks[task.id] = task
    _work(world, task)
    return answer({"taskId": task.id}, 201)


def go_on(world: World) -> None:
    """Lets all tasks come as far as they are by now."""
    for task in world.jira.tasks.values():
        if task.waiting:
            _work(world, task)


def _check(step: dict[str, Any]) -> None:
    labels = check_labels([label.get("name") for label in step.get("labels") or []])
    option = step.get("bulkEditMultiSelectFieldOption")
    if step.get("fieldId") != "labels" or option not in ("ADD", "REMOVE", "REPLACE", "REMOVE_ALL"):
        raise jira_error(400, f"Unknown field or bulkEditMultiSelectFieldOption '{option}'.")
    if not labels and option in ("ADD", "REMOVE"):
        raise jira_error(400, "At least one label has to be named.")


def _work(world: World, task: BulkTask) -> bool:
    """What the task has come to by now; True once it has ended."""
    jira, now = world.jira, world.clock()
    if task.ended:
        return True
    started = len(task.done) + len(task.failed)
    due = len(task.waiting) if not jira.bulk_pace else int((now - task.submitted) / jira.bulk_pace) - started
    for _ in range(max(0, min(due, len(task.waiting)))):
        _edit(world, task, task.waiting.pop(0))
        task.updated = now
    return not task.waiting


def _over(world: World, task: BulkTask) -> bool:
    return _work(world, task) and task.polls <= 0


def _edit(world: World, task: BulkTask, number: int) -> None:
    jira = world.jira
    issue = jira.issues.get(number)
    if issue is None or not jira.visible(issue):
        task.invalid += 1
        return
    project = jira.projects[issue.project]
    if not project.writable or project.archived or issue.key in jira.bulk_fails:
        task.failed[number] = [_EDIT]
        return
    labels = _labels(issue, task.steps)
    if labels != issue.labels:
        jira.touch(issue)
        issue.labels = labels
        if not task.quiet:
            jira.mails.append(f"{issue.key} bulk edit")
    task.done.append(number)


def _labels(issue: Issue, steps: list[dict[str, Any]]) -> list[str]:
    labels = list(issue.labels)
    for step in steps:
        names = [label["name"] for label in step.get("labels") or []]
        match step["bulkEditMultiSelectFieldOption"]:
            case "ADD":
                labels += [n for n in names if n not in labels]
            case "REMOVE":
                labels = [x for x in labels if x not in names]
            case "REPLACE":
                labels = names
            case _:
                labels = []
    return labels


def progress(call: Call) -> Response:
    """How far a task is: what it did and what it could not, by the issues' ids."""
    world = call.world
    task = world.jira.tasks.get(call.params["task"])
    if task is None:
        raise jira_error(400, f"The task {call.params['task']} does not exist or has expired.")
    over = _over(world, task)
    shown = {
        "taskId": task.id,
        "status": task.ended or "COMPLETE",
        "progressPercent": 100,
        "submittedBy": {"accountId": world.people[world.bot].account_id},
        "created": int(task.submitted.timestamp() * 1000),
        "started": int(task.submitted.timestamp() * 1000),
        "updated": int(task.updated.timestamp() * 1000),
        "totalIssueCount": task.asked,
        "processedAccessibleIssues": task.done,
        "failedAccessibleIssues": {str(n): why for n, why in task.failed.items()},
        "invalidOrInaccessibleIssueCount": task.invalid,
    }
    if not over:
        task.polls = max(0, task.polls - 1)
        part = (len(task.done) + len(task.failed)) / (task.asked or 1)
        shown |= {"status": "RUNNING", "progressPercent": min(99, int(100 * part))}
    return answer(shown)


CLOUD_ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "/bulk/issues/fields", submit),
    ("GET", "/bulk/queue/{task}", progress),
]
