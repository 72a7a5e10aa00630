"""What `okrsync demo` tells a stranger: every part of the story is in what it prints."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from okrsync.cli import run

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def told(folder: Path) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert run(["demo", "--dir", str(folder)], env={}) == 0
    return out.getvalue()


def part(told: str, heading: str) -> str:
    """From a heading to the next."""
    _, _, rest = told.partition(heading)
    assert rest, heading
    return re.split(r"\n\w+day \d\d:\d\d  ", rest)[0]


def test_the_first_run_is_refused_and_only_the_dashboard_is_written(told: str) -> None:
    first = part(told, "first run: okrsync sync")
    assert "REFUSED by the safety gate" in first
    assert "written: the dashboard issue alone\n" in first


def test_the_plan_shows_each_sort_of_change(told: str) -> None:
    plan = part(told, "what it wants to do: okrsync plan")
    for sort in ("+ define label okr/", "+ label okr/", "+ comment "):
        assert f"\n  {sort}" in plan


def test_a_suggestion_is_made_taken_and_answered(told: str) -> None:
    found = re.search(r"the one comment on (\S+), with a suggestion", told)
    assert found is not None
    comment = part(told, found[0])
    guess = re.search(r"^\* (INIT-\w+) .*: shares '", comment, re.MULTILINE)
    assert guess is not None
    assert f"adds the label initiative:{guess[1]} to {found[1]}" in part(told, "people react")
    after = part(told, "next run: only what should change does")
    assert re.search(rf"^{found[1]} .*\+okr/O1 -okr/unlinked  Resolved: ", after, re.MULTILINE)


def test_a_command_and_an_exemption_are_given_and_answered(told: str) -> None:
    react, after = part(told, "people react"), part(told, "next run: only what should change does")
    for command, answer in (
        (r"/okr link INIT-\w+", "now traces to"),
        (r"/okr exempt tech-debt until \S+", "counts as"),
    ):
        given = re.search(rf"comments on (\S+): ({command})", react)
        assert given is not None
        line = next(x for x in after.splitlines() if x.startswith(f"okrsync's comment on {given[1]} now: Resolved: "))
        assert answer in line
        assert re.search(rf"{re.escape(given[2])}`?: accepted", line)


def test_the_dashboard_issue_names_goals_and_teams(told: str) -> None:
    board = part(told, "the one dashboard issue, acme/strategy#1")
    assert "Key results with no support in Jira and GitHub\n- `G2.KR1` " in board
    assert re.search(r"^- Web: \d+ roots$", board, re.MULTILINE)


def test_in_the_end_nothing_is_left_to_do_and_the_report_is_there(told: str, folder: Path) -> None:
    assert "writes sent: 0\n" in part(told, "and one more: nothing to do")
    assert f"The report for the leaders: {folder / 'reports' / 'okrsync.html'}\n" in told
    assert (folder / "reports" / "okrsync.html").is_file()
    assert "<b>" not in told
    assert "<!--" not in told


def test_one_may_look_around_afterwards(told: str, folder: Path) -> None:
    assert "status | explain ID" in told
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert run(["--workspace", str(folder), "explain", "jira:PAY-30"], env={}) == 0
    assert "INIT-CHECKOUT" in out.getvalue()


def test_the_picture_in_the_readme_is_of_this_report(told: str, folder: Path) -> None:
    page = (folder / "reports" / "okrsync.html").read_text("utf-8")
    picture = re.search(r"!\[The report of the demo: (.*), (\d+ of \d+ key results) have", README.read_text("utf-8"))
    assert picture is not None
    assert f"<h1>{picture[1]}</h1>" in page
    assert f"{picture[2]} have no support in Jira and GitHub." in page
