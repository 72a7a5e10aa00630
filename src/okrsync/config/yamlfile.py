"""One YAML file as plain data with the line of every key and item; safe, bounded, never a traceback."""

from __future__ import annotations

import math
import stat
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct, field, structs
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ..domain.text import clean
from ..domain.workspace import Problem
from .yamlnodes import compose
from .yamlwords import syntax_problem

MAX_BYTES = 1_000_000
# A file of the full size holds about 150,000; only aliases lead beyond.
MAX_VALUES = 300_000

Loc = tuple[str | int, ...]
"""Where a value stands: keys and indexes from the top of the file."""

_TAG = "tag:yaml.org,2002:"
_TEXTS = (_TAG + "str", _TAG + "value", _TAG + "merge")


class Document(Struct, frozen=True):
    """A file's data (mappings have text keys), its path relative to the workspace, and its lines by `Loc`."""

    path: str
    data: dict[str, Any]
    lines: Mapping[Loc, int] = field(default_factory=dict)

    def line(self, loc: Loc) -> int:
        """Line of a key or item, else of the nearest thing that holds it."""
        for end in range(len(loc), 0, -1):
            if loc[:end] in self.lines:
                return self.lines[loc[:end]]
        return 1

    def problem(self, loc: Loc, message: str) -> Problem:
        return Problem(path=self.path, line=self.line(loc), message=message)

    def get(self, loc: Loc) -> Any:
        """The value at a place, None where there is none."""
        here: Any = self.data
        for part in loc:
            if not holds(here, part):
                return None
            here = here[part]
        return here

    def entries(self, loc: Loc) -> list[tuple[Loc, dict[str, Any]]]:
        """The mappings of a list, each with its place; whatever else stands there is left to the schema."""
        value = self.get(loc)
        if not isinstance(value, list | tuple):
            return []
        return [((*loc, i), item) for i, item in enumerate(value) if isinstance(item, dict)]

    def texts(self, loc: Loc) -> list[tuple[Loc, str]]:
        """The texts of a list, or the one text, each with its place."""
        value = self.get(loc)
        if isinstance(value, list | tuple):
            return [((*loc, i), as_text(item)) for i, item in enumerate(value) if as_text(item)]
        return [(loc, as_text(value))] if as_text(value) else []


def holds(here: object, part: str | int) -> bool:
    """True when a mapping has this key or a list this index."""
    if isinstance(here, dict):
        return part in here
    return isinstance(here, list | tuple) and isinstance(part, int) and part < len(here)


