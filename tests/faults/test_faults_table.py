"""Every row of the table of faults has a test that says so."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from fault_house import ROWS

from contracts import SHARED

HERE = Path(__file__).parent
TABLE = SHARED / "FAULTS.md"


def covered() -> dict[str, list[str]]:
    """Row -> the tests that name it."""
    found: dict[str, list[str]] = {}
    for path in sorted(HERE.glob("test_*.py")):
        for name, thing in vars(importlib.import_module(path.stem)).items():
            for row in getattr(thing, "covers", ()):
                found.setdefault(row, []).append(f"{path.name}::{name}")
    return found


def test_every_row_is_named_by_a_test() -> None:
    assert covered().keys() == ROWS.keys()


def test_every_test_of_a_row_says_what_is_expected() -> None:
    for path in sorted(HERE.glob("test_*.py")):
        for name, thing in vars(importlib.import_module(path.stem)).items():
            if getattr(thing, "covers", ()):
                assert (thing.__doc__ or "").startswith("|"), f"{path.name}::{name} needs its row as docstring"


@pytest.mark.skipif(not TABLE.is_file(), reason="the table of faults is absent")
def test_the_names_are_the_tables() -> None:
    rows = [
        line.split("|")[1].strip() for line in TABLE.read_text("utf-8").splitlines() if re.match(r"\| (?!---)", line)
    ]
    assert [r for r in rows if r not in ("fault", *ROWS.values())] == []
    assert [r for r in ROWS.values() if r not in rows] == []
