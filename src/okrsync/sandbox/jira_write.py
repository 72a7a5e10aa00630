"""Writing to the pretended Jira: labels, fields, comments and their properties."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from .adf import problem, to_text
from .jira_calls import jira_error, payloads, the_issue
from .records import Comment, Issue
from .wire import Call, Handler, Refused, answer

MOST_COMMENT = 32_767  # characters
MOST_LABEL = 255


def _writable(call: Call, issue: Issue) -> None:
    project = call.world.jira.projects[issue.project]
    if project.archived:
        raise jira_error(403, "Issue cannot be edited because its project is archived.")
    if not project.writable:
        raise jira_error(403, "You do not have permission to edit issues in this project.")


def check_labels(labels: list[Any]) -> list[str]:
    for label in labels:
        if not isinstance(label, str) or not label or any(c.isspace() for c in label):
            raise jira_error(400, labels=f"The label '{label}' contains spaces which is invalid.")
        if len(label) > MOST_LABEL:
            raise jira_error(400, labels=f"The label '{label}' is too long. Limit is {MOST_LABEL} characters.")
    return labels


# --- an issue ------------------------------------------------------------------------------------------------


def edit_issue(call: Call) -> Response:
    """`update.labels` adds and removes atomically; `fields` sets. `notifyUsers=false` is for administrators."""
    issue, body, world = the_issue(call), call.json(), call.world
    quiet = call.query.get("notifyUsers", "true").lower() == "false"
    if not body.get("fields") and not body.get("update"):
        raise jira_error(400, "one of 'fields' or 'update' required")
    _writable(call, issue)
    if quiet and not world.jira.projects[issue.project].admin:
        raise jira_error(
            403, "To discard the user notification either admin or project admin permissions are required."
        )
    labels = _edited_labels(issue, body.get("update") or {})
    values = _edited_fields(call, body.get("fields") or {})
    if labels != issue.labels or any(_current(issue, k) != v for k, v in values.items()):
        world.jira.touch(issue)
        issue.labels = labels
        for name, value in values.items():
            _assign(issue, name, value)
        if not quiet:
            world.jira.mails.append(f"{issue.key} edit")
    issue.properties |= _properties(body)
    if call.query.get("returnIssue", "").lower() == "true":
        return answer(payloads(call).issue(issue, {"*all"}))
    return answer(None, 204)


def _edited_labels(issue: Issue, update: dict[str, Any]) -> list[str]:
    labels = list(issue.labels)
    for name, steps in update.items():
        if name != "labels":
            raise _not_settable(name)
        for step in steps:
            for verb, value in step.items():
                if verb not in ("add", "remove", "set"):
                    raise jira_error(400, labels=f"Operation '{verb}' is not supported for field 'labels'.")
                given = check_labels(value if verb == "set" else [value])
                if verb == "set":
                    labels = list(given)
                elif verb == "add":
                    labels += [g for g in given if g not in labels]
                else:
                    labels = [x for x in labels if x not in given]
    return labels


def _not_settable(name: str) -> Refused:
    return jira_error(400, **{name: f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."})


def _edited_fields(call: Call, fields: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in fields.items():
        known = call.world.jira.field(name)
        if known is None or (not known.custom and name not in ("summary", "description", "labels")):
            raise _not_settable(name)
        if name == "labels":
            value = check_labels(value)  # noqa: PLW2901  # checked in place
        if name == "summary" and (not isinstance(value, str) or not value.strip()):
            raise jira_error(400, summary="You must specify a summary of the issue.")
        if name == "description":
            value = _text(call, value, "description")  # noqa: PLW2901  # translated in place
        values[known.name if known.custom else name] = value
    return values


_PLAIN = {"summary": "title", "labels": "labels"}


def _current(issue: Issue, name: str) -> Any:
    if name == "description":
        return (issue.body, issue.adf)
    return getattr(issue, _PLAIN[name]) if name in _PLAIN else issue.values.get(name)


def _assign(issue: Issue, name: str, value: Any) -> None:
    if name == "description":
        issue.body, issue.adf = value
    elif name in _PLAIN:
        setattr(issue, _PLAIN[name], value)
    else:
        issue.values[name] = value


def create_issue(call: Call) -> Response:
    """Project, type, summary, description, labels and properties; enough for a dashboard issue."""
    given, jira = call.json(), call.world.jira
    fields = given.get("fields") or {}
    key = str((fields.get("project") or {}).get("key") or "")
    home = next((p for p in jira.projects.values() if p.visible and key.upper() == p.key), None)
    asked = fields.get("issuetype") or {}
    kind = next((n for n, (id_, _) in jira.types.items() if asked.get("id") == str(id_) or asked.get("name") == n), "")
    if home is None:
        raise jira_error(400, project="Specify a valid project ID or key")
    if not kind:
        raise jira_error(400, issuetype="Specify an issue type")
    if not fields.get("summary"):
        raise jira_error(400, summary="You must specify a summary of the issue.")
    if not home.writable:
        raise jira_error(403, "You do not have permission to create issues in this project.")
    body, adf = _text(call, fields["description"], "description") if fields.get("description") else ("", None)
    labels = check_labels(list(fields.get("labels") or []))
    issue = jira.add_issue(
        home.key, str(fields["summary"]), type=kind, body=body, adf=adf, labels=labels, reporter=call.world.bot
    )
    issue.properties |= _properties(given)
    return answer({"id": str(issue.id), "key": issue.key, "self": f"{payloads(call).api}/issue/{issue.id}"}, 201)


# --- comments ------------------------------------------------------------------------------------------------


def _text(call: Call, body: Any, what: str) -> tuple[str, dict[str, Any] | None]:
    """The text of a body, and its ADF where it is (API v3)."""
    if payloads(call).version == "2":
        if not isinstance(body, str) or not body.strip():
            raise jira_error(400, **{what: f"{what.capitalize()} body can not be empty!"})
        if len(body) > MOST_COMMENT:
            over = f"It exceeds the allowed limit of {MOST_COMMENT:,} characters."
            raise jira_error(400, **{what: f"The entered text is too long. {over}"})
        return body, None
    if problem(body) is not None:
        raise (
            jira_error(400, "INVALID_INPUT")
            if isinstance(body, dict)
            else jira_error(400, **{what: f"{what.capitalize()} body is not valid!"})
        )
    text = to_text(body)
    if not text.strip():
        raise jira_error(400, **{what: f"{what.capitalize()} body can not be empty!"})
    if len(text) > MOST_COMMENT:
        raise jira_error(400, "CONTENT_LIMIT_EXCEEDED")
    return text, body


def _properties(body: dict[str, Any]) -> dict[str, Any]:
    return {p["key"]: p["value"] for p in body.get("properties") or []}


def add_comment(call: Call) -> Response:
    issue, body, jira = the_issue(call), call.json(), call.world.jira
    _writable(call, issue)
    text, adf = _text(call, body.get("body"), "comment")
    properties = _properties(body)
    # service desks: the platform API makes a comment internal by this property
    internal = bool((properties.get("sd.public.comment") or {}).get("internal"))
    comment = jira.add_comment(issue, text, call.world.bot, adf=adf, properties=properties, internal=internal)
    jira.mails.append(f"{issue.key} comment")
    return answer(payloads(call).comment(issue, comment, properties=True), 201)


def _comment(call: Call) -> tuple[Issue, Comment]:
    issue = the_issue(call)
    for comment in issue.comments:
        if str(comment.id) == call.params["comment"]:
            return issue, comment
    raise jira_error(404, f"Can not find a comment for the id: {call.params['comment']}.")


def get_comment(call: Call) -> Response:
    issue, comment = _comment(call)
    return answer(payloads(call).comment(issue, comment, properties="properties" in call.query.get("expand", "")))


def edit_comment(call: Call) -> Response:
    issue, comment = _comment(call)
    body, world = call.json(), call.world
    _writable(call, issue)
    if comment.author != world.bot and not world.jira.projects[issue.project].admin:
        raise jira_error(400, f"You do not have the permission to edit the comment with id: {comment.id}.")
    text, adf = _text(call, body.get("body"), "comment")
    world.jira.touch(issue)
    comment.body, comment.adf, comment.updated = text, adf, world.clock()
    comment.properties |= _properties(body)
    if call.query.get("notifyUsers", "true").lower() != "false":
        world.jira.mails.append(f"{issue.key} comment edit")
    return answer(payloads(call).comment(issue, comment))


def delete_comment(call: Call) -> Response:
    issue, comment = _comment(call)
    _writable(call, issue)
    if comment.author != call.world.bot and not call.world.jira.projects[issue.project].admin:
        raise jira_error(400, f"You do not have permission to delete comment with id: {comment.id}")
    call.world.jira.touch(issue)
    issue.comments.remove(comment)
    return answer(None, 204)


def _any_comment(call: Call) -> Comment:
    found = call.world.jira.comment(call.params["comment"])
    if found is None or not call.world.jira.visible(found[0]):
        raise jira_error(404, f"Can not find a comment for the id: {call.params['comment']}.")
    return found[1]


def property_keys(call: Call) -> Response:
    comment, api = _any_comment(call), payloads(call).api
    rows = [{"self": f"{api}/comment/{comment.id}/properties/{k}", "key": k} for k in comment.properties]
    return answer({"keys": rows})


def get_property(call: Call) -> Response:
    comment, key = _any_comment(call), call.params["key"]
    if key not in comment.properties:
        raise jira_error(404, f"The property with key '{key}' does not exist.")
    return answer({"key": key, "value": comment.properties[key]})


def put_property(call: Call) -> Response:
    comment, key = _any_comment(call), call.params["key"]
    new = key not in comment.properties
    comment.properties[key] = call.any_json()
    return answer(None, 201 if new else 200)


def delete_property(call: Call) -> Response:
    comment, key = _any_comment(call), call.params["key"]
    if comment.properties.pop(key, None) is None:
        raise jira_error(404, f"The property with key '{key}' does not exist.")
    return answer(None, 204)


def get_issue_property(call: Call) -> Response:
    issue, key = the_issue(call), call.params["key"]
    if key not in issue.properties:
        raise jira_error(404, f"The property with key '{key}' does not exist.")
    return answer({"key": key, "value": issue.properties[key]})


def put_issue_property(call: Call) -> Response:
    issue, key = the_issue(call), call.params["key"]
    _writable(call, issue)
    new = key not in issue.properties
    issue.properties[key] = call.any_json()
    return answer(None, 201 if new else 200)


ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "/issue", create_issue),
    ("PUT", "/issue/{issue}", edit_issue),
    ("GET", "/issue/{issue}/properties/{key}", get_issue_property),
    ("PUT", "/issue/{issue}/properties/{key}", put_issue_property),
    ("POST", "/issue/{issue}/comment", add_comment),
    ("GET", "/issue/{issue}/comment/{comment}", get_comment),
    ("PUT", "/issue/{issue}/comment/{comment}", edit_comment),
    ("DELETE", "/issue/{issue}/comment/{comment}", delete_comment),
    ("GET", "/comment/{comment}/properties", property_keys),
    ("GET", "/comment/{comment}/properties/{key}", get_property),
    ("PUT", "/comment/{comment}/properties/{key}", put_property),
    ("DELETE", "/comment/{comment}/properties/{key}", delete_property),
]
