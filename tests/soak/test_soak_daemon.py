"""The daemon in a process of its own on a fast schedule, stopped by real signals in the middle of its work.

OKRSYNC_SOAK_SECONDS says how long it runs undisturbed first (10 by default).
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from okrsync.sandbox import Fault
from product import Product, story
from tickets import ALL, tickets

pytestmark = pytest.mark.soak

SCRIPT = Path(__file__).parent.parent / "run_cli.py"
SECONDS = float(os.environ.get("OKRSYNC_SOAK_SECONDS", "10"))
WRITES = r"/(labels|comments?)\b|/rest/api/3/issue/[^/]+(\?|$)"
HANG = 60.0  # seconds: longer than anybody waits for the stop


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    clock, sandbox = story()
    with sandbox:
        yield Product(tmp_path / "workspace", sandbox, clock, env=ALL)


def until(what: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.02)


class Process:
    """`okrsync daemon` over a product, every two seconds."""

    def __init__(self, product: Product, log: Path) -> None:
        self.log = log
        env = {
            **os.environ,
            **product.env,
            "OKRSYNC_TEST_NOW": product.clock().isoformat(),
            "OKRSYNC_SCHEDULE": "every 2s",
            "OKRSYNC_LISTEN": "127.0.0.1:0",
        }
        command = [sys.executable, str(SCRIPT), "daemon", "--workspace", str(product.root)]
        with log.open("wb") as out:
            self.process = subprocess.Popen(command, env=env, stdout=out, stderr=out)
        until(lambda: '"listening"' in self.told())
        found = re.search(r'"listening": "([^"]+)"', self.told())
        assert found is not None
        self.url = found[1]

    def told(self) -> str:
        return self.log.read_text("utf-8")

    def metrics(self) -> dict[str, float]:
        text = httpx.get(f"{self.url}/metrics", trust_env=False).text
        return {
            sample.name + "".join(f" {k}={v}" for k, v in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def end(self, number: int = signal.SIGTERM) -> float:
        """Seconds from the signal to the end of the process."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=30)
        return time.monotonic() - began


@contextmanager
def running(product: Product, tmp_path: Path) -> Iterator[Process]:
    daemon = Process(product, tmp_path / "log")
    try:
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait()


def approved(product: Product) -> None:
    checksum = product.sync().json["plan"]["checksum"]
    assert product.run("approve", checksum).exit == 0


def ends_right(product: Product, wanted: dict[str, Any]) -> None:
    """A following sync or two, as the daemon's next runs would be."""
    product.sandbox.faults.clear()
    product.clock.advance(hours=1)
    if product.run("status", "--format", "json").json["last_run"] is None:
        approved(product)
    for _ in range(3):
        last = product.sync()
    assert last.exit == 0, last
    assert last.json["plan"]["counts"]["items"] == 0
    assert tickets(product) == wanted


def test_cycles_happen_and_metrics_move(product: Product, tmp_path: Path, wanted: dict[str, Any]) -> None:
    with running(product, tmp_path) as daemon:
        end = time.monotonic() + SECONDS
        until(lambda: daemon.metrics()["okrsync_runs_total outcome=partial"] >= 1)
        checksum = product.run("plan", "--format", "json").json["checksum"]
        assert product.run("approve", checksum).exit == 0
        until(lambda: daemon.metrics()["okrsync_writes_total outcome=done"] > 100)
        seen = []
        while time.monotonic() < end:
            seen.append(daemon.metrics()["okrsync_runs_total outcome=done"])
            assert httpx.get(f"{daemon.url}/healthz", trust_env=False).status_code == 200
            assert httpx.get(f"{daemon.url}/readyz", trust_env=False).status_code == 200
            time.sleep(0.5)
        until(lambda: daemon.metrics()["okrsync_runs_total outcome=done"] >= 3)
        last = daemon.metrics()
        assert seen == sorted(seen)
        sys.stdout.write(
            "".join(
                f"{k} {v:g}\n"
                for k, v in sorted(last.items())
                if k.startswith(
                    ("okrsync_runs", "process_res", "process_open", "process_cpu", "okrsync_writes", "okrsync_run_dur")
                )
            )
        )
        assert last["okrsync_runs_total outcome=failed"] == 0
        took = daemon.end()
        sys.stdout.write(f"stopped in {took:.1f} s between two runs or in one\n")
        assert took < 10
        assert daemon.process.returncode == 0
    ends_right(product, wanted)


@pytest.mark.parametrize("after", [0, 2, 6])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_while_a_pull_waits_for_an_answer(
    product: Product, tmp_path: Path, wanted: dict[str, Any], after: int, number: int
) -> None:
    hang = product.sandbox.faults.add(Fault(kind="slow", seconds=HANG, after=after))
    with running(product, tmp_path) as daemon:
        until(lambda: hang.hits)
        took = daemon.end(number)
        sys.stdout.write(f"stopped in {took:.1f} s in the middle of a pull, request {after}\n")
        assert took < 10
        assert daemon.process.returncode == 0, daemon.told()
    ends_right(product, wanted)


@pytest.mark.parametrize("after", [0, 10, 25])
@pytest.mark.parametrize("seconds", [1.0, HANG])
def test_stopped_while_a_write_waits_for_its_answer(
    product: Product, tmp_path: Path, wanted: dict[str, Any], after: int, seconds: float
) -> None:
    """An answer that comes in time is taken in; one that does not is looked for by the next run."""
    approved(product)
    sent = len(product.sandbox.writes)
    hang = product.sandbox.faults.add(
        Fault(kind="slow", seconds=seconds, method="POST", path=WRITES, after=after, times=1)
    )
    with running(product, tmp_path) as daemon:
        until(lambda: hang.hits)
        took = daemon.end()
        written = len(product.sandbox.writes) - sent
        sys.stdout.write(f"stopped in {took:.1f} s in the middle of an apply, {written} writes sent\n")
        assert took < 10
        assert daemon.process.returncode == 0, daemon.told()
        assert written < len(wanted)
    ends_right(product, wanted)


def test_a_second_signal_ends_it_at_once(product: Product, tmp_path: Path, wanted: dict[str, Any]) -> None:
    approved(product)
    hang = product.sandbox.faults.add(Fault(kind="slow", seconds=HANG, method="POST", path=WRITES, after=10))
    with running(product, tmp_path) as daemon:
        until(lambda: hang.hits)
        daemon.process.send_signal(signal.SIGTERM)
        until(lambda: daemon.process.poll() is not None or daemon.process.send_signal(signal.SIGTERM), 5)
        assert daemon.process.returncode in (0, 128 + signal.SIGTERM)
        assert daemon.process.returncode != 0
    ends_right(product, wanted)
