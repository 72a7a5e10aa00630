"""The state of the pretended GitHub: repositories, issues, pull requests; building it and changing it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .records import Comment, Item, LabelDef, Milestone, Repo

if TYPE_CHECKING:
    from .github_installation import Installation
    from .github_projects import Project

WRITERS = ("admin", "maintain", "write")
DEFAULT_LABELS = (
    ("bug", "d73a4a", "Something isn't working"),
    ("enhancement", "a2eeef", "New feature or request"),
    ("documentation", "0075ca", "Improvements or additions to documentation"),
)


def node_id(prefix: str, number: int) -> str:
    """An opaque global id in the manner of GitHub's."""
    return f"{prefix}_kwDO{base64.urlsafe_b64encode(number.to_bytes(6, 'big')).decode()}"


@dataclass
class GitHubState:
    """`mails`: what would have been mailed to subscribers, as `owner/repo#1 what`; `installation`: of a GitHub App,
    where one may sign in beside the token; `scopes`: of a classic token, as `repo, read:org`, None for any other;
    `granted`: what a fine-grained token may do, `{"issues": "read"}`, None for whatever its owner may."""

    clock: Callable[[], datetime]
    repos: dict[int, Repo] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)  # present and former names, lower case
    nodes: dict[str, Item] = field(default_factory=dict)
    mails: list[str] = field(default_factory=list)
    installation: Installation | None = None
    projects: list[Project] = field(default_factory=list)
    scopes: str | None = None
    granted: dict[str, str] | None = None
    _next: int = 2_000_000_000

    def _id(self) -> int:
        self._next += 1
        return self._next

    # --- building ---------------------------------------------------------------------------------------------

    def add_repo(self, full_name: str, **more: Any) -> Repo:
        repo = Repo(id=self._id(), full_name=full_name, **more)
        self.repos[repo.id] = repo
        self.names[full_name.lower()] = repo.id
        for name, color, description in DEFAULT_LABELS:
            self.define_label(repo, name, color, description)
        return repo

    def add_milestone(self, repo: Repo, title: str, body: str = "", created: datetime | None = None) -> Milestone:
        number = len(repo.milestones) + 1
        milestone = Milestone(self._id(), number, title, body, created or self.clock())
        repo.milestones[number] = milestone
        return milestone

    def add_item(self, repo: Repo, title: str, *, number: int | None = None, pull: bool = False, **more: Any) -> Item:
        """A new issue or pull request with the next number, or a given one. Times default to now."""
        number = number or repo.last + 1
        repo.last = max(repo.last, number)
        id_ = self._id()
        created = more.pop("created", None) or self.clock()
        item = Item(
            id=id_,
            node_id=node_id("PR" if pull else "I", id_),
            repo=repo.id,
            number=number,
            title=title,
            pull=pull,
            created=created,
            updated=more.pop("updated", None) or created,
            **more,
        )
        for label in item.labels:
            self.define_label(repo, label)
        if item.merged:
            item.state, item.closed = "closed", item.merged
        if item.state == "closed":
            item.closed = item.closed or item.updated
            if not pull:
                item.state_reason = item.state_reason or "completed"
        repo.items[number] = item
        self.nodes[item.node_id] = item
        return item

    # --- looking ----------------------------------------------------------------------------------------------

    def repo(self, full_name: str) -> Repo | None:
        id_ = self.names.get(full_name.lower())
        return self.repos.get(id_) if id_ is not None else None

    def item(self, ref: str) -> Item | None:
        """By `owner/repo#number`."""
        name, _, number = ref.partition("#")
        repo = self.repo(name)
        return repo.items.get(int(number)) if repo and number.isdigit() else None

    def name(self, item: Item) -> str:
        return f"{self.repos[item.repo].full_name}#{item.number}"

    def comment(self, repo: Repo, comment_id: int) -> tuple[Item, Comment] | None:
        for item in repo.items.values():
            for comment in item.comments:
                if comment.id == comment_id:
                    return item, comment
        return None

    # --- changing ---------------------------------------------------------------------------------------------

    def touch(self, item: Item) -> None:
        item.updated = max(self.clock(), item.updated)

    def define_label(self, repo: Repo, name: str, color: str = "ededed", description: str | None = None) -> LabelDef:
        """The definition of that name in any case, made if need be."""
        label = repo.labels.get(name.lower())
        if label is None:
            label = repo.labels[name.lower()] = LabelDef(self._id(), name, color, description)
        return label

    def add_labels(self, item: Item, names: list[str]) -> None:
        """Defines what is not defined yet, as GitHub does; a label that is there already changes nothing."""
        repo = self.repos[item.repo]
        new = [self.define_label(repo, n).name for n in names]
        new = [n for n in dict.fromkeys(new) if n not in item.labels]
        if new:
            self.touch(item)
            item.labels.extend(new)

    def remove_label(self, item: Item, name: str) -> bool:
        found = next((n for n in item.labels if n.lower() == name.lower()), None)
        if found is None:
            return False
        self.touch(item)
        item.labels.remove(found)
        return True

    def delete_label(self, repo: Repo, name: str) -> None:
        """The definition, and the label on every item."""
        for item in repo.items.values():
            self.remove_label(item, name)
        del repo.labels[name.lower()]

    def set_state(self, item: Item, state: str, reason: str | None = None) -> None:
        self.touch(item)
        item.state = state
        item.closed = item.updated if state == "closed" else None
        if not item.pull:
            item.state_reason = (reason or "completed") if state == "closed" else "reopened"

    def merge(self, item: Item) -> None:
        """Merges a pull request and closes what it closes."""
        self.set_state(item, "closed")
        item.merged = item.closed
        for target in (self.nodes.get(n) for n in item.closes):
            if target is not None and target.state == "open":
                self.set_state(target, "closed", "completed")

    def add_comment(self, item: Item, body: str, author: str) -> Comment:
        self.touch(item)
        now = self.clock()
        comment = Comment(id=self._id(), author=author, body=body, created=now, updated=now)
        item.comments.append(comment)
        self.mails.append(f"{self.name(item)} comment")
        return comment

    def transfer(self, item: Item, to: Repo) -> Item:
        """To another repository: a new number and new ids, as GitHub's webhook `issues.transferred` shows;
        the old address redirects."""
        old = self.repos[item.repo]
        copy = self.add_item(
            to,
            item.title,
            created=item.created,
            updated=self.clock(),
            **{f: getattr(item, f) for f in ("body", "author", "labels", "state", "state_reason", "closed")},
            **{f: getattr(item, f) for f in ("assignees", "locked", "type", "parent", "comments")},
        )
        del old.items[item.number], self.nodes[item.node_id]
        old.gone[item.number] = copy.node_id
        for other in self.nodes.values():
            other.parent = copy.node_id if other.parent == item.node_id else other.parent
            other.closes = [copy.node_id if n == item.node_id else n for n in other.closes]
        return copy

    def delete(self, item: Item) -> None:
        repo = self.repos[item.repo]
        del repo.items[item.number], self.nodes[item.node_id]
        repo.gone[item.number] = "deleted"
        for other in self.nodes.values():
            if other.parent == item.node_id:
                other.parent = None
            if item.node_id in other.closes:
                other.closes.remove(item.node_id)

    def rename(self, repo: Repo, full_name: str) -> None:
        """The former name goes on redirecting."""
        repo.full_name = full_name
        self.names[full_name.lower()] = repo.id
