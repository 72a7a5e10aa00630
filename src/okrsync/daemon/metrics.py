"""What Prometheus reads: counters over the daemon's life; gauges of the last run that reached its end."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from .. import __version__
from ..domain.changes import Applied
from ..domain.links import Alignment
from ..domain.trackers import Meter
from ..sync import SyncResult
from .traffic import Traffic

OUTCOMES = ("done", "partial", "failed", "misconfigured", "busy")
_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
_WRITES = ("done", "unneeded", "skipped", "failed", "waiting")
_READ = ("new", "changed", "same", "gone")


class Metrics:
    """One registry, so that several may live in one process."""

    def __init__(self) -> None:
        # else each counter has a second series, which nobody here asks for; the library leaves its type out
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        build = Gauge("okrsync_build_info", "1; the version is in the label.", ["version"], registry=registry)
        build.labels(__version__).set(1)
        self._runs = _counter(registry, "okrsync_runs", "Runs by outcome.", "outcome", OUTCOMES)
        self._left_out = Counter(
            "okrsync_runs_left_out", "Scheduled runs left out because the one before took longer.", registry=registry
        )
        self._running = Gauge("okrsync_run_in_progress", "1 while a run is under way.", registry=registry)
        self._duration = Histogram(
            "okrsync_run_duration_seconds", "How long runs took.", registry=registry, buckets=_SECONDS
        )
        self._next = Gauge("okrsync_next_run_timestamp_seconds", "When the next run is due.", registry=registry)
        self._troubles = Gauge(
            "okrsync_troubles", "Sources, gates and runs in trouble, each logged when it started.", registry=registry
        )
        self._read = _counter(registry, "okrsync_items_read", "Items read, by what was new of them.", "state", _READ)
        self._writes = _counter(registry, "okrsync_writes", "Changes by what became of them.", "outcome", _WRITES)
        self._traffic = Traffic(registry)
        self._last = _LastCycle()
        registry.register(self._last)

    def meter(self, source: str) -> Meter:
        """To be told of a source's requests, also while a run is under way."""
        return self._traffic.of(source)

    def run_begins(self) -> None:
        self._running.set(1)

    def run_ended(self, outcome: str, seconds: float, *, troubles: int) -> None:
        self._running.set(0)
        self._runs.labels(outcome).inc()
        self._duration.observe(seconds)
        self._troubles.set(troubles)

    def judged(self, result: SyncResult, last: datetime | None) -> None:
        """A run reached its end, whatever it found; `last` is when a cycle ended that read something."""
        if result.pulled is not None:
            for state in _READ:
                self._read.labels(state).inc(getattr(result.pulled, state))
        for outcome, count in _written(result.applied).items():
            self._writes.labels(outcome).inc(count)
        self._last.show(result, last)

    def scheduled(self, due: datetime, left_out: int) -> None:
        self._next.set(due.timestamp())
        self._left_out.inc(left_out)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The text in the format that `accept` (the request's header) asks for, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


def _counter(registry: CollectorRegistry, name: str, text: str, label: str, values: Iterable[str]) -> Counter:
    """Every value is there from the start, as 0: a rate over a series that appears with 1 misses its first event."""
    counter = Counter(name, text, [label], registry=registry)
    for value in values:
        counter.labels(value)
    return counter


def _written(applied: Applied | None) -> dict[str, int]:
    return {outcome: len(getattr(applied, outcome)) for outcome in _WRITES} if applied is not None else {}


# name, help, labels
_FAMILIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("okrsync_last_cycle_timestamp_seconds", "When the last cycle ended that read something (exit 0 or 3).", ()),
    ("okrsync_open_items", "Open work by alignment.", ("alignment",)),
    ("okrsync_alignment_ratio", "linked / (linked + stale + unlinked), over open work.", ()),
    ("okrsync_findings", "Findings by rule and severity.", ("code", "slug", "severity")),
    ("okrsync_source_complete", "1 where the source was read to its end.", ("source",)),
    ("okrsync_source_items", "Items held of the source.", ("source",)),
    ("okrsync_plan_changes", "Changes the plan wants, by operation.", ("op",)),
    ("okrsync_plan_held", "Changes that are wanted and left alone: dismissed, locked, too young.", ()),
    ("okrsync_gate_refused", "1 where the safety gate refused the plan.", ()),
    ("okrsync_gate_waiting", "Changes that `limits.changes` left for later runs.", ()),
)


class _LastCycle(Collector):
    """Gauges made anew from each cycle: a rule that finds nothing any more leaves no series behind. Families without
    a value (before the first cycle; a rate over nothing) are named all the same."""

    def __init__(self) -> None:
        self._values: dict[str, dict[tuple[str, ...], float]] = {}

    def show(self, result: SyncResult, last: datetime | None) -> None:
        summary, plan, gate = result.judged.summary, result.plan, result.gate
        sources = result.judged.view.sources
        found = Tally((f.code, f.slug, f.severity.value) for f in result.judged.findings)
        values: dict[str, dict[tuple[str, ...], float]] = {
            "last_cycle_timestamp_seconds": {(): last.timestamp()} if last is not None else {},
            "open_items": {(a.value,): getattr(summary, a.value) for a in Alignment},
            "findings": dict(sorted(found.items())),
            "source_complete": {(s.name,): float(s.complete and not s.unreadable) for s in sources},
            "source_items": {(s.name,): s.items for s in sources},
            "plan_changes": {(op,): n for op, n in plan.counts.items() if op not in ("held", "items")},
            "plan_held": {(): len(plan.held)},
            "gate_refused": {(): float(gate is not None and bool(gate.refused))},
            "gate_waiting": {(): gate.pending + gate.cut if gate is not None else 0},
        }
        if summary.alignment_rate is not None:
            values["alignment_ratio"] = {(): summary.alignment_rate}
        self._values = {f"okrsync_{name}": series for name, series in values.items()}

    def collect(self) -> Iterable[Metric]:
        values = self._values  # one look: the loop may put others in their place meanwhile
        for name, text, labels in _FAMILIES:
            family: Any = GaugeMetricFamily(name, text, labels=labels)
            for key, value in values.get(name, {}).items():
                family.add_metric(key, value)
            yield family
