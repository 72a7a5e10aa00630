"""The report in its four formats: what it says, its stable columns and shapes, and writing it."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from findings.goal_world import aligned, closed, goals, item, linked, target, view
from okrsync.domain.findings import SourceReport, View
from okrsync.domain.settings import ReportSettings, RulesSettings
from okrsync.findings import evaluate
from okrsync.reports import Report, build, findings_json, render, write
from okrsync.reports.charts import trend
from okrsync.reports.writer import dated_name
from reports.sample_report import CHECKOUT, FILE, RUN, sample_history, sample_report, sample_view

HEADER = (
    "id,kind,title,url,status,alignment,exempt_class,initiatives,key_results,objectives,team,assignee,age_days,updated"
)


def report_of(seen: View, **fields: object) -> Report:
    return build(seen, evaluate(seen, RulesSettings()), run=RUN, settings=ReportSettings(**fields))  # type: ignore[arg-type]  # keyword arguments of the test


def rows_of(report: Report) -> dict[str, dict[str, str]]:
    return {r["id"]: r for r in csv.DictReader(io.StringIO(render(report, "csv")))}


def test_the_csv_is_exactly_this() -> None:
    two = target("O2", objectives=("O2",), bets=("B2",))
    ended = target("OLD", "OLD", key_results=("O9.KR1",), objectives=("O9",), active=False)
    seen = view(
        goals(FILE),
        (item("jira:PAY-12", title="Later", assignee="Ada"), aligned("unlinked", team="Web")),
        (item("jira:PAY-2", assignee="Ada"), linked(CHECKOUT, two, ended)),
        (closed("jira:PAY-3", date(2026, 11, 1)), aligned("stale", targets=(ended,))),
        (closed("jira:PAY-4", date(2026, 9, 30)), linked(CHECKOUT)),
        (item("github:acme/web#5", pull=True), aligned("exempt", exempt_class="tech-debt")),
    )
    assert render(report_of(seen), "csv").splitlines() == [
        HEADER,
        "github:acme/web#5,pull_request,Title of acme/web#5,https://acme.example/acme/web/5,In Progress,exempt,tech-debt,,,,,,31,2026-11-18T09:30:00Z",
        "jira:PAY-2,issue,Title of PAY-2,https://acme.example/PAY-2,In Progress,linked,,INIT-CHECKOUT,O1.KR1;T1.KR1,O1;T1;O2,,,31,2026-11-18T09:30:00Z",
        "jira:PAY-3,issue,Title of PAY-3,https://acme.example/PAY-3,Done,stale,,OLD,O9.KR1,O9,,,12,2026-11-18T09:30:00Z",
        "jira:PAY-12,issue,Later,https://acme.example/PAY-12,In Progress,unlinked,,,,,Web,,31,2026-11-18T09:30:00Z",
    ]
    assert rows_of(report_of(seen, people=True))["jira:PAY-2"]["assignee"] == "Ada"


def test_titles_of_restricted_items_stay_out_of_every_format() -> None:
    seen = view(
        goals(FILE),
        (item("jira:SEC-1", title="Secret merger", restricted=True), aligned("unlinked")),
    )
    report = report_of(seen)
    for format_ in ("html", "md", "csv", "json"):
        assert "merger" not in render(report, format_)
        assert "(restricted)" in render(report, format_).replace("\\", "")
        assert "merger" in render(report_of(seen, restricted=True), format_)
    found = evaluate(seen, RulesSettings())
    assert "merger" not in json.dumps(findings_json(seen, found, RUN))
    assert "merger" in json.dumps(findings_json(seen, found, RUN, restricted=True))


def test_assignees_stay_out_unless_asked_for() -> None:
    seen = view(goals(FILE), (item("jira:PAY-1", assignee="Zebedee"), aligned("unlinked")))
    assert all("Zebedee" not in render(report_of(seen), f) for f in ("html", "md", "csv", "json"))


def test_the_json_report_is_the_findings_shape_with_more_keys() -> None:
    seen = sample_view(failed=True)
    found = evaluate(seen, RulesSettings())
    head = findings_json(seen, found, RUN)
    assert set(head) == {"run", "summary", "findings"}
    assert head["run"] == {
        "id": RUN.id,
        "at": "2026-11-20T08:15:00Z",
        "cycle": "2026-Q4",
        "complete": False,
        "sources": [
            {"name": "jira", "complete": True, "items": 90, "error": None},
            {"name": "github", "complete": False, "items": 44, "error": "rate limited until 09:00Z"},
        ],
    }
    assert list(head["summary"]) == ["open", "linked", "stale", "exempt", "unlinked", "unknown", "alignment_rate"]
    keys = {"code", "slug", "severity", "subject", "message", "remedy", "evidence", "since"}
    assert all(set(f) == keys and set(f["subject"]) == {"kind", "id", "title", "url"} for f in head["findings"])
    report = json.loads(render(sample_report(failed=True), "json"))
    assert {k: report[k] for k in head} == json.loads(json.dumps(head))
    more = {"work", "goals", "history", "headline", "moves", "unlinked", "efforts", "exempt", "unread"}
    assert set(report) - set(head) == more
    assert list(report["headline"]["in_progress"]) == list(head["summary"])
    assert report["unlinked"][0] == {"team": "Web", "known": True, "roots": 8, "items": 33, "suggestions": []}
    assert [c["name"] for c in report["moves"][1]["causes"]] == ["work", "goals", "mapping", "coverage"]
    assert report["unread"] == [{"why": "github could not be read", "items": 39}]
    assert list(report["work"][0]) == HEADER.split(",")
    assert [o["id"] for o in report["goals"]["objectives"]] == ["O1", "T1", "O2", "O3"]
    assert report["goals"]["objectives"][0]["key_results"][2]["state"] == "unknown"
    assert [h["run"] for h in report["history"]][:2] == ["run-00", "run-01"]
    assert report["history"][-1]["run"] == RUN.id


def test_the_markdown_summary_is_exactly_this() -> None:
    file = {
        "bets": [{"id": "B1", "title": "Bet", "owner": "Ada", "weight": 50}],
        "objectives": [
            {
                "id": "O1",
                "title": "One",
                "supports": ["B1"],
                "owner": "Ada",
                "key_results": [
                    {"id": "K1", "title": "From 1 to 3", "owner": "Lin", "baseline": 1, "target": 3, "current": 2}
                ],
            }
        ],
    }
    reach = target("O1", objectives=("O1",), bets=("B1",))
    seen = view(
        goals(file),
        (item("jira:PAY-1"), linked(reach)),
        (item("jira:PAY-2"), aligned("unlinked", team="Web")),
        (item("jira:PAY-3", started=False), aligned("unlinked", team="Web", parent="jira:PAY-2")),
    )
    text = render(report_of(seen), "md")
    expected = """\
