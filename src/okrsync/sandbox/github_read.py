"""Reading from the pretended GitHub."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from .github_calls import cursored, github_error, invalid, paged, tagged, the_item, the_repo
from .github_payloads import GitHubPayloads
from .records import Item, Repo
from .wire import Call, Handler, answer


def user(call: Call) -> Response:
    person = call.world.people[call.world.bot]
    shown = GitHubPayloads(call).user(person.login) or {}
    return tagged(call, {**shown, "name": person.name, "email": person.email})


def any_user(call: Call) -> Response:
    shown = GitHubPayloads(call).user(call.params["login"])
    if shown is None:
        raise github_error(404, "Not Found")
    return tagged(call, shown)


def org(call: Call) -> Response:
    login = call.params["org"]
    if not any(r.full_name.lower().startswith(login.lower() + "/") for r in call.world.github.repos.values()):
        raise github_error(404, "Not Found")
    return tagged(call, {"login": login, "id": 9000, "url": f"{call.base}/orgs/{login}", "type": "Organization"})


def rate_limit(call: Call) -> Response:
    reset = int(call.world.clock().timestamp()) + 3600
    quota = {"limit": 5000, "used": 1, "remaining": 4999, "reset": reset}
    resources = {"core": quota, "graphql": quota, "search": {**quota, "limit": 30, "remaining": 30, "used": 0}}
    return answer({"resources": resources, "rate": quota})


def meta(_call: Call) -> Response:
    return answer({"verifiable_password_authentication": False})


# --- repositories --------------------------------------------------------------------------------------------


def repo(call: Call) -> Response:
    return tagged(call, GitHubPayloads(call).repo(the_repo(call)))


def owner_repos(call: Call) -> Response:
    login = (call.params.get("org") or call.params.get("login") or "").lower()
    rows = [r for r in _visible(call) if r.full_name.lower().startswith(login + "/")]
    if not rows and login not in (p.lower() for p in call.world.people):
        raise github_error(404, "Not Found")
    return paged(call, rows, GitHubPayloads(call).repo)


def my_repos(call: Call) -> Response:
    return paged(call, _visible(call), GitHubPayloads(call).repo)


def _visible(call: Call) -> list[Repo]:
    return sorted((r for r in call.world.github.repos.values() if r.visible), key=lambda r: r.full_name)


def labels(call: Call) -> Response:
    found, p = the_repo(call), GitHubPayloads(call)
    return paged(call, sorted(found.labels.values(), key=lambda d: d.name.lower()), lambda d: p.label(found, d))


def label(call: Call) -> Response:
    found = the_repo(call)
    known = found.labels.get(call.params["name"].lower())
    if known is None:
        raise github_error(404, "Not Found")
    return tagged(call, GitHubPayloads(call).label(found, known))


def milestones(call: Call) -> Response:
    found, p = the_repo(call), GitHubPayloads(call)
    state = call.query.get("state", "open")
    rows = [m for m in found.milestones.values() if state in ("all", m.state)]
    return paged(call, rows, lambda m: p.milestone(found, m))


def permission(call: Call) -> Response:
    found, login = the_repo(call), call.params["login"]
    shown = GitHubPayloads(call).user(login)
    if shown is None:
        raise github_error(404, f"{login} is not a user")
    role = call.world.permission(found, login)
    legacy = {"maintain": "write", "triage": "read"}.get(role, role)
    return tagged(call, {"permission": legacy, "role_name": role, "user": shown})


# --- issues and pull requests --------------------------------------------------------------------------------


def since(call: Call) -> datetime | None:
    text = call.query.get("since")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise invalid("Issue", "since") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


_SORTS: dict[str, Any] = {
    "created": lambda i: (i.created, i.number),
    "updated": lambda i: (i.updated.replace(microsecond=0), i.number),
    "comments": lambda i: (len(i.comments), i.number),
}


def _listed(call: Call, rows: list[Item], sorts: tuple[str, ...]) -> tuple[list[Item], Any]:
    """Filtered by `state`, in the order of `sort` and `direction`; with the sort key."""
    state, sort = call.query.get("state", "open"), call.query.get("sort", "created")
    if state not in ("open", "closed", "all"):
        raise invalid("Issue", "state", value=state)
    if sort not in sorts:
        raise invalid("Issue", "sort", value=sort)
    key = _SORTS[sort]
    found = [i for i in rows if state in ("all", i.state)]
    return sorted(found, key=key, reverse=call.query.get("direction", "desc") != "asc"), key


def issues(call: Call) -> Response:
    """Pull requests too, as GitHub does."""
    found, edge, query = the_repo(call), since(call), call.query
    rows = list(found.items.values())
    if edge is not None:
        rows = [i for i in rows if i.updated >= edge]
    if names := [n.lower() for n in query.get("labels", "").split(",") if n]:
        rows = [i for i in rows if set(names) <= {n.lower() for n in i.labels}]
    if creator := query.get("creator"):
        rows = [i for i in rows if i.author == creator]
    if (assignee := query.get("assignee")) and assignee != "*":
        rows = [i for i in rows if assignee in i.assignees or (assignee == "none" and not i.assignees)]
    rows, key = _listed(call, rows, ("created", "updated", "comments"))
    return cursored(call, rows, key, GitHubPayloads(call).issue)


def pulls(call: Call) -> Response:
    rows, _ = _listed(call, [i for i in the_repo(call).items.values() if i.pull], ("created", "updated"))
    return paged(call, rows, GitHubPayloads(call).pull)


def issue(call: Call) -> Response:
    return tagged(call, GitHubPayloads(call).issue(the_item(call)))


def pull(call: Call) -> Response:
    return tagged(call, GitHubPayloads(call).pull(the_item(call, pull=True), full=True))


def issue_labels(call: Call) -> Response:
    return paged(call, GitHubPayloads(call).labels(the_item(call)), lambda row: row)


def parent(call: Call) -> Response:
    above = call.world.github.nodes.get(the_item(call).parent or "")
    if above is None or not call.world.github.repos[above.repo].visible:
        raise github_error(404, "Not Found")
    return tagged(call, GitHubPayloads(call).issue(above))


def sub_issues(call: Call) -> Response:
    item, state = the_item(call), call.world.github
    rows = [i for i in state.nodes.values() if i.parent == item.node_id and state.repos[i.repo].visible]
    return paged(call, rows, GitHubPayloads(call).issue)


# --- comments ------------------------------------------------------------------------------------------------


def issue_comments(call: Call) -> Response:
    item, edge, p = the_item(call), since(call), GitHubPayloads(call)
    rows = [c for c in item.comments if edge is None or c.updated >= edge]
    return paged(call, rows, lambda c: p.comment(item, c))


def repo_comments(call: Call) -> Response:
    edge, p = since(call), GitHubPayloads(call)
    rows = [(i, c) for i in the_repo(call).items.values() for c in i.comments if edge is None or c.updated >= edge]
    by = (lambda r: (r[1].updated, r[1].id)) if call.query.get("sort") == "updated" else (lambda r: r[1].id)
    backwards = "sort" in call.query and call.query.get("direction", "desc") == "desc"
    return paged(call, sorted(rows, key=by, reverse=backwards), lambda r: p.comment(*r))


def one_comment(call: Call) -> Response:
    text = call.params["comment"]
    found = call.world.github.comment(the_repo(call), int(text) if text.isdigit() else -1)
    if found is None:
        raise github_error(404, "Not Found")
    return tagged(call, GitHubPayloads(call).comment(*found))


# --- search --------------------------------------------------------------------------------------------------

_QUALIFIER = re.compile(r'(-?)(repo|org|user|is|type|state|label|author|in|no|archived):("[^"]*"|\S+)')


def search_issues(call: Call) -> Response:
    """Qualifiers repo, org, is, label, author, archived; bare words are sought in title, body and comments."""
    query, p, state = call.query.get("q", ""), GitHubPayloads(call), call.world.github
    if not query.strip():
        raise invalid("Search", "q", "missing")
    wanted = [(sign == "-", k, v.strip('"').lower()) for sign, k, v in _QUALIFIER.findall(query)]
    words = [w.strip('"').lower() for w in re.findall(r'"[^"]*"|\S+', _QUALIFIER.sub(" ", query))]
    rows = []
    for item in state.nodes.values():
        home = state.repos[item.repo]
        text = "\n".join([item.title, item.body or "", *(c.body for c in item.comments)]).lower()
        if home.visible and all(w in text for w in words) and _qualifies(item, home, wanted):
            rows.append(item)
    rows.sort(key=_SORTS.get(call.query.get("sort", ""), _SORTS["created"]), reverse=call.query.get("order") != "asc")
    size, page = max(1, call.number("per_page", 30, 100)), max(1, call.number("page", 1))
    if page * size > 1000:
        raise github_error(422, "Only the first 1000 search results are available")
    shown = rows[(page - 1) * size : page * size]
    return answer({"total_count": len(rows), "incomplete_results": False, "items": [p.issue(i) for i in shown]})


def _qualifies(item: Item, home: Repo, wanted: list[tuple[bool, str, str]]) -> bool:
    repos = [v for no, k, v in wanted if k == "repo" and not no]
    if repos and home.full_name.lower() not in repos:
        return False
    facts = {
        "org": {home.full_name.split("/")[0].lower()},
        "user": {home.full_name.split("/")[0].lower()},
        "is": {item.state, "pr" if item.pull else "issue", "merged" if item.merged else "unmerged",
               "private" if home.private else "public", "locked" if item.locked else "unlocked"},
        "type": {"pr" if item.pull else "issue"},
        "state": {item.state},
        "label": {n.lower() for n in item.labels},
        "author": {item.author.lower()},
        "archived": {"true" if home.archived else "false"},
        "no": {k for k, v in (("label", item.labels), ("assignee", item.assignees)) if not v},
    }  # fmt: skip
    return all((v in facts[k]) != no for no, k, v in wanted if k in facts and k != "repo")


_R = "/repos/{owner}/{repo}"
REPO_ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "", repo),
    ("GET", "/issues", issues),
    ("GET", "/issues/comments", repo_comments),
    ("GET", "/issues/comments/{comment}", one_comment),
    ("GET", "/issues/{number}", issue),
    ("GET", "/issues/{number}/labels", issue_labels),
    ("GET", "/issues/{number}/comments", issue_comments),
    ("GET", "/issues/{number}/parent", parent),
    ("GET", "/issues/{number}/sub_issues", sub_issues),
    ("GET", "/pulls", pulls),
    ("GET", "/pulls/{number}", pull),
    ("GET", "/labels", labels),
    ("GET", "/labels/{name:path}", label),
    ("GET", "/milestones", milestones),
    ("GET", "/collaborators/{login}/permission", permission),
]
ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/user", user),
    ("GET", "/user/repos", my_repos),
    ("GET", "/users/{login}", any_user),
    ("GET", "/users/{login}/repos", owner_repos),
    ("GET", "/orgs/{org}", org),
    ("GET", "/orgs/{org}/repos", owner_repos),
    ("GET", "/rate_limit", rate_limit),
    ("GET", "/meta", meta),
    ("GET", "/search/issues", search_issues),
]
