"""Text from strangers, made fit for a report: one line, no control characters, defused per format."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from okrsync.domain.text import regex

# Both trackers stop at 256 characters; what is longer is an accident or an attack.
TITLE_LIMIT = 300

# Control characters, line separators, lone surrogates, and the bidirectional overrides that would let a
# title reorder the text around it. Joiners and marks that languages need stay.
_CONTROL = regex("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
# What a spreadsheet takes for a formula, also in full width, also behind characters that do not show.
_FORMULA = regex("^[\\s\u200b-\u200f\u2060\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]")
_MARKDOWN = regex(r"([\\`*_\[\]<>|~$])")
# At the start of a list item or paragraph these would make a list, a heading or a rule.
_MARKDOWN_START = regex(r"^(\d{1,9}(?=[.)](?:\s|$))|(?=[-+#=:]))")
_AMPERSAND = regex(r"&(?=[#\w])")
# @name, #12, GH-12 and addresses come alive in a tracker even as plain text; a zero-width space stops them.
_ALIVE = regex(r"([@#])(?=\w)|(://)|\b(www)(?=\.)|\b(GH-)(?=\d)", re.IGNORECASE)


def plain(text: str, limit: int = TITLE_LIMIT) -> str:
    """One line of at most `limit` characters without control characters."""
    line = " ".join(_CONTROL.sub(" ", text[: limit * 20]).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def csv_cell(text: str) -> str:
    """A cell that no spreadsheet runs: an apostrophe stands before what would start a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def markdown(text: str) -> str:
    """Plain text as Markdown source that renders as itself: no HTML, no mention, no reference, no link."""
    escaped = _MARKDOWN_START.sub(r"\1\\", _MARKDOWN.sub(r"\\\1", plain(text, 2000)))
    return _ALIVE.sub(lambda m: f"{m.group()}\u200b", _AMPERSAND.sub("&amp;", escaped))


def safe_url(url: str) -> str:
    """The address if it is http(s) and harmless in an attribute or in Markdown, else an empty string."""
    if len(url) > 2000 or _CONTROL.search(url):
        return ""
    try:
        parts = urlsplit(url.strip())
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return ""
    return quote(url.strip(), safe=":/?#[]@!$&'*+,;=%~-._") if known else ""


def natural(id_: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key: PAY-2 before PAY-12."""
    parts = re.split(r"(\d{1,18})", id_)
    return tuple((1, int(p), "") if i % 2 else (0, 0, p.casefold()) for i, p in enumerate(parts))


def number(value: float | None) -> str:
    """`63.5`, `1,200`, `0.4`, `12,345.7`: at most six significant digits below a thousand, one decimal above."""
    if value is None:
        return "?"
    if value == int(value):
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.6g}"


def percent(share: float) -> str:
    """Whole percent; what is not nothing never reads 0%, what is not all never 100%."""
    if 0 < share < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= share < 1 else f"{share * 100:.0f}%"


def count(n: int, one: str, many: str = "") -> str:
    """`1 item`, `1,413 items`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
