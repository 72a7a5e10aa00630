"""Which of the two YAML parsers reads a file is nobody's concern: values, lines and words are the pure one's."""

from __future__ import annotations

import io
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from config_samples import GOOD
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from examples import examples
from okrsync.config.yamlfile import read_document
from okrsync.config.yamlnodes import MAX_DEPTH, compose

ROOT = Path(__file__).parents[2]
EXAMPLE = sorted(path for folder in ("config", "connectors", "mappings") for path in (ROOT / folder).rglob("*.yaml"))
# as in pyproject.toml: where it is to be installed it has to be there, and to be used
HERE = sys.implementation.name == "cpython" and sys.version_info < (3, 15) and platform.machine() != "ARM64"
EMPTY = ("an empty value",)

ORDINARY = {
    **GOOD,
    **{str(path.relative_to(ROOT)): path.read_text() for path in EXAMPLE},
    "comments": "# top\na: 1 # one\n\n  # indented\nb: # of b\n  # of c\n  c: 2\n# end",
    "blocks": "a: |\n  one\n\n   two\n  # no comment\nb: >-  # folded\n  three\n  four\n\nc: |2+\n    five\n\n",
    "flow": 'a: {b: [c, {d: e}, "f, g"], "h": 1}\ni: [\n  j,  # of j\n  k: l,\n]\n',
    "json": '{"a": {"b": [1, 2.5, true, null, "c"]}}',
    "quotes": "a: 'it''s'\nb: \"\\u00e9 \\x41 \\\" \\\n  c\"\nd: 'e\n\n  f'\n\"g\": h\n",
    "several lines": "a: one\n  two\n\n  three\nb: four\n",
    "anchors": "a: &a {x: 1}\nb: *a\nc:\n  <<: *a\n  y: &b-1 2\nd: [*a, *b-1]\n",
    "empty values": "a:\nb: # nothing\nc: {d: , e: }\nf:\n\n# end\n",
    "words of YAML 1.1": "a: [yes, no, on, off, 010, 1_000, 0b1, 0x1F, ~, .inf, 1e3, 2026-01-01, =]\nb: 12:30\n",
    "prose": "a: Ship it! Why? R&D, 50% * 2 - see https://x.example/?a=b&c=*#d | > 'x' @ `y` 12:30\n",
    "cron": 'schedule: "*/15 * * * *"\nlabel: "*-api"\nother: a*\n',
    "Windows": "a: 1\r\nb: |\r\n  x\r\n\r\n  y\r\nc:\r\n  - d\r\n",
    "other alphabets": "目標: 売上を伸ばす　\nb: é\u00a0€ 👩\u200d💻\n",
    "top of the document": "---\na: 1\n",
    "as deep as may be": "a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1),
}
# What libyaml takes or reads in another way.
OTHERWISE = {
    "tab in a value": "a: b\tc\n",
    "tab before a value": "a: \t/b\n",
    "line separator": 'a: "b\u2028"\nc: d\n',
    "next line": "a: b\u0085  c\n",
    "byte order mark inside": "a: b\ufeffc\n",
    "control": "a: b\x7f\n",
    "lone carriage return": "a: b\rc: d\n",
    "directive": "%YAML 1.1\n---\na: yes\n",
    "second document": "a: 1\n---\nb: 2\n",
    "end of the document": "a: 1\n...\n",
    "tag": "a: !!str 1\n",
    "tag of nothing": "a: !\nb: ! c\n",
    "tag with other characters": "a: !~! b\n",
    "tag close behind a key": '{"a":!b ,"c": d}',
    "key mark": "? a\n: b\n",
    "key mark in a list": "a: [? b : c]\n",
    "key mark without a blank": "a: [?b : c]\n",
    "question within a list": "a: [b, why?]\n",
    "anchor with a colon": "&a: b: c\nd:\n  - e\n",
    "anchor of a key without one": "&a: 'true'\nb: *a:\n",
    "alias close before a colon": "a: &b c\n*b: d\n",
    "anchor named anew": "a: &x 1\nb: &x 2\nc: *x\n",
    "value close behind its key": 'a: ["b":"c"]\nd: ["e" :{}]\n',
    "address in a list": "a: [http://b.example/c]\n",
    "comment close to a block's mark": "a: |#b\n",
    "comment close to a folded block's mark": "a: >-#b\n",
    "block that begins with blanks": "a: |\n \n   b\nc: d\n",
    "block that begins with blanks, as Windows writes": "a: |-\r\n \r\n   b\r\nc: d\r\n",
    "block at the top": "|\n# a\n",
    "list at the top": "- a\n- b\n",
    "nothing": "# only a comment\n",
    "empty item": "a:\n  -\n  - b\n",
    "empty item in a list": "a: [b, c: , {: d}]\n",
    "empty key": "a: b\n: c\n",
    "empty merge": "a: b\n<<:\nc: d\n",
    "empty anchor": "a: &x\nb:\n  - *x\n",
    "empty beside an anchor": "a: &x 1\nb:\n",
    "too deep": "a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH,
    "far too deep": "a: " + "[" * 400,
    "deep dashes": "- " * 2_000,
    "open quote": "a: 'b\nc: d\n",
    "unknown alias": "a: *b\n",
    "long key": "a" * 1100 + ": b\n",
}


