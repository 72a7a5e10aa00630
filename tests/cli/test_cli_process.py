"""What only shows in a process of its own: broken pipes, closed streams, encodings, logs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def start(*args: str | Path) -> list[str]:
    return [sys.executable, "-c", "from okrsync.cli import main; main()", *map(str, args)]


def environment(**more: str) -> dict[str, str]:
    return {**{k: v for k, v in os.environ.items() if not k.startswith("OKRSYNC_")}, **more}


@pytest.mark.parametrize("verb", ["schema", "rule"])
def test_nobody_listening_is_no_failure(verb: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(start(verb), stdout=writing, stderr=subprocess.PIPE, env=environment(), check=False)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("args", [["schema"], ["rule", "OKR101"]], ids=["while it speaks", "at its end"])
def test_a_full_disk_is_told(args: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            start(*args), stdout=full, stderr=subprocess.PIPE, env=environment(PYTHONUNBUFFERED=""), check=False
        )
    assert done.returncode == 1
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


def test_titles_that_the_terminal_cannot_show(workspace: Path) -> None:
    goals = workspace / "config/okrs/2026-Q4.yaml"
    goals.write_text(goals.read_text().replace("One-page checkout", "Kassa № 5 – ☃"), "utf-8")
    done = subprocess.run(
        start("explain", "INIT-CHECKOUT", "-w", workspace),
        capture_output=True,
        env=environment(PYTHONIOENCODING="ascii"),
        check=False,
    )
    assert done.returncode in (0, 3), done.stderr
    assert b"Kassa \\u2116 5" in done.stdout


def test_logs_are_json_lines_on_stderr_and_stdout_stays_data(workspace: Path) -> None:
    done = subprocess.run(
        start("-v", "--format", "json", "status", "-w", workspace),
        capture_output=True,
        env=environment(OKRSYNC_XYZ="1"),
        check=False,
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["last_run"] is None
    (line,) = done.stderr.decode().splitlines()
    assert "OKRSYNC_XYZ" in json.loads(line)["warning"]


def test_options_in_front_and_other_verbs_cost_a_verb_no_start_up_time(workspace: Path) -> None:
    code = """if True:
        import sys
        from okrsync.__main__ import lean_start
        with lean_start():
            from okrsync.cli import run
        run(sys.argv[1:])
        print(" ".join(sys.modules))
    """
    call = [sys.executable, "-c", code, "--workspace", workspace, "findings"]
    subprocess.run(call, capture_output=True, env=environment(), check=True)  # makes the database
    done = subprocess.run(call, capture_output=True, env=environment(), check=True)
    loaded = set(done.stdout.decode().splitlines()[-1].split())
    assert "okrsync.findings" in loaded
    others = {"okrsync.sync", "okrsync.writeback", "okrsync.daemon", "okrsync.sandbox", "okrsync.connectors.transport"}
    others |= {"okrsync.mappings.propose", "okrsync.config.scaffold", "okrsync.config.schemas"}
    slow = {"alembic", "github", "httpx", "jinja2", "jira", "psycopg", "requests", "rich", "sqlalchemy", "structlog"}
    slow |= {"importlib.metadata", "uvicorn"}
    assert not loaded & (others | slow)


def test_what_looks_for_plugins_of_pydantic_answers_still() -> None:
    code = """if True:
        import sys
        from okrsync.__main__ import lean_start
        with lean_start():
            import pydantic
        from pydantic.plugin._loader import get_plugins
        assert not list(get_plugins()) and "importlib.metadata" not in sys.modules
        from pydantic.plugin._loader import PYDANTIC_ENTRY_POINT_GROUP, get_plugins
        assert PYDANTIC_ENTRY_POINT_GROUP == "pydantic" and not list(get_plugins())
    """
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True)
