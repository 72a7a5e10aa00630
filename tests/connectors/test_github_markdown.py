"""What comes from outside has no effect in a comment."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from okrsync.connectors.github.markdown import body, marked_hash, render
from okrsync.domain.comments import Comment, Span, bold, bullet, code, paragraph


def shown(text: str) -> str:
    """The text as GitHub's filters see it: escapes and entities undone."""
    return html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text))


def plain(text: str) -> str:
    return render(Comment((paragraph(text),)))


TRIGGERS = (
    r"(?<![\w`])@[a-zA-Z0-9]",
    r"#\d",
    r"(?i)\bGH-\d",
    r"(?i)\b[0-9a-f]{7,40}\b",
    r"(?i)\w://",
    r"(?i)\bwww\.",
    r"(?i)(mailto|xmpp):",
    r"\w@\w",
    r"[A-Za-z]-\d",
    r":[a-z0-9_+-]+:",
)


@pytest.mark.parametrize(
    "text",
    [
        "@ada and @acme/team",
        "#12, acme/web#12, GH-12",
        "deadbeefcafe0123456789abcdef0123456789ab",
        "see https://evil.example/x and www.evil.example or ada@acme.example",
        "mailto:ada@acme.example",
        "PAY-1 pay-22",
        ":tada:",
    ],
)
def test_nothing_is_triggered(text: str) -> None:
    seen = shown(plain(text))
    for trigger in TRIGGERS:
        assert not re.search(trigger, seen), (trigger, seen)
    assert seen.replace("\u200b", "") == text


@examples(150)
@given(st.text(alphabet=st.sampled_from("@#-_:/.*`<>&[]()!|~$\\abcdef019GHPAY wx\n\t\u202e"), max_size=40))
def test_no_text_triggers_anything(text: str) -> None:
    out = plain(text)
    seen = shown(out)
    for trigger in TRIGGERS:
        assert not re.search(trigger, seen), (trigger, seen)
    assert "<" not in out
    assert "\n" not in out
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_`\[\]]", out)


@examples(150)
@given(st.text(alphabet=st.sampled_from("`a b@"), max_size=12))
def test_a_code_span_holds_any_backticks(text: str) -> None:
    out = render(Comment((paragraph(code(text)),)))
    if not text.strip():
        assert out == ""
        return
    fence = re.match(r"`+", out)
    assert fence
    inner = out[len(fence[0]) : -len(fence[0])]
    assert out.endswith(fence[0])
    assert fence[0] not in re.findall(r"`+", inner)
    assert inner.strip() == text.strip()


def test_markup_and_html_are_shown_as_they_are() -> None:
    assert plain("<script>*x* [a](b) ![i](j) $m$ | ~~s~~") == (
        r"&lt;script&gt;\*x\* \[a\]\(b\) \!\[i\]\(j\) &#36;m&#36; \| \~\~s\~\~"
    )


@pytest.mark.parametrize(
    ("text", "out"),
    [("1. x", r"1\. x"), ("- x", r"\- x"), ("+ x", r"\+ x"), ("# x", r"\# x"), ("= x", r"\= x"), ("> x", "&gt; x")],
)
def test_the_start_of_a_line_is_no_markup(text: str, out: str) -> None:
    assert plain(text) == out
    assert render(Comment((bullet(text),))) == f"- {out}"


def test_blocks_lists_and_styles() -> None:
    comment = Comment(
        (
            paragraph("Hello ", bold("there"), ":"),
            bullet("add ", code("kr:O1.KR1")),
            bullet("or ", code("a`b"), code("c")),
            paragraph(bold("(x)"), Span("")),
        )
    )
    assert render(comment) == "Hello **there**:\n\n- add `kr:O1.KR1`\n- or ``a`b``&#8203;`c`\n\n<b>\\(x\\)</b>"


def test_the_mark_is_the_first_line_and_carries_the_hash() -> None:
    comment = Comment((paragraph("x"),))
    assert body(comment).splitlines()[0] == f"<!-- okrsync:v1 {comment.hash} -->"
    assert marked_hash(body(comment)) == comment.hash
    assert marked_hash("x " + body(comment)) is None
    assert marked_hash(plain("<!-- okrsync:v1 0123 -->")) is None


def test_control_and_direction_characters_are_dropped() -> None:
    assert plain("a\x00b\u202ec\u2066d\x1b e\u2028f") == "abcd e f"
