"""The whole pretended company: people, one Jira, one GitHub, and what people do to their items.

Items are named as okrsync names them (`jira:PAY-12`, `github:acme/web#34`); the part before the colon may
be left out. Every action takes the lock and stamps `updated` with the world's clock.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from okrsync.domain.text import iso
from okrsync.domain.trackers import Clock

from .github_state import GitHubState
from .jira_state import JiraState
from .records import Comment, Issue, Item, Person, Repo

STORY_NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
"""Monday morning of the story that the demo tells."""


class StoryClock:
    """A clock that stands at `start` until it is advanced, or runs on from there when `ticking`."""

    def __init__(self, start: datetime = STORY_NOW, *, ticking: bool = False) -> None:
        self._start = start
        self._began = datetime.now(UTC) if ticking else None

    def __call__(self) -> datetime:
        return self._start + (datetime.now(UTC) - self._began if self._began else timedelta())

    def advance(self, by: timedelta) -> None:
        self._start += by


class World:
    """State of both servers; thread-safe through `lock` (people act from any thread).

    `bot` is the login behind the token, `token` and its e-mail address the only credentials accepted, beside
    `more_tokens` of the same account.
    """

    def __init__(self, clock: Clock | None = None, *, cloud: bool = True) -> None:
        self.lock = threading.RLock()
        self.clock: Clock = clock or StoryClock()
        self.token = "sandbox-token"  # noqa: S105  # a pretended one
        self.more_tokens: set[str] = set()
        self.bot = "okrsync-bot"
        self.people: dict[str, Person] = {}
        self.jira = JiraState(self._now, cloud=cloud)
        self.github = GitHubState(self._now)
        self.add_person(self.bot, "okrsync", bot=False)

    def _now(self) -> datetime:
        return self.clock()

    @property
    def email(self) -> str:
        return self.people[self.bot].email

    def accepts(self, token: str) -> bool:
        return token == self.token or token in self.more_tokens

    def add_person(self, login: str, name: str, *, bot: bool = False, member: bool = True) -> Person:
        person = Person(login=login, name=name, id=1000 + len(self.people), bot=bot, member=member)
        self.people[login] = person
        return person

    def permission(self, repo: Repo, login: str) -> str:
        """admin | maintain | write | triage | read | none; members may write where nothing else is said."""
        person = self.people.get(login)
        if person is None:
            return "none"
        default = "write" if person.member and not person.bot else "none" if repo.private else "read"
        return repo.permissions.get(login, default)

    # --- finding ----------------------------------------------------------------------------------------------

    def find(self, id_: str) -> Issue | Item:
        """The record behind an id. Raises KeyError."""
        bare = id_.partition(":")[2] if ":" in id_ else id_
        found = self.github.item(bare) if "#" in bare else self.jira.find(bare)
        if found is None:
            raise KeyError(f"no item {id_!r} in the sandbox")
        return found

    def _touch(self, found: Issue | Item) -> None:
        if isinstance(found, Issue):
            self.jira.touch(found)
        else:
            self.github.touch(found)

    def _person(self, by: str) -> str:
        if by not in self.people:
            raise KeyError(f"nobody called {by!r} in the sandbox; there are {', '.join(sorted(self.people))}")
        return by

    # --- what people do ---------------------------------------------------------------------------------------

    def add_label(self, id_: str, label: str, by: str) -> None:
        with self.lock:
            self._person(by)
            found = self.find(id_)
            if isinstance(found, Item):
                self.github.add_labels(found, [label])
            elif label not in found.labels:
                self.jira.touch(found)
                found.labels.append(label)

    def remove_label(self, id_: str, label: str, by: str) -> None:
        """Raises KeyError where the item does not bear it."""
        with self.lock:
            self._person(by)
            found = self.find(id_)
            if label not in found.labels:
                raise KeyError(f"{id_} does not bear the label {label!r}")
            self._touch(found)
            found.labels.remove(label)

    def close(self, id_: str, by: str, reason: str | None = None) -> None:
        """Jira: status Done with a resolution (`Done`, `Won't Do`, `Duplicate`); GitHub: `completed`,
        `not_planned`, `duplicate`, and `merged` for pull requests."""
        with self.lock:
            self._person(by)
            found = self.find(id_)
            if isinstance(found, Issue):
                self.jira.set_status(found, "Done", reason)
            elif reason == "merged":
                self.github.merge(found)
            else:
                self.github.set_state(found, "closed", reason)

    def reopen(self, id_: str, by: str) -> None:
        with self.lock:
            self._person(by)
            found = self.find(id_)
            if isinstance(found, Issue):
                self.jira.set_status(found, "To Do")
            else:
                self.github.set_state(found, "open")

    def set_status(self, id_: str, status: str, by: str) -> None:
        """Jira only."""
        with self.lock:
            self._person(by)
            found = self.find(id_)
            assert isinstance(found, Issue), "only Jira issues have statuses"
            self.jira.set_status(found, status)

    def comment(self, id_: str, body: str, by: str, *, internal: bool = False) -> int:
        """Returns the comment's id."""
        with self.lock:
            found = self.find(id_)
            if isinstance(found, Issue):
                return self.jira.add_comment(found, body, self._person(by), internal=internal).id
            return self.github.add_comment(found, body, self._person(by)).id

    def _comment(self, id_: str, comment_id: int) -> tuple[Issue | Item, Comment]:
        found = self.find(id_)
        for comment in found.comments:
            if comment.id == int(comment_id):
                return found, comment
        raise KeyError(f"{id_} has no comment {comment_id}")

    def edit_comment(self, id_: str, comment_id: int, body: str, by: str) -> None:
        with self.lock:
            self._person(by)
            found, comment = self._comment(id_, comment_id)
            self._touch(found)
            comment.body, comment.adf, comment.updated = body, None, self.clock()

    def delete_comment(self, id_: str, comment_id: int, by: str) -> None:
        with self.lock:
            self._person(by)
            found, comment = self._comment(id_, comment_id)
            self._touch(found)
            found.comments.remove(comment)

    def edit_title(self, id_: str, title: str, by: str) -> None:
        with self.lock:
            self._person(by)
            found = self.find(id_)
            self._touch(found)
            found.title = title

    def edit_body(self, id_: str, body: str, by: str) -> None:
        with self.lock:
            self._person(by)
            found = self.find(id_)
            self._touch(found)
            found.body = body
            if isinstance(found, Issue):
                found.adf = None

    def set_field(self, id_: str, name: str, value: Any, by: str) -> None:
        """A custom field of a Jira issue, by name; the value as Jira's JSON has it."""
        with self.lock:
            self._person(by)
            found = self.find(id_)
            assert isinstance(found, Issue), "only Jira issues have custom fields"
            self.jira.touch(found)
            found.values[name] = value

    def set_parent(self, id_: str, parent: str | None, by: str) -> None:
        with self.lock:
            self._person(by)
            found = self.find(id_)
            above = self.find(parent) if parent else None
            self._touch(found)
            if isinstance(found, Issue):
                found.parent = above.id if above else None
            else:
                assert above is None or isinstance(above, Item), "the parent of a GitHub issue is one"
                found.parent = above.node_id if above else None

    def add_remote_link(self, id_: str, url: str, by: str) -> None:
        """A web link on a Jira issue."""
        with self.lock:
            self._person(by)
            found = self.find(id_)
            assert isinstance(found, Issue), "only Jira issues have web links"
            self.jira.add_remote_link(found, {"object": {"url": url, "title": url}})

    def remove_remote_link(self, id_: str, url: str, by: str) -> None:
        """Raises KeyError where the issue has no web link to there."""
        with self.lock:
            self._person(by)
            found = self.find(id_)
            known = found.remote_links if isinstance(found, Issue) else {}
            link = next((n for n, link in known.items() if link["object"]["url"] == url), None)
            if link is None:
                raise KeyError(f"{id_} has no web link to {url!r}")
            self._touch(found)
            del known[link]

    def lock_item(self, id_: str, by: str) -> None:
        """GitHub only."""
        with self.lock:
            self._person(by)
            found = self.find(id_)
            assert isinstance(found, Item), "only GitHub items can be locked"
            self.github.touch(found)
            found.locked = True

    def move_issue(self, id_: str, project: str, by: str) -> str:
        """A Jira issue to another project; returns its new key."""
        with self.lock:
            self._person(by)
            found = self.find(id_)
            assert isinstance(found, Issue), "GitHub issues are transferred"
            return self.jira.move(found, project)

    def transfer(self, id_: str, repo: str, by: str) -> str:
        """A GitHub issue to another repository; returns its new `owner/repo#number`."""
        with self.lock:
            self._person(by)
            found, to = self.find(id_), self.github.repo(repo)
            assert isinstance(found, Item), "Jira issues are moved"
            if to is None:
                raise KeyError(f"no repository {repo!r} in the sandbox")
            return self.github.name(self.github.transfer(found, to))

    def delete(self, id_: str, by: str) -> None:
        with self.lock:
            self._person(by)
            found = self.find(id_)
            if isinstance(found, Issue):
                self.jira.delete(found)
            else:
                self.github.delete(found)

    def rename_repo(self, repo: str, to: str, by: str) -> None:
        with self.lock:
            self._person(by)
            found = self.github.repo(repo)
            if found is None:
                raise KeyError(f"no repository {repo!r} in the sandbox")
            self.github.rename(found, to)

    # --- comparing --------------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """What writing back could alter, as JSON values: per item its state, labels and comments; per
        repository its label definitions. Two snapshots are equal when nothing of this differs."""
        with self.lock:
            jira = {
                f"jira:{i.key}": {"title": i.title, "state": i.status, **_written(i)}
                for i in sorted(self.jira.issues.values(), key=lambda i: i.id)
            }
            github = {
                f"github:{self.github.name(i)}": {"title": i.title, "state": i.state, **_written(i)}
                for i in sorted(self.github.nodes.values(), key=lambda i: i.id)
            }
            labels = {
                r.full_name: {d.name: [d.color, d.description] for d in sorted(r.labels.values(), key=lambda d: d.id)}
                for r in self.github.repos.values()
            }
        return {"items": jira | github, "label_definitions": labels}


def _written(item: Issue | Item) -> dict[str, Any]:
    comments = [
        {
            "id": c.id,
            "author": c.author,
            "body": c.body,
            "properties": dict(c.properties),
            "internal": c.internal,
            "created": iso(c.created),
            "updated": iso(c.updated),
        }
        for c in item.comments
    ]
    return {"labels": sorted(item.labels), "comments": comments}
