"""Remote links of the pretended Jira's issues, which its pages call web links."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from .jira_calls import jira_error, payloads, the_issue
from .records import Issue
from .wire import Call, Handler, answer

MOST_GLOBAL_ID = 255
_GIVEN = ("globalId", "application", "relationship", "object")


def _linking(call: Call) -> Issue:
    """The issue, where linking is on: the administrator may have switched it off."""
    if not call.world.jira.linking:
        raise jira_error(403, "Issue linking is currently disabled.")
    return the_issue(call)


def _shown(call: Call, issue: Issue, id_: int) -> dict[str, Any]:
    return {"id": id_, "self": _address(call, issue, id_), **issue.remote_links[id_]}


def _address(call: Call, issue: Issue, id_: int) -> str:
    return f"{payloads(call).api}/issue/{issue.key}/remotelink/{id_}"


def remote_links(call: Call) -> Response:
    issue = _linking(call)
    wanted = call.query.get("globalId")
    if wanted:
        for id_, link in issue.remote_links.items():
            if link.get("globalId") == wanted:
                return answer(_shown(call, issue, id_))
        raise jira_error(404, f"Remote link with globalId '{wanted}' could not be found")
    return answer([_shown(call, issue, id_) for id_ in issue.remote_links])


def remote_link(call: Call) -> Response:
    issue = _linking(call)
    return answer(_shown(call, issue, _known(call, issue)))


def _known(call: Call, issue: Issue) -> int:
    text = call.params["link"]
    if not text.isdigit() or int(text) not in issue.remote_links:
        raise jira_error(404, f"Remote link with id '{text}' could not be found")
    return int(text)


def add_remote_link(call: Call) -> Response:
    """A new one, or the one with the same `globalId` anew."""
    issue, given, jira = _linking(call), call.json(), call.world.jira
    thing = given.get("object")
    if not isinstance(thing, dict) or not thing.get("url"):
        raise jira_error(400, url="'url' is required.")
    if not thing.get("title"):
        raise jira_error(400, title="'title' is required.")
    if len(str(given.get("globalId") or "")) > MOST_GLOBAL_ID:
        raise jira_error(400, globalId=f"'globalId' is too long. Limit is {MOST_GLOBAL_ID} characters.")
    if not jira.projects[issue.project].writable:
        raise jira_error(403, "No Link Issue Permission for issue")
    link = {name: given[name] for name in _GIVEN if given.get(name) is not None}
    ids = issue.remote_links if "globalId" in link else ()
    same = next((id_ for id_ in ids if issue.remote_links[id_].get("globalId") == link["globalId"]), None)
    id_ = jira.add_remote_link(issue, link, same)
    return answer({"id": id_, "self": _address(call, issue, id_)}, 201 if same is None else 200)


def delete_remote_link(call: Call) -> Response:
    issue = _linking(call)
    id_ = _known(call, issue)
    if not call.world.jira.projects[issue.project].writable:
        raise jira_error(403, "No Link Issue Permission for issue")
    call.world.jira.touch(issue)
    del issue.remote_links[id_]
    return answer(None, 204)


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/issue/{issue}/remotelink", remote_links),
    ("POST", "/issue/{issue}/remotelink", add_remote_link),
    ("GET", "/issue/{issue}/remotelink/{link}", remote_link),
    ("DELETE", "/issue/{issue}/remotelink/{link}", delete_remote_link),
]
