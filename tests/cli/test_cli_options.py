"""How verbs and options are read, what help says, and the exit codes of wrong calls."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from okrsync import __version__

VERBS = (
    *("demo", "init", "check", "pull", "findings", "explain", "plan", "approve", "apply", "report", "sync", "undo"),
    *("rule", "schema", "status"),
)


@pytest.mark.parametrize(
    "args",
    [
        ["check", "--workspace", "WS", "--format", "json"],
        ["--workspace", "WS", "--format", "json", "check"],
        ["--format", "json", "check", "--workspace", "WS"],
        ["--workspace=WS", "-v", "--format=json", "check"],
        ["-wWS", "--format", "json", "check", "-v"],
        ["-v", "check", "-w", "WS", "--format", "json"],
    ],
)
def test_options_stand_before_or_behind_the_verb(args: list[str], cli, workspace: Path) -> None:
    ran = cli(*(a.replace("WS", str(workspace)) for a in args))
    assert ran.exit == 0, ran
    assert ran.json["ok"] is True


def test_an_option_may_have_the_name_of_a_verb_as_its_value(cli, workspace: Path) -> None:
    named = workspace.rename(workspace.with_name("report"))
    assert "there is no cycle 'sync'" in cli("--workspace", named, "--cycle", "sync", "findings").err
    assert cli("-w", named, "status").exit == 0


@pytest.mark.parametrize("verb", ["rule", "schema", "check", "findings", "plan", "status", "report"])
def test_every_verb_takes_the_general_options_in_front(verb: str, cli, workspace: Path) -> None:
    assert cli("--workspace", workspace, "-v", verb).exit in (0, 3)  # 3: nothing was ever read


@pytest.mark.parametrize(
    ("args", "begins"),
    [
        (["-o", "report.HTML"], "<!doctype html>"),
        (["-o", "work.csv"], "id,kind,title"),
        (["-o", "all.json"], "{"),
        (["-o", "notes.txt"], "# "),
        (["-o", "work.csv", "--format", "md"], "# "),
        (["-o", "-"], "# "),
        (["-o", "-", "--format", "csv"], "id,kind,title"),
    ],
)
def test_a_report_is_of_the_kind_that_its_file_is_named_for(
    args: list[str], begins: str, cli, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = cli("report", *args, "--workspace", workspace)
    written = tmp_path / args[1]
    assert (ran.out or written.read_text("utf-8")).startswith(begins)
    assert written.exists() is (args[1] != "-")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["synk"], "Did you mean 'sync'?"),
        (["-v", "synk"], "Did you mean 'sync'?"),
        (["--workspace", "x", "chek"], "Did you mean 'check'"),
        (["--nope", "sync"], "No such option: --nope"),
        (["--foo", "bar", "sync"], "No such option: --foo"),
        (["sync", "--nope"], "No such option: --nope"),
        (["--full", "status"], "No such option: --full"),
        (["status", "--format", "xml"], "'xml' is not one of 'text', 'json'"),
        (["--format"], "Usage: okrsync"),
        (["explain"], "name what is to be explained: an ID, or --rule NAME"),
        (["approve"], "Missing argument 'CHECKSUM'"),
        (["findings", "--fail-on", "fatal"], "'error', 'warning', 'info'"),
        (["findings", "more"], "unexpected extra argument"),
        (["rule", "unlinkedwork"], "lists all; did you mean 'unlinked-work'?\n"),
        (["rule", "OKR999"], "`okrsync rule` lists all"),
        (["schema", "okr"], "mappings; did you mean 'okrs'?\n"),
        (["init", "a", "--workspace", "b"], "not both"),
    ],
)
def test_a_wrong_call_is_exit_2_with_a_hint(args: list[str], said: str, cli) -> None:
    ran = cli(*args)
    assert ran.exit == 2
    assert said in ran.err
    assert ran.out == ""


@pytest.mark.parametrize("args", [[], ["-v"], ["--workspace", "x"], ["--workspace", "sync"]])
def test_without_a_verb_the_help_is_shown(args: list[str], cli) -> None:
    ran = cli(*args)
    assert ran.exit == 2
    assert "Commands:" in ran.err


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["-w", "x", "--help"]])
def test_the_help_names_every_verb_on_one_whole_line(args: list[str], cli) -> None:
    ran = cli(*args)
    assert ran.exit == 0
    lines = [line.split(maxsplit=1) for line in ran.out.partition("Commands:\n")[2].splitlines()]
    assert {words[0] for words in lines} >= set(VERBS)
    assert all(len(words) == 2 and words[1].endswith(".") and not words[1].endswith("...") for words in lines), ran.out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str, cli) -> None:
    ran = cli(verb, "--help")
    assert ran.exit == 0
    assert f"Usage: okrsync {verb}" in ran.out
    assert "--workspace" in ran.out


def test_version(cli) -> None:
    assert cli("--version").out == f"okrsync {__version__}\n"


def test_rule_lists_all_and_explains_one_by_code_or_slug(cli) -> None:
    listed = cli("rule").out.splitlines()
    assert any(line.startswith("OKR101") and "unlinked-work" in line for line in listed)
    assert cli("rule", "okr101").out == cli("rule", "unlinked-work").out
    codes = [r["code"] for r in cli("rule", "--format", "json").json]
    assert len(codes) == len(listed)
    for code in codes:
        assert {"code", "slug", "severity", "doc"} <= set(cli("rule", code, "--format", "json").json)


def test_schema_prints_json_schemas(cli) -> None:
    schemas = json.loads(cli("schema").out)
    assert set(schemas) == {"okrsync", "okrs", "connectors", "mappings"}
    assert cli("--format", "json", "schema", "okrs").json == schemas["okrs"]


def test_demo_never_clears_a_folder_that_is_not_its_own(cli, workspace: Path) -> None:
    before = sorted(workspace.rglob("*"))
    ran = cli("demo", "--dir", workspace)
    assert ran.exit == 2
    assert "new or empty folder" in ran.err
    assert sorted(workspace.rglob("*")) == before
    assert cli("--dir", workspace / "README.md", "demo").exit == 2