def told(node: Node | None, seen: dict[int, int]) -> object:
    """Everything that is looked at of a tree. The line of an empty value is not: its key's is told."""
    if node is None:
        return None
    if id(node) in seen:
        return seen[id(node)]
    seen[id(node)] = len(seen)
    own = (str(node.tag), node.start_mark.line)
    if isinstance(node, ScalarNode):
        return (*own, node.value, bool(node.style))
    if not isinstance(node, MappingNode):
        return (*own, [told(item, seen) for item in node.value])
    return (*own, [(told(key, seen), value_told(key, value, seen)) for key, value in node.value])


def value_told(key: Node, value: Node, seen: dict[int, int]) -> object:
    bare = isinstance(value, ScalarNode) and not value.value and not value.style and value.anchor is None
    return EMPTY if bare and value.tag.endswith("null") and not key.tag.endswith("merge") else told(value, seen)


def reader() -> YAML:
    return YAML(typ="safe", pure=True)


def by_the_pure_parser(text: str) -> object:
    yaml = reader()
    yaml.max_depth = MAX_DEPTH
    yaml.composer.warn_double_anchors = False
    try:
        return told(yaml.compose(io.StringIO(text)), {})
    except Exception as error:  # noqa: BLE001 - which one it is, is compared
        return type(error).__name__, str(error)


def by_ours(text: str) -> object:
    try:
        return told(compose(reader(), text), {})
    except Exception as error:  # noqa: BLE001 - which one it is, is compared
        return type(error).__name__, str(error)


def by_libyaml(text: str) -> bool:
    try:
        node = compose(reader(), text)
    except Exception:  # noqa: BLE001 - libyaml's are never told
        return False
    return node is not None and type(node.start_mark).__name__ == "Mark"


@pytest.mark.skipif(not HERE, reason="libyaml has no build here")
@pytest.mark.parametrize("text", ORDINARY.values(), ids=list(ORDINARY))
def test_an_ordinary_file_is_read_by_libyaml_as_by_the_pure_parser(text: str) -> None:
    assert by_libyaml(text)
    assert by_ours(text) == by_the_pure_parser(text)


@pytest.mark.parametrize("text", OTHERWISE.values(), ids=list(OTHERWISE))
def test_what_libyaml_would_read_in_another_way_is_left_to_the_pure_parser(text: str) -> None:
    assert not by_libyaml(text)
    assert by_ours(text) == by_the_pure_parser(text)


def read(folder: Path, texts: list[str]) -> list[Any]:
    """Data, lines and problems of each text."""
    read: list[Any] = []
    for text in texts:
        (folder / "x.yaml").write_text(text, newline="")
        document, problems = read_document(folder / "x.yaml", "x.yaml")
        read.append([document and (repr(document.data), repr(document.lines)), [str(p) for p in problems]])
    return read


def test_without_libyaml_all_is_read_the_same(tmp_path: Path) -> None:
    texts = [*ORDINARY.values(), *OTHERWISE.values()]
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    script = (
        "import json, sys; from pathlib import Path; sys.modules['_ruamel_yaml'] = None\n"
        f"sys.path[:0] = {[str(Path(__file__).parent), str(ROOT / 'tests')]!r}\n"
        "import test_config_parsers as here; from okrsync.config import yamlnodes\n"
        "assert not yamlnodes.BY_LIBYAML\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "print(json.dumps(here.read(folder, json.loads((folder / 'texts.json').read_text()))))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(json.dumps(read(tmp_path, texts)))


PIECES = st.sampled_from(
    [
        *"ab1~ -:,#[]{}&*|>?!%'\"\\<=",
        "\n",
        "\n",
        "\n  ",
        ": ",
        "- ",
        ", ",
        " #",
        "a: ",
        "b:",
        "&x ",
        "*x",
        "<<: ",
        "|-\n",
        "\t",
        "\r",
        "---\n",
        '"a":',
        "c d",
        "\u2028",
        "é",
        ">2\n",
        "\n \n",
        "- a\n",
        "x: y\n",
    ]
)
INDENT = st.sampled_from(["", "", "  ", "    ", " "])
START = st.sampled_from(["a: ", "b: ", "- ", "- c: ", "", "d:", "-", "'e': ", "<<: ", "# "])
VALUE = st.sampled_from(
    [
        "",
        "f",
        "f: g",
        "[h, i]",
        "{j: k}",
        "[l: m, ]",
        "&x",
        "&x n",
        "*x",
        "|",
        ">-",
        "|1",
        "'o",
        "p'",
        '"q\\',
        'r"',
        "# s",
        "s # t",
        "{",
        "}",
        "[",
        "]",
        ",",
        "1.10",
        "2026-01-01",
        "u?",
        "v!",
        "?",
        "-",
        "~",
        '"w":x',
        "{y: }",
        "\n",
        "  ",
    ]
)
LINES = st.lists(st.builds("{}{}{}".format, INDENT, START, VALUE), max_size=6).map("\n".join)


@examples(4000)
@given(text=LINES | st.lists(PIECES, max_size=14).map("".join).map("a: ".__add__))
def test_any_text_is_read_as_by_the_pure_parser(text: str) -> None:
    assert by_ours(text) == by_the_pure_parser(text)
