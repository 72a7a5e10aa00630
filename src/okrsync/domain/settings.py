"""Settings values: every key of `config/okrsync.yaml` and `connectors/*.yaml` with its meaning, unit and default."""

import re
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from .goals import Model, Number, Text
from .text import Duration, glob_matches
from .work import Kind

SeverityName = Literal["error", "warning", "info"]
Share = Annotated[Number, Field(ge=0, le=1)]


class CyclesSettings(Model):
    # Tickets are re-linked in the first days of a quarter, not on its first morning.
    grace: Duration = timedelta(days=14)


class LabelNames(Model):
    """Label texts behind the prefix; null switches one off."""

    unlinked: str | None = "unlinked"
    stale: str | None = "stale"
    linked: str | None = "{objective}"

    @field_validator("linked")
    @classmethod
    def _known_fields(cls, value: str | None) -> str | None:
        for name in re.findall(r"\{([^}]*)\}", value or ""):
            if name not in ("objective", "key_result", "initiative", "bet"):
                raise ValueError(
                    f"unknown field {{{name}}}; use {{objective}}, {{key_result}}, {{initiative}} or {{bet}}"
                )
        return value


class WriteScope(Model):
    """What is written to; everything is counted."""

    kinds: tuple[Kind, ...] = tuple(Kind)
    updated_within: Duration | None = timedelta(days=365)


class CommentSettings(Model):
    rules: tuple[str, ...] = ("unlinked-work", "unknown-okr-id")  # slugs or codes
    after: Duration = timedelta(days=2)  # people get the chance to link a fresh ticket first
    backlog: bool = False  # also items not touched by a person since write-back was first enabled
    per_day: int = Field(default=25, ge=0)  # each one notifies people


class Limits(Model):
    changes: int = Field(default=500, ge=0)  # per run
    share: Share = 0.3  # of the known open items in writable places, from 20 items on; 1.0 switches it off


class WritebackSettings(Model):
    enabled: bool = False
    label_prefix: str = Field(default="okr/", min_length=1, max_length=30)
    labels: LabelNames = LabelNames.model_construct()
    only: WriteScope = WriteScope.model_construct()
    comments: CommentSettings = CommentSettings.model_construct()
    limits: Limits = Limits.model_construct()
    dashboard: str | None = None

    @field_validator("label_prefix")
    @classmethod
    def _no_space(cls, value: str) -> str:
        if any(c.isspace() or c == "," for c in value):
            raise ValueError("may hold neither spaces nor commas, as Jira labels cannot; use okr/")
        return value


class RulesSettings(Model):
    ignore: tuple[str, ...] = ()  # codes or slugs
    severity: dict[str, SeverityName] = Field(default_factory=dict)
    idle_after: Duration = timedelta(days=14)


class ReportSettings(Model):
    dir: str = "reports"
    formats: tuple[Literal["html", "md", "csv", "json"], ...] = ("html", "md", "csv", "json")
    people: bool = False  # assignees in the CSV
    restricted: bool = False  # titles of items with a Jira security level


class GitHubApp(Model):
    id: int
    installation: int


class _Connector(Model):
    """`name` is the file's name, the first half of its items' ids."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    url: Text
    since: Duration = timedelta(days=365)
    write: bool | tuple[str, ...] = True  # false: read only; or globs of containers

    @property
    def variable(self) -> str:
        """Prefix of the environment variables that hold its secrets: `OKRSYNC_<NAME>`."""
        return "OKRSYNC_" + re.sub(r"[^A-Z0-9]", "_", self.name.upper())

    def may_write(self, container: str) -> bool:
        """Whether `write` covers a container; permissions are another matter."""
        return self._covers(self.write, container)

    def _covers(self, what: bool | tuple[str, ...], container: str) -> bool:
        if isinstance(what, bool):
            return what
        return any(self._means(glob, container) for glob in what)

    def _means(self, glob: str, container: str) -> bool:
        return glob_matches(glob, container)


class JiraFields(Model):
    """Jira field names or ids (`customfield_10042`)."""

    okr: str | None = None
    estimate: str | None = None
    team: str | None = None


class CommandSettings(Model):
    """Who may give `/okr` commands in Jira: members of these groups, or holders of these roles in the item's project,
    by name; with neither, whoever may comment."""

    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


class JiraSettings(_Connector):
    """`email` present: Cloud with an API token; absent: Data Center with a personal access token. Atlassian's gateway,
    `https://api.atlassian.com/ex/jira/CLOUD-ID`, takes the scoped tokens of service accounts: with an email, or
    without one as bearer tokens."""

    type: Literal["jira"]
    email: str | None = None
    site: str | None = None  # where people browse, if not at `url`; with the gateway Jira is asked for it
    projects: tuple[Text, ...] = ()  # empty: all the token can see
    aliases: dict[str, str] = Field(default_factory=dict)  # key a project had before it was renamed -> present key
    jql: str | None = None
    fields: JiraFields = JiraFields.model_construct()
    commands: bool | CommandSettings = CommandSettings.model_construct()  # false: comments are not read
    # Whether to ask for remote links, at a request for each issue; or globs of projects.
    remote_links: bool | tuple[str, ...] = False

    def may_link(self, container: str) -> bool:
        """Whether the remote links of a project's issues are read."""
        return self._covers(self.remote_links, container)

    @property
    def renamed(self) -> dict[str, str]:
        """`aliases` as `linking.read_text` takes projects: old key -> `connector:KEY`."""
        return {old: f"{self.name}:{new}" for old, new in self.aliases.items()}

    @property
    def cloud(self) -> bool:
        return self.email is not None or self.gateway

    @property
    def gateway(self) -> bool:
        return "/ex/jira/" in self.url


class ProjectFields(Model):
    """Fields of GitHub Projects, by name: text, single select, iteration or number. Several projects may have them."""

    okr: str | None = None
    estimate: str | None = None
    team: str | None = None


class GitHubSettings(_Connector):
    """Repositories by `repos` (names or globs), or a whole `org` narrowed by include and exclude globs."""

    type: Literal["github"]
    repos: tuple[Text, ...] = ()
    org: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    app: GitHubApp | None = None
    fields: ProjectFields = ProjectFields.model_construct()
    commands: bool = True  # `/okr` in comments, by whoever may write; false: comments are not read
    writes_per_minute: int = Field(default=60, ge=1)
    writes_per_hour: int = Field(default=450, ge=1)

    def _means(self, glob: str, container: str) -> bool:
        # a glob without an owner (`web-*`) means the repository's own name
        return glob_matches(glob, container if "/" in glob else container.partition("/")[2])

    @model_validator(mode="after")
    def _names_repositories(self) -> Self:
        if not self.repos and not self.org:
            raise ValueError("names no repositories; give `repos: [owner/name]` or `org: owner`")
        if self.repos and self.org:
            raise ValueError("has both `repos` and `org`; give one (`org` takes `include` and `exclude` globs)")
        return self


ConnectorSettings = Annotated[JiraSettings | GitHubSettings, Field(discriminator="type")]
