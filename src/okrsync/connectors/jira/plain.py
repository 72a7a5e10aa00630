"""Plain text built line by line, with quotes and code marked the same way for ADF and wiki text.

Whoever looks for trailers in the text must be able to tell a quote (`> `) and code (fences, backticks) from
what the author says, whichever notation the ticket was written in.
"""

from __future__ import annotations

import re

_FENCES = re.compile(r"^\s*(`{3,})", re.MULTILINE)
_MAX_INDENT = 8  # deeper lists stay readable enough; unbounded indents would make hostile nesting quadratic


def in_backticks(text: str) -> str:
    """Inline code; the delimiter is longer than any run of backticks inside (CommonMark section 6.1)."""
    runs = re.findall(r"`+", text)
    ticks = "`" * (max(map(len, runs)) + 1) if runs else "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


class PlainText:
    """Collects lines. `quotes` and `lists` are raised and lowered by the caller while it is inside of such a block."""

    def __init__(self) -> None:
        self.quotes = 0
        self.lists: list[int] = []  # one per open list: the last number given, -1 in a bullet list
        self._lines: list[str] = []
        self._line: list[str] = []
        self._marker = ""

    def write(self, text: str) -> None:
        first, *rest = text.split("\n")
        self._line.append(first)
        for part in rest:
            self.newline()
            self._line.append(part)

    def newline(self) -> None:
        """Ends the current line, even an empty one."""
        self._put("".join(self._line))
        self._line.clear()

    def end(self) -> None:
        """Ends the current line if there is anything on it."""
        if any(self._line):
            self.newline()
        self._line.clear()

    def blank(self) -> None:
        """Ends the block; one empty line follows outside of lists."""
        self.end()
        if not self.lists and self._lines and self._lines[-1].strip("> "):
            self._put("")

    def item(self) -> None:
        """The next line begins a list item."""
        self.end()
        number = -1
        if self.lists:
            if self.lists[-1] >= 0:
                self.lists[-1] += 1
            number = self.lists[-1]
        self._marker = f"{number}. " if number >= 0 else "- "

    def code(self, text: str) -> None:
        """A fenced block; the fence is longer than any inside."""
        self.end()
        longest = max((len(m[1]) for m in _FENCES.finditer(text)), default=2)
        fence = "`" * (longest + 1)
        for line in (fence, *text.strip("\n").split("\n"), fence):
            self._put(line)

    def text(self) -> str:
        self.end()
        return "\n".join(self._lines).strip("\n")

    def _put(self, line: str) -> None:
        indent = "  " * min(max(len(self.lists) - 1, 0), _MAX_INDENT)
        if self.lists and not self._marker and line:
            indent += "  "
        prefix = "> " if self.quotes else ""
        self._lines.append(
            f"{prefix}{indent}{self._marker}{line}".rstrip() if not line else prefix + indent + self._marker + line
        )
        self._marker = ""
