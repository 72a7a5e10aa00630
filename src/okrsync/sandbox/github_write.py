"""Writing to the pretended GitHub: labels, comments, issues."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from .github_calls import check_may_triage, check_not_archived, github_error, invalid, may_write, the_item, the_repo
from .github_payloads import GitHubPayloads
from .records import Comment, Item, Repo
from .wire import Call, Handler, answer

MOST_LABEL, MOST_DESCRIPTION, MOST_BODY = 50, 100, 65_536  # characters


# --- labels --------------------------------------------------------------------------------------------------


def _label_names(call: Call) -> list[str]:
    """`{"labels": ["a"]}`, `["a"]`, or objects with a name."""
    body = call.any_json()
    rows = body.get("labels") if isinstance(body, dict) else body
    if not isinstance(rows, list):
        raise github_error(422, "Invalid request.\n\nFor 'links/1/schema', nil is not an array.")
    return [_label_name(r.get("name") if isinstance(r, dict) else r) for r in rows]


def _label_name(name: Any) -> str:
    if not isinstance(name, str) or not name.strip():
        raise invalid("Label", "name", "missing_field")
    if len(name) > MOST_LABEL:
        raise invalid("Label", "name", value=name, message=f"name is too long (maximum is {MOST_LABEL} characters)")
    return name


def add_labels(call: Call) -> Response:
    item, repo = the_item(call), the_repo(call)
    check_may_triage(call, repo)
    call.world.github.add_labels(item, _label_names(call))
    return answer(GitHubPayloads(call).labels(item))


def set_labels(call: Call) -> Response:
    item, repo = the_item(call), the_repo(call)
    check_may_triage(call, repo)
    names = _label_names(call)
    for name in [n for n in item.labels if n.lower() not in {m.lower() for m in names}]:
        call.world.github.remove_label(item, name)
    call.world.github.add_labels(item, names)
    return answer(GitHubPayloads(call).labels(item))


def remove_label(call: Call) -> Response:
    item, repo = the_item(call), the_repo(call)
    check_may_triage(call, repo)
    if not call.world.github.remove_label(item, call.params["name"]):
        raise github_error(404, "Label does not exist")
    return answer(GitHubPayloads(call).labels(item))


def create_label(call: Call) -> Response:
    repo, body = the_repo(call), call.json()
    _check_may_define(call, repo)
    name, color, description = _label_name(body.get("name")), body.get("color"), body.get("description")
    _check_look(color, description)
    if name.lower() in repo.labels:
        raise invalid("Label", "name", "already_exists")
    label = call.world.github.define_label(repo, name, color or "ededed", description)
    return answer(GitHubPayloads(call).label(repo, label), 201)


def edit_label(call: Call) -> Response:
    repo, body = the_repo(call), call.json()
    _check_may_define(call, repo)
    label = repo.labels.get(call.params["name"].lower())
    if label is None:
        raise github_error(404, "Not Found")
    _check_look(body.get("color"), body.get("description"))
    label.color = body.get("color") or label.color
    label.description = body.get("description", label.description)
    return answer(GitHubPayloads(call).label(repo, label))


def _check_look(color: Any, description: Any) -> None:
    if color is not None and not (isinstance(color, str) and re.fullmatch(r"[0-9A-Fa-f]{6}", color)):
        raise invalid("Label", "color", value=color)
    if description is not None and len(str(description)) > MOST_DESCRIPTION:
        message = f"description is too long (maximum is {MOST_DESCRIPTION} characters)"
        raise invalid("Label", "description", message=message)


def delete_label(call: Call) -> Response:
    repo = the_repo(call)
    _check_may_define(call, repo)
    if call.params["name"].lower() not in repo.labels:
        raise github_error(404, "Not Found")
    call.world.github.delete_label(repo, call.params["name"])
    return answer(None, 204)


def _check_may_define(call: Call, repo: Repo) -> None:
    check_not_archived(repo)
    if not may_write(call, repo):
        raise github_error(403, "Resource not accessible by personal access token")


# --- comments ------------------------------------------------------------------------------------------------


def _comment_body(call: Call) -> str:
    body = call.json().get("body")
    if not isinstance(body, str):
        raise github_error(422, 'Invalid request.\n\n"body" wasn\'t supplied.')
    if not body.strip():
        raise invalid("IssueComment", "body", "missing_field")
    if len(body) > MOST_BODY:
        raise invalid("IssueComment", "data", "unprocessable", message="Body is too long (maximum is 65536 characters)")
    return body


def add_comment(call: Call) -> Response:
    item, repo = the_item(call), the_repo(call)
    check_not_archived(repo)
    if item.locked and not may_write(call, repo):
        raise github_error(403, "Unable to create comment because issue is locked.")
    comment = call.world.github.add_comment(item, _comment_body(call), call.world.bot)
    return answer(GitHubPayloads(call).comment(item, comment), 201)


def _own_comment(call: Call) -> tuple[Item, Comment]:
    repo, text = the_repo(call), call.params["comment"]
    check_not_archived(repo)
    found = call.world.github.comment(repo, int(text) if text.isdigit() else -1)
    if found is None:
        raise github_error(404, "Not Found")
    if found[1].author != call.world.bot and not may_write(call, repo):
        raise github_error(403, "Must have admin rights to Repository.")
    return found


def edit_comment(call: Call) -> Response:
    item, comment = _own_comment(call)
    body = _comment_body(call)
    if body != comment.body:
        call.world.github.touch(item)
        comment.body, comment.updated = body, call.world.clock()
    return answer(GitHubPayloads(call).comment(item, comment))


def delete_comment(call: Call) -> Response:
    item, comment = _own_comment(call)
    call.world.github.touch(item)
    item.comments.remove(comment)
    return answer(None, 204)


# --- issues --------------------------------------------------------------------------------------------------


def create_issue(call: Call) -> Response:
    repo, body = the_repo(call), call.json()
    check_not_archived(repo)
    title = body.get("title")
    if not isinstance(title, str) or not title.strip():
        raise invalid("Issue", "title", "missing_field")
    names = [_label_name(n) for n in body.get("labels") or []]
    item = call.world.github.add_item(repo, title, body=body.get("body"), author=call.world.bot, labels=names)
    return answer(GitHubPayloads(call).issue(item), 201)


_EDITABLE = {"title": str, "body": str, "state": str, "state_reason": str, "labels": list, "assignees": list}


def edit_issue(call: Call) -> Response:
    item, repo, body, state = the_item(call), the_repo(call), call.json(), call.world.github
    check_may_triage(call, repo)
    for field, kind in _EDITABLE.items():
        value = body.get(field)
        if value is not None and not isinstance(value, kind):
            text = f"For 'properties/{field}', {value!r} is not a {kind.__name__}."
            raise github_error(422, f"Invalid request.\n\n{text}")
    if body.get("state") not in (None, "open", "closed"):
        raise invalid("Issue", "state", value=body["state"])
    if body.get("title") is not None or "body" in body:
        state.touch(item)
        item.title = body.get("title") or item.title
        item.body = body.get("body", item.body)
    if body.get("state") not in (None, item.state):
        state.set_state(item, body["state"], body.get("state_reason"))
    if body.get("labels") is not None:
        names = [_label_name(n.get("name") if isinstance(n, dict) else n) for n in body["labels"]]
        state.touch(item)
        item.labels.clear()
        state.add_labels(item, names)
    return answer(GitHubPayloads(call).issue(item))


REPO_ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "/issues", create_issue),
    ("PATCH", "/issues/comments/{comment}", edit_comment),
    ("DELETE", "/issues/comments/{comment}", delete_comment),
    ("PATCH", "/issues/{number}", edit_issue),
    ("POST", "/issues/{number}/labels", add_labels),
    ("PUT", "/issues/{number}/labels", set_labels),
    ("DELETE", "/issues/{number}/labels/{name:path}", remove_label),
    ("POST", "/issues/{number}/comments", add_comment),
    ("POST", "/labels", create_label),
    ("PATCH", "/labels/{name:path}", edit_label),
    ("DELETE", "/labels/{name:path}", delete_label),
]
