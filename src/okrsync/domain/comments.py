"""A comment as a value: connectors render it as Markdown (GitHub), ADF (Jira Cloud) or wiki text (Data Center).

Text spans are plain text; whoever renders them escapes them, so that no @mention, no cross-reference,
no HTML and no macro of the target is ever triggered.
"""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import Struct


class Span(Struct, frozen=True):
    """A run of text. style: plain | bold | code."""

    text: str
    style: str = "plain"


class Block(Struct, frozen=True):
    """kind: paragraph | bullet. Adjacent bullets form one list."""

    kind: str
    spans: tuple[Span, ...]


class Comment(Struct, frozen=True):
    """`once`: those of the blocks that are written with the others and not kept up to date by themselves."""

    blocks: tuple[Block, ...]
    once: tuple[Block, ...] = ()

    @property
    def hash(self) -> str:
        """16 hex digits over the content, `once` left out: a comment is edited only when this changes."""
        lasting = tuple(block for block in self.blocks if block not in self.once)
        return hashlib.sha256(msgspec.json.encode(lasting)).hexdigest()[:16]

    @property
    def text(self) -> str:
        """Plain text, for plans and logs."""
        lines = (("- " if b.kind == "bullet" else "") + "".join(s.text for s in b.spans) for b in self.blocks)
        return "\n".join(lines)


def paragraph(*spans: Span | str) -> Block:
    return Block("paragraph", tuple(Span(s) if isinstance(s, str) else s for s in spans))


def bullet(*spans: Span | str) -> Block:
    return Block("bullet", tuple(Span(s) if isinstance(s, str) else s for s in spans))


def code(text: str) -> Span:
    return Span(text, "code")


def bold(text: str) -> Span:
    return Span(text, "bold")
