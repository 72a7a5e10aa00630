"""Reading from the pretended Jira."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

import msgspec
from starlette.responses import Response

from .jira_calls import NO_ISSUE, jira_error, number, payloads, the_issue, the_project, wanted_fields
from .jql import search
from .records import CATEGORIES
from .wire import BadJson, Call, Handler, answer

PAGE, ID_PAGE, OLD_PAGE = 100, 5000, 1000  # most rows per page: with fields, of ids and keys only, of the old search


def myself(call: Call) -> Response:
    return answer({**(payloads(call).user(call.world.bot) or {}), "locale": "en_US"})


def server_info(call: Call) -> Response:
    p = payloads(call)
    cloud = call.world.jira.cloud
    return answer(
        {
            "baseUrl": call.base.partition("/ex/jira/")[0],  # the site, also where the gateway is asked
            "version": "1001.0.0-SNAPSHOT" if cloud else "10.3.12",
            "versionNumbers": [1001, 0, 0] if cloud else [10, 3, 12],
            "deploymentType": "Cloud" if cloud else "Server",
            "buildNumber": 100290,
            "serverTime": p.time(call.world.clock()),
            "serverTitle": "Acme Jira",
        }
    )


def fields(call: Call) -> Response:
    p = payloads(call)
    return answer([p.field(f) for f in call.world.jira.fields])


def statuses(call: Call) -> Response:
    p = payloads(call)
    return answer([p.status(n) for n in call.world.jira.statuses])


def status_categories(_call: Call) -> Response:
    rows = [{"id": i, "key": k, "name": n, "colorName": c} for k, (i, n, c) in CATEGORIES.items()]
    return answer(rows)


def issue_types(call: Call) -> Response:
    p = payloads(call)
    return answer([p.type(n) for n in call.world.jira.types])


def priorities(call: Call) -> Response:
    p = payloads(call)
    return answer([p.priority(n) for n in ("Highest", "High", "Medium", "Low", "Lowest")])


# --- projects and permissions --------------------------------------------------------------------------------


def projects(call: Call) -> Response:
    p = payloads(call)
    return answer([p.project(x) for x in call.world.jira.projects.values() if x.visible and not x.archived])


def project_search(call: Call) -> Response:
    p = payloads(call)
    keys = {k.upper() for k in call.query.getlist("keys")}
    needle = call.query.get("query", "").casefold()
    found = [
        x
        for x in call.world.jira.projects.values()
        if x.visible and (not keys or x.key in keys) and (needle in x.name.casefold() or needle in x.key.casefold())
    ]
    start, size = call.number("startAt", 0), call.number("maxResults", 50, PAGE)
    page = found[start : start + size]
    return answer(
        {
            "self": f"{call.base}{call.path}?maxResults={size}&startAt={start}",
            "maxResults": size,
            "startAt": start,
            "total": len(found),
            "isLast": start + len(page) >= len(found),
            "values": [p.project(x) for x in page],
        }
    )


def project(call: Call) -> Response:
    return answer(payloads(call).project_detail(the_project(call, call.params["project"])))


PERMISSIONS = {  # key -> (id, needs)
    "BROWSE_PROJECTS": ("10", "visible"),
    "EDIT_ISSUES": ("12", "writable"),
    "ADD_COMMENTS": ("15", "writable"),
    "EDIT_OWN_COMMENTS": ("37", "writable"),
    "DELETE_OWN_COMMENTS": ("39", "writable"),
    "CREATE_ISSUES": ("11", "writable"),
    "ADMINISTER_PROJECTS": ("23", "admin"),
    "BULK_CHANGE": ("33", "bulk"),
    "ADMINISTER": ("0", "never"),
    "USER_PICKER": ("27", "never"),
}


def my_permissions(call: Call) -> Response:
    world, asked = call.world, [k for k in call.query.get("permissions", "").split(",") if k]
    if world.jira.cloud and not asked:
        raise jira_error(400, "The 'permissions' query parameter is required.")
    unknown = [k for k in asked if k not in PERMISSIONS]
    if unknown:
        raise jira_error(400, f"Unrecognized permission keys: {', '.join(unknown)}")
    place = None
    if key := call.query.get("projectKey") or call.query.get("projectId"):
        place = the_project(call, key)
    elif key := call.query.get("issueKey") or call.query.get("issueId"):
        issue = world.jira.find(key)
        if issue is None or not world.jira.visible(issue):
            raise jira_error(404, NO_ISSUE)
        place = world.jira.projects[issue.project]
    shown = {}
    for key in asked or PERMISSIONS:
        id_, needs = PERMISSIONS[key]
        places = [place] if place else [p for p in world.jira.projects.values() if p.visible]
        have = world.jira.bulk if needs == "bulk" else any(getattr(p, needs, False) for p in places)
        kind = "GLOBAL" if needs in ("bulk", "never") else "PROJECT"
        title = key.replace("_", " ").capitalize()
        shown[key] = {"id": id_, "key": key, "name": title, "type": kind, "description": "", "havePermission": have}
    return answer({"permissions": shown})


# --- searching -----------------------------------------------------------------------------------------------


def _parameters(call: Call) -> dict[str, Any]:
    return call.json() if call.method == "POST" else dict(call.query)


def search_jql(call: Call) -> Response:
    """Cloud's search: a token instead of an offset, no total, ids only unless fields are named."""
    given, p = _parameters(call), payloads(call)
    if call.method == "POST" and (extra := set(given) - _SEARCH_KEYS):
        raise jira_error(400, f'Unrecognized field "{min(extra)}"')
    jql = str(given.get("jql") or "")
    found = search(call.world.jira, jql)
    names = wanted_fields(call, given.get("fields"), "id")
    thin = names <= {"id", "key"}
    size = min(number(given.get("maxResults"), 50) or 50, ID_PAGE if thin else PAGE)
    start = _token_offset(given.get("nextPageToken"), jql)
    page = found[start : start + size]
    if names == {"id"}:
        rows: list[dict[str, Any]] = [{"id": str(i.id)} for i in page]
    elif thin:
        rows = [{"id": str(i.id), "key": i.key, "self": f"{p.api}/issue/{i.id}"} for i in page]
    else:
        rows = [p.issue(i, names) for i in page]
    body: dict[str, Any] = {"issues": rows, "isLast": start + size >= len(found)}
    if not body["isLast"]:
        body["nextPageToken"] = _token(start + size, jql)
    return answer(body | _names(call, given, names))


