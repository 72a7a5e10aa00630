"""Runs, findings over time, key result values."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from store_samples import DAY, MINUTE, NOW, item, save

from okrsync.domain.findings import Finding, KrValue, Severity, SourceReport, Subject, Summary
from okrsync.domain.storage import RunRecord, Snapshot, Store

SUMMARY = Summary(open=3, linked=1, stale=0, exempt=1, unlinked=1, unknown=0, alignment_rate=0.5)


def run(id_: str, at: datetime = NOW, **more: Any) -> RunRecord:
    values: dict[str, Any] = {"cycle": "2026-Q4", "complete": True, "summary": SUMMARY}
    values["sources"] = (SourceReport(name="jira", complete=True, items=3),)
    return RunRecord(id=id_, at=at, **{**values, **more})


def finding(code: str, kind: str, id_: str) -> Finding:
    subject = Subject(kind=kind, id=id_)
    return Finding(code=code, slug=code, severity=Severity.INFO, subject=subject, message="m", remedy="r")


def test_runs_come_newest_first_and_whole(store: Store) -> None:
    first = run("r1", applied={"done": 3, "failed": []})
    second = run("r2", NOW + MINUTE, cycle=None, complete=False, checksum="abc")
    store.record_run(first, [], [])
    store.record_run(second, [], [])
    assert store.runs() == [second, first]
    assert store.runs(1) == [second]
    store.record_run(run("r2", NOW + MINUTE, checksum="again"), [], [])
    assert [r.checksum for r in store.runs()] == ["again", ""]


def test_a_finding_is_open_since_the_run_that_first_saw_it(store: Store) -> None:
    unlinked, kr = finding("OKR101", "issue", "jira:PAY-1"), finding("OKR201", "key_result", "O1.KR1")
    store.record_run(run("r1"), [unlinked], [])
    store.record_run(run("r2"), [unlinked, kr], [])
    assert store.since() == {unlinked.key: "r1", kr.key: "r2"}
    store.record_run(run("r3"), [kr], [])
    assert store.since() == {kr.key: "r2"}
    store.record_run(run("r4"), [unlinked], [])
    assert store.since() == {unlinked.key: "r4"}


def test_an_incomplete_run_closes_nothing(store: Store) -> None:
    unlinked, other = finding("OKR101", "issue", "jira:PAY-1"), finding("OKR101", "issue", "jira:PAY-2")
    store.record_run(run("r1"), [unlinked], [])
    store.record_run(run("r2", complete=False), [other], [])
    assert store.since() == {unlinked.key: "r1", other.key: "r2"}


def test_a_moved_item_keeps_the_history_of_its_findings(store: Store) -> None:
    save(store, item(1))
    store.record_run(run("r1"), [finding("OKR101", "issue", "jira:PAY-1")], [])
    save(store, item(1, key="WEB-7"))
    moved = finding("OKR101", "issue", "jira:WEB-7")
    assert store.since() == {moved.key: "r1"}
    store.record_run(run("r2"), [moved], [])
    assert store.since() == {moved.key: "r1"}


def test_recording_a_run_twice_is_recording_it_once(store: Store) -> None:
    unlinked = finding("OKR101", "issue", "jira:PAY-1")
    value = KrValue(run="r1", kr="O1.KR1", cycle="2026-Q4", current=1.0, as_of=None)
    for _ in range(2):
        store.record_run(run("r1"), [unlinked, unlinked], [value])
    assert store.since() == {unlinked.key: "r1"}
    assert store.kr_values(NOW - DAY) == [value]


def test_key_result_values_are_kept_when_they_change_and_once_a_day(store: Store) -> None:
    def value(run_id: str, current: float | None) -> KrValue:
        return KrValue(run=run_id, kr="O1.KR1", cycle="2026-Q4", current=current, as_of=date(2026, 11, 15))

    readings = [("r1", NOW, 61.0), ("r2", NOW + MINUTE, 61.0), ("r3", NOW + 2 * MINUTE, 63.5), ("r4", NOW + DAY, 63.5)]
    for id_, at, current in [*readings, ("r5", NOW + 2 * DAY, None)]:
        store.record_run(run(id_, at), [], [value(id_, current)])
    kept = [value("r1", 61.0), value("r3", 63.5), value("r4", 63.5), value("r5", None)]
    assert store.kr_values(NOW) == kept
    assert store.kr_values(NOW + DAY) == kept[2:]


def snapshot(id_: str, at: datetime) -> Snapshot:
    standing = {"linked": {"jira:PAY": ("jira:1001",)}, "unlinked": {"jira:WEB": ("jira:1002", "jira:1003")}}
    return Snapshot(run=id_, at=at, standing=standing, places=("jira:PAY", "jira:WEB"), basis='{"nodes": []}')


def test_the_snapshot_at_a_moment_is_the_newest_one_until_then(store: Store) -> None:
    assert store.snapshot(until=NOW) is None
    first, second = snapshot("r1", NOW), snapshot("r2", NOW + MINUTE)
    for taken in (first, second):
        store.record_run(run(taken.run, taken.at), [], [], taken)
    assert store.snapshot(until=NOW + DAY) == second
    assert store.snapshot(until=NOW + DAY, other_than="r2") == first
    assert store.snapshot(until=NOW) == first
    assert store.snapshot(until=NOW - MINUTE) is None


def test_of_snapshots_the_last_two_and_the_last_of_each_day_are_kept(store: Store) -> None:
    times = [NOW + hours * (DAY / 24) for hours in range(0, 24 * 20, 6)]
    for at in times:
        store.record_run(run(f"{at:%d-%H}", at), [], [], snapshot(f"{at:%d-%H}", at))
    end = times[-1]
    kept = set()
    for hours in range(24 * 25):
        found = store.snapshot(until=end - hours * (DAY / 24))
        kept |= {found.at} if found else set()
    assert {end, times[-2]} <= kept
    assert {at.hour for at in kept - {end, times[-2]}} == {18}
    assert len(kept) == 17
    assert min(kept) >= end - 15 * DAY
