"""The verb `daemon` in this process: a clock that only its own waiting moves, and steps taken at set times."""

from __future__ import annotations

import contextlib
import io
import json
import re
import signal
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from okrsync.cli import run
from product import Product, Ran

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Watched:
    """Runs the daemon over a product. `steps` are (minutes since the start, what to do then); they are taken while the
    daemon waits, and after the last one it is told to stop.

    before_sleep  called with each wait's seconds, from whatever thread waits
    """

    def __init__(self, product: Product, env: Mapping[str, str] | None = None) -> None:
        self.product = product
        self.env = {"OKRSYNC_LISTEN": "127.0.0.1:0", **product.env, **(env or {})}
        self.before_sleep: Callable[[float], None] = lambda _seconds: None
        self._err = io.StringIO()
        self._steps: list[tuple[datetime, Callable[[], object]]] = []
        self._problem: Exception | None = None

    # --- while it runs

    @property
    def url(self) -> str:
        found = re.search(r'"listening": "([^"]+)"', self._err.getvalue())
        assert found is not None, self._err.getvalue()
        return found[1]

    def get(self, path: str, method: str = "GET") -> httpx.Response:
        with httpx.Client(trust_env=False, verify=False) as client:  # plain HTTP: spares loading certificates
            return client.request(method, self.url + path)

    def metrics(self) -> Series:
        """Every sample by name and labels, as the client library's parser reads them."""
        text = self.get("/metrics").text
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def metric(self, name: str, **labels: str) -> float:
        return self.metrics()[name, frozenset(labels.items())]

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self._err.getvalue().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    # --- the run

    def run(self, *steps: tuple[float, Callable[[], object]]) -> Ran:
        start = self.product.clock()
        self._steps = [(start + timedelta(minutes=m), do) for m, do in steps]
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(self._err):
            code = run(
                ["daemon", "--workspace", str(self.product.root)],
                env=self.env,
                clock=self.product.clock,
                sleep=self._sleep,
            )
        if self._problem is not None:
            raise self._problem
        return Ran(code, out.getvalue(), self._err.getvalue())

    def _sleep(self, seconds: float) -> None:
        self.before_sleep(seconds)
        self.product.clock.sleep(seconds)
        while self._steps and self.product.clock() >= self._steps[0][0]:
            try:
                self._steps.pop(0)[1]()
            except Exception as problem:  # noqa: BLE001  the daemon would log it as its own
                self._problem = problem
                self._steps = []
            if not self._steps:
                signal.raise_signal(signal.SIGTERM)
