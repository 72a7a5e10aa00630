"""What unlinked work may belong to, in the reports: beside its root, escaped, bounded."""

from __future__ import annotations

import json

from findings.goal_world import aligned, goals, item, view
from okrsync.domain.links import Suggestion
from okrsync.domain.settings import ReportSettings
from okrsync.domain.work import WorkItem
from okrsync.reports import Report, build, render
from reports.sample_report import FILE, RUN

NEAR = Suggestion(initiative="INIT-1", score=0.7, why="shares '<b>rebalance</b> @ada' with work of INIT-1")


def report_of(*works: WorkItem, asked: list[str] | None = None) -> Report:
    def suggest(work: WorkItem) -> tuple[Suggestion, ...]:
        if asked is not None:
            asked.append(work.id)
        return (NEAR,) if work.id != "jira:PAY-2" else ()

    seen = view(goals(FILE), *((work, aligned("unlinked", team="Payments")) for work in works))
    return build(seen, [], run=RUN, settings=ReportSettings(), suggest=suggest)


def test_every_format_but_the_table_shows_them_as_text() -> None:
    report = report_of(item("jira:PAY-1"), item("jira:PAY-2"))
    page = render(report, "html")
    assert "perhaps INIT-1: shares &#39;&lt;b&gt;rebalance" in page
    assert "<b>rebalance" not in page
    text = render(report, "md")
    assert "  - perhaps INIT-1: shares" in text
    assert "@ada" not in text
    assert "INIT-1" not in render(report, "csv")
    (team,) = json.loads(render(report, "json"))["unlinked"]
    assert team["suggestions"] == [{"id": "jira:PAY-1", "suggestions": [NEAR.json()]}]


def test_the_reason_of_a_restricted_item_stays_out_as_it_quotes_its_title() -> None:
    report = report_of(item("jira:PAY-1", restricted=True))
    for format_ in ("html", "md", "json"):
        assert "rebalance" not in render(report, format_)
        assert "INIT-1" in render(report, format_)


def test_they_are_asked_for_only_where_a_reader_looks_first() -> None:
    asked: list[str] = []
    report = report_of(*(item(f"jira:PAY-{n}") for n in range(100, 200)), asked=asked)
    assert len(asked) == 25
    assert len(report.teams[0].roots) == 100
