"""Label names: which ones an item should bear, and which ones okrsync could have written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from ..domain.goals import Goals, Node
from ..domain.links import Alignment, Target, Verdict
from ..domain.settings import WritebackSettings

LONGEST = 50  # GitHub's limit for a label's name
_KEPT = 41  # plus `-` and 8 hex digits
_FIELD = re.compile(r"\{(objective|key_result|initiative|bet)\}")

_UNLINKED = ("fbca04", "No goal found. Add a label such as objective:ID, or a line OKR: ID to the description.")
_STALE = ("d4c5f9", "Its goal has ended. Point it at a current one (label objective:ID, or a line OKR: ID).")
_LINKED = ("0e8a16", "Traces to this goal. Set by okrsync; to change it, change the item's own link.")


def shorten(label: str, id_: str) -> str:
    """A label as both trackers accept it: no spaces, at most 50 characters. What is longer becomes its first
    41 characters, `-` and 8 hex digits of the SHA-256 of the goal's id."""
    label = re.sub(r"\s", "-", label)
    if len(label) <= LONGEST:
        return label
    return f"{label[:_KEPT]}-{hashlib.sha256(id_.encode()).hexdigest()[:8]}"


def folded(label: str, container: str) -> str:
    """What two labels of one container are compared by. GitHub (`owner/repo`) ignores case; Jira, whose
    project keys hold no slash, does not."""
    return label.casefold() if "/" in container else label


class Labels:
    """The labels of one workspace, as its settings and goals make them."""

    def __init__(self, settings: WritebackSettings, goals: Goals) -> None:
        self._prefix = settings.label_prefix
        self._linked = settings.labels.linked
        self._unlinked = self._fixed(settings.labels.unlinked)
        self._stale = self._fixed(settings.labels.stale)
        self._ours = {name for name in (self._unlinked, self._stale) if name is not None}
        for node in goals:
            self._ours.update(self._render(_reach(goals, node)))
        self._ours_folded = {name.casefold() for name in self._ours}

    def _fixed(self, name: str | None) -> str | None:
        return None if name is None else shorten(self._prefix + name, name)

    def _render(self, values: Mapping[str, Sequence[str]]) -> Iterator[str]:
        """The `linked` template, once for every combination of the values of its fields."""
        if self._linked is None:
            return
        fields = tuple(dict.fromkeys(_FIELD.findall(self._linked)))
        for ids in product(*(values.get(field, ()) for field in fields)):
            text = self._linked
            for field, id_ in zip(fields, ids, strict=True):  # ids hold no braces, so nothing is filled twice
                text = text.replace(f"{{{field}}}", id_)
            yield shorten(self._prefix + text, "-".join(ids) or text)

    def wanted(self, verdict: Verdict) -> frozenset[str]:
        """What an open item should bear. Meaningless for `unknown`, of which nothing is concluded."""
        match verdict.alignment:
            case Alignment.UNLINKED:
                return frozenset(name for name in (self._unlinked,) if name is not None)
            case Alignment.STALE:
                return frozenset(name for name in (self._stale,) if name is not None)
            case Alignment.LINKED:
                active = (target for target in verdict.targets if target.active)
                return frozenset(label for target in active for label in self._render(_values(target)))
            case _:
                return frozenset()

    def under_prefix(self, label: str, container: str) -> bool:
        return folded(label, container).startswith(folded(self._prefix, container))

    def could_be_ours(self, label: str, container: str) -> bool:
        """Whether these settings and any goal of any cycle make this label."""
        return label in self._ours or ("/" in container and label.casefold() in self._ours_folded)

    def definition(self, label: str) -> tuple[str, str]:
        """Colour (6 hex digits) and description (at most 100 characters, saying what to do) of a label."""
        if label == self._unlinked:
            return _UNLINKED
        return _STALE if label == self._stale else _LINKED


def _values(target: Target) -> dict[str, tuple[str, ...]]:
    return {
        "objective": target.objectives,
        "key_result": target.key_results,
        "initiative": (target.initiative,) if target.initiative else (),
        "bet": target.bets,
    }


def _reach(goals: Goals, node: Node) -> dict[str, list[str]]:
    """A goal and everything above it, by kind: the widest set a target that names it could fill a template with."""
    found: dict[str, list[str]] = {}
    seen: set[Node] = set()
    queue = [node]
    while queue:
        at = queue.pop()
        if at not in seen:
            seen.add(at)
            found.setdefault(at.kind, []).append(at.id)
            queue.extend(goals.parents(at))
    return found
