"""The objects that GraphQL queries walk over: plain mappings whose values are made when asked for."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from .github_calls import z
from .github_payloads import GitHubPayloads
from .github_projects import ProjectNodes
from .github_state import node_id
from .records import Comment, Item, LabelDef, Milestone, Repo
from .wire import Call

MOST_ROWS = 100


class NotResolved(Exception):
    """An error of one field; `type` stands beside the message, as GitHub has it."""

    def __init__(self, message: str, type_: str = "NOT_FOUND") -> None:
        self.type = type_
        super().__init__(message)


class Nodes:
    def __init__(self, call: Call) -> None:
        self.world, self.state = call.world, call.world.github
        self.rest = GitHubPayloads(call)
        self.projects = ProjectNodes(self.state, self.item, connection)

    def by_id(self, id_: str) -> dict[str, Any] | None:
        """Issues, pull requests and repositories the token may see."""
        item = self.state.nodes.get(id_)
        if item is not None and self.state.repos[item.repo].visible:
            return self.item(item)
        for repo in self.state.repos.values():
            if repo.visible and node_id("R", repo.id) == id_:
                return self.repository(repo)
        return self.projects.by_id(id_)

    def owner(self, login: str) -> dict[str, Any]:
        kind = "User" if login in self.world.people else "Organization"
        shown = {"__typename": kind, "id": node_id("O", 9000), "login": login}
        return {**shown, "projectsV2": self.projects.of_owner(login)}

    def actor(self, login: str) -> dict[str, Any] | None:
        person = self.world.people.get(login)
        if person is None:
            return None
        # GraphQL leaves out the [bot] that REST shows
        shown = login.removesuffix("[bot]") if person.bot else login
        return {
            "__typename": "Bot" if person.bot else "User",
            "id": node_id("BOT" if person.bot else "U", person.id),
            "login": shown,
            "url": f"{self.rest.web}/{shown}",
            "resourcePath": f"/{shown}",
            "avatarUrl": "",
            "databaseId": person.id,
            "name": person.name,
        }

    def repository(self, repo: Repo) -> dict[str, Any]:
        owner, name = repo.full_name.split("/")
        role = "none" if self.state.installation else self.world.permission(repo, self.world.bot)

        def numbered(kind: str) -> Callable[..., Any]:
            def resolve(_info: Any, **args: Any) -> Any:
                item = repo.items.get(args["number"])
                wrong = item is not None and kind != "issue or pull request" and item.pull != (kind == "PullRequest")
                if item is None or wrong:
                    what = "an Issue" if kind == "Issue" else "a PullRequest" if kind == "PullRequest" else f"an {kind}"
                    raise NotResolved(f"Could not resolve to {what} with the number of {args['number']}.")
                return self.item(item)

            return resolve

        def listed(*, pull: bool) -> Callable[..., Any]:
            return lambda _info, **args: self._items([i for i in repo.items.values() if i.pull == pull], pull, args)

        return {
            "__typename": "Repository",
            "id": node_id("R", repo.id),
            "databaseId": repo.id,
            "name": name,
            "nameWithOwner": repo.full_name,
            "owner": {"__typename": "Organization", "id": node_id("O", 9000), "login": owner},
            "url": f"{self.rest.web}/{repo.full_name}",
            "isArchived": repo.archived,
            "isPrivate": repo.private,
            "visibility": "PRIVATE" if repo.private else "PUBLIC",
            "hasIssuesEnabled": True,
            "viewerPermission": role.upper() if role != "none" else None,
            "issue": numbered("Issue"),
            "pullRequest": numbered("PullRequest"),
            "issueOrPullRequest": numbered("issue or pull request"),
            "issues": listed(pull=False),
            "pullRequests": listed(pull=True),
            "labels": lambda _info, **args: connection("labels", list(repo.labels.values()), args, self._label),
        }

    def _items(self, rows: list[Item], pull: bool, args: dict[str, Any]) -> dict[str, Any]:
        filters = args.get("filterBy") or {}
        states = args.get("states") or filters.get("states")
        if states:
            rows = [i for i in rows if _state(i) in states]
        if names := args.get("labels") or filters.get("labels"):
            wanted = {n.lower() for n in names}
            rows = [i for i in rows if wanted & {n.lower() for n in i.labels}]
        if text := filters.get("since"):
            since = datetime.fromisoformat(str(text))
            since = since.replace(tzinfo=since.tzinfo or UTC)
            rows = [i for i in rows if i.updated >= since]
        order = args.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
        keys: dict[str, Callable[[Item], Any]] = {
            "CREATED_AT": lambda i: (i.created, i.number),
            "UPDATED_AT": lambda i: (i.updated, i.number),
            "COMMENTS": lambda i: (len(i.comments), i.number),
        }
        rows = sorted(rows, key=keys[order["field"]], reverse=order["direction"] == "DESC")
        return connection("pullRequests" if pull else "issues", rows, args, self.item)

    # --- items ------------------------------------------------------------------------------------------------

    def item(self, item: Item) -> dict[str, Any]:
        repo = self.state.repos[item.repo]
        kind = "pull" if item.pull else "issues"
        path = f"/{repo.full_name}/{kind}/{item.number}"
        people = [p for p in (self.actor(a) for a in item.assignees) if p]
        labels = [repo.labels[n.lower()] for n in item.labels]
        shown: dict[str, Any] = {
            "__typename": "PullRequest" if item.pull else "Issue",
            "id": item.node_id,
            "databaseId": item.id + item.pull,
            "fullDatabaseId": str(item.id + item.pull),
            "number": item.number,
            "title": item.title,
            "body": item.body or "",
            "bodyText": item.body or "",
            "url": f"{self.rest.web}{path}",
            "resourcePath": path,
            "state": _state(item),
            "closed": item.state == "closed",
            "closedAt": z(item.closed),
            "createdAt": z(item.created),
            "updatedAt": z(item.updated),
            "locked": item.locked,
            "author": lambda _info: self.actor(item.author),
            "authorAssociation": self.rest.association(repo, item.author),
            "assignees": lambda _info, **args: connection("assignees", people, args, lambda p: p),
            "labels": lambda _info, **args: connection("labels", labels, args, self._label),
            "milestone": lambda _info: self._milestone(repo, repo.milestones.get(item.milestone or 0)),
            "comments": lambda _info, **args: connection(
                "comments", item.comments, args, lambda c: self._comment(repo, item, c)
            ),
            "projectItems": self.projects.of_item(item),
            "repository": lambda _info: self.repository(repo),
        }
        return {**shown, **(self._pull(item) if item.pull else self._issue(item))}

    def _issue(self, item: Item) -> dict[str, Any]:
        def reason(_info: Any, **args: Any) -> str | None:
            if item.state_reason == "duplicate" and not args.get("enableDuplicate"):
                return "NOT_PLANNED"
            return item.state_reason.upper() if item.state_reason else None

        def children() -> list[Item]:
            return [i for i in self.state.nodes.values() if i.parent == item.node_id and self._visible(i)]

        kind = {"id": node_id("IT", 1), "name": item.type, "color": "GRAY", "isEnabled": True} if item.type else None
        return {
            "stateReason": reason,
            "issueType": kind,
            "parent": lambda _info: self._one(item.parent),
            "subIssues": lambda _info, **args: connection("subIssues", children(), args, self.item),
        }

    def _pull(self, item: Item) -> dict[str, Any]:
        def closing(_info: Any, **args: Any) -> dict[str, Any]:
            found = [i for i in (self.state.nodes.get(n) for n in item.closes) if i is not None]
            return connection("closingIssuesReferences", found, args, self._shown)

        return {
            "isDraft": item.draft,
            "merged": item.merged is not None,
            "mergedAt": z(item.merged),
            "headRefName": item.branch,
            "baseRefName": "main",
            "isCrossRepository": False,
            "closingIssuesReferences": closing,
        }

    def _visible(self, item: Item) -> bool:
        return self.state.repos[item.repo].visible

    def _shown(self, item: Item) -> Any:
        """An error, and with it null, where the token may not see it."""
        if self._visible(item):
            return self.item(item)
        return NotResolved(f"Could not resolve to a node with the global id of '{item.node_id}'", "FORBIDDEN")

    def _one(self, id_: str | None) -> dict[str, Any] | None:
        item = self.state.nodes.get(id_ or "")
        return self.item(item) if item is not None and self._visible(item) else None

    def _label(self, label: LabelDef) -> dict[str, Any]:
        return {
            "id": node_id("LA", label.id),
            "name": label.name,
            "color": label.color,
            "description": label.description,
            "isDefault": False,
        }

    def _milestone(self, repo: Repo, milestone: Milestone | None) -> dict[str, Any] | None:
        if milestone is None:
            return None
        return {
            "id": node_id("MI", milestone.id),
            "number": milestone.number,
            "title": milestone.title,
            "description": milestone.body or None,
            "state": milestone.state.upper(),
            "createdAt": z(milestone.created),
            "url": f"{self.rest.web}/{repo.full_name}/milestone/{milestone.number}",
        }

    def _comment(self, repo: Repo, item: Item, comment: Comment) -> dict[str, Any]:
        return {
            "id": node_id("IC", comment.id),
            # as on GitHub, where ids have outgrown GraphQL's Int
            "databaseId": comment.id if comment.id < 2**31 else None,
            "fullDatabaseId": str(comment.id),
            "body": comment.body,
            "author": self.actor(comment.author),
            "authorAssociation": self.rest.association(repo, comment.author),
            "createdAt": z(comment.created),
            "updatedAt": z(comment.updated),
            "url": f"{self.rest.web}/{repo.full_name}/issues/{item.number}#issuecomment-{comment.id}",
            "viewerDidAuthor": comment.author == self.world.bot,
            "isMinimized": False,
        }


def _state(item: Item) -> str:
    return "MERGED" if item.merged else item.state.upper()


def connection(name: str, rows: Sequence[Any], args: dict[str, Any], make: Callable[[Any], Any]) -> dict[str, Any]:
    """A page of a list, with GitHub's bounds: `first` or `last`, at most 100."""
    first, last = args.get("first"), args.get("last")
    if first is None and last is None:
        text = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
        raise NotResolved(text, "MISSING_PAGINATION_BOUNDARIES")
    which, size = ("first", first) if first is not None else ("last", last)
    assert size is not None
    if size > MOST_ROWS:
        over = f"exceeds the `{which}` limit of {MOST_ROWS} records."
        text = f"Requesting {size} records on the `{name}` connection {over}"
        raise NotResolved(text, "EXCESSIVE_PAGINATION")
    start = _offset(args["after"]) if args.get("after") else 0
    end = _offset(args["before"]) - 1 if args.get("before") else len(rows)
    if which == "first":
        end = min(end, start + size)
    else:
        start = max(start, end - size)
    page = rows[start:end]
    info = {
        "endCursor": _cursor(start + len(page)) if page else None,
        "startCursor": _cursor(start + 1) if page else None,
        "hasNextPage": start + len(page) < len(rows),
        "hasPreviousPage": start > 0,
    }
    return {
        "totalCount": len(rows),
        "pageInfo": info,
        "nodes": lambda _info: [make(r) for r in page],
        "edges": lambda _info: [{"cursor": _cursor(start + n + 1), "node": make(r)} for n, r in enumerate(page)],
    }


def _cursor(position: int) -> str:
    return base64.b64encode(f"cursor:v2:{position}".encode()).decode()


def _offset(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor).decode().rsplit(":", 1)[1])
    except (ValueError, IndexError):
        raise NotResolved(f"`{cursor}` does not appear to be a valid cursor.", "INVALID_CURSOR_ARGUMENTS") from None
