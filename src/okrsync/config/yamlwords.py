"""What the YAML parser says, in plain words and with its line."""

from __future__ import annotations

import re

from ruamel.yaml.error import MarkedYAMLError

from ..domain.workspace import Problem

_HINTS = (
    # what the parser says, what a person can do with it
    (r"character '\\t'", "a tab stands where YAML wants spaces; indent with spaces"),
    (r"character '(.)' that cannot start", "a value cannot begin with {0}; put it in quotes"),
    (
        r"mapping values are not allowed",
        "a second colon in one value; put it in quotes, or check the indentation",
    ),
    (r"undefined alias '(.*)'", "the alias *{0} names no anchor; define it with &{0}, or put the value in quotes"),
    (r"another document", "a second document begins here; keep one in each file"),
    (r"maximum depth|recursion", "nested too deeply; write it flatter"),
    (r"special characters|unacceptable character|control characters", "a control character stands here; remove it"),
)


def syntax_problem(error: Exception, path: str, text: str) -> Problem:
    """The problem behind whatever parsing raised. The line is 1 where the parser names none."""
    said = str(error)
    line = 1
    if isinstance(error, MarkedYAMLError):
        said = " ".join(part for part in (error.problem, error.context) if part)
        mark = error.problem_mark or error.context_mark
        if error.context_mark is not None and re.search(r"end of stream|stream end", said):
            mark = error.context_mark  # where the open quote or bracket stands says more than the last line
        if mark is not None:
            at_end = not text[mark.index :].strip()  # then the last line that says anything
            line = text[: mark.index].rstrip().count("\n") + 1 if at_end else mark.line + 1
    elif isinstance(position := getattr(error, "position", None), int):
        line = text[:position].count("\n") + 1
    for pattern, message in _HINTS:
        found = re.search(pattern, said)
        if found:
            return Problem(path=path, line=line, message=message.format(*(g[:40] for g in found.groups())))
    detail = " ".join(said.split())[:160] or type(error).__name__
    return Problem(
        path=path, line=line, message=f"this is no valid YAML ({detail}); check indentation, quotes and brackets"
    )
