"""What of a description is its author's own words: no quotes, no code, no hidden template hints.

Reads Markdown as GitHub renders it; the Jira connector translates its descriptions into the same marks.
Linear, and cheap where nothing is marked: whatever is plain is copied in whole stretches.
"""

from __future__ import annotations

from okrsync.domain.text import regex

_MOST_MARKS = 10_000  # no person writes more; what follows them is not read
_BLANKS = regex(r"\n\s*\n")
# The first mark of a line that is not plain: a fence, a quote, an indent, inline code or an HTML comment. Each way
# begins with a plain character (`\n` and not `^`), which lets the engine jump from one candidate to the next.
_MARKED = regex(r"\n(?: {4}| {0,3}\t|[ \t]*(?:```|~~~|(?:[-*+][ \t]+)?>))|`[^`\n]*`|<!--")
_FENCE = regex(r"\n[ \t]*(`{3,}|~{3,})")
_FENCE_END = regex(r"\n[ \t]*(`{3,}|~{3,})[ \t]*(?=\n|\Z)")
_TICKS = regex(r"`+")
_INDENTED = regex(r" {4}| {0,3}\t")
_QUOTE = regex(r"[ \t]*(?:[-*+][ \t]+)?>")
_QUOTES = regex(r"(?:\n {0,3}(?:[-*+][ \t]+)?>[^\n<]*(?=\n|\Z))+")


def own_text(text: str) -> str:
    """The text in lines, each with a `\\n` before it; what is quoted or code is an empty line, so that its neighbours
    stay apart, and several empty lines are one. Inline code leaves a NUL, which no key and no id holds."""
    text = _BLANKS.sub("\n\n", "\n" + "\n".join(text.splitlines()))
    kept: list[str] = []
    at = apart = 0  # `apart`: the end of the last line that was indented code or shows nothing
    for _ in range(_MOST_MARKS):
        marked = _MARKED.search(text, at)
        if not marked:
            kept.append(text[at:])
            break
        start = marked.start() if marked[0][0] == "\n" else text.rfind("\n", at, marked.start())
        kept.append(text[at:start])
        if quotes := _QUOTES.match(text, start):
            kept.append("\n")
            at = quotes.end()
            continue
        end = text.find("\n", max(start + 1, marked.start()))
        end = len(text) if end < 0 else end
        fence = _FENCE.match(text, start)
        if fence and not (fence[1][0] == "`" and text.find("`", fence.end(), end) >= 0):  # that would be inline code
            kept.append("\n")
            at = apart = _after_fence(text, end, fence[1])
            continue
        shown = _without_inline_code(text[start + 1 : end])
        # four spaces are code only where they cannot continue a paragraph (CommonMark 4.4)
        indented = _INDENTED.match(shown) and (start in (0, apart) or text[start - 1] == "\n")
        if "<!--" in shown and not indented:
            lines, at = _without_comments(text, shown, end)
            kept += lines
            apart = apart if lines[-1].strip() else at
            continue
        at = end
        apart = at if indented or not shown.strip() else apart
        kept.append("\n" if indented or _QUOTE.match(shown) else f"\n{shown}")
    return "".join(kept)


def _after_fence(text: str, at: int, fence: str) -> int:
    """Where a fenced block ends; one that is never closed hides the rest."""
    for end in _FENCE_END.finditer(text, at):
        if end[1].startswith(fence):
            return end.end()
    return len(text)


def _without_comments(text: str, line: str, end: int) -> tuple[list[str], int]:
    """The visible lines from one that opens an HTML comment (a template's hints) to where all of them are closed, and
    where that is. `line` ends at `end`. A comment that is never closed hides the rest."""
    lines: list[str] = []
    while True:
        visible, hidden = _visible(line)
        lines.append("\n" if _QUOTE.match(visible) else f"\n{visible}")
        if not hidden:
            return lines, end
        close = text.find("-->", end)
        if close < 0:
            return lines, len(text)
        end = text.find("\n", close)
        end = len(text) if end < 0 else end
        line = text[close + 3 : end]


def _visible(line: str) -> tuple[str, bool]:
    """What a line shows outside of HTML comments, and whether one is still open at its end."""
    kept: list[str] = []
    at = 0
    while (start := line.find("<!--", at)) >= 0:
        kept.append(line[at:start])
        close = line.find("-->", start + 4)
        if close < 0:
            return "".join(kept), True
        at = close + 3
    return "".join(kept) + line[at:], False


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
