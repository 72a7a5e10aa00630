"""`/okr` commands in the comments of issues, and whether their authors may give them.

The comments come with the issue, so that they cost no request; where the server shows only some of them, the issue's
own list is read. On service desks internal comments alone count: the others are the customers' conversation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import structs

from okrsync.connectors.transport import Params
from okrsync.domain.settings import CommandSettings, JiraSettings
from okrsync.domain.trackers import Forbidden, NotFound
from okrsync.domain.work import Command, WorkItem
from okrsync.linking import command_lines

from .client import JiraClient
from .payloads import Actor, Comment, Comments, Fields, Group, Issue, Person, Property, Role, UserGroups
from .translate import body_text, moment
from .writing import PUBLIC

_PUBLIC = "this comment is public; on a service desk only internal comments give commands"
_Groups = frozenset[str]


class Commands:
    """For one tracker; what it has asked about people holds until `forget`. Several threads may ask at a time."""

    def __init__(self, client: JiraClient, settings: JiraSettings) -> None:
        self._client = client
        self._who = settings.commands if isinstance(settings.commands, CommandSettings) else CommandSettings()
        self.fields: tuple[str, ...] = ("comment",) if settings.commands is not False else ()
        self._groups: dict[str, _Groups | None] = {}
        self._actors: dict[str, tuple[Actor, ...] | None] = {}

    def forget(self) -> None:
        self._groups.clear()
        self._actors.clear()

    def added(self, item: WorkItem, issue: Issue, fields: Fields) -> WorkItem:
        """The item with the commands that its issue shows. Raises SourceFailed, Forbidden."""
        shown = fields.comment
        if shown is None or not (shown.comments or shown.total):
            return item  # as most
        commands = tuple(self._commands(item, issue, fields)) if self.fields else ()
        return structs.replace(item, commands=commands) if commands else item

    def _commands(self, item: WorkItem, issue: Issue, fields: Fields) -> Iterator[Command]:
        for comment in self._comments(issue, fields):
            if b"okr" not in bytes(comment.body).lower():
                continue  # most; what a body says is decoded of the others alone
            text = _text(comment)
            at = moment(comment.created)
            if at is None or not command_lines(text):
                continue  # nor do our own hold any: what they name stands within their lines
            author = comment.author or Person()
            why_not = self._why_not(item, comment, author)
            yield Command(
                author=author.display_name or author.id,
                entitled=not why_not,
                text=text,
                at=at,
                comment=str(comment.id),
                why_not=why_not,
            )

    def _comments(self, issue: Issue, fields: Fields) -> list[Comment]:
        shown = fields.comment
        if shown is None or len(shown.comments) >= (shown.total or 0):
            return shown.comments if shown else []
        return self._listed(issue)

    def _listed(self, issue: Issue) -> list[Comment]:
        found: list[Comment] = []
        path = f"issue/{quote(str(issue.id or issue.key), safe='')}/comment"
        while True:
            params: Params = {"startAt": len(found), "maxResults": 100, "orderBy": "created"}
            page = self._client.call("GET", path, type=Comments, params=params, statuses=(404,)).value
            if not page:  # gone meanwhile
                return found
            found += page.comments
            if not page.comments or page.total is None or len(found) >= page.total:
                return found

    # --- who may

    def _why_not(self, item: WorkItem, comment: Comment, author: Person) -> str:
        """Why a command does not count, empty where it does."""
        if item.service_desk and not self._internal(comment):
            return _PUBLIC
        who = self._who
        if not (who.groups or who.roles):
            return ""  # whoever may comment may command
        groups = self._groups_of(author)
        roles = [self._holders(item.container, role) for role in who.roles]
        if groups is not None and groups.intersection(map(str.casefold, who.groups)):
            return ""
        if any(_is(actor, author, groups or frozenset()) for actors in roles for actor in actors or ()):
            return ""
        if groups is None or None in roles:
            return "okrsync may not see who is in the groups and roles that `commands` names; ask its operator"
        return f"only members of {' or '.join((*who.groups, *who.roles))} can give commands here"

    def _internal(self, comment: Comment) -> bool:
        if comment.jsd_public is not None:
            return not comment.jsd_public
        path = f"comment/{quote(str(comment.id), safe='')}/properties/{PUBLIC}"
        found = self._client.call("GET", path, type=Property, statuses=(403, 404)).value
        return bool(found and isinstance(found.value, dict) and found.value.get("internal") is True)

    def _groups_of(self, person: Person) -> _Groups | None:
        """By folded name and id; None where we may not see them."""
        if person.id not in self._groups:
            self._groups[person.id] = self._ask_groups(person)
        return self._groups[person.id]

    def _ask_groups(self, person: Person) -> _Groups | None:
        try:
            if self._client.cloud:
                params: Params = {"accountId": person.id}
                found = self._client.call("GET", "user/groups", type=list[Group], params=params).value
            else:
                params = {"key": person.key or "", "expand": "groups"}
                user: UserGroups = self._client.call("GET", "user", type=UserGroups, params=params).value
                found = (user.groups.items if user.groups else None) or []
        except (Forbidden, NotFound):
            return None
        return frozenset(name.casefold() for group in found for name in (group.name, group.group_id) if name)

    def _holders(self, project: str, role: str) -> tuple[Actor, ...] | None:
        """Who has a role in a project; None where we may not see it, or it has no such role."""
        key = f"{project}\0{role.casefold()}"
        if key not in self._actors:
            self._actors[key] = self._ask_holders(project, role)
        return self._actors[key]

    def _ask_holders(self, project: str, role: str) -> tuple[Actor, ...] | None:
        path = f"project/{quote(project, safe='')}/role"
        try:
            roles: dict[str, Any] = self._client.call("GET", path, type=dict[str, Any]).value
            url = next((str(url) for name, url in roles.items() if name.casefold() == role.casefold()), "")
            if not url:
                return None
            # the server's own address is not followed, only its number taken
            number = quote(url.rstrip("/").rpartition("/")[2], safe="")
            return tuple(self._client.call("GET", f"{path}/{number}", type=Role).value.actors or ())
        except (Forbidden, NotFound):
            return None


def _text(comment: Comment) -> str:
    try:
        return body_text(msgspec.json.decode(comment.body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def _is(actor: Actor, person: Person, groups: _Groups) -> bool:
    if actor.type == "atlassian-group-role-actor":
        names = (actor.actor_group.name, actor.actor_group.group_id) if actor.actor_group else (actor.name,)
        return any(name and name.casefold() in groups for name in names)
    if actor.actor_user:
        return bool(person.id) and actor.actor_user.id == person.id
    return bool(actor.name) and actor.name in (person.name, person.key)