def as_text(value: object) -> str:
    """Text or a number as text; empty for everything else."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def read_document(file: Path, shown: str) -> tuple[Document | None, list[Problem]]:
    """The file as a document, or None, with every problem found. An empty file is an empty mapping."""

    def failed(message: str, line: int = 1) -> tuple[None, list[Problem]]:
        return None, [Problem(path=shown, line=line, message=message)]

    try:
        if not stat.S_ISREG(file.stat().st_mode):  # reading a pipe would wait for ever
            return failed("is not a regular file; put a YAML file here")
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return failed(f"cannot be read ({error.strerror}); check that it exists and who may read it")
    if len(content) > MAX_BYTES:
        return failed(f"is larger than {MAX_BYTES // 1_000_000} MB; split it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return failed("is not UTF-8 text; save it as UTF-8", content[: error.start].count(b"\n") + 1)
    if "\0" in text:
        return failed("is a binary file; put YAML text here", text[: text.index("\0")].count("\n") + 1)
    document, problems = _parsed(text, shown)
    if document is not None:
        document = structs.replace(document, data=_copy(document.data))
    return document, list(problems)


def _copy(value: Any) -> Any:
    """Its own mappings and lists, at a small part of what `deepcopy` costs: what they hold is never changed."""
    if isinstance(value, dict):
        return {key: _copy(held) for key, held in value.items()}
    return [_copy(held) for held in value] if isinstance(value, list) else value


@lru_cache(maxsize=128)
def _parsed(text: str, shown: str) -> tuple[Document | None, tuple[Problem, ...]]:
    """Parsing is nearly all that loading costs, and the daemon loads before every run: what stays the same is parsed
    once."""
    yaml = YAML(typ="safe", pure=True)
    try:
        node = compose(yaml, text)
        builder = _Builder(yaml, shown, tagged="!" in text)
        data = {} if node is None else builder.build(node, ())
    except Exception as error:  # noqa: BLE001 - whatever the parser stumbles over is the file's fault, told with its line
        return None, (syntax_problem(error, shown, text),)
    if data is None:
        data = {}
    if not isinstance(data, dict) and not builder.problems:
        return None, (Problem(path=shown, line=1, message="must be a mapping of keys to values, such as `key: value`"),)
    document = Document(path=shown, data=data, lines=builder.lines) if isinstance(data, dict) else None
    return (None if builder.broken else document), tuple(builder.problems)


class _Builder:
    """Turns the node tree into data. `tagged` when a tag may stand in the text. `broken` when the data is not to be
    judged further."""

    def __init__(self, yaml: YAML, path: str, *, tagged: bool) -> None:
        self.yaml = yaml
        self.path = path
        self.tagged = tagged
        self.lines: dict[Loc, int] = {}
        self.problems: list[Problem] = []
        self.broken = False
        self._built = 0
        self._open: set[int] = set()

    def build(self, node: Node, loc: Loc) -> Any:
        self._built += 1
        if self._built > MAX_VALUES:
            if not self.broken:
                self._complain(node, "aliases make this file too large; write it out with fewer of them")
            self.broken = True
        if self.broken:
            return None
        if id(node) in self._open:
            self._complain(node, "this value holds itself through an alias; write it out")
            self.broken = True
            return None
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        wanted = "map" if isinstance(node, MappingNode) else "seq"
        if node.tag != _TAG + wanted:
            self._complain(node, _no_tag(node.tag))
        self._open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                return [self._item(child, (*loc, i)) for i, child in enumerate(node.value)]
            return self._mapping(node, loc)
        finally:
            self._open.discard(id(node))

    def _item(self, node: Node, loc: Loc) -> Any:
        self.lines[loc] = node.start_mark.line + 1
        return self.build(node, loc)

    def _mapping(self, node: Node, loc: Loc) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._complain(key, "a key must be a single word; put text before the colon")
                continue
            if key.tag == _TAG + "merge":
                for part in value.value if isinstance(value, SequenceNode) else [value]:
                    found = self.build(part, loc)
                    if isinstance(found, dict):
                        merged = {**found, **merged}
                    elif not self.broken:
                        self._complain(key, "`<<` merges mappings only; give it an alias of one")
                continue
            name = clean(key.value).strip()
            line = key.start_mark.line + 1
            if name in own:
                self._complain(key, f"the key `{name[:60]}` stands here twice, first in line {first[name]}; keep one")
                continue
            first[name] = line
            self.lines[(*loc, name)] = line
            own[name] = self.build(value, (*loc, name))
        return {**merged, **own}

    def _scalar(self, node: ScalarNode) -> Any:
        tag = str(node.tag)
        if self.tagged:
            plain = not node.style
            implied = self.yaml.resolver.resolve(ScalarNode, node.value, (plain, not plain))
            if tag not in (str(implied), _TAG + "str", _TAG + "value"):
                self._complain(node, _no_tag(tag))
                return node.value
        if tag in _TEXTS:
            text = clean(node.value)
            if text != node.value:
                self._complain(node, "a character that cannot be stored stands here (NUL or half a pair); remove it")
            return text
        kind = tag.removeprefix(_TAG)
        try:
            value = self.yaml.constructor.construct_object(node)
        except (ValueError, OverflowError):
            wrong = {"timestamp": "is no date of the calendar; write a day such as 2026-12-31"}
            self._complain(node, f"{node.value[:40]!r} {wrong.get(kind, 'is no usable number; write an ordinary one')}")
            return None
        if isinstance(value, float) and not math.isfinite(value):
            self._complain(node, f"{node.value[:40]!r} is no usable number; write an ordinary one")
            return None
        if kind in ("int", "float") and str(value) != node.value:
            return node.value  # `007` or `1.10` may be an id or a version; where a number is wanted, it is one still
        return value

    def _complain(self, node: Node, message: str) -> None:
        self.problems.append(Problem(path=self.path, line=node.start_mark.line + 1, message=message))


def _no_tag(tag: object) -> str:
    shown = str(tag).replace(_TAG, "!!")[:60]
    return f"the tag {shown} is not used here; write the plain value"
