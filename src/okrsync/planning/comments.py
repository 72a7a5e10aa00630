"""The one comment: what it says. Short, kind, deterministic; nothing volatile stands in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..domain.comments import Block, Comment, Span, bold, bullet, code, paragraph
from ..domain.findings import View
from ..domain.goals import Goals
from ..domain.links import Alignment, Suggestion, Verdict
from ..domain.work import Kind, WorkItem
from .comment_commands import answers
from .goal_names import goal_names as _goals

COMMENTABLE = {
    "unlinked-work": "OKR101",
    "stale-link": "OKR102",
    "unknown-okr-id": "OKR103",
    "disagreeing-links": "OKR104",
    "expired-exemption": "OKR105",
}
"""Rules whose findings can be told in a comment: slug -> code."""

ABOUT_ALIGNMENT = frozenset({"OKR101", "OKR102", "OKR105"})
"""Findings about the missing link itself; the comment on them belongs to the topmost item."""


def selected_codes(rules: Iterable[str]) -> frozenset[str]:
    """The codes that `comments.rules` (slugs or codes) names; OKR105 stands instead of OKR101 where it applies."""
    codes = {COMMENTABLE.get(rule.lower(), rule.upper()) for rule in rules} & set(COMMENTABLE.values())
    return frozenset(codes | ({"OKR105"} if "OKR101" in codes else set()))


def compose(view: View, item: WorkItem, verdict: Verdict, codes: Sequence[str], *, commands: bool = True) -> Comment:
    """What is to be said on an item with these findings (of COMMENTABLE), all in one comment, with the answers to
    commands. `commands`: the tracker's comments are read for them."""
    blocks: list[Block] = []
    for one in sorted(codes):
        match one:
            case "OKR101":
                blocks.append(paragraph(bold("This work is not tied to a goal yet."), *_looked_at(view, item, verdict)))
            case "OKR102":
                blocks.append(_ended_goal(view.goals, item, verdict))
            case "OKR103":
                blocks.extend(_unknown_ids(verdict))
            case "OKR104":
                blocks.append(_disagreement(view.goals, item, verdict))
            case "OKR105":
                blocks.append(_ended_exemption(verdict))
    if ABOUT_ALIGNMENT & set(codes):
        blocks.extend(_ways_to_fix(item, commands=commands))
    blocks.extend(answers(view, item, verdict))
    blocks.append(paragraph("okrsync keeps this one comment up to date and adds no others."))
    return Comment(tuple(blocks))


def suggest(view: View, item: WorkItem, comment: Comment, suggestions: Sequence[Suggestion]) -> Comment:
    """The comment with suggestions before its last line, written once: they change neither its hash nor, by themselves,
    what stands on the ticket. In a public repository ids alone, as reasons quote other work."""
    if not suggestions:
        return comment
    blocks = [paragraph("It may belong to one of these. That is a guess, and nothing is linked by itself:")]
    for one in suggestions:
        why = [] if item.public else [f": {one.why}"]
        blocks.append(bullet(*_goals(view.goals, item, [one.initiative]), *why))
    *before, last = comment.blocks
    return Comment((*before, *blocks, last), once=tuple(blocks))


def resolved(view: View, item: WorkItem, verdict: Verdict) -> Comment:
    """The one line that replaces a comment once nothing is left to say."""
    line: tuple[Span | str, ...] = ("Resolved: okrsync has nothing to report here any more.",)
    if verdict.alignment is Alignment.LINKED:
        ids = verdict.objectives or tuple(sorted({t.node for t in verdict.targets if t.active}))
        if ids:
            line = ("Resolved: this now traces to ", *_goals(view.goals, item, ids), ".")
    elif verdict.alignment is Alignment.EXEMPT and verdict.exempt_class:
        line = ("Resolved: this counts as ", code(verdict.exempt_class), " work, outside the goals.")
    return Comment((paragraph(*line), *answers(view, item, verdict)))


def _looked_at(view: View, item: WorkItem, verdict: Verdict) -> tuple[Span | str, ...]:
    own = "labels, title, branch and description" if item.kind is Kind.PULL_REQUEST else "labels and description"
    head, tail = f" okrsync looked at its {own}", " and found no objective, key result or initiative."
    if verdict.parent is None:
        return (head + tail,)
    parent = view.items.get(verdict.parent)
    if parent is None or (parent.item.connector, parent.item.container) != (item.connector, item.container):
        # nothing of another project or repository is named: its readers may be others
        return (f"{head}, and at its parent elsewhere,{tail}",)
    return (f"{head}, and at its parent ", code(parent.item.key), f",{tail}")


def _ended_goal(goals: Goals, item: WorkItem, verdict: Verdict) -> Block:
    ended = sorted({target.node for target in verdict.targets})
    if not ended:
        return paragraph(bold("The goal behind this work has ended."))
    return paragraph(
        bold("The goal behind this work has ended."),
        " okrsync looked at its links and found only ",
        *_goals(goals, item, ended),
        ". If the work still matters, tie it to a current goal; if not, close it.",
    )


def _ended_exemption(verdict: Verdict) -> Block:
    head = bold("The exemption of this work has ended.")
    if verdict.expired is None:
        return paragraph(head)
    class_, until = verdict.expired
    return paragraph(
        head,
        " It counted as ",
        code(class_),
        f" until {until.isoformat()}. Extend that, tie it to a goal, or close it.",
    )


def _unknown_ids(verdict: Verdict) -> Iterable[Block]:
    yield paragraph(bold("An id on this work is not known."), " Please correct it, or take it off:")
    # a suggestion reads `; did you mean 'O1'?`
    for via, id_, suggestion in sorted({(u.via, u.id, u.suggestion) for u in verdict.unknown_ids}):
        yield bullet(code(id_), f" ({via}){suggestion}")


def _disagreement(goals: Goals, item: WorkItem, verdict: Verdict) -> Block:
    return paragraph(
        bold("This work and its parent point to different objectives."),
        " It names ",
        *_goals(goals, item, verdict.own_objectives),
        ", its parent names ",
        *_goals(goals, item, verdict.parent_objectives),
        ". If one of them is a slip, please correct that one.",
    )


def _ways_to_fix(item: WorkItem, *, commands: bool) -> Iterable[Block]:
    say = "comment internally" if item.service_desk else "comment"
    yield paragraph("Any one of these settles it:")
    yield bullet("add the label ", code("objective:ID"), ", ", code("kr:ID"), " or ", code("initiative:ID"))
    yield bullet("add a line ", code("OKR: ID"), " to the description")
    if commands:
        yield bullet(f"{say} ", code("/okr link ID"), ", on a line of its own")
    exempt: list[Span | str] = ["Add the label ", code("exempt:CLASS"), ", such as ", code("exempt:tech-debt")]
    if commands:
        exempt += [f", or {say} ", code("/okr exempt CLASS")]
    yield bullet("not strategic, and fine as it is? ", *exempt)
