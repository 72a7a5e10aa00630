"""Answers that are broken, late, endless or huge."""

from __future__ import annotations

import pytest
from fault_house import House, covers
from msgspec import structs

from okrsync.sandbox import Fault

# All together they take minutes; the parts they go through are tested in tests/connectors and tests/story as well.
pytestmark = pytest.mark.soak

SOURCES = ("jira", "github")
OTHER = {"jira": "github", "github": "jira"}
PROXY = "<html><head><title>Bad gateway</title></head><body>proxy</body></html>"

BROKEN = {
    "500": Fault(kind="status", status=500),
    "502 as HTML": Fault(kind="status", status=502, body=PROXY, headers={"Content-Type": "text/html"}),
    "503 with Retry-After": Fault(kind="status", status=503, headers={"Retry-After": "20"}),
    "408": Fault(kind="status", status=408),
    "connection reset": Fault(kind="reset"),
    "truncated body": Fault(kind="truncated"),
    "invalid JSON": Fault(kind="invalid_json"),
    "HTML with status 200": Fault(kind="html"),
}


@covers("broken")
@pytest.mark.parametrize("fault", BROKEN)
def test_what_passes_is_asked_again(house: House, fault: str) -> None:
    """| 5xx, connection reset, truncated body, invalid JSON, HTML with 200 | the same page again with backoff; the run
    is right | three times on each source"""
    house.survived(*(structs.replace(BROKEN[fault], source=source, times=3) for source in SOURCES))


@covers("broken")
@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("jira", "500"),
        ("github", "500"),
        ("jira", "connection reset"),
        ("github", "truncated body"),
        ("jira", "invalid JSON"),
        ("github", "HTML with status 200"),
    ],
)
def test_what_stays_suspends_and_the_watermark_does_not_move(house: House, source: str, fault: str) -> None:
    """| the same | suspended; what happened meanwhile is read in the next run |"""
    house.suspended(source, structs.replace(BROKEN[fault], source=source))


@covers("broken")
@pytest.mark.parametrize("source", SOURCES)
def test_a_server_that_does_not_answer_in_time_suspends(house: House, source: str) -> None:
    """| timeout | the request ends with the run's budget; the other source is right |"""
    house.settle()
    house.people_work()
    house.strike(Fault(kind="slow", seconds=60, source=source))
    house.env["OKRSYNC_RUN_TIMEOUT"] = "1s"
    house.is_suspended(house.sync(), source)
    del house.env["OKRSYNC_RUN_TIMEOUT"]
    house.sandbox.faults.clear()
    assert house.sync().exit == 0
    house.right()


@covers("endless")
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", ["endless", "endless_headers"])
def test_an_answer_that_never_ends_is_given_up_in_time(house: House, source: str, kind: str) -> None:
    """| a response that never ends | deadline per request, for the headers as for the body; suspended |"""
    house.settle()
    house.hasten(OTHER[source])
    house.people_work()
    house.strike(Fault(kind=kind, source=source))
    ran = house.sync()
    house.clock.hasten(None)
    house.is_suspended(ran, source)
    house.sandbox.faults.clear()
    assert house.sync().exit == 0
    house.right()


@covers("endless")
@pytest.mark.parametrize("source", SOURCES)
def test_a_body_of_gigabytes_is_cut_off(house: House, source: str) -> None:
    """| a body of gigabytes | byte cap; suspended; nothing of it is kept |"""
    house.suspended(source, Fault(kind="huge", size=4_000_000_000, source=source), says="larger than")
