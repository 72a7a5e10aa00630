"""The shapes of what Jira sends, as far as okrsync looks at them: Cloud and Data Center, API v2, v3 and agile.

Every member may be absent or null; ids are strings or numbers. No code but what reads a shape. `gc=False` where there
are thousands: nothing that was decoded lies in a cycle.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct


class Issue(Struct, gc=False):
    """`fields` stay as they came until they are decoded one issue at a time, lest an odd one cost the page. Where a
    whole page was of the usual shape they are `Fields` already (`translate.page_type`)."""

    key: str | None = None
    id: str | int | None = None
    fields: Raw = Raw(b"{}")


class Named(Struct, rename="camel", gc=False):
    id: str | int | None = None
    key: str | None = None
    name: str | None = None
    project_type_key: str | None = None
    archived: bool | None = None


class Category(Struct, gc=False):
    """`key`: new | indeterminate | done; its name and those of statuses are in the site's language."""

    key: str | None = None


class Status(Struct, rename="camel", gc=False):
    name: str | None = None
    status_category: Category | None = None


class IssueType(Struct, rename="camel", gc=False):
    name: str | None = None
    untranslated_name: str | None = None
    subtask: bool | None = None
    hierarchy_level: int | None = None


class Person(Struct, rename="camel", gc=False):
    """Cloud: accountId and displayName; Data Center: key, name and displayName."""

    display_name: str | None = None
    account_id: str | None = None
    key: str | None = None
    name: str | None = None
    account_type: str | None = None

    @property
    def id(self) -> str:
        """What never changes of an account."""
        return self.account_id or self.key or self.name or ""


class ParentFields(Struct, gc=False):
    issuetype: IssueType | None = None


class Parent(Struct, gc=False):
    """`id` is a string in `parent` and a number in the agile endpoints' `epic`."""

    id: str | int | None = None
    key: str | None = None
    fields: ParentFields | None = None


class LinkType(Struct, gc=False):
    """`outward` tells what the issue does to the other ("implements"), `inward` what is done to it."""

    name: str | None = None
    inward: str | None = None
    outward: str | None = None


class IssueLink(Struct, rename="camel", gc=False):
    """Exactly one of the two issues is there: the one at the other end."""

    type: LinkType | None = None
    inward_issue: Parent | None = None
    outward_issue: Parent | None = None


class Fields(Struct, gc=False):
    """The system fields of an issue."""

    summary: str | None = None
    description: Any = None  # text, an ADF document, or null
    status: Status | None = None
    statuscategorychangedate: str | None = None
    issuetype: IssueType | None = None
    project: Named | None = None
    labels: list[str] | None = None
    components: list[Named] | None = None
    parent: Parent | None = None
    epic: Parent | None = None
    issuelinks: list[IssueLink] | None = None
    priority: Named | None = None
    assignee: Person | None = None
    reporter: Person | None = None
    creator: Person | None = None
    created: str | None = None
    updated: str | None = None
    resolution: Named | None = None
    resolutiondate: str | None = None
    security: Any = None
    comment: Comments | None = None  # where they were asked for


class Project(Struct, rename="camel"):
    key: str
    name: str | None = None
    archived: bool | None = None


class Projects(Struct, rename="camel"):
    values: list[Project]
    is_last: bool | None = None
    total: int | None = None


class ServerInfo(Struct, rename="camel"):
    base_url: str | None = None


class Page(Struct, rename="camel"):
    """One page of a search. Cloud tells `nextPageToken` and `isLast`, Data Center `startAt` and `total`."""

    issues: list[Issue]
    next_page_token: str | None = None
    is_last: bool | None = None
    start_at: int | None = None
    total: int | None = None
    names: dict[str, str] | None = None  # of the fields by id, where asked for


class Issues(Struct):
    """A bulk fetch. What does not exist, or may not be seen, is simply not in it."""

    issues: list[Issue]


class Property(Struct):
    key: str | None = None
    value: Any = None


class Comment(Struct, rename="camel", gc=False):
    """`properties` is None where the server does not expand them; `jsd_public` where it is no service desk. `body`
    stays as it came: most comments concern nobody."""

    id: str | int
    author: Person | None = None
    properties: list[Property] | None = None
    body: Raw = Raw(b"null")
    created: str | None = None
    jsd_public: bool | None = None


class Comments(Struct, gc=False):
    comments: list[Comment]
    total: int | None = None


class CommentField(Struct):
    """`fields` of an issue whose comments were asked for in a search."""

    comment: Comments | None = None


class RemoteLink(Struct):
    """Of what other systems tell of the thing that is linked to, only where it is."""

    object: Any = None

    @property
    def url(self) -> str:
        url = self.object.get("url") if isinstance(self.object, dict) else None
        return url if isinstance(url, str) else ""


class Group(Struct, rename="camel"):
    name: str | None = None
    group_id: str | None = None


class Groups(Struct):
    """`groups` of a user on Data Center, where they are expanded."""

    items: list[Group] | None = None


class UserGroups(Struct):
    groups: Groups | None = None


class Actor(Struct, rename="camel"):
    """A holder of a role: a person or a group. Data Center tells only `type` and `name`."""

    type: str | None = None
    name: str | None = None
    actor_user: Person | None = None
    actor_group: Group | None = None


class Role(Struct):
    actors: list[Actor] | None = None
