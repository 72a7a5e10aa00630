"""Between plain text and the Atlassian Document Format, as far as the pretended Jira needs it."""

from __future__ import annotations

from typing import Any

BLOCKS = ("paragraph", "heading", "listItem", "codeBlock", "blockquote", "panel", "bulletList", "orderedList", "rule")


def from_text(text: str) -> dict[str, Any]:
    """One paragraph per block of lines, a hardBreak between lines."""
    content = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        nodes: list[dict[str, Any]] = []
        for n, line in enumerate(block.split("\n")):
            if n:
                nodes.append({"type": "hardBreak"})
            if line:
                nodes.append({"type": "text", "text": line})
        content.append({"type": "paragraph", "content": nodes} if nodes else {"type": "paragraph"})
    return {"version": 1, "type": "doc", "content": content}


def to_text(node: Any) -> str:
    """What API v2 shows of a document, roughly as wiki text."""
    if not isinstance(node, dict):
        return ""
    kind = node.get("type")
    if kind == "text":
        return str(node.get("text", ""))
    if kind == "hardBreak":
        return "\n"
    if kind in ("inlineCard", "blockCard"):
        return str(node.get("attrs", {}).get("url", ""))
    if kind == "mention":
        return str(node.get("attrs", {}).get("text", ""))
    children = node.get("content", [])
    inner = [to_text(c) for c in children]
    if kind == "listItem":
        return "* " + "".join(inner).strip()
    if any(c.get("type") in BLOCKS for c in children if isinstance(c, dict)):
        return ("\n" if kind in ("bulletList", "orderedList") else "\n\n").join(inner)
    return "".join(inner)


def problem(document: Any) -> str | None:
    """Why Jira would refuse a document (`INVALID_INPUT`), None where it would not. Strict where clients
    go wrong: the frame, the types of the nodes, empty text."""
    if not isinstance(document, dict) or document.get("type") != "doc" or document.get("version") != 1:
        return "not a document of version 1"
    stack: list[Any] = list(document.get("content") or [])
    if not isinstance(document.get("content"), list):
        return "content is missing"
    while stack:
        node = stack.pop()
        if not isinstance(node, dict) or not isinstance(node.get("type"), str):
            return "a node without a type"
        if node["type"] == "text" and (not isinstance(node.get("text"), str) or not node["text"]):
            return "a text node without text"
        children = node.get("content", [])
        if not isinstance(children, list):
            return "content is no list"
        stack.extend(children)
    return None
