"""Whatever stands in the files: a workspace or its problems, in bounded time, never anything else."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from config_samples import GITHUB, GOOD, JIRA, OKRS, RULES, SETTINGS, write
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from examples import examples
from okrsync.config import load
from okrsync.domain.workspace import WorkspaceError

FILES = (SETTINGS, OKRS, JIRA, GITHUB, RULES)
WORDS = sorted({w.strip("-{}[],:") for text in GOOD.values() for w in text.split()} - {""})


def outcome(changes: dict[str, str | bytes | None], env: dict[str, str] | None = None) -> str:
    """The problems' text, empty for a workspace; every other exception is the test's failure."""
    refused: WorkspaceError | None = None
    with tempfile.TemporaryDirectory() as folder:
        try:
            load(write(Path(folder), changes), env=env or {})
        except WorkspaceError as error:
            refused = error
    if refused is None:
        return ""
    assert refused.problems
    assert all(p.line >= 1 and p.message and "\n" not in str(p) for p in refused.problems)
    return str(refused)


@pytest.mark.parametrize(
    "bomb",
    [
        "a: &a ["
        + "x," * 9
        + "x]\n"
        + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(9)),
        "a: &a {x: 1}\n"
        + "".join(f"{chr(98 + i)}: &{chr(98 + i)} {{p: *{chr(97 + i)}, q: *{chr(97 + i)}}}\n" for i in range(24)),
        "a: " + "[" * 100_000,
        "a: " + "{b: " * 50_000,
        "- " * 20_000,
        "a: &a\n  b: *a\n",
        "<<: &a {<<: *a}\n",
    ],
    ids=["billion laughs", "doubling maps", "brackets", "braces", "dashes", "itself", "merges itself"],
)
def test_bombs_are_refused(bomb: str) -> None:
    assert SETTINGS in outcome({SETTINGS: bomb})  # expanded, any of them would fill the memory


def test_a_file_full_of_faults_is_told_fault_by_fault() -> None:
    told = outcome({OKRS: "objectives:\n" + "".join(f"- {{id: O{i}, title: [1]}}\n" for i in range(20_000))})
    assert f"{OKRS}:10001: `title` must be text, not a list" in told  # each against each other would take minutes


def test_a_file_is_not_read_beyond_the_bound(tmp_path: Path) -> None:
    write(tmp_path)
    with (tmp_path / RULES).open("wb") as stream:
        stream.truncate(50 << 30)  # sparse: 50 GB on paper
    with pytest.raises(WorkspaceError, match="larger than 1 MB"):
        load(tmp_path, env={})


@examples(60)
@given(file=st.sampled_from(FILES), content=st.binary(max_size=300))
def test_any_bytes(file: str, content: bytes) -> None:
    outcome({file: content})


@examples(80)
@given(
    file=st.sampled_from(FILES),
    pieces=st.lists(
        st.sampled_from([*"[]{}:,-?&*!|>'\"%@`#~\n\t ", "<<", "!!int", "---", "\n  ", ": ", "- ", *WORDS]), max_size=60
    ),
)
def test_any_text_that_looks_like_yaml(file: str, pieces: list[str]) -> None:
    outcome({file: "".join(pieces)})


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.datetimes()
    | st.text(max_size=8)
    | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=12,
)


@examples(150)
@given(file=st.sampled_from(FILES), data=st.data())
def test_any_value_anywhere(file: str, data: st.DataObject) -> None:
    document = YAML(typ="safe", pure=True).load(GOOD[file])
    here = document
    while True:
        key = data.draw(st.sampled_from(list(here)) if isinstance(here, dict) else st.integers(0, len(here) - 1))
        if not isinstance(here[key], dict | list) or not here[key] or data.draw(st.booleans()):
            break
        here = here[key]
    here[key] = data.draw(VALUES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.yaml"
        YAML(typ="safe", pure=True).dump(document, path)
        content = path.read_bytes()
    outcome({file: content})


ENVIRONMENT = st.dictionaries(
    st.sampled_from(
        [
            "OKRSYNC_STORE",
            "OKRSYNC_LISTEN",
            "OKRSYNC_WRITEBACK",
            "OKRSYNC_WRITEBACK__LIMITS__SHARE",
            "OKRSYNC_REPORTS__FORMATS",
            "OKRSYNC_RULES__SEVERITY",
            "OKRSYNC_RULES__SEVERITY__X",
            "OKRSYNC_SCHEDULE",
            "OKRSYNC_CYCLES",
            "OKRSYNC___",
            "OKRSYNC_STATE",
        ]
    )
    | st.text("ABC_", max_size=6).map("OKRSYNC_".__add__),
    st.text(st.characters(exclude_characters="\0"), max_size=12)
    | st.sampled_from(["null", "[", '{"a": 1}', "[1, [2]]", "1e999", "NaN"]),
    max_size=4,
)


@examples(100)
@given(env=ENVIRONMENT)
@example(env={"OKRSYNC_STATE": "\ud800"})
def test_any_environment(env: dict[str, str]) -> None:
    outcome({}, env)
