"""`/okr` commands in comments: which lines are commands, and what those of one item come to (DESIGN section 5).

/okr link ID[, ID]      /okr unlink      /okr exempt CLASS [until DATE]      /okr remove-exempt      /okr why
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from itertools import islice

from msgspec import Struct, structs

from okrsync.domain.goals import Node, day
from okrsync.domain.links import CommandAnswer
from okrsync.domain.text import did_you_mean, regex
from okrsync.domain.work import Command

from .keys import INVISIBLE
from .prose import own_text

VERBS = ("link", "unlink", "exempt", "remove-exempt", "why")
_MOST_LINES = 20  # in one comment; no person gives more
_LONGEST = 200
_LINE = regex(r"\n {0,3}/okr(?=[ \t\n]|\Z)([^\n]*)", re.IGNORECASE)
_UNTIL = regex(r"(\S+)(?:[ \t]+until[ \t]+(.+))?", re.IGNORECASE)


class Standing(Struct, frozen=True, kw_only=True):
    """The command that counts: `nodes` it links to, or the class it exempts with `until`; `line` as it was written."""

    line: str
    at: date
    nodes: tuple[Node, ...] = ()
    exempt: str = ""
    until: date | None = None


def command_lines(text: str) -> tuple[str, ...]:
    """What follows `/okr` on each line that begins with it, outside of quotes and code: `link INIT-1`."""
    if "/okr" not in text.casefold():
        return ()
    found = islice(_LINE.finditer(own_text(text)), _MOST_LINES)
    # invisible characters come along with what is copied out of a comment of ours, where they break references
    return tuple(" ".join(match[1].translate(INVISIBLE).replace("\0", " ` ").split()) for match in found)


def fold(
    commands: Iterable[Command], *, find: Callable[[str], Node | str], classes: Mapping[str, str]
) -> tuple[Standing | None, tuple[CommandAnswer, ...]]:
    """The command that counts, and an answer to each one, oldest first.

    find     the goal that an id means, else why it is none
    classes  folded name -> exemption class as declared

    The last valid `link` or `exempt` that nobody withdrew counts; so one that is withdrawn, edited or deleted gives
    back what stood before it. The order of input does not matter.
    """
    standing: list[tuple[int, Standing]] = []  # each with the number of its answer
    answers: list[CommandAnswer] = []
    for command in sorted(commands, key=lambda c: (c.at, len(c.comment), c.comment)):
        for line in command_lines(command.text):
            verb, _, rest = line.partition(" ")
            verb = verb.casefold()
            refused = "" if command.entitled else command.why_not or "only people who may write here can give commands"
            refused = refused or _unknown_verb(verb, rest)
            if not refused and verb == "unlink":
                standing = [s for s in standing if not s[1].nodes]
            elif not refused and verb == "remove-exempt":
                standing = [s for s in standing if not s[1].exempt]
            elif not refused and verb != "why":
                given = _link(rest, find) if verb == "link" else _exemption(rest, classes, day(command.at))
                if isinstance(given, str):
                    refused = given
                else:
                    nodes, class_, until = given
                    said = f"/okr {line[:_LONGEST]}"
                    stands = Standing(line=said, at=day(command.at), nodes=nodes, exempt=class_, until=until)
                    standing.append((len(answers), stands))
            answers.append(
                CommandAnswer(
                    comment=command.comment,
                    line=f"/okr {line[:_LONGEST]}".rstrip(),
                    verb=verb if verb in VERBS else "",
                    entitled=command.entitled,
                    refused=refused,
                )
            )
    if not standing:
        return None, tuple(answers)
    number, counts = standing[-1]
    answers[number] = structs.replace(answers[number], counts=True)
    return counts, tuple(answers)


def _unknown_verb(verb: str, rest: str) -> str:
    if verb not in VERBS:
        return f"{verb[:40]!r} is no command; there are {', '.join(VERBS)}{did_you_mean(verb[:40], VERBS)}"
    if verb in ("unlink", "remove-exempt", "why") and rest:
        return f"`{verb}` takes nothing behind it; write `/okr {verb}` alone on its line"
    if "`" in rest:
        return "what stands between backticks is code, which is not read; write it without them"
    return ""


_Given = tuple[tuple[Node, ...], str, date | None]


def _link(rest: str, find: Callable[[str], Node | str]) -> _Given | str:
    if not rest:
        return "names no goal; write `/okr link ID`"
    whole = find(rest)  # ids may hold blanks
    if isinstance(whole, Node):
        return (whole,), "", None
    nodes: dict[Node, None] = {}
    for id_ in re.split(r"[,;]\s*|\s+", rest):
        found = find(id_) if id_ else None
        if isinstance(found, str):
            return found
        if found is not None:
            nodes[found] = None
    return (tuple(nodes), "", None) if nodes else whole


def _exemption(rest: str, classes: Mapping[str, str], given: date) -> _Given | str:
    declared = ", ".join(classes.values())
    example = f"until {given.year}-12-31"
    if not rest:
        return f"names no class; use one of {declared}"
    match = _UNTIL.fullmatch(rest)
    class_ = classes.get((match[1] if match else rest.split(maxsplit=1)[0]).casefold())
    if class_ is None:
        word = rest.split(maxsplit=1)[0][:80]
        return f"there is no class {word!r}; use one of {declared}{did_you_mean(word, classes.values())}"
    if match is None:
        return f"only `until DATE` may follow the class; write `/okr exempt {class_} {example}`"
    if match[2] is None:
        return (), class_, None
    try:
        until = date.fromisoformat(match[2])
    except ValueError:
        return f"{match[2][:40]!r} is no date; write `/okr exempt {class_} {example}`"
    if until < given:
        return f"{until} had passed when the command was given; write a later day"
    return (), class_, until
