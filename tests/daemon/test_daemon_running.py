"""The daemon over several runs: the schedule, what it shows, what it says."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
from watched import Series, Watched

from okrsync.sandbox import Fault
from okrsync.store import open_store
from product import Product


def test_runs_on_the_schedule_and_metrics_move(product: Product) -> None:
    watched = Watched(product)
    seen: list[Series] = []

    def look() -> None:
        seen.append(watched.metrics())

    def approve() -> None:
        look()
        plan = product.run("plan", "--format", "json").json
        assert product.run("approve", plan["checksum"]).exit == 0

    ran = watched.run((1, approve), (16, look), (31, look))
    assert ran.exit == 0, ran.err

    def of(name: str, **labels: str) -> list[float]:
        return [series[name, frozenset(labels.items())] for series in seen]

    assert of("okrsync_runs_total", outcome="partial") == [1, 1, 1]
    assert of("okrsync_runs_total", outcome="done") == [0, 1, 2]
    assert of("okrsync_run_duration_seconds_count") == [1, 2, 3]
    assert of("okrsync_gate_refused") == [1, 0, 0]
    assert of("okrsync_troubles") == [1, 0, 0]
    written = of("okrsync_writes_total", outcome="done")
    assert written[0] == 0
    assert written[1] == written[2] > 100
    assert of("okrsync_source_complete", source="jira") == [1, 1, 1]
    assert len(set(of("okrsync_open_items", alignment="unlinked"))) == 1
    assert all(0 < rate < 1 for rate in of("okrsync_alignment_ratio"))
    last = of("okrsync_last_cycle_timestamp_seconds")
    assert [round((b - a) / 60) for a, b in pairwise(last)] == [15, 15]  # labels in bulk take some seconds
    due = of("okrsync_next_run_timestamp_seconds")
    assert [round((at - ended) / 60) for at, ended in zip(due, last, strict=True)] == [15, 15, 15]


def test_the_loop_is_alive_and_ready(product: Product) -> None:
    watched = Watched(product)
    answers: list[tuple[int, int]] = []

    def look() -> None:
        answers.append((watched.get("/healthz").status_code, watched.get("/readyz").status_code))

    def break_down() -> None:
        look()
        product.sandbox.faults.add(Fault(kind="status", status=401))

    def mend() -> None:
        look()
        product.sandbox.faults.clear()

    assert watched.run((1, break_down), (29, look), (76, mend), (91, look)).exit == 0
    assert answers == [(200, 200), (200, 200), (200, 503), (200, 200)]


def test_a_store_that_is_gone_makes_it_unready(product: Product) -> None:
    watched = Watched(product)

    def take_away() -> None:
        assert watched.get("/readyz").status_code == 200
        (product.root / "okrsync.db").unlink()
        (product.root / "okrsync.db").mkdir()
        answer = watched.get("/readyz")
        assert (answer.status_code, answer.text) == (503, "the store does not answer\n")

    ran = watched.run((1, take_away), (16, lambda: None))
    assert ran.exit == 0
    assert [line["what"] for line in watched.logged("trouble")] == ["safety gate", "run"]


def test_the_latest_report_and_nothing_else(product: Product) -> None:
    watched = Watched(product)

    def look() -> None:
        page = watched.get("/")
        assert page.status_code == 200
        assert page.text == (product.root / "reports" / "okrsync.html").read_text("utf-8")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert policy.split("; frame-ancestors")[0] in page.text.replace("&#39;", "'")
        assert page.headers["x-content-type-options"] == "nosniff"
        head = watched.get("/", "HEAD")
        assert (head.status_code, head.content) == (200, b"")
        for path in ("/okrsync.csv", "/../okrsync.db", "/%2e%2e/okrsync.db", "/reports/okrsync.html", "/docs"):
            assert watched.get(path).status_code == 404, path
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            for path in ("/", "/metrics", "/healthz", "/readyz"):
                assert watched.get(path, method).status_code == 405, (method, path)

    assert watched.run((1, look)).exit == 0


def test_no_page_where_none_is_written(product: Product) -> None:
    watched = Watched(product, env={"OKRSYNC_REPORTS__FORMATS": "md"})

    def look() -> None:
        answer = watched.get("/")
        assert answer.status_code == 404
        assert "`reports.formats`" in answer.text

    assert watched.run((1, look)).exit == 0


def test_a_workspace_that_breaks_is_said_once_and_the_mended_one_is_taken_up(product: Product) -> None:
    watched = Watched(product)
    settings = product.root / "config" / "okrsync.yaml"
    good = settings.read_text("utf-8")

    def broken() -> None:
        settings.write_text(good.replace("grace: 14d", "grace: soon"), "utf-8")

    def mended() -> None:
        assert watched.metric("okrsync_runs_total", outcome="misconfigured") == 2
        assert watched.get("/").status_code == 200
        settings.write_text(re.sub("(?m)^schedule: .*", "schedule: every 5m", good), "utf-8")

    def faster() -> None:
        assert watched.metric("okrsync_runs_total", outcome="partial") == 5

    ran = watched.run((1, broken), (31, mended), (61, faster))
    assert ran.exit == 0
    told = [line for line in watched.logged("trouble") if line["what"] == "run"]
    assert len(told) == 1
    assert "config/okrsync.yaml:" in told[0]["problem"]
    assert [line["what"] for line in watched.logged("healed")] == ["run"]


def test_a_source_in_trouble_is_said_once_when_it_starts_and_once_when_it_heals(product: Product) -> None:
    watched = Watched(product, env={"OKRSYNC_WRITEBACK__ENABLED": "false"})

    def fail() -> None:
        product.sandbox.faults.add(Fault(kind="status", status=401, source="jira"))

    def heal() -> None:
        assert watched.metric("okrsync_source_complete", source="jira") == 0
        assert watched.metric("okrsync_source_complete", source="github") == 1
        product.sandbox.faults.clear()

    assert watched.run((1, fail), (46, heal), (76, lambda: None)).exit == 0
    (told,) = (line for line in watched.logged("trouble") if line["what"] == "jira")
    assert "OKRSYNC_JIRA_TOKEN" in told["problem"]
    assert [line["what"] for line in watched.logged("healed")] == ["jira"]


def test_what_every_run_warns_of_is_said_by_the_first(product: Product) -> None:
    watched = Watched(product, env={"OKRSYNC_RUN_TIMEOOT": "5m"})
    assert watched.run((46, lambda: None)).exit == 0
    assert sum("OKRSYNC_RUN_TIMEOOT" in line["warning"] for line in watched.logged("workspace")) == 1
    assert len(watched.logged("run ended")) == 4


def test_another_process_with_the_lease_makes_it_wait_for_the_next_time(product: Product) -> None:
    watched = Watched(product)
    other = open_store(f"sqlite:///{product.root}/okrsync.db", label_prefix="okr/", clock=product.clock)
    lease = other.lease()

    def take() -> None:
        lease.__enter__()

    def give_back() -> None:
        assert watched.metric("okrsync_runs_total", outcome="busy") == 1
        lease.__exit__(None, None, None)

    assert watched.run((1, take), (16, give_back), (31, lambda: None)).exit == 0
    other.close()
    assert [line["outcome"] for line in watched.logged("run ended")] == ["partial", "busy", "partial"]


def test_a_run_longer_than_the_pause_leaves_runs_out(product: Product) -> None:
    watched = Watched(product, env={"OKRSYNC_SCHEDULE": "every 30s"})

    def slow_down() -> None:
        limited = Fault(kind="status", status=429, headers={"Retry-After": "100"}, source="jira", times=1)
        product.sandbox.faults.add(limited)

    def look() -> None:
        assert watched.metric("okrsync_runs_left_out_total") == 3
        assert watched.metric("okrsync_next_run_timestamp_seconds") % 30 == 0

    assert watched.run((0.25, slow_down), (2.75, look)).exit == 0
    assert [
        line["count"] for line in watched.logged("the run took longer than the schedule's pause; runs were left out")
    ] == [3]


@pytest.mark.parametrize(
    ("env", "what"),
    [
        ({"OKRSYNC_JIRA_TOKEN": ""}, "OKRSYNC_JIRA_TOKEN"),
        ({"OKRSYNC_SCHEDULE": "61 * * * *"}, "'61' is no minute"),
        ({"OKRSYNC_LISTEN": "192.0.2.1:9464"}, "`listen`: 192.0.2.1:9464 cannot be had"),
        ({"OKRSYNC_LISTEN": "nowhere"}, "host:port"),
    ],
)
def test_what_no_run_could_get_over_is_told_at_the_start(product: Product, env: dict[str, str], what: str) -> None:
    ran = Watched(product, env=env).run((1, lambda: None))
    assert ran.exit == 2
    assert what in ran.err
    assert not product.sandbox.requests


def test_a_taken_port_is_told(product: Product) -> None:
    first = Watched(product)

    def second() -> None:
        product.env["OKRSYNC_LISTEN"] = first.url.removeprefix("http://")
        ran = product.run("daemon")
        assert ran.exit == 2
        assert "in use" in ran.err

    assert first.run((1, second)).exit == 0


def test_without_an_address_nothing_listens(product: Product) -> None:
    watched = Watched(product, env={"OKRSYNC_LISTEN": "null"})
    ran = watched.run((1, lambda: None))
    assert ran.exit == 0
    assert [line["listening"] for line in watched.logged("started")] == [None]
    assert json.loads(product.run("status", "--format", "json").out)["last_run"] is not None
