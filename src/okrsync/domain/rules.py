"""Mapping rules as an operator writes them in `mappings/*.yaml`: the schema and the value at once."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from .goals import Id, Model, Text
from .text import Duration

BUILT_IN_CLASSES = ("parity", "operational-health", "compliance", "tech-debt", "discovery")


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str | int | float | bool) else value


def _as_text(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


Word = Annotated[str, BeforeValidator(_as_text)]
Words = Annotated[tuple[Word, ...], BeforeValidator(_as_list)]


class AnyAllNone(Model):
    """`{any: [...], all: [...], none: [...]}`; a bare string or list in YAML means `any`."""

    any: Words = ()
    all: Words = ()
    none: Words = ()

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        if isinstance(value, str | int | float | bool):
            return {"any": (value,)}
        if isinstance(value, list | tuple):
            return {"any": value}
        return value

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not (self.any or self.all or self.none):
            raise ValueError("names nothing to match; give at least one value")
        return self


class Age(Model):
    """`older: 180d` or `newer: 30d`, measured from the run's clock; both together make a window."""

    older: Duration | None = None
    newer: Duration | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.older is None and self.newer is None:
            raise ValueError("needs `older: 180d` or `newer: 30d`")
        return self


class When(Model):
    """All keys must match. Values are globs (only `*` and `?` are special, whole value, any case);
    `title`, `body` and `branch` are RE2 expressions that search."""

    connector: AnyAllNone | None = None
    repo: AnyAllNone | None = None
    project: AnyAllNone | None = None
    type: AnyAllNone | None = None
    kind: AnyAllNone | None = None
    status: AnyAllNone | None = None
    state: AnyAllNone | None = None
    draft: AnyAllNone | None = None
    labels: AnyAllNone | None = None
    components: AnyAllNone | None = None
    milestone: AnyAllNone | None = None
    author: AnyAllNone | None = None
    author_type: AnyAllNone | None = None
    assignee: AnyAllNone | None = None
    priority: AnyAllNone | None = None
    title: AnyAllNone | None = None
    body: AnyAllNone | None = None
    branch: AnyAllNone | None = None
    epic: AnyAllNone | None = None
    team: AnyAllNone | None = None
    created: Age | None = None
    updated: Age | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("is empty and would match everything; name at least one key, such as `project: PAY`")
        return self


class Examples(Model):
    """Inline items (a mapping of `when` keys to values) or item ids, run by `okrsync check`."""

    matches: tuple[dict[str, Any] | str, ...] = ()
    misses: tuple[dict[str, Any] | str, ...] = ()


class Rule(Model):
    name: Text
    when: When
    link: Annotated[tuple[Id, ...], BeforeValidator(_as_list)] = ()
    exempt: str | None = None
    team: str | None = None
    until: date | None = None  # inclusive, UTC; after it the rule no longer exempts or links
    examples: Examples | None = None

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not (self.link or self.exempt or self.team):
            raise ValueError("does nothing; give at least one of `link`, `exempt`, `team`")
        if self.link and self.exempt:
            raise ValueError("has both `link` and `exempt`; work is one or the other, so split the rule")
        return self


class MappingsFile(Model):
    """One file of `mappings/`."""

    rules: tuple[Rule, ...] = ()
    classes: tuple[Text, ...] = ()
    budgets: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)


class Mappings(Model):
    """All mapping files together: rules in file-name then file order, classes with the built-in ones."""

    rules: tuple[Rule, ...] = ()
    classes: tuple[str, ...] = BUILT_IN_CLASSES
    budgets: dict[str, float] = Field(default_factory=dict)


MatchKind = Literal["link", "exempt", "team"]
