"""From the command line to the workspace: which one, what `init` and `check` say, settings and secrets."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from okrsync.config import load

SETTINGS, JIRA, RULES = "config/okrsync.yaml", "connectors/jira.yaml", "mappings/rules.yaml"
PROBLEM = re.compile(r"[^\s:]+:\d+: \S.*")


def broken(root: Path, changes: dict[str, str]) -> Path:
    for name, content in changes.items():
        (root / name).write_text(content)
    return root


# --- which workspace ------------------------------------------------------------------------------------------


def test_workspace_by_option_then_variable_then_current_folder(
    cli, workspace: Path, tmp_path: Path, monkeypatch
) -> None:
    env = {"OKRSYNC_WORKSPACE": str(workspace)}
    assert cli("check", env=env).exit == 0
    assert cli("check", "-w", workspace, env={"OKRSYNC_WORKSPACE": "/nowhere"}).exit == 0
    elsewhere = cli("check", "-w", tmp_path, env=env)
    assert elsewhere.exit == 2
    assert "okrsync init" in elsewhere.err
    monkeypatch.chdir(workspace)
    assert cli("check").exit == 0


@pytest.mark.parametrize("verb", ["check", "pull", "findings", "plan", "apply", "report", "sync", "status", "undo"])
def test_a_broken_workspace_is_exit_2_in_every_verb(verb: str, cli, workspace: Path) -> None:
    root = broken(workspace, {SETTINGS: "schedul: x\n", RULES: "rules: [\n"})
    ran = cli(verb, "-w", root)
    assert ran.exit == 2
    lines = ran.err.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [f"{SETTINGS}:1", f"{RULES}:1"]
    assert all(PROBLEM.fullmatch(line) for line in lines)
    assert ran.out == ""


def test_check_tells_problems_as_json_too(cli, workspace: Path) -> None:
    ran = cli("check", "--format", "json", "-w", broken(workspace, {SETTINGS: "schedul: x\n"}))
    assert ran.exit == 2
    assert ran.json["ok"] is False
    (problem,) = ran.json["problems"]
    assert (problem["path"], problem["line"]) == (SETTINGS, 1)
    assert problem["message"] in ran.err


@pytest.mark.parametrize(
    ("changes", "place", "said"),
    [
        ({SETTINGS: "token: hunter2\n"}, f"{SETTINGS}:1", "no secret stands in a file"),
        ({SETTINGS: "listen: ghp_hunter2hunter2hunter2\n"}, f"{SETTINGS}:1", "looks like a secret"),
        ({SETTINGS: "writeback:\n  label_prefix: 'initiative:'\n"}, f"{SETTINGS}:2", "people's own labels"),
        ({SETTINGS: "writeback:\n  label_prefix: K\n"}, f"{SETTINGS}:2", "people's own labels"),
        ({SETTINGS: "writeback:\n  labels:\n    stale: Unlinked\n"}, f"{SETTINGS}:3", "are both"),
        ({SETTINGS: "writeback:\n  labels: {unlinked: ''}\n"}, f"{SETTINGS}:2", "is empty"),
        ({SETTINGS: "writeback:\n  labels: {stale: '{bet}'}\n"}, f"{SETTINGS}:2", "only `linked` knows fields"),
        ({SETTINGS: "writeback:\n  labels: {linked: '{objective'}\n"}, f"{SETTINGS}:2", "brace"),
        ({SETTINGS: "writeback:\n  dashboard: ''\n"}, f"{SETTINGS}:2", "github:acme/strategy"),
        (
            {"config/okrs/z.yaml": "objectives:\n  - {id: Stale, title: t}\n"},
            "config/okrs/z.yaml:2",
            "means something else",
        ),
        ({SETTINGS: '"a\\nb\\x1b[31m": 1\n'}, f"{SETTINGS}:1", "unknown key `a b [31m`"),
        ({RULES: "rules:\n  - name: r\n    team: T\n    when: {author: null}\n"}, f"{RULES}:4", "`author` is empty"),
        ({RULES: "rules:\n  - name: r\n    team: T\n    when: {title: ''}\n"}, f"{RULES}:4", "`title` is empty"),
        ({RULES: "rules:\n  - name: r\n    team: T\n    when: {labels: {none: [a, '']}}\n"}, f"{RULES}:4", "is empty"),
        (
            {
                RULES: "rules:\n  - name: r\n    team: T\n    when: {kind: epic}\n    examples:\n      misses: [{kind: ep}]\n"
            },
            f"{RULES}:6",
            "`kind` is never 'ep'",
        ),
        (
            {JIRA: "type: jira\nurl: https://a.example\nrepo: x\n"},
            f"{JIRA}:3",
            "known here: aliases, commands, email, fields, jql, projects",
        ),
    ],
)
def test_more_that_is_wrong(changes: dict[str, str], place: str, said: str, cli, workspace: Path) -> None:
    ran = cli("check", "-w", broken(workspace, changes))
    assert ran.exit == 2, ran
    (line,) = ran.err.splitlines()
    assert line.startswith(f"{place}: ")
    assert said in line
    assert "hunter2" not in line


@pytest.mark.parametrize(
    "settings",
    [
        "writeback: {label_prefix: okr}",
        "writeback: {label_prefix: exempted/}",
        "writeback: {labels: {stale: null, unlinked: stale}}",
        "writeback: {labels: {linked: '{bet}-{objective}'}}",
        "writeback: {labels: {unlinked: null, stale: null, linked: null}}",
    ],
)
def test_labels_that_can_be_told_apart(settings: str, cli, workspace: Path) -> None:
    assert cli("check", "-w", broken(workspace, {SETTINGS: settings})).exit == 0


def test_an_example_names_a_repository_without_its_owner(cli, workspace: Path) -> None:
    rule = "rules:\n  - name: r\n    team: T\n    when: {repo: 'payments-*'}\n    examples:\n      "
    examples = "{matches: [{repo: payments-api}, {repo: acme/payments-api}], misses: [{repo: web}, {project: PAY}]}\n"
    assert cli("check", "-w", broken(workspace, {RULES: rule + examples})).exit == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({SETTINGS: "writeback: {comments: {rules: [OKR101, OKR201]}}\n"}, "names OKR201"),
        (
            {"config/okrs/2026-Q4.yaml": "cycle: {id: A, starts: 2034-01-01, ends: 2034-03-31}\nbets: []\n", RULES: ""},
            "A, starts on 2034-01-01",
        ),
        ({"connectors/notes.txt": "x"}, "connectors/notes.txt is not read"),
    ],
)
def test_check_warns(changes: dict[str, str], said: str, cli, workspace: Path) -> None:
    root = broken(workspace, changes)
    ran = cli("check", "-w", root)
    assert ran.exit == 0
    assert said in ran.err
    assert any(said in line for line in cli("check", "-w", root, "--format", "json").json["warnings"])


def test_no_goals_and_no_connectors_are_warned_about(cli, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    ran = cli("check", "-w", tmp_path)
    assert ran.exit == 0
    assert "no goal is defined" in ran.err
    assert "no connector is configured" in ran.err


# --- init -----------------------------------------------------------------------------------------------------


def test_init_writes_what_check_accepts_and_never_overwrites(cli, tmp_path: Path) -> None:
    first = cli("init", tmp_path)
    assert first.exit == 0
    ran = cli("check", "-w", tmp_path)
    assert (ran.exit, ran.err) == (0, "")
    assert "1 bet, 1 objective, 2 key results, 1 initiative, 2 connectors, 3 rules" in ran.out
    settings = tmp_path / SETTINGS
    settings.write_text("# mine\n")
    (tmp_path / "README.md").unlink()
    again = cli("init", tmp_path)
    assert again.exit == 0
    assert settings.read_text() == "# mine\n"
    assert f"kept {settings}" in again.out
    assert f"wrote {tmp_path / 'README.md'}" in again.out


def test_init_leaves_folders_with_own_files_and_says_so(cli, tmp_path: Path) -> None:
    (tmp_path / "connectors").mkdir()
    (tmp_path / "connectors/hub.yaml").write_text("type: github\nurl: https://api.github.com\nrepos: [a/b]\n")
    ran = cli("init", tmp_path)
    assert ran.exit == 0
    assert f"left out {tmp_path / 'connectors/jira.yaml'}" in ran.out
    assert not (tmp_path / "connectors/jira.yaml").exists()


def test_init_goes_where_the_workspace_is(cli, tmp_path: Path) -> None:
    assert cli("--workspace", tmp_path / "a", "init").exit == 0
    assert cli("init", env={"OKRSYNC_WORKSPACE": str(tmp_path / "b")}).exit == 0
    assert (tmp_path / "a" / SETTINGS).is_file()
    assert (tmp_path / "b" / SETTINGS).is_file()
    (tmp_path / "file").write_text("")
    assert cli("init", tmp_path / "file").exit == 2


# --- environment ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("OKRSYNC_WRITEBACK__ENABLED", "maybe", "OKRSYNC_WRITEBACK__ENABLED:1: `enabled` must be true or false"),
        ("OKRSYNC_WRITEBACK__LIMITS__SHARE", "2", "at most 1"),
        ("OKRSYNC_REPORTS__FORMATS", "html,pdf", "'pdf'"),
        ("OKRSYNC_RULES__SEVERITY__OKR999", "info", "'OKR999'"),
        ("OKRSYNC_STORE", "mysql://u:hunter2@h/d", "'mysql'"),
        ("OKRSYNC_STORE", "postgresql+psycopg://u:hunter2@h:port/d", "no database URL"),
        ("OKRSYNC_WRITEBACK__LABEL_PREFIX", "exempt:", "people's own labels"),
    ],
)
def test_a_wrong_variable_is_a_problem_of_that_variable(variable: str, value: str, said: str, cli, workspace) -> None:
    ran = cli("status", "-w", workspace, env={variable: value})
    assert ran.exit == 2
    assert ran.err.startswith(f"{variable}:1: ")
    assert said in ran.err
    assert "hunter2" not in ran.err


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("OKRSYNC_WRITEBACK_ENABLED", "OKRSYNC_WRITEBACK__ENABLED"),
        ("okrsync_writeback__enabled", "OKRSYNC_WRITEBACK__ENABLED"),
        ("OKRSYNC_JIRA_TOKN", "OKRSYNC_JIRA_TOKEN"),
        ("OKRSYNC_WORKSPACES", "OKRSYNC_WORKSPACE"),
    ],
)
def test_a_variable_that_only_looks_like_ours_is_warned_about(variable: str, meant: str, cli, workspace: Path) -> None:
    ran = cli("check", "-w", workspace, env={variable: "hunter2"})
    assert ran.exit == 0
    assert f"{variable} is none of okrsync's; did you mean '{meant}'?" in ran.err
    assert "hunter2" not in ran.err


def test_the_environment_wins_over_the_file_also_by_slug(cli, workspace: Path) -> None:
    with (workspace / SETTINGS).open("a") as file:
        file.write("rules: {severity: {OKR402: error}}\n")
    status = cli("status", "-w", workspace, "--format", "json", env={"OKRSYNC_WRITEBACK__ENABLED": "true"})
    assert status.json["writeback"] is True
    env = {"OKRSYNC_RULES__SEVERITY__INITIATIVE_WITHOUT_WORK": "info"}
    assert load(workspace, env={}).settings.rules.severity == {"OKR402": "error"}
    assert load(workspace, env=env).settings.rules.severity == {"OKR402": "info"}


# --- secrets --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("args", [["sync"], ["pull"], ["check", "--online"]])
def test_all_missing_secrets_are_named_at_once(args: list[str], cli, workspace: Path) -> None:
    ran = cli(*args, "-w", workspace)
    assert ran.exit == 2
    assert [line.partition(";")[0] for line in ran.err.splitlines()] == [
        "okrsync: connector 'github' has no secret",
        "okrsync: connector 'jira' has no secret",
    ]
    assert "OKRSYNC_JIRA_TOKEN or OKRSYNC_JIRA_TOKEN_FILE" in ran.err


def test_unusable_secrets(cli, workspace: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")
    env = {
        "OKRSYNC_JIRA_TOKEN": "hunter2",
        "OKRSYNC_JIRA_TOKEN_FILE": str(empty),
        "OKRSYNC_GITHUB_TOKEN_FILE": str(empty),
    }
    ran = cli("pull", "-w", workspace, env=env)
    assert ran.exit == 2
    assert "both OKRSYNC_JIRA_TOKEN and OKRSYNC_JIRA_TOKEN_FILE are set" in ran.err
    assert "OKRSYNC_GITHUB_TOKEN_FILE names an empty file" in ran.err
    assert "hunter2" not in ran.err


# --- the store ------------------------------------------------------------------------------------------------


def test_state_lies_where_the_variable_says(cli, workspace: Path, tmp_path: Path) -> None:
    before = sorted(workspace.rglob("*"))
    ran = cli("status", "-w", workspace, env={"OKRSYNC_STATE": str(tmp_path / "state")})
    assert ran.exit == 0
    assert (tmp_path / "state/okrsync.db").is_file()
    assert sorted(workspace.rglob("*")) == before


def test_status_is_five_lines_from_the_start(cli, workspace: Path) -> None:
    ran = cli("status", "-w", workspace)
    assert ran.exit == 0
    assert len(ran.out.splitlines()) == 5
    assert cli("status", "-w", workspace, "--format", "json").json["last_run"] is None


def test_a_newer_database_and_no_database_are_told_in_one_line(cli, workspace: Path) -> None:
    database = workspace / "okrsync.db"
    assert cli("status", "-w", workspace).exit == 0
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    newer = cli("status", "-w", workspace)
    assert newer.exit == 1
    assert "newer okrsync" in newer.err
    for leftover in workspace.glob("okrsync.db*"):
        leftover.unlink()
    database.write_bytes(b"no database at all, whatever its name says" * 100)
    junk = cli("status", "-w", workspace)
    assert junk.exit == 1
    assert "is not an SQLite database" in junk.err
    assert len(junk.err.splitlines()) == 1


def test_an_unreachable_postgresql_never_shows_the_password(cli, workspace: Path) -> None:
    ran = cli("status", "-w", workspace, env={"OKRSYNC_STORE": "postgresql+psycopg://okr:hunter2@127.0.0.1:1/d"})
    assert ran.exit == 1
    assert "127.0.0.1:1/d cannot be reached" in ran.err
    assert "hunter2" not in ran.err


# --- small answers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["approve", "nope"], "no stored plan"),
        (["apply"], "`writeback.enabled` is false"),
        (["explain", "O1.KR9"], "did you mean 'O1.KR"),
        (["plan", "--cycle", "2020-Q1"], "the workspace has: 2026-Q4"),
    ],
)
def test_calls_that_mean_nothing_here(args: list[str], said: str, cli, workspace: Path) -> None:
    ran = cli(*args, "-w", workspace)
    assert ran.exit == 2
    assert said in ran.err


def test_a_report_that_cannot_be_written(cli, workspace: Path) -> None:
    ran = cli("report", "-w", workspace, "-o", workspace / "nowhere/report.md")
    assert ran.exit == 1
    assert "nowhere/report.md: No such file or directory" in ran.err
