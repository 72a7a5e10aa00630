"""`python docs/generate.py`: writes what the code knows best into docs/rules.md and docs/workspace.md.

In docs/workspace.md only what stands between the markers `<!-- keys: NAME -->` and `<!-- end -->`. A test fails where
either is stale.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from okrsync import findings
from okrsync.config.schemas import schemas
from okrsync.config.settings import SettingsFile
from okrsync.domain.goals import GoalsFile
from okrsync.domain.rules import MappingsFile
from okrsync.domain.settings import GitHubSettings, JiraSettings
from okrsync.domain.text import format_duration

DOCS = Path(__file__).parent
MODELS: dict[str, type[BaseModel]] = {
    "okrsync": SettingsFile,
    "okrs": GoalsFile,
    "jira": JiraSettings,
    "github": GitHubSettings,
    "mappings": MappingsFile,
}
_FAMILIES = {"OKR1": "Work", "OKR2": "Key results", "OKR3": "Objectives", "OKR4": "Bets, initiatives and the whole"}
_LEAVES = {
    "AnyAllNone": "",
    "Age": " `{older: 180d}`, `{newer: 30d}`, or both.",
}  # told once, in the text above the table


def keys(model: type[BaseModel], before: str = "") -> Iterator[tuple[str, str, str]]:
    """(path of the key, its default, its meaning), in the order of the model; lists of objects as `bets[]`."""
    meanings = _meanings()
    for name, field in model.model_fields.items():
        if name == "name" and model in (JiraSettings, GitHubSettings):
            continue  # the file's name
        inner, many = _inner(field.annotation)
        path = f"{before}{name}"
        meaning = meanings.get(model.__name__, {}).get(name, "")
        if inner is None or inner.__name__ in _LEAVES:
            default = _told(field.get_default(call_default_factory=True)) if inner is None else ""
            extra = _LEAVES[inner.__name__] if inner else ""
            yield path, "needed" if field.is_required() else default, f"{meaning}{extra}"
        else:
            yield f"{path}[]" if many else path, "needed" if field.is_required() else "", meaning
            yield from keys(inner, f"{path}[]." if many else f"{path}.")


def _inner(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model behind an annotation, and whether there may be many of it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    many = get_origin(annotation) is tuple
    for part in get_args(annotation):
        found, also = _inner(part)
        if found is not None:
            return found, many or also
    return None, False


@cache
def _meanings() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for schema in schemas().values():
        parts = [schema, *schema.get("oneOf", ()), *schema.get("$defs", {}).values()]
        for part in parts:
            for key, value in part.get("properties", {}).items():
                found.setdefault(part.get("title", ""), {})[key] = value.get("description", "")
    return found


def _told(value: Any) -> str:
    if value is None:
        return "`null`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, timedelta):
        return f"`{format_duration(value)}`"
    if isinstance(value, tuple | list):
        return f"`[{', '.join(str(v.value if isinstance(v, Enum) else v) for v in value)}]`"
    if isinstance(value, dict):
        return "`{}`" if not value else f"`{value}`"
    return '`""`' if value == "" else f"`{value}`"


def table(name: str) -> str:
    lines = ["| key | default | meaning |", "|---|---|---|"]
    lines += [f"| `{path}` | {default} | {_cell(meaning)} |" for path, default, meaning in keys(MODELS[name])]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def workspace(text: str) -> str:
    """docs/workspace.md with its tables made anew."""

    def anew(found: re.Match[str]) -> str:
        return f"<!-- keys: {found[1]} -->\n\n{table(found[1])}\n\n<!-- end -->"

    return re.sub(r"<!-- keys: (\w+) -->.*?<!-- end -->", anew, text, flags=re.DOTALL)


def rules() -> str:
    """docs/rules.md."""
    lines = [
        "# The rules",
        "",
        "What `okrsync findings` can tell, and what to do about it. Made from the rules themselves by",
        "`python docs/generate.py`; `okrsync rule CODE` prints the same. Severities and what is ignored are set under",
        "`rules` in `config/okrsync.yaml` ([reference](workspace.md)).",
        "",
        "| code | slug | severity | |",
        "|---|---|---|---|",
    ]
    for one in findings.RULES:
        first = one.doc.strip().splitlines()[0]
        lines.append(
            f"| [{one.code}](#{one.code.lower()}-{one.slug}) | {one.slug} | {one.severity.value} | {_cell(first)} |"
        )
    family = ""
    for one in findings.RULES:
        if _FAMILIES[one.code[:4]] != family:
            family = _FAMILIES[one.code[:4]]
            lines += ["", f"## {family}"]
        lines += ["", f"### {one.code} {one.slug}", "", *_paragraphs(one.doc)]
    return "\n".join(lines) + "\n"


def _paragraphs(doc: str) -> Iterator[str]:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", doc.strip())):
        if number:
            yield ""
        said = " ".join(paragraph.split())
        yield re.sub(r"^(What it says|Why it matters|How to fix):", r"**\1:**", said)


def main() -> None:
    (DOCS / "rules.md").write_text(rules(), encoding="utf-8")
    reference = DOCS / "workspace.md"
    reference.write_text(workspace(reference.read_text("utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
