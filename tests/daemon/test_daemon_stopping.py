"""SIGTERM in the middle of a run: it ends there, nothing is lost, and the next sync comes to the right end."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from watched import Watched

from okrsync.sandbox import Fault
from product import Product
from tickets import ALL, tickets


def stopped_at_the_first_wait(product: Product) -> Watched:
    """A daemon that is told to stop when a request waits for its next try."""
    watched = Watched(product)

    def stop(_seconds: float) -> None:
        watched.before_sleep = lambda _seconds: None
        signal.raise_signal(signal.SIGTERM)

    watched.before_sleep = stop
    ran = watched.run((600, lambda: None))
    assert ran.exit == 0, ran.err
    assert "stopped in the middle of a run" in ran.err
    assert not watched.logged("run ended")
    return watched


@pytest.mark.parametrize("after", [0, 3, 9])
def test_in_the_middle_of_a_pull(product: Product, wanted: dict[str, Any], after: int) -> None:
    product.env |= ALL
    product.sandbox.faults.add(Fault(kind="status", status=503, after=after))
    stopped_at_the_first_wait(product)
    assert product.run("status", "--format", "json").json["last_run"] is None
    assert not (product.root / "reports").exists()
    product.sandbox.faults.clear()
    assert product.first_cycle().exit == 0
    assert tickets(product) == wanted


@pytest.mark.parametrize(("method", "after"), [("POST", 0), ("POST", 20), ("PUT", 7)])
def test_in_the_middle_of_an_apply(product: Product, wanted: dict[str, Any], method: str, after: int) -> None:
    product.env |= ALL
    refused = product.sync()
    assert product.run("approve", refused.json["plan"]["checksum"]).exit == 0
    product.sandbox.forget()
    writes = r"/(labels|comments?)\b|/rest/api/3/issue/[^/]+(\?|$)"
    limit = product.sandbox.faults.add(
        Fault(kind="status", status=429, headers={"Retry-After": "30"}, method=method, path=writes, after=after)
    )
    stopped_at_the_first_wait(product)
    assert limit.hits == 1
    product.sandbox.faults.clear()
    before = len(product.sandbox.writes)
    last = product.sync()
    assert last.exit == 0, last
    assert product.sync().json["plan"]["counts"]["items"] == 0
    assert tickets(product) == wanted
    assert after == 0 or before > after


def test_between_two_runs(product: Product) -> None:
    watched = Watched(product)
    ran = watched.run((7, lambda: None))
    assert ran.exit == 0
    assert len(watched.logged("run ended")) == 1
    assert len(watched.logged("stopped")) == 1
    # nobody holds the lease, and signals mean what they meant before
    assert product.sync().exit == 3
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
