"""Atlassian Document Format: what people wrote as plain text, and our comment as a document.

Pure. Format: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from okrsync.domain.comments import Block, Comment, Span
from okrsync.domain.text import clean

from .plain import PlainText, in_backticks

_INLINE = {"text", "hardBreak", "mention", "emoji", "status", "date", "inlineCard", "placeholder", "mediaInline"}
_CARDS = {"inlineCard", "blockCard", "embedCard"}
_LISTS = {"bulletList": -1, "taskList": -1, "decisionList": -1, "orderedList": 0}
_ITEMS = {"listItem", "taskItem", "decisionItem"}


def to_text(doc: object) -> str:
    """The plain text of an ADF document. Quotes are prefixed with `> `, code is fenced, cards become their URLs.

    Never raises and takes linear time, whatever the tree looks like: it is walked with a stack of its own.
    """
    if isinstance(doc, dict) and (plain := _only_paragraphs(doc)) is not None:
        return clean(plain)
    out = PlainText()
    stack: list[Any] = [doc]
    while stack:
        node = stack.pop()
        if callable(node):
            node()
            continue
        if not isinstance(node, dict):
            continue
        kind = node.get("type")
        kind = kind if isinstance(kind, str) else ""
        if kind in _INLINE or kind in _CARDS:
            _inline(out, kind, node)
            continue
        if kind == "codeBlock":
            out.code("".join(_text(child) for child in _content(node)))
            continue
        leave = _enter(out, kind, node)
        stack.append(leave)
        stack.extend(reversed(_content(node)))
    return clean(out.text())


def _only_paragraphs(doc: dict[str, Any]) -> str | None:
    """The text of what most descriptions are: paragraphs of unmarked text. None for anything else. As `to_text` gives
    it, at a third of the cost."""
    paragraphs: list[str] = []
    for node in _content(doc):
        if type(node) is not dict or node.get("type") != "paragraph":
            return None
        texts: list[str] = []
        for child in _content(node):
            if type(child) is not dict or child.get("type") != "text" or "marks" in child:
                return None
            text = child.get("text")
            if type(text) is not str or "\n" in text:
                return None
            texts.append(text)
        line = "".join(texts)
        if line.strip("> "):  # an empty paragraph adds nothing to the line between two
            paragraphs.append(line)
        elif line:
            return None
    return "\n\n".join(paragraphs)


def _enter(out: PlainText, kind: str, node: dict[str, Any]) -> Callable[[], None]:
    """Begins a block; what it returns ends it."""
    if kind in ("paragraph", "caption"):
        return out.blank
    out.end()
    if kind == "heading":
        level = _attr(node, "level")
        out.write("#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1) + " ")
        return out.blank
    if kind == "blockquote":
        out.quotes += 1
        return lambda: _leave_quote(out)
    if kind in _LISTS:
        out.lists.append(_LISTS[kind])
        return lambda: _leave_list(out)
    if kind in _ITEMS:
        out.item()
    elif kind == "rule":
        out.write("---")
    elif kind in ("expand", "nestedExpand") and isinstance(title := _attr(node, "title"), str):
        out.write(title)
        out.end()
    return out.end


def _leave_quote(out: PlainText) -> None:
    out.end()
    out.quotes -= 1
    out.blank()


def _leave_list(out: PlainText) -> None:
    out.end()
    out.lists.pop()
    out.blank()


def _inline(out: PlainText, kind: str, node: dict[str, Any]) -> None:
    if kind == "text":
        text = _text(node)
        marks = node.get("marks")
        code = isinstance(marks, list) and any(isinstance(m, dict) and m.get("type") == "code" for m in marks)
        out.write(in_backticks(text) if code and text else text)
    elif kind == "hardBreak":
        out.newline()
    elif kind == "date":
        out.write(_day(_attr(node, "timestamp")))
    elif kind in _CARDS:
        url = _attr(node, "url")
        data = _attr(node, "data")
        if not isinstance(url, str) and isinstance(data, dict):
            url = data.get("url")
        out.write(url if isinstance(url, str) else "")
        if kind != "inlineCard":
            out.blank()
    else:
        text = _attr(node, "text") or _attr(node, "shortName")
        out.write(text if isinstance(text, str) else "")


def _content(node: dict[str, Any]) -> list[Any]:
    content = node.get("content")
    return content if isinstance(content, list) else []


def _attr(node: dict[str, Any], name: str) -> Any:
    attrs = node.get("attrs")
    return attrs.get(name) if isinstance(attrs, dict) else None


def _text(node: object) -> str:
    text = node.get("text") if isinstance(node, dict) else None
    return text if isinstance(text, str) else ""


def _day(timestamp: object) -> str:
    try:
        return datetime.fromtimestamp(int(str(timestamp)) / 1000, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def render(comment: Comment) -> dict[str, Any]:
    """The comment as a document. Text nodes are inert: nothing in them mentions, links or expands."""
    content: list[dict[str, Any]] = []
    for kind, blocks in groupby(comment.blocks, key=lambda block: block.kind):
        paragraphs = [_paragraph(block) for block in blocks]
        if kind == "bullet":
            content.append(
                {"type": "bulletList", "content": [{"type": "listItem", "content": [p]} for p in paragraphs]}
            )
        else:
            content.extend(paragraphs)
    return {"version": 1, "type": "doc", "content": content}


def _paragraph(block: Block) -> dict[str, Any]:
    # Jira refuses empty text nodes
    return {"type": "paragraph", "content": [_node(span) for span in block.spans if clean(span.text)]}


def _node(span: Span) -> dict[str, Any]:
    node: dict[str, Any] = {"type": "text", "text": clean(span.text)}
    mark = {"bold": "strong", "code": "code"}.get(span.style)
    return {**node, "marks": [{"type": mark}]} if mark else node
