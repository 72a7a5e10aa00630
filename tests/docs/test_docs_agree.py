"""What the docs say and what the code does: keys, verbs, rules, exit codes, links.
(Metrics: `tests/deploy`.)"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest

from okrsync import findings
from okrsync.cli.app import VERBS
from okrsync.domain import exits
from okrsync.domain.rules import BUILT_IN_CLASSES

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS]


def text(*path: str) -> str:
    return ROOT.joinpath(*path).read_text("utf-8")


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_docs", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_rule_reference_is_as_the_rules_say(generate: ModuleType) -> None:
    assert text("docs", "rules.md") == generate.rules(), "stale: run `make docs`"


def test_the_key_reference_is_as_the_models_are(generate: ModuleType) -> None:
    page = text("docs", "workspace.md")
    assert page == generate.workspace(page), "stale: run `make docs`"
    assert set(re.findall(r"<!-- keys: (\w+) -->", page)) == set(generate.MODELS)


def test_every_key_has_a_meaning(generate: ModuleType) -> None:
    mute = [
        f"{name}: {path}"
        for name, model in generate.MODELS.items()
        for path, _, meaning in generate.keys(model)
        if not meaning
    ]
    assert mute == [], "say what they mean in config/descriptions.yaml"


def test_the_commented_settings_of_init_show_every_key_and_no_other(generate: ModuleType) -> None:
    template = text("src", "okrsync", "config", "templates", "config", "okrsync.yaml")
    shown: set[str] = set()
    above: list[tuple[int, str]] = []
    for line in template.splitlines():
        key = re.match(r"( *)#?(\w+):", line)
        if key:
            depth = len(key[1])
            above = [a for a in above if a[0] < depth]
            shown.add(".".join([name for _, name in above] + [key[2]]))
            above.append((depth, key[2]))
    assert shown == {path for path, _, _ in generate.keys(generate.MODELS["okrsync"])}


def test_the_readme_names_every_verb_and_no_other() -> None:
    (listed,) = re.findall(r"## Verbs\n\n(.*?);", text("README.md"), re.DOTALL)
    assert set(re.findall(r"`([a-z]+)`", listed)) == set(VERBS)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_what_follows_okrsync_in_code_is_a_verb(page: Path) -> None:
    said = re.findall(r"`okrsync ([a-z]+)", page.read_text("utf-8"))
    assert set(said) <= set(VERBS), page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_codes_and_slugs_that_are_named_exist(page: Path) -> None:
    codes = {r.code for r in findings.RULES}
    assert set(re.findall(r"\bOKR\d{3}\b", page.read_text("utf-8"))) <= codes


def test_exit_codes_are_those_of_the_program() -> None:
    page = text("docs", "operations.md")
    (table,) = re.findall(r"## Exit codes\n(.*?)\n## ", page, re.DOTALL)
    codes = {exits.DONE, exits.FAILED, exits.USAGE, exits.PARTIAL, exits.BUSY, exits.FOUND}
    assert {int(code) for code in re.findall(r"^\| (\d) \|", table, re.MULTILINE)} == codes


def test_the_page_for_engineers_names_the_classes() -> None:
    page = text("docs", "for-engineers.md")
    assert {c for c in BUILT_IN_CLASSES if f"`{c}`" not in page} == set()


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", page.read_text("utf-8")):
        link = target[0] or target[1]
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        place = (page.parent / path) if path else page
        if not place.exists() or (anchor and anchor not in _anchors(place)):
            broken.append(link)
    assert broken == []
