"""Labels that okrsync could not tell from each other, or from those that people write."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..domain.goals import Node
from ..domain.settings import LabelNames, WritebackSettings
from .wording import Complaint
from .yamlfile import Document

# What people write on tickets to tie work to a goal (DESIGN, section 5).
_EVIDENCE = tuple(word + sign for word in ("initiative", "kr", "objective", "exempt") for sign in ":/-")
_FIELD = re.compile(r"\{(objective|key_result|initiative|bet)\}")
_LABELS = ("writeback", "labels")


def label_complaints(document: Document) -> list[Complaint]:
    """About one layer of the settings, as it is written; what is no text is left to the schema."""
    found: list[Complaint] = []
    prefix = document.get(("writeback", "label_prefix"))
    if isinstance(prefix, str) and prefix:
        own = next((e for e in _EVIDENCE if e.startswith(prefix.casefold()) or prefix.casefold().startswith(e)), None)
        if own:
            message = f"`label_prefix` would make people's own labels such as {own}... okrsync's; use okr/"
            found.append((("writeback", "label_prefix"), message))
    given = document.get(_LABELS)
    texts = {k: v for k, v in given.items() if isinstance(v, str)} if isinstance(given, dict) else {}
    for key, text in texts.items():
        if not text.strip():
            found.append(((*_LABELS, key), f"`{key}` is empty; write a text, or null to switch the label off"))
        elif key != "linked" and re.search(r"[{}]", text):
            found.append(((*_LABELS, key), f"`{key}` names a field, and only `linked` knows fields; write plain text"))
        elif key == "linked" and re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", text)):
            found.append(((*_LABELS, key), "`linked` has a brace without its partner; write it as {objective}"))
    names = {key: texts.get(key, getattr(LabelNames.model_construct(), key)) for key in ("unlinked", "stale", "linked")}
    for key, other in (("stale", "unlinked"), ("linked", "unlinked"), ("linked", "stale")):
        same = names[key].strip().casefold() == names[other].strip().casefold()
        if same and names[key].strip() and {key, other} & set(texts) and not _off(given, key, other):
            place = key if key in texts else other
            message = f"`{key}` and `{other}` are both {names[key][:60]!r}; give them different texts"
            found.append(((*_LABELS, place), message))
    return found


def _off(given: object, *keys: str) -> bool:
    """Whether one of the labels is switched off."""
    return isinstance(given, dict) and any(key in given and given[key] is None for key in keys)


def lookalikes(nodes: Iterable[Node], settings: WritebackSettings) -> list[tuple[Node, str]]:
    """Goals whose label for linked work would be the one for unlinked or stale work."""
    labels = settings.labels
    taken = {text.casefold() for text in (labels.unlinked, labels.stale) if text}
    fields = set(_FIELD.findall(labels.linked or ""))
    return [
        (
            node,
            f"the label of {node.id!r} would be {settings.label_prefix}{node.id}, which means something else; "
            "give it another id, or change `writeback.labels`",
        )
        for node in nodes
        if node.kind in fields and _FIELD.sub(node.id, labels.linked or "").casefold() in taken
    ]
