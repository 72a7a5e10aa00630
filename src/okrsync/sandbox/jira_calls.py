"""What the handlers of the pretended Jira share: finding things by address, or refusing in Jira's words."""

from __future__ import annotations

from typing import Any

from .jira_payloads import JiraPayloads
from .records import Issue, Project
from .wire import Call, Refused

NO_ISSUE = "Issue does not exist or you do not have permission to see it."


def jira_error(status: int, *messages: str, **errors: str) -> Refused:
    return Refused(status, {"errorMessages": list(messages), "errors": errors})


def payloads(call: Call) -> JiraPayloads:
    version = call.path.split("/")[3]
    return JiraPayloads(call.world, call.base, "2" if version == "latest" and not call.world.jira.cloud else version)


def the_issue(call: Call) -> Issue:
    issue = call.world.jira.find(call.params["issue"])
    if issue is None or not call.world.jira.visible(issue):
        raise jira_error(404, NO_ISSUE)
    return issue


def the_project(call: Call, key: str) -> Project:
    for project in call.world.jira.projects.values():
        if project.visible and key.upper() in (project.key, str(project.id)):
            return project
    raise jira_error(404, f"No project could be found with key '{key}'.")


def wanted_fields(call: Call, given: Any, default: str) -> set[str]:
    """The `fields` parameter as ids: a comma-separated string, or a list in a body. Names Jira does not
    know are ignored, as it does."""
    text = given if given is not None else default
    names = text.split(",") if isinstance(text, str) else list(text)
    found = set()
    for name in (str(n).strip() for n in names):
        bare = name.removeprefix("-")
        field = call.world.jira.field(bare)
        if bare in ("*all", "*navigable", "id", "key", "*none"):
            found.add(name)
        elif field is not None and bare.casefold() == field.id.casefold():
            found.add(("-" if name != bare else "") + field.id)
    return found


def number(value: Any, default: int) -> int:
    """A number that may come as text in a query or as a number in a body."""
    try:
        return max(0, int(value)) if value is not None else default
    except (TypeError, ValueError):
        raise jira_error(400, f'For input string: "{value}"') from None
