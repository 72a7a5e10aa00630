"""Writes that are refused, lost or undone by people; a lease that is lost while writing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from fault_house import GOALS, SETTLED, TIED, House, HouseClock, covers, small_company

from okrsync.sandbox import Fault, Sandbox

SOURCES = ("jira", "github")
WRITES = {
    "jira": {"source": "jira", "method": "PUT", "path": r"/issue/\d+(\?|$)"},
    "github": {"source": "github", "method": "POST", "path": r"/issues/\d+/labels"},
}


@covers("refused")
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_refused_change_is_set_aside_and_reported(house: House, source: str, status: int) -> None:
    """| 409, 422, 400 on a write | read again and retried at most 3 times (409); that one change is set aside and
    reported, the others go on; exit 3; made in the next run |"""
    house.settle()
    house.people_work()
    fault = house.sandbox.faults.add(Fault(kind="status", status=status, **WRITES[source]))
    ran = house.sync()
    assert ran.exit == 3, (ran.out, ran.err)
    assert 1 <= fault.hits <= 4 * 2, "409: at most three more times for each of the item's two changes"
    assert ran.json["applied"]["failed"]
    assert {s["complete"] for s in ran.json["run"]["sources"]} == {True}
    other = TIED["github" if source == "jira" else "jira"]
    assert house.labels()[other] == {"okr/O2"}, "the others go on"
    house.sandbox.faults.clear()
    assert house.sync().exit == 0
    house.right()


@covers("refused")
@pytest.mark.parametrize("source", SOURCES)
def test_a_conflict_that_passes_is_no_failure(house: House, source: str) -> None:
    """| 409 on a write | tried again |"""
    house.survived(Fault(kind="status", status=409, times=2, **WRITES[source]))


@covers("lost")
@pytest.mark.parametrize("source", SOURCES)
def test_an_answer_lost_after_the_write(house: House, source: str) -> None:
    """| response lost after the write was done | looked at before it is written again: nothing twice, nothing lost |"""
    comments = {"source": source, "method": "POST", "path": r"/comments?$"}
    house.sandbox.faults.add(Fault(kind="drop_after", times=2, **comments))
    house.sandbox.faults.add(Fault(kind="drop_after", times=2, **WRITES[source]))
    house.sync()
    assert all(f.hits for f in house.sandbox.faults.list())
    house.sandbox.faults.clear()
    assert house.sync().exit == 0
    house.right()
    unlinked = [i for i, (alignment, _) in SETTLED.items() if alignment == "unlinked"]
    assert {i: len(house.comments(i)) for i in unlinked} == dict.fromkeys(unlinked, 1)


@covers("lost")
def test_a_lost_lease_stops_writing_at_once(tmp_path: Path) -> None:
    """| a lost lease | no further write; exit 3; the next run makes the rest |"""

    class Thief(HouseClock):
        """Replaces the lease's file once something was written, as a clean-up of the volume might."""

        sandbox: Sandbox | None = None
        stolen = 0

        def __call__(self) -> datetime:
            if self.sandbox is not None and self.sandbox.writes and not self.stolen:
                self.stolen = len(self.sandbox.writes)
                (lease,) = tmp_path.rglob("*.lease")
                lease.rename(lease.with_suffix(".old"))
            return super().__call__()

    clock = Thief()
    with Sandbox(small_company(clock), clock=clock) as sandbox:
        house = House(tmp_path / "workspace", sandbox, clock)
        clock.sandbox = sandbox
        ran = house.sync()
        assert ran.exit == 3, (ran.out, ran.err)
        assert clock.stolen
        assert len(sandbox.writes) <= clock.stolen + 1, "what was on its way may arrive, no more"
        assert ran.json["applied"]["stopped"]
        assert house.sync().exit == 0
        house.right()


@covers("lost")
def test_a_crash_and_a_second_process(house: House) -> None:
    """| crash (kill -9) anywhere; two processes at once | exit 4 for the second; after the kill all becomes right |"""
    house.sandbox.faults.latency = 0.3
    env = {**os.environ, **house.env, "OKRSYNC_TEST_NOW": house.clock().isoformat()}
    script = Path(__file__).parent.parent / "run_cli.py"
    command = [sys.executable, str(script), "sync", "--workspace", str(house.root)]
    holder = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        while not house.sandbox.requests and holder.poll() is None:
            pass  # until it holds the lease and talks to the servers
        second = house.run("sync")
        assert second.exit == 4, second
        told = Path(f"/proc/{holder.pid}/cmdline")
        if told.exists():
            assert house.sandbox.token.encode() not in told.read_bytes(), "no secret in the process list"
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    house.sandbox.faults.latency = 0.0
    assert house.sync().exit == 0
    house.right()


@covers("labels")
def test_labels_that_a_server_would_refuse_are_made_valid(house: House) -> None:
    """| label over 50 characters (GitHub), spaces (Jira), emoji | valid before sending, the same each time |"""
    wild = "Ziel 🎯 " + "sehr lang " * 6 + "1"
    house.write("config/okrs/q4.yaml", GOALS.replace("id: O2\n", f'id: "{wild}"\n').replace("O2.KR1", "KR9"))
    house.world.add_label("jira:PAY-4", f"objective:{wild}".replace(" ", "-"), "lin")
    house.world.edit_body("github:acme/web#4", "", "lin")
    house.write("mappings/10-wild.yaml", f'rules: [{{name: wild, when: {{title: "^Evidence"}}, link: "{wild}"}}]\n')
    ran = house.sync()
    assert ran.exit == 0, (ran.out, ran.err)
    (on_github,) = house.labels()["github:acme/web#4"]
    (on_jira,) = house.labels()["jira:PAY-4"]
    assert len(on_github) <= 50
    assert on_github.startswith("okr/Ziel")
    assert " " not in on_jira
    sent = len(house.sandbox.writes)
    assert house.sync().exit == 0
    assert house.sandbox.writes[sent:] == []


@covers("dismissed")
@pytest.mark.parametrize("id_", ["jira:PAY-3", "github:acme/web#2"])
def test_what_a_human_took_away_is_not_written_again(house: House, id_: str) -> None:
    """| comment deleted, label removed by a human | a dismissal, remembered; no error |"""
    house.settle()
    house.clock.advance(minutes=5)
    (comment,) = house.comments(id_)
    house.world.delete_comment(id_, comment.id, "lin")
    house.world.remove_label(id_, "okr/unlinked", "lin")
    sent = len(house.sandbox.writes)
    for _ in range(3):
        assert house.sync().exit == 0
    house.clock.advance(days=2)
    assert house.sync("--full").exit == 0
    assert house.sandbox.writes[sent:] == []
    assert house.comments(id_) == []
