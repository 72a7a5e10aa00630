"""A YAML text as nodes: by libyaml, many times faster, where it reads the text as the pure parser does.

The pure parser is what counts. libyaml speaks another YAML: it takes texts that the pure one refuses, reads some in
another way, and names other lines for what is empty. Nobody may see which of the two ran, so libyaml is given only what
is written with the ordinary means of YAML (`_ordinary`), and of its nodes only a mapping is taken in which nothing is
empty but values behind their keys. Whatever it stumbles over is read again by the pure parser, whose word is told.
"""

from __future__ import annotations

import io
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode
from ruamel.yaml.resolver import Resolver

try:
    from _ruamel_yaml import CParser, get_version
except ImportError:  # no build for this platform
    CParser, get_version = object, tuple

# The libyaml that the tests compare; another one may differ in other places.
BY_LIBYAML = get_version() == (0, 1, 7)
MAX_DEPTH = 40

# Tabs, lone carriage returns, the other line ends of Unicode, byte order marks, controls.
_CHARACTER = "[^\r\n -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)"
# By the character, which is looked for first: where it is not ordinary. A value, an anchor or a tag begins at the
# start, behind a blank, or behind one of `[{,:`.
_NOT_ORDINARY = {
    "!": r"!(?<![^\s\[{,:].)",  # a tag
    "?": r"\?(?<![^\s\[{,:].)",  # the mark of a key; libyaml takes it without a blank behind it
    "&": r"&(?<![^\s\[{,:].)[A-Za-z0-9_-]++(?![ \r\n\]},]|\Z)",  # an anchor with other characters in it, as `&a:`
    "*": r"\*(?<![^\s\[{,:].)[A-Za-z0-9_-]++(?![ \r\n\]},]|\Z)",  # an alias with such
    ":": r":(?<=[\s\[{,:\]}\"'].)(?![ \r\n]|\Z)",  # a value close behind its key, as `["a":b]`
    "|": r"\|[-+0-9]*(?:#| *(?:#.*)?\r?\n(?:\r?\n)* +\r?\n)",  # a block with a comment close to its mark, or one that
    ">": r">[-+0-9]*(?:#| *(?:#.*)?\r?\n(?:\r?\n)* +\r?\n)",  # begins with a line of blanks
}
_LINES = ("%", "...", "---")  # a directive; where a document ends, where another begins


def compose(yaml: YAML, text: str) -> Node | None:
    """The one document of a text, None where there is none. Raises what the pure parser raises."""
    node = _by_libyaml(text) if BY_LIBYAML and _ordinary(text) else None
    if node is None:
        yaml.max_depth = MAX_DEPTH
        yaml.composer.warn_double_anchors = False  # naming an anchor anew is fine in YAML 1.2
        node = yaml.compose(io.StringIO(text))
    return node


def _ordinary(text: str) -> bool:
    """True when nothing stands in the text that the two parsers may read in different ways."""
    if not text.replace("\n", "").isprintable() and re.search(_CHARACTER, text):
        return False
    body = text.removeprefix("---") if text.startswith(("---\n", "---\r\n")) else text
    if body.startswith(_LINES) or any("\n" + start in body for start in _LINES):
        return False
    return not any(character in text and re.search(wrong, text) for character, wrong in _NOT_ORDINARY.items())


def _by_libyaml(text: str) -> Node | None:
    """The nodes as the pure parser would give them; None where that is not sure."""
    try:
        node = _Composer(text).get_single_node()
    except Exception:  # noqa: BLE001 - whatever it is, the pure parser tells it, or reads the text after all
        return None
    return node if isinstance(node, MappingNode) else None


class _NotSure(Exception):
    pass


class _Composer(CParser):  # type: ignore[misc]
    """The C code calls these three for each node: before it, for its tag, and behind all it holds."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._anchored = "&" in text
        self._resolve = Resolver().resolve
        self._depth = 0
        self._holder: Any = None

    def descend_resolver(self, _parent: Node | None, index: Node | int | None) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:  # also bounds how deep the C code goes down into itself
            raise _NotSure
        self._holder = index

    def ascend_resolver(self) -> None:
        self._depth -= 1

    def resolve(self, kind: type[Node], value: str | None, implicit: Any) -> Any:
        tag = self._resolve(kind, value, implicit)
        if value == "" and implicit[0] and not self._is_plain_value():  # its line counts, and libyaml tells another
            raise _NotSure
        return tag

    def _is_plain_value(self) -> bool:
        """True for the value of a key that neither merges it nor lends it to others."""
        key = self._holder
        return not self._anchored and isinstance(key, ScalarNode) and key.tag != "tag:yaml.org,2002:merge"
