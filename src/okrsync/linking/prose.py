"""The lines of a description that are its author's own words: no quotes, no code, no hidden template hints.

Reads Markdown as GitHub renders it; the Jira connector translates its descriptions into the same marks.
Every pass is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_TICKS = re.compile(r"`+")
_INDENTED = re.compile(r" {4}| {0,3}\t")
_QUOTE = re.compile(r"[ \t]*(?:[-*+][ \t]+)?>")


def own_lines(text: str) -> Iterator[str]:
    """Line by line; a line that is quoted or code comes as an empty one, so that its neighbours stay apart."""
    fence = ""
    hidden = False  # inside an HTML comment: template hints; one that is never closed hides the rest
    after_blank, indented = True, False
    for line in text.splitlines():
        mark = None if hidden else _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line[mark.end() :].strip():
                fence = ""
            yield ""
            continue
        if mark and not (mark[1][0] == "`" and "`" in line[mark.end() :]):  # that would be inline code
            fence, after_blank, indented = mark[1], True, False
            yield ""
            continue
        visible, hidden = _without_comments(line if hidden else _without_inline_code(line), hidden)
        blank = not visible.strip()
        # four spaces are code only where they cannot continue a paragraph (CommonMark 4.4)
        indented = not blank and bool(_INDENTED.match(visible)) and (after_blank or indented)
        after_blank = blank
        yield "" if blank or indented or _QUOTE.match(visible) else visible


def _without_comments(line: str, hidden: bool) -> tuple[str, bool]:
    """What a line shows outside of HTML comments, and whether one is still open at its end."""
    if not hidden and "<!--" not in line:
        return line, False
    kept: list[str] = []
    at = 0
    while True:
        if hidden:
            end = line.find("-->", at)
            if end < 0:
                return "".join(kept), True
            at = end + 3
        start = line.find("<!--", at)
        if start < 0:
            return "".join(kept) + line[at:], False
        kept.append(line[at:start])
        at, hidden = start + 4, True


def _without_inline_code(line: str) -> str:
    """A code span opens with a run of backticks and ends with the next run of the same length."""
    if line.count("`") < 2:
        return line
    runs = [match.span() for match in _TICKS.finditer(line)]
    closed_by: dict[int, int] = {}
    following: dict[int, int] = {}  # length -> the nearest later run of that length
    for index in range(len(runs) - 1, -1, -1):
        length = runs[index][1] - runs[index][0]
        if length in following:
            closed_by[index] = following[length]
        following[length] = index
    kept, at, index = [], 0, 0
    while index < len(runs):
        if index in closed_by:
            kept.append(line[at : runs[index][0]])
            index = closed_by[index]
            at = runs[index][1]
        index += 1
    return "\0".join(kept) + "\0" + line[at:] if kept else line
