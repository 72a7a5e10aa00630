"""The mapping rules of `mappings/*.yaml`, merged in file-name then file order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..domain.goals import NodeKind
from ..domain.rules import BUILT_IN_CLASSES, Mappings, MappingsFile, When
from ..domain.text import did_you_mean
from ..domain.work import Kind
from ..mappings.patterns import PatternError, glob, is_literal, search
from .goals import LoadedGoals
from .notes import Folder, Notes
from .places import item_id_complaint
from .wording import validate
from .yamlfile import Document, Loc, as_text

FOLDER = "mappings"
_LINKABLE: tuple[NodeKind, ...] = ("objective", "key_result", "initiative")
_SEARCHED = ("title", "body", "branch")
_CLASS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# keys whose values are known beforehand: anything else could never match
_FIXED: Mapping[str, tuple[str, ...]] = {
    "kind": tuple(k.value for k in Kind),
    "state": ("open", "closed", "merged"),
    "draft": ("true", "false"),
    "author_type": ("user", "bot", "app"),
}


def load_mappings(root: Path, goals: LoadedGoals, types: Mapping[str, str], notes: Notes) -> Mappings:
    """Reads all files and checks them; `types` are the connectors' types by name."""
    documents, complete = Folder(root, FOLDER, notes).read(notes)
    files: list[MappingsFile] = []
    for document in documents:
        value, complaints = validate(MappingsFile, document.data)
        notes.add_all(document, complaints)
        if value is not None:
            files.append(value)
    classes = _classes(documents, notes)
    _budgets(documents, classes, complete, notes)
    names: dict[str, str] = {}
    for document in documents:
        for loc, rule in document.entries(("rules",)):
            name = as_text(rule.get("name"))
            if name and name in names:
                notes.add(document, (*loc, "name"), f"there is another rule {name[:60]!r} in {names[name]}; rename one")
            names.setdefault(name, f"{document.path}:{document.line(loc)}")
            _link(document, loc, goals, notes)
            exempt = as_text(rule.get("exempt"))
            if exempt and exempt not in classes and complete:
                notes.add(document, (*loc, "exempt"), _no_class(exempt, classes))
            _when(document, (*loc, "when"), types, notes)
            _examples(document, (*loc, "examples"), types, notes)
    return Mappings.model_construct(  # as goals are: its parts are validated
        rules=tuple(rule for file in files for rule in file.rules),
        classes=tuple(classes),
        budgets={name: share for file in files for name, share in file.budgets.items()},
    )


def _classes(documents: Iterable[Document], notes: Notes) -> list[str]:
    classes = list(BUILT_IN_CLASSES)
    for document in documents:
        for loc, name in document.texts(("classes",)):
            if not _CLASS.fullmatch(name):
                notes.add(document, loc, f"{name[:60]!r} cannot be a class; use letters, digits, `.`, `_` and `-`")
            elif name not in classes:
                classes.append(name)
    return classes


def _budgets(documents: Iterable[Document], classes: list[str], complete: bool, notes: Notes) -> None:
    given: dict[str, str] = {}
    for document in documents:
        budgets = document.get(("budgets",))
        for name in budgets if isinstance(budgets, dict) else ():
            loc = ("budgets", name)
            if name not in classes and complete:
                notes.add(document, loc, _no_class(name, classes))
            elif name in given:
                notes.add(document, loc, f"{given[name]} has a budget for {name!r} too; keep one")
            given.setdefault(name, f"{document.path}:{document.line(loc)}")


def _no_class(name: str, classes: list[str]) -> str:
    return (
        f"there is no class {name[:60]!r}; use one of {', '.join(classes)}, or declare it under `classes`"
        f"{did_you_mean(name, classes)}"
    )


def _link(document: Document, loc: Loc, goals: LoadedGoals, notes: Notes) -> None:
    for place, id_ in document.texts((*loc, "link")):
        kinds = goals.kinds.get(id_.casefold(), set())
        if kinds & set(_LINKABLE):
            continue
        if kinds:
            wrong = f"{id_!r} is a bet, and work is tied to what moves it; link an initiative, key result or objective"
        elif goals.complete:
            near = did_you_mean(id_, [e.id for e in goals.entries if e.kind in _LINKABLE])
            wrong = f"there is no goal {id_[:80]!r}; link an initiative, key result or objective of config/okrs{near}"
        else:
            continue
        notes.add(document, place, wrong)


def _when(document: Document, loc: Loc, types: Mapping[str, str], notes: Notes) -> None:
    when = document.get(loc)
    for key in when if isinstance(when, dict) else ():
        for place in _holes(document, (*loc, key)) if key in When.model_fields else ():
            notes.add(
                document,
                place,
                f"`{key[:60]}` is empty; leave it out, or name a value (`{{none: ['*']}}` where none may stand)",
            )
        for place, text in _values(document, (*loc, key)):
            wrong = _pattern_complaint(key, text)
            if wrong is None and is_literal(text):
                wrong = _literal_complaint(key, text, types)
            if wrong:
                notes.add(document, place, wrong)


def _holes(document: Document, loc: Loc) -> Iterable[Loc]:
    """Where a key has no value, or a text is empty: it would match everything, or nothing at all."""
    value = document.get(loc)
    if value is None:
        yield loc
        return
    for place in [(*loc, word) for word in value] if isinstance(value, dict) else [loc]:
        here = document.get(place)
        items = [((*place, i), item) for i, item in enumerate(here)] if isinstance(here, list) else [(place, here)]
        yield from (where for where, item in items if isinstance(item, str) and not item.strip())


def _values(document: Document, loc: Loc) -> Iterable[tuple[Loc, str]]:
    """The patterns of a key, however they are written: one, a list, or any/all/none."""
    value = document.get(loc)
    places = [(*loc, word) for word in value] if isinstance(value, dict) else [loc]
    for place in places:
        if document.get(place) in (True, False):
            yield place, str(document.get(place)).lower()
        yield from document.texts(place)


def _pattern_complaint(key: str, text: str) -> str | None:
    if key not in When.model_fields or key in ("created", "updated"):
        return None
    try:
        if key in _SEARCHED:
            search(text)
        else:
            glob(text)
    except PatternError as error:
        return f"`{key}`: {str(error)[:200]}; see https://github.com/google/re2/wiki/Syntax"
    return None


def _literal_complaint(key: str, text: str, types: Mapping[str, str]) -> str | None:
    known = sorted(types) if key == "connector" else _FIXED.get(key)
    if known is None or text.casefold() in known:
        return None
    use = f"use one of {', '.join(known)}" if known else "none is configured"
    return f"`{key}` is never {text[:60]!r}; {use}{did_you_mean(text, known)}"


def _examples(document: Document, loc: Loc, types: Mapping[str, str], notes: Notes) -> None:
    for side in ("matches", "misses"):
        given = document.get((*loc, side))
        for i, example in enumerate(given if isinstance(given, list) else ()):
            place = (*loc, side, i)
            if isinstance(example, dict):
                for key in example:
                    if key not in When.model_fields:
                        near = did_you_mean(key, When.model_fields) or "; use the keys of `when`"
                        notes.add(document, (*place, key), f"unknown key `{key[:60]}` in an example{near}")
            elif isinstance(example, str):
                wrong = item_id_complaint(example, types)
                if wrong:
                    notes.add(document, place, wrong)
