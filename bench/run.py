"""`make bench`: okrsync's `pull` beside a floor and two SDK loops, on the same work in one run.

Prints requests, wall, CPU and peak memory with ratios to the floor; asserts nothing about time.
`N=10000 LATENCY=0.1 make bench` sets the number of items on each side and the seconds added to each answer.
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
CONNECTORS = {
    "jira": "type: jira\nurl: {jira_url}\nemail: {email}\nprojects: [PAY]\n",
    "github": "type: github\nurl: {github_url}\nrepos: [acme/app]\n",
}


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
        env = {**os.environ, **{k.upper(): v for k, v in server.items()}, "OKRSYNC_LOG": "json"}
        env |= {f"OKRSYNC_{name.upper()}_TOKEN": server["token"] for name in CONNECTORS}
        print(f"{number} Jira issues, {number} GitHub items, {latency * 1000:.0f} ms added to each answer\n")
        print(f"{'':<24}{'requests':>9}{'wall s':>9}{'CPU s':>8}{'peak MB':>9}{'wall/floor':>12}{'CPU/floor':>11}")
        for kind, peer in (("github", "pygithub"), ("jira", "jira")):
            floor = row(f"floor, {kind}", measure(server, client(f"floor-{kind}"), env))
            workspace = make_workspace(folder / kind, kind, server)
            pull = [sys.executable, str(HERE / "pull.py"), str(workspace)]
            row(f"okrsync pull, {kind}", measure(server, pull, env), floor)
            row("okrsync pull, unchanged", measure(server, pull, env), floor)
            row(f"{peer} loop", measure(server, client(peer), env), floor)
            print()
    finally:
        server_process.stdin.close()
        server_process.wait(timeout=30)
        shutil.rmtree(folder)


def client(name: str) -> list[str]:
    return [sys.executable, str(HERE / "clients.py"), name]


def make_workspace(folder: Path, kind: str, server: dict[str, str]) -> Path:
    (folder / "connectors").mkdir(parents=True)
    (folder / "connectors" / f"{kind}.yaml").write_text(CONNECTORS[kind].format(**server))
    return folder


def row(name: str, got: Measured, floor: Measured | None = None) -> Measured:
    base = floor or got
    ratios = f"{got.wall / base.wall:>12.2f}{got.cpu / base.cpu:>11.2f}"
    print(
        f"{name:<24}{got.requests:>9}{got.wall:>9.2f}{got.cpu:>8.2f}{got.peak:>9.0f}{ratios}   {got.said}", flush=True
    )
    return got


if __name__ == "__main__":
    main(int(os.environ.get("N", "2000")), float(os.environ.get("LATENCY", "0.1")))