# 50% of work in progress serves a goal

1 of 2 judged items in progress is linked. In the backlog it is 0%, 0 of 1 judged item. 1 of 1 key result has no support in Jira and GitHub.

2026-Q4, as of 2026-11-20T08:15:00Z, run 20261120T081500Z-7f3a

| open work | in progress | backlog | together | meaning |
|---|---:|---:|---:|---|
| linked | 1 | 0 | 1 | reaches an active initiative, key result or objective |
| stale | 0 | 0 | 0 | reaches only goals that have ended |
| unlinked | 1 | 1 | 2 | no strategic parent was found |
| exempt | 0 | 0 | 0 | valid work that serves no goal, with a class |
| unknown | 0 | 0 | 0 | cannot be told: something it depends on could not be read |
| all | 2 | 1 | 3 | |

## Key results with no support in Jira and GitHub

- **K1** From 1 to 3 (Lin)

## Goals and what supports them

- **B1 Bet**: Ada, intended 50% of effort, 1 open item, 0 closed in the cycle
  - **O1** One (company, Ada): 1 open, 0 closed in the cycle
    - K1 From 1 to 3, Lin: 2 now, from 1 to 3 (50% of the way). No support in Jira and GitHub

## Open work with no strategic parent

### Web: 1 root, 2 items

