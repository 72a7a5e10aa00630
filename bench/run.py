"""`make bench`: okrsync's `pull` beside a floor and two SDK loops, on the same work in one run.

Each side alone, then both in one pull (beside the sum of the floors): first, with nothing changed, with 1% changed.
Prints requests, wall, CPU and peak memory with ratios to the floor; asserts nothing about time.
`N=10000 LATENCY=0.1 make bench` sets the number of items on each side and the seconds added to each answer. Floor and
first pull take turns `ROUNDS` times (3); the least wall and CPU of each is told, as anything else on the machine only
adds to them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

HERE = Path(__file__).parent
ROUNDS = int(os.environ.get("ROUNDS", "3"))
CONNECTORS = {
    "jira": "type: jira\nurl: {jira_url}\nemail: {email}\nprojects: [PAY]\n",
    "github": "type: github\nurl: {github_url}\nrepos: [acme/app]\n",
}
GOALS = """\
cycle: {id: 2026-Q4, starts: 2026-10-01, ends: 2026-12-31}
bets: [{id: B1, title: Win the mid-market, owner: Ada Park}]
objectives:
  - {id: O1, title: Checkout is the reason merchants stay, level: company, supports: [B1], owner: Ada Park,
     key_results: [{id: O1.KR1, title: Raise checkout conversion, owner: Lin Wu, baseline: 61, target: 68}]}
initiatives: [{id: INIT-1, title: One-page checkout, supports: [O1.KR1], owner: Lin Wu}]
"""


class Measured(NamedTuple):
    requests: int
    wall: float
    cpu: float
    peak: float  # MB
    said: str


def control(server: dict[str, str], method: str, path: str, body: Any = None) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    request = Request(f"{server['jira_url']}/_sandbox{path}", data=data, method=method)
    request.add_header("Content-Type", "application/json")
    with urlopen(request) as reply:
        return json.loads(reply.read() or b"null")


def measure(server: dict[str, str], command: list[str], env: dict[str, str]) -> Measured:
    control(server, "DELETE", "/requests")
    began = time.monotonic()
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    said = process.stdout.read().decode().strip().splitlines()
    _, _, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    requests = len(control(server, "GET", "/requests"))
    return Measured(requests, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said[-1] if said else "")


def added(some: list[Measured]) -> Measured:
    said = ", ".join(one.said for one in some)
    peak = max(one.peak for one in some)
    return Measured(sum(s.requests for s in some), sum(s.wall for s in some), sum(s.cpu for s in some), peak, said)


def least(some: list[Measured]) -> Measured:
    wall, cpu = (min(getattr(one, name) for one in some) for name in ("wall", "cpu"))
    return some[-1]._replace(requests=max(s.requests for s in some), wall=wall, cpu=cpu, peak=max(s.peak for s in some))


def main(number: int, latency: float) -> None:
    server_process = subprocess.Popen(
        [sys.executable, str(HERE / "world.py"), str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server_process.stdout is not None
    assert server_process.stdin is not None
    folder = Path(tempfile.mkdtemp(prefix="okrsync-bench-"))
    try:
        server: dict[str, str] = json.loads(server_process.stdout.readline())
        control(server, "POST", "/faults", {"latency": latency})
        bench = Bench(server, folder, number)
        print(f"{number} Jira issues, {number} GitHub items, {latency * 1000:.0f} ms added to each answer\n")
        print(f"{'':<26}{'requests':>9}{'wall s':>9}{'CPU s':>8}{'peak MB':>9}{'wall/floor':>12}{'CPU/floor':>11}")
        for kind, peer in (("github", "pygithub"), ("jira", "jira")):
            floor = bench.pulls([kind])
            row(f"{peer} loop", bench.client(peer), floor)
            print()
        bench.pulls(["github", "jira"])
    finally:
        server_process.stdin.close()
        server_process.wait(timeout=30)
        shutil.rmtree(folder)


class Bench(NamedTuple):
    """One server, and a folder for workspaces. Each client finds in its environment only what is its own."""

    server: dict[str, str]
    folder: Path
    number: int

    def client(self, name: str) -> Measured:
        env = {**os.environ, **{k.upper(): v for k, v in self.server.items()}}
        return measure(self.server, [sys.executable, str(HERE / "clients.py"), name], env)

    def pulls(self, kinds: list[str]) -> Measured:
        """Prints, and returns the floor: of several kinds, one after the other."""
        tokens = {f"OKRSYNC_{kind.upper()}_TOKEN": self.server["token"] for kind in kinds}
        floors: list[Measured] = []
        firsts: list[Measured] = []
        for turn in range(ROUNDS):
            floors.append(added([self.client(f"floor-{kind}") for kind in kinds]))
            workspace = make_workspace(self.folder / "-".join((*kinds, str(turn))), kinds, self.server)
            command = [sys.executable, str(HERE / "pull.py"), str(workspace)]
            firsts.append(measure(self.server, command, {**os.environ, **tokens}))
        floor = row(f"floor, {' and '.join(kinds)}", least(floors))
        row("okrsync pull, first", least(firsts), floor)
        for what in ("nothing changed", "1% changed"):
            if what == "1% changed":
                self.change(kinds)
            row(f"okrsync pull, {what}", measure(self.server, command, {**os.environ, **tokens}), floor)
        return floor

    def change(self, kinds: list[str]) -> None:
        """One in a hundred gets another title: issues and pull requests by turns."""
        for n in range(1, self.number + 1, 101):
            for kind in kinds:
                id_ = f"jira:PAY-{n}" if kind == "jira" else f"github:acme/app#{n}"
                args = {"id_": id_, "title": f"PAY-{n}: changed for {'-'.join(kinds)}", "by": "ada"}
                control(self.server, "POST", "/act", {"do": "edit_title", "args": args})


def make_workspace(folder: Path, kinds: list[str], server: dict[str, str]) -> Path:
    (folder / "connectors").mkdir(parents=True)
    (folder / "config" / "okrs").mkdir(parents=True)
    (folder / "config" / "okrs" / "2026-q4.yaml").write_text(GOALS)
    for kind in kinds:
        (folder / "connectors" / f"{kind}.yaml").write_text(CONNECTORS[kind].format(**server))
    return folder


def row(name: str, got: Measured, floor: Measured | None = None) -> Measured:
    base = floor or got
    ratios = f"{got.wall / base.wall:>12.2f}{got.cpu / base.cpu:>11.2f}"
    print(
        f"{name:<26}{got.requests:>9}{got.wall:>9.2f}{got.cpu:>8.2f}{got.peak:>9.0f}{ratios}   {got.said}", flush=True
    )
    return got


if __name__ == "__main__":
    main(int(os.environ.get("N", "2000")), float(os.environ.get("LATENCY", "0.1")))
