"""A plan as text and as Markdown. Its JSON is `Plan.json()`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..domain.changes import Change, Op, Plan

_SIGN = {
    Op.CREATE_LABEL: "+ define label",
    Op.REMOVE_LABEL: "- label",
    Op.ADD_LABEL: "+ label",
    Op.CREATE_COMMENT: "+ comment",
    Op.UPDATE_COMMENT: "~ comment",
    Op.CREATE_ISSUE: "+ dashboard issue",
    Op.UPDATE_ISSUE: "~ dashboard issue",
}
_WORDS = {
    Op.CREATE_LABEL: "define label",
    Op.REMOVE_LABEL: "remove label",
    Op.ADD_LABEL: "add label",
    Op.CREATE_COMMENT: "comment",
    Op.UPDATE_COMMENT: "edit comment",
    Op.CREATE_ISSUE: "create dashboard issue",
    Op.UPDATE_ISSUE: "edit dashboard issue",
}


def render_text(plan: Plan) -> str:
    """For a terminal: by target, then what is held, counted by reason, and what is left alone."""
    lines = [headline(plan)]
    for target, changes in _by_target(plan):
        lines.append(f"\n{_plain(target)}")
        lines.extend(f"  {_SIGN[c.op]} {_plain(_value(c))}  ({_plain(c.because)})" for c in changes)
    if plan.held:
        lines.append("\nHeld:")
        lines.extend(f"  {count} x {_plain(why)}" for why, count in _reasons(plan))
    if plan.foreign:
        lines.append("\nUnder the prefix, but not written by okrsync; left alone:")
        lines.extend(f"  {_plain(target)} {_plain(label)}" for target, label in plan.foreign)
    return "\n".join(lines) + "\n"


def render_markdown(plan: Plan) -> str:
    """The same for a pull request or a chat."""
    lines = [f"**{headline(plan)}**"]
    for target, changes in _by_target(plan):
        lines.append(f"\n- {_code(target)}")
        lines.extend(f"  - {_WORDS[c.op]} {_code(_value(c))} ({_code(c.because)})" for c in changes)
    if plan.held:
        lines.append("\nHeld:\n")
        lines.extend(f"- {count} × {_code(why)}" for why, count in _reasons(plan))
    if plan.foreign:
        lines.append("\nUnder the prefix, but not written by okrsync; left alone:\n")
        lines.extend(f"- {_code(target)} {_code(label)}" for target, label in plan.foreign)
    return "\n".join(lines) + "\n"


def headline(plan: Plan) -> str:
    """One line: the checksum, and how many changes of which kind on how many items."""
    if not plan.changes:
        return f"Plan {plan.checksum}: nothing to change"
    counts = plan.counts
    parts = ", ".join(f"{counts[op.value]} x {_WORDS[op]}" for op in Op if counts[op.value])
    number, items = counted(len(plan.changes), "change"), counted(counts["items"], "item")
    return f"Plan {plan.checksum}: {number} on {items} ({parts})"


def counted(number: int, noun: str) -> str:
    """`1 change`, `2 changes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _by_target(plan: Plan) -> Iterator[tuple[str, list[Change]]]:
    groups: dict[str, list[Change]] = {}
    for change in plan.changes:
        groups.setdefault(change.target, []).append(change)
    yield from groups.items()


def _value(change: Change) -> str:
    return change.value.partition("\n")[0]


def _reasons(plan: Plan) -> list[tuple[str, int]]:
    return sorted(Counter(held.why for held in plan.held).items(), key=lambda pair: (-pair[1], pair[0]))


def _plain(text: str) -> str:
    """Labels come from strangers: no control characters reach the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _code(text: str) -> str:
    return "`" + _plain(text).replace("`", "'") + "`"
