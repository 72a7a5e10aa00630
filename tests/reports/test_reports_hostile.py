"""Titles come from strangers: nothing in them runs, is mentioned, is linked, or breaks a report."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from findings.goal_world import aligned, goals, item, view
from okrsync.domain.settings import ReportSettings, RulesSettings
from okrsync.findings import evaluate
from okrsync.reports import Report, build, render, write
from okrsync.reports.text import csv_cell, markdown, natural, number, percent, plain, safe_url
from okrsync.reports.wording import since
from reports.sample_report import FILE, RUN, sample_report

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\u200b=1+1",
    "\uff1d1+1",
    "{{ 7*7 }} {% raw %}",
    "@ada please see #12, acme/web#34 and https://github.com/acme/web/pull/1",
    "a\x00b\x07c",
    "\ud800 lone",
    "\u202eevil\u202c \u2066x",
    "שלום עולם",
    "| a | b |\n\n# heading\n- item",
    "[x](javascript:alert(1)) ![y](https://evil.example/p.png) <b>`code`</b>",
    "x" * 1_000_000,
    "",
    "   ",
)
URLS = (
    "javascript:alert(1)",
    "data:text/html,x",
    "https://ok.example/a b\"'<>)",
    "HTTPS://ok.example/x",
    "//no.example",
    "http://[bad",
    "https://",
)


def hostile_report() -> Report:
    work = [
        (
            item(
                f"jira:H-{n}", title=title, url=URLS[n % len(URLS)], status=title[:50], team=title[:50], assignee=title
            ),
            aligned("unlinked"),
        )
        for n, title in enumerate(HOSTILE)
    ]
    seen = view(goals(FILE), *work)
    settings_ = ReportSettings(people=True)
    return build(seen, evaluate(seen, RulesSettings()), run=RUN, settings=settings_)


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, int] = {}
        self.handlers: list[str] = []
        self.addresses: list[str] = []
        self.data = ""
        self._in_data = False

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self.data += data

    def handle_endtag(self, tag: str) -> None:
        self._in_data = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "src"]
        self._in_data = ("type", "application/json") in attrs
        self.addresses += [value or "" for name, value in attrs if name == "href"]


def test_html_stays_inert() -> None:
    text = render(hostile_report(), "html")
    page = Page()
    page.feed(text)
    assert page.tags["script"] == 2  # the page's own, and the data it filters
    assert "<script>alert(1)</script>" in {i[1] for i in json.loads(page.data)["items"]}
    assert "</" not in page.data
    assert "img" not in page.tags
    assert page.handlers == []
    assert all(a.lower().startswith(("#", "https://ok.example/")) for a in page.addresses)
    assert "&lt;script&gt;alert(1)" in text
    assert "{{ 7*7 }}" in text
    assert not {"\x00", "\x07", "\u202e", "\u2066"} & set(text)
    assert "שלום" in text
    assert len(text) < 200_000


def test_csv_runs_nothing() -> None:
    rows = list(csv.DictReader(io.StringIO(render(hostile_report(), "csv"))))
    assert len(rows) == len(HOSTILE)
    for row in rows:
        for cell in row.values():
            assert cell.lstrip("\u200b \t")[:1] not in {"=", "+", "-", "@", "\uff1d"}
    assert rows[2]["title"] == "'=cmd|' /C calc'!A0"
    assert rows[5]["title"] == "'@SUM(A1)"
    assert max(len(r["title"]) for r in rows) == 300


def test_markdown_mentions_and_links_nothing() -> None:
    text = render(hostile_report(), "md")
    assert "<script" not in text.replace("\\<", "")
    for alive in ("@ada", "#12", "web#34", "https://github.com", "[x](", "\n# heading"):
        assert alive not in text
    assert not re.search(r"(?<!\\)\]\((?!https?://)", text, re.IGNORECASE)
    assert len(text) < 100_000


def test_all_formats_can_be_written_and_read_back(tmp_path: Path) -> None:
    for path in write(hostile_report(), tmp_path, ["html", "md", "csv", "json"]):
        assert path.read_text(encoding="utf-8")
    loaded = json.loads((tmp_path / "okrsync.json").read_text(encoding="utf-8"))
    assert loaded["work"][0]["title"] == "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://acme.example/a?b=c#d", "https://acme.example/a?b=c#d"),
        ("https://acme.example/a%20b", "https://acme.example/a%20b"),
        ("https://acme.example/a b)\"<", "https://acme.example/a%20b%29%22%3C"),
        ("javascript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("ftp://acme.example", ""),
        ("//acme.example", ""),
        ("https://", ""),
        ("http://[bad", ""),
        ("", ""),
        ("https://acme.example/" + "x" * 3000, ""),
    ],
)  # fmt: skip
def test_only_plain_web_addresses_become_links(url: str, safe: str) -> None:
    assert safe_url(url) == safe


def test_a_finding_is_dated_by_the_run_that_first_saw_it() -> None:
    assert since("20261116T091500000000Z") == "since 16 November 2026"
    assert since("<b>other</b>") == "since run <b>other</b>"


@examples(150)
@given(st.text(max_size=80))
def test_any_text_is_made_fit(text: str) -> None:
    line = plain(text)
    assert plain(line) == line
    assert "\n" not in line
    line.encode()
    assert csv_cell(line)[:1] not in {"=", "+", "-", "@"}
    source = markdown(text)
    assert "\n" not in source
    assert "<" not in source.replace("\\<", "").replace("\\\\", "")
    assert "@a" not in markdown(f"{text}@a")
    natural(text)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (percent(0), "0%"), (percent(0.001), "<1%"), (percent(0.999), ">99%"), (percent(1), "100%"), (percent(0.5), "50%"),
        (number(63.5), "63.5"), (number(1200), "1,200"), (number(0.4), "0.4"), (number(None), "?"), (number(-3), "-3"),
        (number(1234567.891), "1,234,567.9"),
    ],
)  # fmt: skip
def test_numbers_are_short(shown: str, expected: str) -> None:
    assert shown == expected


def test_the_sample_is_no_hostage_of_the_clock() -> None:
    assert render(sample_report(), "html") == render(sample_report(), "html")
