"""Wiki text of Jira Data Center: read as plain text, our comments written with nothing alive in them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from okrsync.connectors.jira import wiki
from okrsync.domain.comments import Comment, bold, bullet, code, paragraph


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("h2. Goal\r\nOKR: O1", ["## Goal", "OKR: O1"]),
        ("{quote}\nOKR: O1\n{quote}\nOKR: O2", [">", "> OKR: O1", "OKR: O2"]),
        ("{quote}OKR: O1{quote}OKR: O2", ["> OKR: O1", "OKR: O2"]),
        ("bq. OKR: O1\nOKR: O2", ["> OKR: O1", "OKR: O2"]),
        ("{code:title=a.py|borderStyle=solid}\nOKR: O1\n{code}\nx", ["```", "OKR: O1", "```", "x"]),
        ("{noformat}{quote}```{noformat}x", ["```", "{quote}```", "```", "x"]),
        ("{code}\n```\nOKR: O1\n```\n{code}", ["````", "```", "OKR: O1", "```", "````"]),
        ("{color:#172b4d}OKR: O1{color}", ["OKR: O1"]),
        ("{panel:title=x}\nOKR: O1\n{panel}", ["OKR: O1"]),
        ("{code}never closed\nOKR: O1", ["{code}never closed", "OKR: O1"]),
        (r"\{code}no macro\{code}", ["{code}no macro{code}"]),
        (r"Initiative: INIT\-1\\kr: O1.KR1\\", ["Initiative: INIT-1", "kr: O1.KR1"]),
        (r"bq. a\\OKR: O1", ["> a", "> OKR: O1"]),
        (r"h2. a\\OKR: O1", ["## a OKR: O1"]),
        ("{*}OKR:{*} O1", ["*OKR:* O1"]),
        (r"C:\temp and a\\\b", [r"C:\temp and a\\\b"]),
        ("put {{OKR: O1}} there", ["put `OKR: O1` there"]),
        ("a\x00b", ["ab"]),
        ("", []),
    ],
)
def test_reading(source: str, lines: list[str]) -> None:
    assert [line for line in wiki.to_text(source).split("\n") if line] == lines


@given(
    st.lists(
        st.sampled_from(["{quote}", "{code}", "{noformat}", "{code:java}", "bq. ", "h1. ", "\n", "x", "{{", "}}", "`"])
    )
)
@examples(200)
def test_no_text_is_too_odd(parts: list[str]) -> None:
    wiki.to_text("".join(parts))


def test_a_megabyte_of_openings_is_read_in_one_pass() -> None:
    wiki.to_text("{code:" * 100_000 + "{quote}" * 50_001 + "{{" * 100_000)


def test_writing() -> None:
    comment = Comment(
        (paragraph("See ", bold("this "), code("OKR: O1.KR1")), bullet("a"), bullet("b"), paragraph("end"))
    )
    assert wiki.render(comment) == "See *this* {{OKR: O1.KR1}}\n\n* a\n* b\n\nend"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("[~ada] {code} !img.png! | a", r"\[\~ada\] \{code\} \!img.png\! \| a"),
        ("PAY-1 and mid-market", r"PAY\-1 and mid-market"),
        ("a -- b -x-", r"a \-\- b \-x\-"),
        ("@ada (!) *b* _i_ #1", r"\@ada \(\!\) \*b\* \_i\_ \#1"),
        ("h1. x", "&#104;1. x"),
        ("bq. x", "&#98;q. x"),
        ("back\\slash {", r"back&#92;slash \{"),
        ("&#64;ada &amp; &", r"&amp;\#64;ada &amp;amp; &"),
        ("https://x.example/a", "https:\u2060//x.example/a"),
        ("mailto:a@b.example", r"mailto:" + "\u2060" + r"a\@b.example"),
        ("two\nlines", "two lines"),
    ],
)
def test_nothing_in_a_title_comes_alive(text: str, written: str) -> None:
    assert wiki.render(Comment((paragraph(text),))) == written


LIVE = re.compile(r"(?<!\\)[\[\]{}!|*_^~+?@]|[A-Z][A-Z0-9_]+-\d|\\\\|(http|https|ftp|mailto|file):(//)?\w")


@given(st.text(alphabet="PAY-1[~]{}!|*_@\\:/hq. b&#;\n", max_size=30))
@examples(300)
def test_no_markup_survives(text: str) -> None:
    assert not LIVE.search(wiki.escape(text))