- [jira:PAY-2](https://acme.example/PAY-2) Title of PAY-2 (2 items)

## Where open work goes

| Bets | share of 1 linked open item | intended |
|---|---:|---:|
| B1 Bet | 100% | 50% |

| Company objectives | share of 1 linked open item | intended |
|---|---:|---:|
| O1 One | 100% |  |

## Findings
"""
    assert text[: len(expected)] == expected


def test_the_rate_is_withheld_when_too_much_is_unknown() -> None:
    known = [(item(f"jira:A-{n}"), linked(CHECKOUT)) for n in range(9)]
    unknown = (item("jira:U-1"), aligned("unknown"))
    assert report_of(view(goals(FILE), *known, unknown)).rate == 1.0  # 10% is not over 10%
    report = report_of(view(goals(FILE), *known[1:], unknown))
    assert report.rate is None
    assert report.summary.alignment_rate == 1.0
    for format_ in ("html", "md"):
        text = render(report, format_)
        assert "Alignment cannot be told in this run" in text
        assert "11% of work in progress (1 item of 9) could not be judged" in text


def test_the_headline_speaks_of_work_in_progress_with_the_backlog_beside_it() -> None:
    started = [(item(f"jira:A-{n}"), linked(CHECKOUT)) for n in range(3)]
    waiting = [(item(f"jira:B-{n}", started=False), aligned("unlinked")) for n in range(5)]
    unread = (item("jira:U-1", started=False), aligned("unknown", why="jira could not be read"))
    report = report_of(view(goals(FILE), *started, *waiting, unread))
    assert (report.rate, report.in_progress.open, report.backlog.open, report.summary.open) == (1.0, 3, 6, 9)
    assert report.backlog_rate is None  # one of six is more than a tenth; each part stands for itself
    text = render(report, "md")
    assert text.startswith("# 100% of work in progress serves a goal\n\n3 of 3 judged items in progress are linked.")
    assert "17% of the backlog (1 item of 6) could not be judged" in text
    assert "1 open item unknown: jira could not be read" in text
    idle = report_of(view(goals(FILE), *waiting))
    assert render(idle, "md").startswith("# No work in progress to judge\n\nNo work is in progress.")


def test_a_report_of_nothing_is_still_a_report() -> None:
    report = build(view(goals(), sources=()), (), run=RUN, settings=ReportSettings())
    assert render(report, "csv") == HEADER + "\n"
    for format_ in ("html", "md", "json"):
        assert render(report, format_)
    assert "No work in progress to judge" in render(report, "md")


def test_what_could_not_be_read_is_said_first() -> None:
    sources = (
        SourceReport(name="jira", complete=False, error="signed in as nobody: check OKRSYNC_JIRA_TOKEN"),
        SourceReport(name="github", complete=True, unreadable=("acme/web",)),
    )
    grace = linked(target("O1", objectives=("O1",), awaiting_renewal=True))
    report = report_of(view(goals(FILE, today=date(2027, 1, 3)), (item("jira:A-1"), grace), sources=sources))
    for format_ in ("html", "md"):
        text = render(report, format_).replace("\\", "")
        assert "signed in as nobody: check OKRSYNC_JIRA_TOKEN" in text
        assert "github: acme/web could not be read" in text
        assert "2026-Q4 ended on 2026-12-31 and stays active until the next one starts" in text
        assert "1 open item counts as linked only until the grace period ends: awaiting renewal" in text


def test_unlinked_work_stands_by_team_and_root() -> None:
    report = sample_report()
    teams = [(t.name, t.known, len(t.roots), t.items) for t in report.teams]
    assert teams == [("Web", True, 8, 33), ("acme/tools", False, 4, 4)]
    assert (report.teams[0].roots[0].row.id, report.teams[0].roots[0].items) == ("jira:WEB-1", 26)
    assert "8 roots, 33 items" in render(report, "html")


def test_effort_is_divided_among_the_goals_an_item_serves() -> None:
    both = linked(target("O1", objectives=("O1",)), target("O2", objectives=("O2",)))
    below = linked(target("T1", objectives=("T1",), ancestors=("O1",), bets=("B1",)))
    seen = view(goals(FILE), (item("jira:A-1"), both), (item("jira:A-2"), below))
    effort = {e.level: e for e in report_of(seen).efforts}
    assert {r.id: (r.items, r.share, r.intended) for r in effort["company"].rows} == {
        "O1": (1.5, 0.75, 0.4), "O2": (0.5, 0.25, 0.3), "O3": (0, 0, None),
    }  # fmt: skip
    assert (effort["bet"].rest, effort["team"].rest) == (0.5, 0.5)


def test_the_tree_shows_each_objective_once_and_ends_circles() -> None:
    file = {
        "bets": [{"id": "B1", "title": "B"}, {"id": "B2", "title": "B"}],
        "objectives": [
            {"id": "O1", "title": "O", "supports": ["B1", "B2"]},
            {"id": "C1", "title": "C", "supports": ["C2"]},
            {"id": "C2", "title": "C", "supports": ["C1"]},
        ],
    }
    report = report_of(view(goals(file)))
    assert [[o.id for o in b.objectives] for b in report.bets] == [["O1"], []]
    assert report.bets[0].objectives[0].also == ("B2",)
    assert [(o.id, [b.id for b in o.below]) for o in report.loose] == [("C1", ["C2"])]


def test_the_trend_takes_the_last_run_of_each_day_and_breaks_where_withheld() -> None:
    report = sample_report()
    shown = trend(report)
    assert shown is not None
    assert len(shown.dots) == 60  # 61 days, one of them withheld
    assert len(shown.lines) == 2
    assert shown.dots[-1] == (100, round(100 - report.in_progress.alignment_rate * 100, 2), "2026-11-20: 67%")
    assert shown.rows[0] == ("2026-11-20", "67%", "49 of 73")
    earlier = msgspec.structs.replace(sample_history()[0], id="run-58b", at=sample_history()[0].at - timedelta(hours=3))
    thinned = build(sample_view(), (), run=RUN, settings=ReportSettings(), history=[*sample_history(), earlier])
    assert thinned.history == report.history
    again = [r for r in sample_history() if r.id == "run-59"] * 3  # one run counts once
    rebuilt = build(sample_view(), (), run=RUN, settings=ReportSettings(), history=again)
    assert len(rebuilt.history) == 2


def test_on_the_first_day_the_trend_shows_single_runs_and_leaves_out_what_tells_no_rate() -> None:
    first = sample_history()[0]
    runs = [msgspec.structs.replace(first, id=f"r{n}", at=RUN.at - timedelta(minutes=15 * n)) for n in (1, 2, 3)]
    old = msgspec.structs.replace(runs[-1], id="old", at=RUN.at - timedelta(days=3), in_progress=None)
    report = build(sample_view(), (), run=RUN, settings=ReportSettings(), history=[*runs, old])
    shown = trend(report)
    assert shown is not None
    assert [label for _, _, label in shown.dots][::3] == ["2026-11-20 07:30: 57%", "2026-11-20 08:15: 67%"]
    assert trend(build(sample_view(), (), run=RUN, settings=ReportSettings())) is None


def test_no_format_ranks_persons_and_the_html_asks_for_nothing() -> None:
    html = render(sample_report(), "html")
    assert not re.search(r"<(?:link|img|iframe|object|embed)\b|\bsrc=|@import|url\(|\bstyle=", html)
    assert "default-src 'none'" in html
    assert "unsafe" not in html
    assert html.count("<script>") == 1
    assert re.findall(r'href="(?!https://acme\.example/|#)', html) == []


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown report format 'pdf'; one of html, md, csv, json"):
        write(sample_report(), tmp_path / "new", ["html", "pdf"])
    assert not (tmp_path / "new").exists()


def test_files_are_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "reports"
    paths = write(sample_report(), folder, ["html", "md", "csv", "json"])
    names = ["okrsync.html", "okrsync.md", "okrsync.csv", "okrsync.json", "2026-W47.html"]
    assert [p.name for p in paths] == names
    assert paths[0].read_bytes() == paths[-1].read_bytes()
    before = paths[1].read_bytes()
    assert write(sample_report(), folder, ["md"]) == [paths[1]]
    assert paths[1].read_bytes() == before
    assert sorted(p.name for p in folder.iterdir()) == sorted(p.name for p in paths)
    paths[0].unlink()
    paths[0].mkdir()  # cannot be replaced by a file
    with pytest.raises(OSError, match=r"okrsync\.html"):
        write(sample_report(), folder, ["html"])
    assert not list(folder.glob(".*"))


def test_the_dated_copy_bears_the_iso_week_of_the_run() -> None:
    for at, name in (
        (datetime(2026, 11, 16, 0, 0, tzinfo=UTC), "2026-W47.html"),
        (datetime(2027, 1, 3, 23, 59, tzinfo=UTC), "2026-W53.html"),
        (datetime(2024, 12, 30, tzinfo=UTC), "2025-W01.html"),
    ):
        report = msgspec.structs.replace(sample_report(), run=msgspec.structs.replace(RUN, at=at))
        assert dated_name(report) == name


def test_ages_run_to_now_or_to_the_closing() -> None:
    born = datetime(2026, 11, 1, tzinfo=UTC)
    seen = view(
        goals(FILE),
        (item("jira:A-1", created=born), aligned("unlinked")),
        (closed("jira:A-2", date(2026, 11, 5), created=born), aligned("unlinked")),
        (item("jira:A-3", created=born + timedelta(days=90)), aligned("unlinked")),
    )
    ages = {id_: row["age_days"] for id_, row in rows_of(report_of(seen)).items()}
    assert ages == {"jira:A-1": "19", "jira:A-2": "4", "jira:A-3": "0"}


@pytest.mark.parametrize("format_", ["html", "md"])
def test_the_fix_that_many_findings_share_is_said_once(format_: str) -> None:
    report = report_of(view(goals(FILE)))  # no work at all: no key result is supported
    bare = [f for f in report.findings if f.code == "OKR201"]
    assert len({f.remedy for f in bare}) == len(bare) > 2
    said = " ".join(re.sub(r"<[^>]+>|[`\\*]", "", render(report, format_)).split())
    assert said.count("Add the label kr:ID") == 1
    assert said.count("Add the label kr:") == 1
