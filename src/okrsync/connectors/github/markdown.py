"""Renders a comment as GitHub Markdown in which nothing that came from outside has any effect. Pure.

GitHub looks for @mentions, #12, GH-12, commit ids and addresses in the rendered text, so that neither a backslash nor
an entity for the sign itself stops them; a zero-width space in their middle does. Code spans are never searched.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from okrsync.domain.comments import Block, Comment, Span

_BREAK = "&#8203;"  # zero-width space
_MARK = re.compile(r"<!-- okrsync:v1 ([0-9a-f]{1,64}) -->")
_DASHBOARD = re.compile(r"<!-- okrsync-dashboard:v1 ([0-9a-f]{1,64}) -->")

_SPECIAL = re.compile(r"[\\`*_{}\[\]()#!|~]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"})
_HEX = re.compile(r"\b[0-9a-f]{7,}\b", re.IGNORECASE)
_BREAKS = (
    (re.compile(r"([@#])(?=\w)"), "\\1\0"),
    (re.compile(r"(?<=\w)-(?=\d)"), "\0-"),  # GH-12, PAY-1
    (re.compile(r"(?<=\w):(?=//)"), "\0:"),  # https://
    (re.compile(r"\b(www|mailto|xmpp)(?=[.:])", re.IGNORECASE), "\\1\0"),
    (re.compile(r":(?=[\w+-]+:)"), ":\0"),  # :emoji:
)
_LINE_START = re.compile(r"^(?:[-+=]|\d+(?=[.)]))")


def body(comment: Comment) -> str:
    """The whole comment as it is sent: our hidden mark with the content's hash, then the text."""
    return f"<!-- okrsync:v1 {comment.hash} -->\n{render(comment)}\n"


def marked_hash(text: str) -> str | None:
    """The content hash of a comment that bears our mark on its first line, else None."""
    found = _MARK.match(text)
    return found[1] if found else None


def dashboard_body(content: Comment) -> str:
    """As `body`, for the dashboard issue."""
    return f"<!-- okrsync-dashboard:v1 {content.hash} -->\n{render(content)}\n"


def dashboard_hash(text: str) -> str | None:
    """The content hash of a dashboard issue, as `marked_hash`."""
    found = _DASHBOARD.match(text)
    return found[1] if found else None


def render(comment: Comment) -> str:
    parts: list[str] = []
    before = ""
    for block in comment.blocks:
        bullet = block.kind == "bullet"
        if parts:
            parts.append("\n" if bullet and before == "bullet" else "\n\n")
        parts.append(("- " if bullet else "") + _line(block))
        before = block.kind
    return "".join(parts)


def _line(block: Block) -> str:
    out: list[str] = []
    after_code = False
    for span in block.spans:
        if span.style == "code":
            piece = _code(span.text)
            if piece and after_code:
                out.append(_BREAK)  # two fences side by side would be read as one
        else:
            piece = _bold(span) if span.style == "bold" else _text(span.text)
        out.append(piece)
        after_code = span.style == "code" and bool(piece)
    line = "".join(out).strip()
    return _LINE_START.sub(_escape_start, line)


def _escape_start(found: re.Match[str]) -> str:
    start = found[0]
    return start + "\\" if start[0].isdigit() else "\\" + start


def _bold(span: Span) -> str:
    inner = _text(span.text)
    bare = inner.strip()
    if not bare:
        return inner
    left, right = inner[: len(inner) - len(inner.lstrip())], inner[len(inner.rstrip()) :]
    # next to punctuation ** may not count as emphasis
    pair = ("**", "**") if bare[0].isalnum() and bare[-1].isalnum() else ("<b>", "</b>")
    return f"{left}{pair[0]}{bare}{pair[1]}{right}"


def _text(text: str) -> str:
    text = _plain(text)
    for pattern, replacement in _BREAKS:
        text = pattern.sub(replacement, text)
    text = _HEX.sub(lambda m: "\0".join(_chunks(m[0])), text)
    text = _SPECIAL.sub(r"\\\g<0>", text).translate(_ENTITIES)
    return text.replace("\0", _BREAK)


def _chunks(word: str) -> Iterator[str]:
    """Pieces too short to be taken for a commit id."""
    for at in range(0, len(word), 5):
        yield word[at : at + 5]


def _code(text: str) -> str:
    text = _plain(text)
    if not text.strip():
        return ""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _plain(text: str) -> str:
    """On one line, without control characters and without those that turn the direction of writing."""
    text = "".join(" " if c in "\r\n\t\v\f\u0085\u2028\u2029" else c for c in text)
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs") and not _turns(c))


def _turns(char: str) -> bool:
    return "\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069"
