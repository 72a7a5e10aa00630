"""Rich text of Jira Cloud: read as plain text, our comments written as documents."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from okrsync.connectors.jira import adf
from okrsync.domain.comments import Block, Comment, Span, bold, bullet, code, paragraph


def node(kind: str, *content: Any, **attrs: Any) -> dict[str, Any]:
    return {"type": kind, "content": list(content), "attrs": attrs}


def text(value: str, *marks: str) -> dict[str, Any]:
    return {"type": "text", "text": value, "marks": [{"type": m} for m in marks]}


def para(*content: Any) -> dict[str, Any]:
    return node("paragraph", *content)


def test_blocks_keep_lines_quotes_and_code_apart() -> None:
    doc = node(
        "doc",
        node("heading", text("Goal"), level=2),
        para(text("Faster", "strong"), {"type": "hardBreak"}, text("OKR: O1.KR1")),
        node("blockquote", para(text("OKR: O2"), {"type": "hardBreak"}, text("more"))),
        {"type": "codeBlock", "content": [text("OKR: O3\n```\nx")]},
        node("panel", para(text("in a panel"))),
    )
    assert adf.to_text(doc).split("\n") == [
        "## Goal",
        "",
        "Faster",
        "OKR: O1.KR1",
        "",
        "> OKR: O2",
        "> more",
        ">",
        "````",
        "OKR: O3",
        "```",
        "x",
        "````",
        "in a panel",
    ]


def test_lists_and_tables() -> None:
    numbers = node("orderedList", node("listItem", para(text("n1"))), node("listItem", para(text("n2"))))
    doc = node(
        "doc",
        node("bulletList", node("listItem", para(text("a"), {"type": "hardBreak"}, text("b")), numbers)),
        node("taskList", node("taskItem", text("task"))),
        node("table", node("tableRow", node("tableCell", para(text("OKR: O1"))), node("tableCell", para(text("y"))))),
    )
    lines = [line for line in adf.to_text(doc).split("\n") if line]
    assert lines == ["- a", "  b", "  1. n1", "  2. n2", "- task", "OKR: O1", "y"]


def test_inline_nodes() -> None:
    doc = node(
        "doc",
        para(
            node("mention", id="1", text="@Ada"),
            text(" "),
            node("inlineCard", url="https://acme.atlassian.net/browse/PAY-1"),
            text(" "),
            node("emoji", shortName=":tada:"),
            text(" "),
            node("status", text="DONE"),
            text(" "),
            node("date", timestamp="1767225600000"),
            text(" "),
            text("a`b", "code"),
            text("\x00"),
        ),
    )
    assert adf.to_text(doc) == "@Ada https://acme.atlassian.net/browse/PAY-1 :tada: DONE 2026-01-01 ``a`b``"


kinds = st.sampled_from(
    ["doc", "paragraph", "text", "codeBlock", "blockquote", "bulletList", "orderedList", "listItem", "heading",
     "hardBreak", "inlineCard", "date", "mention", "expand", "mystery", "rule"]
)  # fmt: skip
odd = st.none() | st.integers() | st.text(max_size=4) | st.lists(st.integers(), max_size=2)
nodes = st.recursive(
    odd,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": kinds | odd,
            "text": st.text(max_size=5) | odd,
            "content": st.lists(inner, max_size=4) | odd,
            "attrs": st.dictionaries(st.sampled_from(["url", "level", "timestamp", "text", "data", "title"]), odd)
            | odd,
            "marks": st.just([{"type": "code"}]) | odd,
        },
    ),
    max_leaves=20,
)


@given(nodes)
@examples(200)
def test_no_document_is_too_odd(doc: Any) -> None:
    adf.to_text(doc)


@pytest.mark.parametrize("depth", [1000, 20_000])
def test_hostile_nesting_ends_in_text_of_bounded_size(depth: int) -> None:
    tree: Any = text("x")
    for n in range(depth):
        tree = node(("blockquote", "bulletList", "listItem", "paragraph")[n % 4], tree, text("y"))
    assert len(adf.to_text(tree)) < 200 * depth
    while isinstance(tree, dict):  # so deep a tree is taken apart by hand: the interpreter would recurse
        tree, content = None, tree.pop("content", None)
        tree = content[0] if content else None


COMMENT = Comment(
    (
        paragraph("Looked at ", bold("PAY-1"), " @ada {code} [~ada]"),
        bullet("add ", code("OKR: O1.KR1"), ""),
        bullet("or a label"),
        paragraph("bye\x00"),
    )
)


def test_a_comment_becomes_a_document() -> None:
    assert adf.render(COMMENT) == {
        "version": 1,
        "type": "doc",
        "content": [
            {
                "type": "paragraph",
                "content": [
                    {"type": "text", "text": "Looked at "},
                    {"type": "text", "text": "PAY-1", "marks": [{"type": "strong"}]},
                    {"type": "text", "text": " @ada {code} [~ada]"},
                ],
            },
            {
                "type": "bulletList",
                "content": [
                    {
                        "type": "listItem",
                        "content": [
                            {
                                "type": "paragraph",
                                "content": [
                                    {"type": "text", "text": "add "},
                                    {"type": "text", "text": "OKR: O1.KR1", "marks": [{"type": "code"}]},
                                ],
                            }
                        ],
                    },
                    {
                        "type": "listItem",
                        "content": [{"type": "paragraph", "content": [{"type": "text", "text": "or a label"}]}],
                    },
                ],
            },
            {"type": "paragraph", "content": [{"type": "text", "text": "bye"}]},
        ],
    }


spans = st.builds(Span, st.text(max_size=10), st.sampled_from(["plain", "bold", "code"]))
blocks = st.builds(Block, st.sampled_from(["paragraph", "bullet"]), st.lists(spans, max_size=3).map(tuple))


@given(st.lists(blocks, max_size=5))
@examples(100)
def test_a_document_holds_nothing_but_inert_text(made: list[Block]) -> None:
    seen = set()
    stack: list[Any] = [adf.render(Comment(tuple(made)))]
    while stack:
        one = stack.pop()
        seen.add(one["type"])
        assert one["type"] != "text" or one["text"]
        stack += one.get("content", [])
    assert seen <= {"doc", "paragraph", "bulletList", "listItem", "text"}
