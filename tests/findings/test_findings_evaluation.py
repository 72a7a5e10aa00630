"""The registry, the order of findings, and what `rules` of the settings does to them."""

from __future__ import annotations

import re

import msgspec
import pytest

from okrsync.domain.codes import CODES as KNOWN
from okrsync.domain.findings import Severity
from okrsync.domain.settings import RulesSettings
from okrsync.findings import RULES, evaluate, rule
from reports.sample_report import sample_view

CODES = [
    "OKR101",
    "OKR102",
    "OKR103",
    "OKR104",
    "OKR105",
    "OKR201",
    "OKR204",
    "OKR208",
    "OKR301",
    "OKR302",
    "OKR303",
    "OKR304",
    "OKR401",
    "OKR402",
    "OKR403",
    "OKR410",
]


def test_all_rules_are_registered_in_order() -> None:
    assert [r.code for r in RULES] == CODES
    assert {(r.code, r.slug) for r in RULES} <= set(KNOWN)


@pytest.mark.parametrize("name", ["OKR201", "okr201", "unsupported-key-result", "Unsupported-Key-Result"])
def test_a_rule_is_found_by_code_or_slug_in_any_case(name: str) -> None:
    found = rule(name)
    assert found is not None
    assert found.code == "OKR201"
    assert rule("OKR999") is None


@pytest.mark.parametrize("code", CODES)
def test_a_rule_explains_itself(code: str) -> None:
    spec = rule(code)
    assert spec is not None
    parts = spec.doc.split("\n\n")
    assert parts[1].startswith("What it says: ")
    assert parts[2].startswith("Why it matters: ")
    assert re.search(r"[A-Z]\w+ \(|\(.*[A-Z]", parts[2], re.DOTALL), "names its source"
    assert parts[3].startswith("How to fix: ")


def test_the_sample_gives_each_kind_once_and_in_order() -> None:
    found = evaluate(sample_view(), RulesSettings())
    assert [(f.severity.rank, *f.key) for f in found] == sorted((f.severity.rank, *f.key) for f in found)
    assert len({f.key for f in found}) == len(found)
    specs = {r.code: r for r in RULES}
    assert all(f.slug == specs[f.code].slug and f.since is None and f.message and f.remedy for f in found)
    msgspec.json.encode([f.json() for f in found])  # evidence is plain data
    assert found == evaluate(sample_view(), RulesSettings())


@pytest.mark.parametrize("name", ["OKR101", "okr101", "Unlinked-Work"])
def test_rules_are_ignored_and_reweighed_by_code_or_slug(name: str) -> None:
    seen = sample_view()
    ignored = evaluate(seen, RulesSettings(ignore=(name,)))
    assert "OKR101" not in {f.code for f in ignored}
    assert {"OKR102", "OKR105"} <= {f.code for f in ignored}
    weighed = evaluate(seen, RulesSettings(severity={name: "info"}))
    assert {f.severity for f in weighed if f.code == "OKR101"} == {Severity.INFO}
    assert weighed[-1].code == "OKR101"