def _names(call: Call, given: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """`expand: names` tells the display names of the fields asked for."""
    expand = given.get("expand") or ""
    if "names" not in (expand.split(",") if isinstance(expand, str) else expand):
        return {}
    every = bool(names & {"*all", "*navigable"})
    return {"names": {f.id: f.name for f in call.world.jira.fields if every or f.id in names}}


_SEARCH_KEYS = {"jql", "nextPageToken", "maxResults", "fields", "expand", "properties", "fieldsByKeys"} | {
    "reconcileIssues"
}


def _token(offset: int, jql: str) -> str:
    mark = hashlib.sha256(jql.encode()).hexdigest()[:8]
    return base64.urlsafe_b64encode(msgspec.json.encode([offset, mark])).decode()


def _token_offset(token: Any, jql: str) -> int:
    if not token:
        return 0
    try:
        offset, mark = msgspec.json.decode(base64.urlsafe_b64decode(str(token)), type=tuple[int, str])
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise jira_error(400, "The provided next page token is invalid or expired.") from None
    if mark != hashlib.sha256(jql.encode()).hexdigest()[:8]:
        raise jira_error(400, "The provided next page token is invalid or expired.")
    return offset


def old_search(call: Call) -> Response:
    """Data Center's search, with offsets; all fields unless some are named."""
    given, p = _parameters(call), payloads(call)
    found = search(call.world.jira, str(given.get("jql") or "created is not EMPTY"))
    start, size = number(given.get("startAt"), 0), min(number(given.get("maxResults"), 50), OLD_PAGE)
    names = wanted_fields(call, given.get("fields"), "*navigable")
    rows = [p.issue(i, names) for i in found[start : start + size]]
    head = {"expand": "schema,names", "startAt": start, "maxResults": size, "total": len(found)}
    return answer({**head, "issues": rows, **_names(call, given, names)})


def gone_search(_call: Call) -> Response:
    text = "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API."
    raise jira_error(410, text)


def approximate_count(call: Call) -> Response:
    return answer({"count": len(search(call.world.jira, str(call.json().get("jql") or "")))})


def bulk_fetch(call: Call) -> Response:
    given, p, jira = call.json(), payloads(call), call.world.jira
    asked = given.get("issueIdsOrKeys")
    if not isinstance(asked, list) or not asked:
        raise jira_error(400, "issueIdsOrKeys is required and must not be empty.")
    if len(asked) > PAGE:
        raise jira_error(400, f"A maximum of {PAGE} issue IDs or keys may be requested at once.")
    names = wanted_fields(call, given.get("fields"), "*navigable")
    rows, errors, seen = [], [], set()
    for one in asked:
        issue = jira.find(str(one))
        if issue is None or not jira.visible(issue):
            errors.append({"id": str(one), "errorMessage": NO_ISSUE})
        elif issue.id not in seen:
            seen.add(issue.id)
            rows.append(p.issue(issue, names))
    return answer({"expand": "schema,names", "issues": rows, "issueErrors": errors})


# --- one issue -----------------------------------------------------------------------------------------------


def issue(call: Call) -> Response:
    names = wanted_fields(call, call.query.get("fields"), "*all")
    return answer(payloads(call).issue(the_issue(call), names))


def comments(call: Call) -> Response:
    found, p = the_issue(call), payloads(call)
    most = PAGE if call.world.jira.cloud else ID_PAGE
    start, size = call.number("startAt", 0), call.number("maxResults", most, ID_PAGE)
    shown = sorted(found.comments, key=lambda c: c.id, reverse=call.query.get("orderBy", "").startswith("-"))
    properties = "properties" in call.query.get("expand", "")
    rows = [p.comment(found, c, properties=properties) for c in shown[start : start + size]]
    return answer({"startAt": start, "maxResults": size, "total": len(shown), "comments": rows})


# --- people --------------------------------------------------------------------------------------------------


def _groups(call: Call, login: str | None) -> list[dict[str, Any]]:
    if not call.world.jira.sees_groups:
        raise jira_error(403, "You are not authorized to perform this action.")
    if login is None:
        raise jira_error(404, "The user does not exist.")
    return [{"name": n, "groupId": f"group-{n}"} for n, people in call.world.jira.groups.items() if login in people]


def user_groups(call: Call) -> Response:
    asked = call.query.get("accountId")
    return answer(_groups(call, next((p.login for p in call.world.people.values() if p.account_id == asked), None)))


def user(call: Call) -> Response:
    login = call.query.get("key") or call.query.get("username")
    groups = _groups(call, login if login in call.world.people else None)
    shown = payloads(call).user(login) or {}
    if "groups" in call.query.get("expand", ""):
        shown["groups"] = {"size": len(groups), "items": [{"name": g["name"]} for g in groups]}
    return answer(shown)


def roles(call: Call) -> Response:
    home, p = the_project(call, call.params["project"]), payloads(call)
    named = enumerate(call.world.jira.roles, 10400)
    return answer({name: f"{p.api}/project/{home.id}/role/{id_}" for id_, name in named})


def role(call: Call) -> Response:
    the_project(call, call.params["project"])
    found = dict(enumerate(call.world.jira.roles.items(), 10400)).get(number(call.params["role"], 0))
    if found is None:
        raise jira_error(404, "Can not find a role with this id.")
    return answer(
        {"name": found[0], "id": number(call.params["role"], 0), "actors": [_actor(call, h) for h in found[1]]}
    )


def _actor(call: Call, holder: str) -> dict[str, Any]:
    cloud, group = call.world.jira.cloud, holder.removeprefix("@")
    if holder != group:
        more = {"actorGroup": {"name": group, "groupId": f"group-{group}"}} if cloud else {}
        return {"displayName": group, "type": "atlassian-group-role-actor", "name": group, **more}
    person = call.world.people[holder]
    shown = {"displayName": person.name, "type": "atlassian-user-role-actor"}
    return shown | ({"actorUser": {"accountId": person.account_id}} if cloud else {"name": holder})


def parse_jql(call: Call) -> Response:
    """Only validity is told, the structure is not."""
    queries = call.json().get("queries")
    if not isinstance(queries, list):
        raise BadJson("queries")
    rows = []
    for query in queries:
        try:
            search(call.world.jira, str(query), [])
            rows.append({"query": query})
        except Exception as error:  # noqa: BLE001  # each query is judged on its own
            rows.append({"query": query, "errors": [str(error)]})
    return answer({"queries": rows})


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/myself", myself),
    ("GET", "/serverInfo", server_info),
    ("GET", "/field", fields),
    ("GET", "/status", statuses),
    ("GET", "/statuscategory", status_categories),
    ("GET", "/issuetype", issue_types),
    ("GET", "/priority", priorities),
    ("GET", "/project", projects),
    ("GET", "/mypermissions", my_permissions),
    ("GET", "/issue/{issue}", issue),
    ("GET", "/issue/{issue}/comment", comments),
    ("GET", "/project/{project}/role", roles),
    ("GET", "/project/{project}/role/{role}", role),
]
CLOUD_ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/project/search", project_search),
    ("GET", "/project/{project}", project),
    ("GET", "/user/groups", user_groups),
    ("GET", "/search/jql", search_jql),
    ("POST", "/search/jql", search_jql),
    ("POST", "/search/approximate-count", approximate_count),
    ("GET", "/search", gone_search),
    ("POST", "/search", gone_search),
    ("POST", "/issue/bulkfetch", bulk_fetch),
    ("POST", "/jql/parse", parse_jql),
]
DC_ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/user", user),
    ("GET", "/project/{project}", project),
    ("GET", "/search", old_search),
    ("POST", "/search", old_search),
]
