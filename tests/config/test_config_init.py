"""The example workspace, the schemas, and the examples of rules."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from config_samples import GOOD, RULES, write
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from okrsync import mappings
from okrsync.config import load
from okrsync.config.examples import check_examples
from okrsync.config.scaffold import example_files, init
from okrsync.config.schemas import schemas
from okrsync.domain.work import Kind, WorkItem
from okrsync.domain.workspace import WorkspaceError

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
TODAY = NOW.date()


def test_the_example_workspace_is_right(tmp_path: Path) -> None:
    target = tmp_path / "new" / "okrs"
    written = init(target, today=TODAY)
    assert sorted(p.relative_to(target) for p in written) == sorted(example_files(TODAY))
    assert {p.name for p in written} >= {"2026-Q4.yaml", "okrsync.yaml", "jira.yaml", "github.yaml", ".gitignore"}
    workspace = load(target, env={})
    assert workspace.warnings == ()
    assert [(c.id, c.starts, c.ends) for c in workspace.cycles] == [("2026-Q4", date(2026, 10, 1), date(2026, 12, 31))]
    assert check_examples(workspace, mappings.match, now=NOW) == ()


@pytest.mark.parametrize(
    ("today", "ends"),
    [(date(2028, 1, 1), "2028-03-31"), (date(2026, 6, 30), "2026-06-30"), (date(2026, 9, 30), "2026-09-30")],
)
def test_the_quarter_of_today(today: date, ends: str, tmp_path: Path) -> None:
    init(tmp_path, today=today)
    (cycle,) = load(tmp_path, env={}).cycles
    assert cycle.ends.isoformat() == ends
    assert cycle.starts <= today <= cycle.ends


def test_what_exists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "connectors").mkdir()
    (tmp_path / "connectors/jira.yaml").write_text("mine")
    (tmp_path / "README.md").write_text("mine")
    written = {p.relative_to(tmp_path).as_posix() for p in init(tmp_path, today=TODAY)}
    assert (tmp_path / "connectors/jira.yaml").read_text() == "mine"
    assert (tmp_path / "README.md").read_text() == "mine"
    assert "connectors/github.yaml" not in written
    assert "mappings/rules.yaml" in written
    assert init(tmp_path, today=TODAY) == []


def test_goals_of_ones_own_are_not_followed_by_rules_for_others(tmp_path: Path) -> None:
    write(tmp_path, {RULES: None})
    init(tmp_path, today=TODAY)
    assert not (tmp_path / "mappings").exists()
    assert load(tmp_path, env={}).mappings.rules == ()


def test_a_target_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        init(tmp_path / "file", today=TODAY)


def test_the_example_settings_show_every_key_with_its_default(tmp_path: Path) -> None:
    init(tmp_path, today=TODAY)
    file = tmp_path / "config/okrsync.yaml"
    text = re.sub(r"^( *)#(?=[a-z_]+:)", r"\1", file.read_text(), flags=re.MULTILINE)
    shown = YAML(typ="safe", pure=True).load(text)
    before = load(tmp_path, env={}).settings
    file.write_text(text)
    assert load(tmp_path, env={}).settings == before
    schema = schemas()["okrsync"]
    assert set(shown) == set(schema["properties"])
    for group in ("writeback", "rules", "reports", "cycles"):
        name = schema["properties"][group]["$ref"].rpartition("/")[2]
        assert set(shown[group]) == set(schema["$defs"][name]["properties"])


def test_schemas_accept_what_load_accepts_and_describe_every_key(tmp_path: Path) -> None:
    found = schemas()
    assert list(found) == ["okrsync", "okrs", "connectors", "mappings"]
    init(tmp_path, today=TODAY)
    for kind, folder in (("okrs", "config/okrs"), ("connectors", "connectors"), ("mappings", "mappings")):
        Draft202012Validator.check_schema(found[kind])
        for file in (tmp_path / folder).iterdir():
            # as an editor sees it: days are text
            text = re.sub(r"(\d{4}-\d\d-\d\d)", r'"\1"', file.read_text())
            Draft202012Validator(found[kind]).validate(YAML(typ="safe", pure=True).load(text))
    assert list(undescribed(found)) == []


def undescribed(node: Any) -> Any:
    if isinstance(node, dict):
        for key, value in node.get("properties", {}).items():
            if "description" not in value:
                yield key, value
        for value in node.values():
            yield from undescribed(value)
    elif isinstance(node, list):
        for value in node:
            yield from undescribed(value)


def test_schemas_accept_a_number_as_an_id() -> None:
    goals = {"id": 7, "title": "t", "supports": [2026]}
    cycle = {"id": 2026, "starts": "2026-01-01", "ends": "2026-12-31"}
    Draft202012Validator(schemas()["okrs"]).validate({"cycle": cycle, "objectives": [goals], "initiatives": [goals]})
    rule = {"name": "a", "when": {"project": "PAY"}}
    for link in (7, [7, "O1"]):
        Draft202012Validator(schemas()["mappings"]).validate({"rules": [{**rule, "link": link}]})


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("okrs", {"objectives": [{"id": "O1:2", "title": "t"}]}),
        ("okrsync", {"schedul": "x"}),
        ("okrsync", {"rules": {"ignore": ["OKR999"]}}),
        ("connectors", {"type": "jira", "url": "https://a.example", "token": "x"}),
        ("mappings", {"rules": [{"name": "a", "when": {"lables": "x"}}]}),
    ],
)
def test_schemas_refuse_what_load_refuses(kind: str, wrong: dict[str, Any]) -> None:
    assert not Draft202012Validator(schemas()[kind]).is_valid(wrong)


# --- examples ----------------------------------------------------------------------------------------------

EXAMPLES = """\
rules:
  - name: payments
    when:
      project: PAY
      labels: {any: [a*], none: [b]}
      updated: {older: 30d}
      draft: false
    team: T
    examples:
      matches:
        - {project: PAY, labels: [ab, c], updated: 31d, draft: false}
        - {project: PAY, labels: ab, updated: 2026-01-01, draft: false}
        - {project: WEB, labels: [ab], updated: 31d, draft: false}
        - jira:PAY-1
      misses:
        - {project: PAY, labels: [ab, b], updated: 31d, draft: false}
        - {project: PAY, labels: [ab], updated: 29d, draft: false}
        - {project: PAY, labels: [ab], updated: 31d, draft: true}
        - {project: PAY, labels: [ab], updated: 31d, draft: no}
        - {project: PAY, labels: [AB], updated: 31d, draft: false}
        - {project: PAY, updated: soon}
