"""Which custom fields hold what: found by name or id among the fields that the server knows. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from okrsync.domain.settings import JiraFields
from okrsync.domain.text import did_you_mean

# What a work item is made of. Anything more would only make the pages larger: full issues are twice the bytes.
SYSTEM_FIELDS = (
    "summary",
    "description",
    "status",
    "statuscategorychangedate",
    "issuetype",
    "project",
    "labels",
    "components",
    "parent",
    "issuelinks",
    "priority",
    "assignee",
    "reporter",
    "creator",
    "created",
    "updated",
    "resolution",
    "resolutiondate",
    "security",
)
_EPIC_LINK = "com.pyxis.greenhopper.jira:gh-epic-link"
_PARENT_LINK = "com.atlassian.jpo:jpo-custom-field-parent"  # above epics, on Data Center
_EPIC_LINK_ID = "customfield_10014"  # its id on every Cloud site
_ID = re.compile(r"customfield_\d+")


class FieldSchema(Struct, frozen=True):
    custom: str | None = None
    type: str | None = None


class ScopeProject(Struct, frozen=True):
    id: str | None = None


class FieldScope(Struct, frozen=True):
    """Where a field of a team-managed project lives."""

    project: ScopeProject | None = None


class FieldDefinition(Struct, frozen=True):
    """One row of `GET field`."""

    id: str
    name: str | None = None
    schema: FieldSchema | None = None
    scope: FieldScope | None = None

    @property
    def described(self) -> str:
        """`customfield_10050 (select)`: what tells it from others of its name."""
        kind = (self.schema.custom or self.schema.type or "").rpartition(":")[2] if self.schema else ""
        project = self.scope.project.id if self.scope and self.scope.project else None
        words = ", ".join(filter(None, (kind, project and f"only in the project with the id {project}")))
        return f"{self.id} ({words})" if words else self.id


class CustomFields(Struct, frozen=True, kw_only=True, cache_hash=True):
    """Field ids by meaning, None where there is none."""

    okr: str | None = None
    estimate: str | None = None
    team: str | None = None
    epic_link: str | None = None
    parent_link: str | None = None

    @property
    def ids(self) -> frozenset[str]:
        own = (self.okr, self.estimate, self.team, self.epic_link, self.parent_link)
        return frozenset(id_ for id_ in own if id_)

    @property
    def names(self) -> tuple[str, ...]:
        """Everything to ask for."""
        return (*SYSTEM_FIELDS, *sorted(self.ids.difference(SYSTEM_FIELDS)))


def still_right(found: CustomFields, wanted: JiraFields, names: Mapping[str, str]) -> bool:
    """Whether fields that were found earlier are still what the configuration means, by the names that an answer
    gives to its fields: one that was renamed or deleted has to be looked up again."""
    for setting in ("okr", "estimate", "team"):
        value, id_ = getattr(wanted, setting), getattr(found, setting)
        if value is None:
            continue
        folded = value.strip().casefold()
        if not id_ or id_ not in names or folded not in (id_.casefold(), names[id_].strip().casefold()):
            return False
    return all(not id_ or id_ in names for id_ in (found.epic_link, found.parent_link))


def resolve(wanted: JiraFields, known: Sequence[FieldDefinition]) -> tuple[CustomFields, tuple[str, ...]]:
    """The ids of the configured fields, and what is wrong with those that could not be told, one sentence each.
    `known` is empty where the server has no list of them."""
    problems: list[str] = []

    def find(setting: str, value: str | None) -> str | None:
        if value is None:
            return None
        folded = value.strip().casefold()
        by_id = [f.id for f in known if f.id.casefold() == folded]
        matches = by_id or sorted({f.id for f in known if (f.name or "").strip().casefold() == folded})
        if len(matches) == 1:
            return matches[0]
        if not known and _ID.fullmatch(folded):
            return folded
        if matches:
            candidates = ", ".join(sorted({f.described for f in known if f.id in matches}))
            problems.append(f"fields.{setting}: field {value!r} is ambiguous: {candidates}; write the id")
        else:
            near = did_you_mean(value, [f.name or f.id for f in known] + [f.id for f in known])
            problems.append(f"fields.{setting}: Jira shows this account no field {value!r}{near}")
        return None

    epic_link = [f.id for f in known if f.schema and f.schema.custom == _EPIC_LINK]
    epic_link += [f.id for f in known if f.id == _EPIC_LINK_ID and not (f.schema and f.schema.custom)]
    epic_link += [] if known else [_EPIC_LINK_ID]
    fields = CustomFields(
        okr=find("okr", wanted.okr),
        estimate=find("estimate", wanted.estimate),
        team=find("team", wanted.team),
        epic_link=epic_link[0] if epic_link else None,
        parent_link=next((f.id for f in known if f.schema and f.schema.custom == _PARENT_LINK), None),
    )
    return fields, tuple(problems)
