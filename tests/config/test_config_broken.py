"""Broken workspaces: the exact place, and words that help."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from broken_connectors import CONNECTORS_AND_MAPPINGS
from broken_goals import SETTINGS_AND_GOALS
from config_samples import GITHUB, GOOD, JIRA, OKRS, OKRS_2, RULES, SETTINGS, at, write

from okrsync.cli import run
from okrsync.config import load
from okrsync.domain.workspace import WorkspaceError

BROKEN = {
    **SETTINGS_AND_GOALS,
    **CONNECTORS_AND_MAPPINGS,
    # --- several files at once
    "everything at once": (
        {
            SETTINGS: "schedule: never\n",
            OKRS_2: "bets:\n  - {id: B9}\n",
            JIRA: "type: jira\nurl: http://a.example\nprojects: [pay]\n",
            GITHUB: "type: github\nurl: [\n",
            RULES: "rules:\n  - name: r\n    when: {titel: x}\n    link: NOPE\n",
        },
        [
            at(OKRS_2, 2, "no `title`"),
            at(SETTINGS, 1, "schedule"),
            at(GITHUB, 2, "no valid YAML"),
            at(JIRA, 2, "https://"),
            at(JIRA, 3, "'PAY'"),
            at(RULES, 3, "'title'"),
            at(RULES, 4, "'NOPE'"),
        ],
    ),
    "nobody complains about ids in a file that cannot be read": ({OKRS: "bets: [\n"}, [at(OKRS, 1, "no valid YAML")]),
    "ids in a file with another problem are known": (
        {OKRS: GOOD[OKRS] + "    ownr: x\n"},
        [at(OKRS, 14, "unknown key `ownr`")],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_is_told_with_place_and_remedy(name: str, tmp_path: Path) -> None:
    changes, expected = BROKEN[name]
    with pytest.raises(WorkspaceError) as caught:
        load(write(tmp_path, changes), env={})
    told = [(f"{p.path}:{p.line}", p.message) for p in caught.value.problems]
    assert sorted(place for place, _ in told) == sorted(place for place, _ in expected), told
    for place, phrases in expected:
        assert any(there == place and all(p in message for p in phrases) for there, message in told), (phrases, told)
    text = str(caught.value)
    assert "hunter2" not in text
    for jargon in ("Traceback", "pydantic", "ruamel", "Value error", "Input should", "None"):
        assert jargon not in text


@pytest.mark.parametrize("name", BROKEN)
def test_the_command_line_says_the_same_with_exit_2(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, expected = BROKEN[name]
    assert run(["check", "--workspace", str(write(tmp_path, changes))], env={}) == 2
    out, err = capsys.readouterr()
    assert not out
    assert "Traceback" not in err
    lines = err.splitlines()
    for place, _ in expected:
        assert any(line.startswith(f"{place}: ") for line in lines), (place, err)
    assert all(re.match(r"[^\n]+:\d+: \S", line) for line in lines if not line.startswith("{")), err


def test_the_table_is_long_enough() -> None:
    assert len(BROKEN) >= 40


def test_problems_are_sorted_and_read_as_path_line_message(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError) as caught:
        load(write(tmp_path, {SETTINGS: "b: 1\na: 2\n", RULES: "c: 3\n"}), env={})
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{SETTINGS}:1", f"{SETTINGS}:2", f"{RULES}:1"]


def test_of_files_that_read_alike_each_is_told(tmp_path: Path) -> None:
    alike = {f"mappings/{name}.yaml": "rules: []\nc: 3\n" for name in ("a", "b")}
    for _ in range(2):
        with pytest.raises(WorkspaceError) as caught:
            load(write(tmp_path, {**alike}), env={})
        assert [(p.path, p.line) for p in caught.value.problems] == [("mappings/a.yaml", 2), ("mappings/b.yaml", 2)]


@pytest.mark.parametrize("exists", [True, False])
def test_no_workspace_says_init(exists: bool, tmp_path: Path) -> None:
    root = tmp_path if exists else tmp_path / "nowhere"
    with pytest.raises(WorkspaceError, match="okrsync init"):
        load(root, env={})


def test_folders_and_pipes_in_place_of_files(tmp_path: Path) -> None:
    import os

    write(tmp_path)
    (tmp_path / "config/okrs/x.yaml").mkdir()
    os.mkfifo(tmp_path / "mappings/pipe.yaml")
    (tmp_path / "connectors/gone.yaml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(WorkspaceError) as caught:
        load(tmp_path, env={})
    assert [p.path for p in caught.value.problems] == [
        "config/okrs/x.yaml",
        "connectors/gone.yaml",
        "mappings/pipe.yaml",
    ]
