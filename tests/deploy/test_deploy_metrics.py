"""The dashboard, the alerts and the documentation name the metrics there are: none that is not, and none is missing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import promql_parser
import pytest
from prometheus_client.parser import text_string_to_metric_families

from okrsync.daemon import Metrics

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "deploy" / "grafana" / "okrsync.json"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
OPERATIONS = ROOT / "docs" / "operations.md"
NAME = re.compile(r"\bokrsync_[a-z_]+")


def real() -> dict[str, tuple[str, str]]:
    """As the daemon shows them: the name that queries use -> type and the family's name."""
    text, _ = Metrics().exposition("")
    families = [f for f in text_string_to_metric_families(text.decode()) if f.name.startswith("okrsync_")]
    return {f.name + ("_total" if f.type == "counter" else ""): (f.type, f.name) for f in families}


def named(text: str) -> set[str]:
    """A histogram's parts count as the histogram."""
    parts = {
        f"{name}_{part}": name
        for name, (type_, _) in real().items()
        if type_ == "histogram"
        for part in ("bucket", "sum", "count")
    }
    return {parts.get(name, name) for name in NAME.findall(text)}


def queries() -> str:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return "\n".join(target["expr"] for panel in panels for target in panel["targets"])


def test_there_are_metrics() -> None:
    assert len(real()) >= 15


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    assert named(queries()) == set(real())


def alerts() -> list[str]:
    return re.findall(r"expr: (.*)", ALERTS.read_text("utf-8"))


def test_the_alerts_name_real_metrics() -> None:
    assert len(alerts()) >= 3
    assert named("\n".join(alerts())) <= set(real())


def test_every_expression_is_promql() -> None:
    for expression in (*queries().splitlines(), *alerts()):
        promql_parser.parse(expression.replace("$job", "okrsync"))
    with pytest.raises(ValueError, match="invalid"):
        promql_parser.parse("sum by okrsync_runs_total")


def test_the_documentation_describes_every_metric_and_no_other() -> None:
    text = OPERATIONS.read_text("utf-8")
    rows = dict(re.findall(r"^\| `(okrsync_\w+)` \| (\w+) \|", text, re.MULTILINE))
    assert rows == {name: type_ for name, (type_, _) in real().items()}
    assert named(text) == set(real())


@pytest.mark.parametrize(
    "name",
    [
        "okrsync_runs_total",
        "okrsync_writes_total",
        "okrsync_items_read_total",
        "okrsync_requests_total",
        "okrsync_request_retries_total",
        "okrsync_request_wait_seconds_total",
    ],
)
def test_every_value_of_a_counter_is_documented(name: str) -> None:
    metrics = Metrics()
    metrics.meter("jira")
    text, _ = metrics.exposition("")
    values = re.findall(rf'^{name}\{{[^}}]*(?:outcome|reason|state)="(\w+)"', text.decode(), re.MULTILINE)
    assert len(values) >= 3
    operations = OPERATIONS.read_text("utf-8")
    assert [value for value in values if f"`{value}`" not in operations] == []


def test_the_dashboard_is_whole() -> None:
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
