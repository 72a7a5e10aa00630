"""Jira's wiki text (Data Center, API v2): what people wrote as plain text, and our comment as wiki text.

Pure. Notation: https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all
"""

from __future__ import annotations

import re

from okrsync.domain.comments import Block, Comment, Span
from okrsync.domain.text import clean

from .plain import PlainText

_MACRO = re.compile(r"(?<!\\)\{(code|noformat|quote|panel|color)(?::[^{}\n]{0,300})?\}")
_HEADING = re.compile(r"h([1-6])\.\s*(.*)", re.DOTALL)
_MONOSPACED = re.compile(r"\{\{([^{}\n]{1,1000})\}\}")

# The characters that Jira un-escapes after a backslash (atlassian-renderer, BackslashEscapeRendererComponent).
_SPECIAL = re.compile(r"[#*_+?^~|%{}\[\]()!@]")
_ESCAPED = re.compile(r"\\([#*_+?^~|%{}\[\]()!@-])")
_BREAK = re.compile(r"(?<!\\)\\\\(?!\\)")  # a new line where none can be typed
_IN_BRACES = re.compile(r"\{([*_])\}")  # emphasis that touches a word
# A hyphen is markup at a word's edge (strike-through, dashes, lists) and makes an issue key before a digit.
_HYPHEN = re.compile(r"(?<!\w)-|-(?!\w)|-(?=\d)")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_SCHEME = re.compile(r"(?<=[a-z]):(?=//|\\\\)|(?<=mailto):", re.IGNORECASE)
_LINE_START = re.compile(r"^(h)(?=[1-6]\.)|^(b)(?=q\.)")
_WORD_JOINER = "\u2060"  # invisible, and not part of any URL


def to_text(source: str) -> str:
    """The plain text of wiki text. `{quote}` and `bq.` become `> `, `{code}` and `{noformat}` fences,
    `{{code}}` backticks; colour and panel tags go. A macro that is never closed is plain text, as in Jira.

    Never raises; linear time.
    """
    source = clean(source).replace("\r\n", "\n").replace("\r", "\n")
    macros = list(_MACRO.finditer(source))
    following: dict[str, int] = {}
    closed_by = [0] * len(macros)  # index of the next macro of the same name, 0 where there is none
    for i in range(len(macros) - 1, -1, -1):
        closed_by[i] = following.get(macros[i][1], 0)
        following[macros[i][1]] = i

    out = PlainText()
    position, i = 0, 0
    while i < len(macros):
        macro, name = macros[i], macros[i][1]
        _prose(out, source[position : macro.start()])
        position = macro.end()
        if name in ("code", "noformat") and closed_by[i]:
            i = closed_by[i]
            out.code(source[position : macros[i].start()])
            position = macros[i].end()
        elif name == "quote" and (out.quotes or closed_by[i]):
            out.end()
            out.quotes = 0 if out.quotes else 1
        elif name not in ("panel", "color"):
            out.write(macro[0])
        i += 1
    _prose(out, source[position:])
    return out.text()


def _prose(out: PlainText, text: str) -> None:
    lines = text.split("\n")
    for n, line in enumerate(lines):
        last = n == len(lines) - 1
        bare = line.lstrip()
        if bare.startswith("bq. ") and not out.quotes:
            out.end()
            out.quotes = 1
            _lines(out, bare[4:])
            out.end()
            out.quotes = 0
            continue
        heading = _HEADING.fullmatch(bare)
        if heading:
            out.write("#" * int(heading[1]) + " " + _words(_BREAK.sub(" ", heading[2])))
        else:
            _lines(out, line)
        if not last:
            out.newline()


def _lines(out: PlainText, text: str) -> None:
    for n, line in enumerate(_BREAK.split(text)):
        if n:
            out.newline()
        out.write(_words(line))


def _words(text: str) -> str:
    """Monospaced text as code, and what is escaped as people see it."""
    text = _MONOSPACED.sub(r"`\1`", _IN_BRACES.sub(r"\1", text))
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def render(comment: Comment) -> str:
    """The comment as wiki text with everything inert: no macro, mention, image, link or issue link."""
    parts: list[str] = []
    for n, block in enumerate(comment.blocks):
        if n:
            parts.append("\n" if block.kind == "bullet" and comment.blocks[n - 1].kind == "bullet" else "\n\n")
        parts.append(_block(block))
    return "".join(parts)


def _block(block: Block) -> str:
    text = "".join(_span(span) for span in block.spans)
    if block.kind == "bullet":
        return "* " + text
    return _LINE_START.sub(lambda m: f"&#{ord(m[0])};", text)


def _span(span: Span) -> str:
    text = escape(span.text)
    if not text.strip() or span.style == "plain":
        return text
    # markup clings to its text: blanks go outside
    lead, core, trail = text[: len(text) - len(text.lstrip())], text.strip(), text[len(text.rstrip()) :]
    return lead + (f"{{{{{core}}}}}" if span.style == "code" else f"*{core}*") + trail


def escape(text: str) -> str:
    """One line of wiki text that shows exactly `text`; what is copied from the page is the text again, but
    for a word joiner within URLs."""
    text = " ".join(clean(text).split("\n"))
    text = _ENTITY.sub("&amp;", text)
    text = _SCHEME.sub(":" + _WORD_JOINER, text)
    text = text.replace("\\", "&#92;")
    text = _HYPHEN.sub(r"\\-", text)
    # `#` of the entities made above stays as it is
    return re.sub(r"(&#92;|&amp;)|" + _SPECIAL.pattern, lambda m: m[1] or "\\" + m[0], text)
