"""How the pretended GitHub words its REST objects. Leaves out the many URL templates that nobody reads."""

from __future__ import annotations

from typing import Any

from .github_calls import z
from .github_state import node_id
from .records import Comment, Item, LabelDef, Milestone, Repo
from .wire import Call


class GitHubPayloads:
    def __init__(self, call: Call) -> None:
        self.world, self.state, self.base = call.world, call.world.github, call.base
        # what people open in a browser; the sandbox has no pages, so it stays an address of the real kind
        self.web = "https://github.com"

    def api(self, repo: Repo) -> str:
        return f"{self.base}/repos/{repo.full_name}"

    def user(self, login: str) -> dict[str, Any] | None:
        person = self.world.people.get(login)
        if person is None:
            return None
        return {
            "login": login,
            "id": person.id,
            "node_id": node_id("BOT" if person.bot else "U", person.id),
            "avatar_url": "",
            "url": f"{self.base}/users/{login}",
            "html_url": f"{self.web}/{login}",
            "type": "Bot" if person.bot else "User",
            "user_view_type": "public",
            "site_admin": False,
        }

    def association(self, repo: Repo, login: str) -> str:
        person = self.world.people.get(login)
        if person is None or person.bot:
            return "CONTRIBUTOR" if person else "NONE"
        if person.member:
            return "MEMBER"
        return "COLLABORATOR" if login in repo.permissions else "NONE"

    def owner(self, repo: Repo) -> dict[str, Any]:
        login = repo.full_name.split("/")[0]
        known = self.user(login)
        return known or {
            "login": login,
            "id": 9000,
            "node_id": node_id("O", 9000),
            "url": f"{self.base}/users/{login}",
            "html_url": f"{self.web}/{login}",
            "avatar_url": "",
            "type": "Organization",
            "site_admin": False,
        }

    def repo(self, repo: Repo) -> dict[str, Any]:
        # an installation's token is shown no role, whatever the App may do
        mine = "none" if self.state.installation else self.world.permission(repo, self.world.bot)
        ranks = ("read", "triage", "write", "maintain", "admin")
        names = ("pull", "triage", "push", "maintain", "admin")
        have = ranks.index(mine) if mine in ranks else -1
        issues = [i for i in repo.items.values() if i.state == "open"]
        return {
            "id": repo.id,
            "node_id": node_id("R", repo.id),
            "name": repo.full_name.split("/")[1],
            "full_name": repo.full_name,
            "private": repo.private,
            "visibility": "private" if repo.private else "public",
            "owner": self.owner(repo),
            "html_url": f"{self.web}/{repo.full_name}",
            "url": self.api(repo),
            "description": None,
            "fork": False,
            "archived": repo.archived,
            "disabled": False,
            "has_issues": True,
            "default_branch": "main",
            "open_issues_count": len(issues),
            "permissions": {n: i <= have for i, n in enumerate(names)},
        }

    def label(self, repo: Repo, label: LabelDef) -> dict[str, Any]:
        return {
            "id": label.id,
            "node_id": node_id("LA", label.id),
            "url": f"{self.api(repo)}/labels/{label.name}",
            "name": label.name,
            "color": label.color,
            "default": label.name in ("bug", "enhancement", "documentation"),
            "description": label.description,
        }

    def labels(self, item: Item) -> list[dict[str, Any]]:
        repo = self.state.repos[item.repo]
        return [self.label(repo, repo.labels[n.lower()]) for n in item.labels]

    def milestone(self, repo: Repo, milestone: Milestone | None) -> dict[str, Any] | None:
        if milestone is None:
            return None
        inside = [i for i in repo.items.values() if i.milestone == milestone.number]
        return {
            "id": milestone.id,
            "node_id": node_id("MI", milestone.id),
            "url": f"{self.api(repo)}/milestones/{milestone.number}",
            "html_url": f"{self.web}/{repo.full_name}/milestone/{milestone.number}",
            "number": milestone.number,
            "title": milestone.title,
            "description": milestone.body or None,
            "state": milestone.state,
            "open_issues": sum(i.state == "open" for i in inside),
            "closed_issues": sum(i.state == "closed" for i in inside),
            "created_at": z(milestone.created),
            "updated_at": z(milestone.created),
            "closed_at": None,
            "due_on": None,
        }

    def comment(self, item: Item, comment: Comment) -> dict[str, Any]:
        repo = self.state.repos[item.repo]
        kind = "pull" if item.pull else "issues"
        return {
            "id": comment.id,
            "node_id": node_id("IC", comment.id),
            "url": f"{self.api(repo)}/issues/comments/{comment.id}",
            "html_url": f"{self.web}/{repo.full_name}/{kind}/{item.number}#issuecomment-{comment.id}",
            "issue_url": f"{self.api(repo)}/issues/{item.number}",
            "user": self.user(comment.author),
            "author_association": self.association(repo, comment.author),
            "body": comment.body,
            "created_at": z(comment.created),
            "updated_at": z(comment.updated),
        }

    def _common(self, item: Item) -> dict[str, Any]:
        repo = self.state.repos[item.repo]
        people = [u for u in (self.user(a) for a in item.assignees) if u]
        return {
            "node_id": item.node_id,
            "number": item.number,
            "title": item.title,
            "user": self.user(item.author),
            "labels": self.labels(item),
            "state": item.state,
            "locked": item.locked,
            "active_lock_reason": None,
            "assignee": people[0] if people else None,
            "assignees": people,
            "milestone": self.milestone(repo, repo.milestones.get(item.milestone or 0)),
            "created_at": z(item.created),
            "updated_at": z(item.updated),
            "closed_at": z(item.closed),
            "author_association": self.association(repo, item.author),
            "body": item.body,
        }

    def issue(self, item: Item) -> dict[str, Any]:
        """As the issues endpoints show issues, and pull requests too."""
        repo = self.state.repos[item.repo]
        api, web = self.api(repo), f"{self.web}/{repo.full_name}"
        shown = {
            "id": item.id,
            "url": f"{api}/issues/{item.number}",
            "repository_url": api,
            "labels_url": f"{api}/issues/{item.number}/labels{{/name}}",
            "comments_url": f"{api}/issues/{item.number}/comments",
            "html_url": f"{web}/{'pull' if item.pull else 'issues'}/{item.number}",
            **self._common(item),
            "comments": len(item.comments),
            "state_reason": item.state_reason,
            "type": {"id": 1, "node_id": node_id("IT", 1), "name": item.type} if item.type else None,
        }
        if item.pull:
            shown["draft"] = item.draft
            shown["pull_request"] = {
                "url": f"{api}/pulls/{item.number}",
                "html_url": f"{web}/pull/{item.number}",
                "merged_at": z(item.merged),
            }
        else:
            children = [i for i in self.state.nodes.values() if i.parent == item.node_id] if self._parents() else []
            done = sum(i.state == "closed" for i in children)
            share = 100 * done // len(children) if children else 0
            shown["sub_issues_summary"] = {"total": len(children), "completed": done, "percent_completed": share}
            if above := self.state.nodes.get(item.parent or ""):
                shown["parent_issue_url"] = f"{self.api(self.state.repos[above.repo])}/issues/{above.number}"
        return shown

    def _parents(self) -> bool:
        """Told once per page: a world without sub-issues need not be searched for each row."""
        if not hasattr(self, "_any_parents"):
            self._any_parents = any(i.parent for i in self.state.nodes.values())
        return self._any_parents

    def pull(self, item: Item, *, full: bool = False) -> dict[str, Any]:
        """As the pulls endpoints show pull requests; `full`: with what only the single one tells."""
        repo = self.state.repos[item.repo]
        api, web, owner = self.api(repo), f"{self.web}/{repo.full_name}", repo.full_name.split("/")[0]
        slim = {k: v for k, v in self.repo(repo).items() if k != "open_issues_count"} if full else {
            "id": repo.id,
            "full_name": repo.full_name,
            "private": repo.private,
        }  # fmt: skip
        shown = {
            "id": item.id + 1,  # a pull request has an id of its own beside its issue's
            "url": f"{api}/pulls/{item.number}",
            "html_url": f"{web}/pull/{item.number}",
            "issue_url": f"{api}/issues/{item.number}",
            "comments_url": f"{api}/issues/{item.number}/comments",
            **self._common(item),
            "draft": item.draft,
            "merged_at": z(item.merged),
            "merge_commit_sha": None,
            "requested_reviewers": [],
            "head": {
                "label": f"{owner}:{item.branch}",
                "ref": item.branch,
                "sha": f"{item.id:040x}",
                "user": self.user(item.author),
                "repo": slim,
            },
            "base": {"label": f"{owner}:main", "ref": "main", "sha": "0" * 40, "user": self.owner(repo), "repo": slim},
        }
        if full:
            shown |= {"merged": item.merged is not None, "mergeable": None, "comments": len(item.comments)}
        return shown