"""


def test_examples_are_tried(tmp_path: Path) -> None:
    workspace = load(write(tmp_path, {RULES: EXAMPLES}), env={})
    told = [(p.path, p.line, p.message) for p in check_examples(workspace, mappings.match, now=NOW)]
    assert [(path, line) for path, line, _ in told] == [(RULES, 13), (RULES, 19), (RULES, 20), (RULES, 21)]
    assert "should match this and misses it" in told[0][2]
    assert "`draft` is true or false" in told[1][2]
    assert "labels = AB" in told[2][2]
    assert "'soon' is not a duration" in told[3][2]


def test_examples_by_id_are_looked_up_where_that_is_possible(tmp_path: Path) -> None:
    text = (
        GOOD[RULES]
        + "    examples:\n      matches:\n        - jira:PAY-1\n        - jira:WEB-1\n        - jira:PAY-9\n"
    )
    workspace = load(write(tmp_path, {RULES: text}), env={})

    def lookup(id_: str) -> WorkItem | None:
        key = id_.removeprefix("jira:")
        if key == "PAY-9":
            return None
        return WorkItem(
            id=id_,
            uid=id_,
            connector="jira",
            key=key,
            container=key[:3],
            kind=Kind.ISSUE,
            title="t",
            url="",
            created=NOW,
            updated=NOW,
        )

    assert check_examples(workspace, mappings.match, now=NOW) == ()
    told = check_examples(workspace, mappings.match, now=NOW, lookup=lookup)
    assert [(p.line, "no item" in p.message) for p in told] == [(8, False), (9, True)]
