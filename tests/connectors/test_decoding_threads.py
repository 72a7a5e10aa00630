"""Several threads that decode into a type for the first time, which crashes a process that does not take care."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys, threading
from msgspec import defstruct
from okrsync.connectors.decoding import convert, decode

sys.setswitchinterval(1e-6)
together = threading.Barrier(4)
types = []
for _ in range(200):
    inner = defstruct("Inner", [("a", str | None, None), ("b", list[int] | None, None)])
    members = [(f"m{n}", list[inner] | None, None) for n in range(12)]
    types.append(defstruct("Outer", [("x", inner | None, None), *members]))

def work(odd):
    for type_ in types:
        together.wait()
        value = decode(b'{"x": {"b": [1]}}', type_) if odd else convert({"x": {"b": [1]}}, type_)
        assert value.x.b == [1]

threads = [threading.Thread(target=work, args=(n % 2,)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
"""


def test_threads_that_meet_a_type_for_the_first_time_at_once():
    done = subprocess.run([sys.executable, "-c", SCRIPT], check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "done", "")
