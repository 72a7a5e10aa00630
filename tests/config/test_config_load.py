"""Workspaces that are right: values, layers, warnings."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from config_samples import GITHUB, JIRA, OKRS, RULES, SETTINGS, write

from okrsync.config import load
from okrsync.domain.goals import Objective
from okrsync.domain.rules import BUILT_IN_CLASSES
from okrsync.domain.settings import GitHubSettings, JiraSettings
from okrsync.domain.workspace import Problem, WorkspaceError


def problems(root: Path, env: dict[str, str], overrides: dict[str, Any] | None = None) -> tuple[Problem, ...]:
    with pytest.raises(WorkspaceError) as caught:
        load(root, env=env, overrides=overrides or {})
    return caught.value.problems


def test_goals_become_nodes_with_their_place(tmp_path: Path) -> None:
    workspace = load(write(tmp_path), env={})
    assert [(n.kind, n.id, n.parents, n.line) for n in workspace.nodes] == [
        ("bet", "B1", (), 3),
        ("objective", "O1", ("B1",), 5),
        ("key_result", "O1.KR1", ("O1",), 9),
        ("initiative", "INIT-1", ("O1.KR1",), 11),
    ]
    assert {n.path for n in workspace.nodes} == {OKRS}
    assert [c.id for c in workspace.cycles] == ["2026-Q4"]
    goals = workspace.goals(date(2026, 11, 1))
    node = goals.find("o1")
    assert node is not None
    assert isinstance(node.value, Objective)
    assert goals.cycle is not None
    assert goals.cycle.ends == date(2026, 12, 31)


def test_connectors_are_named_by_their_file(tmp_path: Path) -> None:
    app = "type: github\nurl: https://ghe.example/api/v3/\norg: acme\ninclude: [web]\napp: {id: 1, installation: 2}\n"
    workspace = load(write(tmp_path, {"connectors/my-hub.yaml": app}), env={})
    assert [c.name for c in workspace.connectors] == ["github", "jira", "my-hub"]
    jira, hub = workspace.connector("jira"), workspace.connector("my-hub")
    assert isinstance(jira, JiraSettings)
    assert jira.cloud
    assert isinstance(hub, GitHubSettings)
    assert hub.url == "https://ghe.example/api/v3"
    assert hub.variable == "OKRSYNC_MY_HUB"


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "127.8.8.8", "localhost:1", "[::1]:99"])
def test_plain_http_is_fine_on_loopback(host: str, tmp_path: Path) -> None:
    assert load(write(tmp_path, {JIRA: f"type: jira\nurl: http://{host}\nprojects: [A]\n"}), env={})


def test_mappings_are_merged_in_file_name_order(tmp_path: Path) -> None:
    changes = {
        "mappings/a.yml": "rules:\n  - {name: first, when: {draft: true, title: a+}, exempt: ours}\n",
        "mappings/z.yaml": "classes: [ours]\nbudgets: {ours: 0.1}\nrules:\n  - {name: last, when: {updated: {older: 30d}}, team: T}\n",
    }
    mappings = load(write(tmp_path, changes), env={}).mappings
    assert [r.name for r in mappings.rules] == ["first", "checkout", "last"]
    assert mappings.rules[1].link == ("INIT-1",)
    assert mappings.classes == (*BUILT_IN_CLASSES, "ours")
    assert mappings.budgets == {"ours": 0.1}


def test_an_id_lives_on_with_the_same_title_or_when_it_says_so(tmp_path: Path) -> None:
    later = (
        "cycle: {id: 2027-Q1, starts: 2027-01-01, ends: 2027-03-31}\n"
        "bets:\n  - {id: b1, title: 'win  the mid-market'}\n"
        "objectives:\n  - {id: O1, title: Checkout wins, continues: true, supports: [B1]}\n"
    )
    workspace = load(write(tmp_path, {"config/okrs/q1.yaml": later}), env={})
    assert [c.id for c in workspace.cycles] == ["2026-Q4", "2027-Q1"]
    assert [n.id for n in workspace.nodes if n.kind == "objective"] == ["O1", "O1"]


def test_numbers_as_ids_and_pinned_work(tmp_path: Path) -> None:
    more = 'initiatives:\n  - {id: 2026, title: t, supports: [O1], work: ["jira:PAY-1", "github:a/b.c#12"]}\n'
    workspace = load(write(tmp_path, {"config/okrs/more.yaml": more}), env={})
    assert workspace.nodes[0].id == "2026"
    assert workspace.nodes[0].cycle is None


def test_a_number_is_an_id_as_it_is_written(tmp_path: Path) -> None:
    more = (
        "objectives:\n  - {id: 007, title: a, weight: 1_0}\n  - {id: 1.10, title: b, weight: 012.50}\n"
        "  - {id: 1_000, title: c}\n  - {id: 0x1F, title: d}\ninitiatives:\n  - {id: I9, title: t, supports: [007, 1.10]}\n"
    )
    workspace = load(write(tmp_path, {"config/okrs/more.yaml": more}), env={})
    here = [n for n in workspace.nodes if n.path == "config/okrs/more.yaml"]
    assert [n.id for n in here] == ["007", "1.10", "1_000", "0x1F", "I9"]
    assert here[-1].parents == ("007", "1.10")
    assert [n.value.weight for n in here[:2] if isinstance(n.value, Objective)] == [10, 12.5]


def test_a_version_in_a_rule_keeps_its_last_zero(tmp_path: Path) -> None:
    rule = "rules:\n  - {name: r, when: {milestone: [1.10, 2.0]}, team: T}\n"
    told = load(write(tmp_path, {"mappings/more.yaml": rule}), env={}).mappings.rules[0].when
    assert "1.10" in repr(told)
    assert "2.0" in repr(told)


def test_a_long_chain_of_objectives(tmp_path: Path) -> None:
    lines = [f"  - {{id: C{i}, title: t{i}, supports: [{'O1' if i == 0 else f'C{i - 1}'}]}}" for i in range(1500)]
    workspace = load(write(tmp_path, {"config/okrs/chain.yaml": "objectives:\n" + "\n".join(lines)}), env={})
    assert len(workspace.nodes) == 1504


def test_anchors_aliases_and_merge_keys_within_reason(tmp_path: Path) -> None:
    text = (
        "objectives:\n  - &first {id: O2, title: t, owner: Ada, supports: &s [B1]}\n"
        "  - {<<: *first, id: O3}\n  - {id: O4, title: u, supports: *s}\n"
    )
    workspace = load(write(tmp_path, {"config/okrs/more.yaml": text}), env={})
    nodes = {n.id: n for n in workspace.nodes}
    assert nodes["O3"].owner == "Ada"
    assert nodes["O4"].parents == ("B1",)


def test_yaml_1_2_words_and_numbers(tmp_path: Path) -> None:
    text = "bets:\n  - {id: 012, title: no, owner: on}\n"
    workspace = load(write(tmp_path, {"config/okrs/more.yaml": text}), env={})
    assert (workspace.nodes[0].title, workspace.nodes[0].owner) == ("no", "on")


# --- layers ------------------------------------------------------------------------------------------------


def test_defaults_where_there_is_no_settings_file(tmp_path: Path) -> None:
    settings = load(write(tmp_path, {SETTINGS: None}), env={}).settings
    assert settings.store == f"sqlite:///{tmp_path}/okrsync.db"
    assert settings.schedule == "*/15 * * * *"
    assert settings.listen == "127.0.0.1:9464"
    assert not settings.writeback.enabled
    assert settings.run_timeout == timedelta(minutes=30)


def test_command_line_over_environment_over_file(tmp_path: Path) -> None:
    file = "writeback:\n  enabled: true\n  label_prefix: file/\n  limits: {changes: 1, share: 0.1}\n  comments: {per_day: 1}\n"
    env = {
        "OKRSYNC_WRITEBACK__LIMITS__CHANGES": "2",
        "OKRSYNC_WRITEBACK__LABEL_PREFIX": "env/",
        "OKRSYNC_WRITEBACK__COMMENTS": '{"per_day": 2, "backlog": true}',
        "OKRSYNC_WRITEBACK__COMMENTS__PER_DAY": "3",
        "OKRSYNC_RUN_TIMEOUT": "",
    }
    overrides = {"writeback": {"label_prefix": "line/"}}
    writeback = load(write(tmp_path, {SETTINGS: file}), env=env, overrides=overrides).settings.writeback
    assert writeback.enabled
    assert writeback.label_prefix == "line/"
    assert (writeback.limits.changes, writeback.limits.share) == (2, 0.1)
    assert (writeback.comments.per_day, writeback.comments.backlog) == (3, True)


def test_every_kind_of_value_from_the_environment(tmp_path: Path) -> None:
    env = {
        "OKRSYNC_STORE": "postgresql+psycopg://okr:hunter2@db/okrsync",
        "OKRSYNC_LISTEN": "null",
        "OKRSYNC_CYCLES__GRACE": "3d",
        "OKRSYNC_REPORTS__FORMATS": "html, csv",
        "OKRSYNC_WRITEBACK__ONLY__KINDS": '["epic"]',
        "OKRSYNC_WRITEBACK__ENABLED": "TRUE",
        "OKRSYNC_WRITEBACK__DASHBOARD": "github:acme/strategy",
        "OKRSYNC_RULES__SEVERITY__OKR201": "error",
        "OKRSYNC_RULES__SEVERITY__UNLINKED_WORK": "info",
        "OKRSYNC_RULES__IGNORE": "OKR304",
    }
    settings = load(write(tmp_path), env=env).settings
    assert settings.store == env["OKRSYNC_STORE"]
    assert settings.listen is None
    assert settings.cycles.grace == timedelta(days=3)
    assert settings.reports.formats == ("html", "csv")
    assert settings.writeback.only.kinds == ("epic",)
    assert settings.writeback.enabled
    assert settings.writeback.dashboard == "github:acme/strategy"
    assert settings.rules.severity == {"OKR201": "error", "OKR101": "info"}, "slugs become codes"
    assert settings.rules.ignore == ("OKR304",)


def test_the_process_environment_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKRSYNC_WRITEBACK__ENABLED", "true")
    assert not load(write(tmp_path), env={}).settings.writeback.enabled


def test_problems_of_environment_and_command_line_name_their_place(tmp_path: Path) -> None:
    env = {
        "OKRSYNC_WRITEBACK__ENABLED": "maybe",
        "OKRSYNC_WRITEBACK__LIMITS": "{changes",
        "OKRSYNC_REPORTS__FORMATS": "html,pdf",
        "OKRSYNC_RULES__IGNORE": "OKR999",
        "OKRSYNC_STORE": "mysql://u:hunter2@h/d",
    }
    told = problems(write(tmp_path, {SETTINGS: "schedule: never\n"}), env, {"listen": "x", "writeback": {"a": 1}})
    assert [(p.path, p.line) for p in told] == [
        ("OKRSYNC_REPORTS__FORMATS", 1),
        ("OKRSYNC_RULES__IGNORE", 1),
        ("OKRSYNC_STORE", 1),
        ("OKRSYNC_WRITEBACK__ENABLED", 1),
        ("OKRSYNC_WRITEBACK__LIMITS", 1),
        ("command line", 1),
        ("command line", 1),
        (SETTINGS, 1),
    ]
    assert "hunter2" not in str(told)


def test_the_store_is_found_relative_to_state_else_to_the_workspace(tmp_path: Path) -> None:
    root = write(tmp_path, {SETTINGS: "store: sqlite:///data/x.db\n"})
    assert load(root, env={}).settings.store == f"sqlite:///{tmp_path}/data/x.db"
    assert load(root, env={"OKRSYNC_STATE": "/state"}).settings.store == "sqlite:////state/data/x.db"
    assert load(root, env={"OKRSYNC_STORE": "sqlite:////abs/x.db"}).settings.store == "sqlite:////abs/x.db"


@pytest.mark.parametrize("schedule", ["every 30s", "*/5 0-6,22 * jan-mar mon,fri", "0 7 1-7 * 1", "0-59/10 * * * 7"])
def test_schedules(schedule: str, tmp_path: Path) -> None:
    assert load(write(tmp_path, {SETTINGS: f'schedule: "{schedule}"\n'}), env={}).settings.schedule == schedule


# --- warnings ----------------------------------------------------------------------------------------------


def test_variables_that_only_look_like_ours(tmp_path: Path) -> None:
    env = {
        "OKRSYNC_WRITEBACK_ENABLED": "hunter2",
        "OKRSYNC_JIRA_TOKN": "hunter2",
        "OKRSYNC_JIRA_TOKEN": "x",
        "OKRSYNC_GITHUB_PRIVATE_KEY_FILE": "x",
        "OKRSYNC_STATE": "/state",
        "OKRSYNC_WORKSPACE": "x",
        "OKRSYNC_LOG": "json",
        "OKRSYNC_APPROVE": "x",
        "OKRSYNC_SHARED": "x",
        "OKRSYNC_WRITEBACK__ENABLED": "true",
        "PATH": "/bin",
    }
    warnings = load(write(tmp_path), env=env).warnings
    assert len(warnings) == 2
    assert "OKRSYNC_JIRA_TOKN" in warnings[0]
    assert "'OKRSYNC_JIRA_TOKEN'" in warnings[0]
    assert "OKRSYNC_WRITEBACK_ENABLED" in warnings[1]
    assert "'OKRSYNC_WRITEBACK__ENABLED'" in warnings[1]
    assert "hunter2" not in str(warnings)


def test_files_that_are_not_read(tmp_path: Path) -> None:
    changes = {"config/okrs/q5.yaml.bak": "x", "config/okrs/.q.yaml.swp": "x", "config/okrs/README.md": "x"}
    assert load(write(tmp_path, changes), env={}).warnings == (
        "config/okrs/q5.yaml.bak is not read; files here end in .yaml or .yml",
    )


def test_a_workspace_without_connectors(tmp_path: Path) -> None:
    workspace = load(write(tmp_path, {JIRA: None, GITHUB: None, SETTINGS: "", RULES: "# nothing yet\n"}), env={})
    assert workspace.connectors == ()
    assert "no connector" in workspace.warnings[0]
