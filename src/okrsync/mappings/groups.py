"""Groups of work that one rule could take: an epic with all below it, a label, a component, a milestone, a place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from okrsync.domain.links import Verdict
from okrsync.domain.work import Kind, StoredItem, WorkItem

# labels that say what kind of work it is, not what for
_KINDS = """
bug defect feature enhancement task story improvement question documentation docs duplicate wontfix invalid
dependencies dependency security urgent blocked triage backlog stale regression test tests ui ux backend frontend
"""
_EVERYWHERE = frozenset(_KINDS.split())


class Group(Struct, frozen=True, kw_only=True):
    """`when` as in mapping files; `text` is what names it, compared with the goals; `said` names it in a reason;
    `members` are ids, open and closed."""

    when: dict[str, Any]
    text: str
    said: str
    members: frozenset[str]
    root: str = ""  # of an epic: its id


def place(item: WorkItem) -> dict[str, str]:
    return {"repo" if "/" in item.container else "project": item.container}


def groups(
    items: Mapping[str, StoredItem], verdicts: Mapping[str, Verdict], label_prefix: str = "okr/"
) -> tuple[Group, ...]:
    """All groups, epics first: what a person put together on purpose says most."""
    below = _below(items, verdicts)
    found = [_epic(items[id_].item, ids) for id_, ids in sorted(below.items()) if not items[id_].item.restricted]
    tagged: dict[tuple[str, str, str, str], set[str]] = {}
    for id_, stored in items.items():
        item = stored.item
        ((key, where),) = place(item).items()
        for label in item.labels:
            plain = not label.casefold().startswith(label_prefix) and not re.search(r"[:/]|^(okr|initiative)-", label)
            if plain and label.casefold() not in _EVERYWHERE:
                tagged.setdefault((key, where, "labels", label), set()).add(id_)
        for component in item.components:
            tagged.setdefault((key, where, "components", component), set()).add(id_)
        if item.milestone:
            tagged.setdefault((key, where, "milestone", item.milestone), set()).add(id_)
    one = {"labels": "label", "components": "component", "milestone": "milestone"}
    for (key, where, kind, value), ids in sorted(tagged.items()):
        said = f"the {one[kind]} {_cut(value)!r} in {where}"
        found.append(Group(when={key: where, kind: value}, text=value, said=said, members=frozenset(ids)))
    return tuple(found)


def _below(items: Mapping[str, StoredItem], verdicts: Mapping[str, Verdict]) -> dict[str, set[str]]:
    """Every epic, and everything else that has work below it, with all of that. Loops end."""
    below = {id_: {id_} for id_, s in items.items() if s.item.kind is Kind.EPIC}
    for id_ in items:
        seen = {id_}
        above = verdicts[id_].parent
        while above is not None and above in items and above not in seen:
            below.setdefault(above, {above}).add(id_)
            seen.add(above)
            above = verdicts[above].parent
    return below


def _epic(item: WorkItem, ids: Iterable[str]) -> Group:
    # what hangs on it inherits: the rule needs to take it alone, and `epic: KEY` would leave out itself and sub-tasks
    when = {**place(item), "type": item.type or item.kind.value, "title": f"^{_quoted(item.title)}$"}
    return Group(
        when=when,
        text=item.title,
        said=f"{item.key} {_cut(item.title)!r}",
        members=frozenset(ids),
        root=item.id,
    )


def phrase(term: str) -> str:
    """An expression for a word or a pair of neighbouring words as `linking.terms` gives them: `share group` stands for
    `ShareGroup` and `share-groups` as well. Letters beyond ASCII know no word borders in RE2."""
    words = [_quoted(word) for word in term.split()]
    plain = term.isascii()
    if len(words) > 1:
        return rf"(?i)\b{words[0]}[\W_]*{words[1]}" if plain else f"(?i){words[0]}.{{0,2}}{words[1]}"
    if not plain:
        return f"(?i){words[0]}"
    return rf"(?i)\b{_inflected(words[0])}\b"


def part(term: str) -> str:
    """An expression for the same as a part of a program's name: `raft` of `KRaftServer`, `share group` of
    `KafkaShareGroup`. Empty where letters know no case."""
    words = [_quoted(word) for word in term.split()]
    if not term.isascii():
        return ""
    ending = _inflected(words[-1])
    if len(words) > 1:
        return rf"{words[0].capitalize()}[\W_]*{ending.capitalize()}"
    return rf"(\b{ending[0]}|{ending[0].upper()}){ending[1:]}([^a-z]|$)"


def _inflected(word: str) -> str:
    return rf"{word[:-1]}(y|ies)" if word.endswith("y") else rf"{word}(s|es)?"


def _quoted(text: str) -> str:
    return re.sub(r"([\\.^$|()\[\]{}*+?])", r"\\\1", text)


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
