"""For every room: what makes each test cheap without changing what it tests."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from examples import ALL

# No example is judged by the time it takes: a busy machine is no fault.
settings.register_profile("usual", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(ALL, settings.get_profile("usual"))
settings.load_profile("usual")  # before a profile that the command line names


def pytest_collection_finish() -> None:
    """What was imported and collected lives to the end: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


@pytest.fixture(scope="session", autouse=True)
def no_authorities() -> Iterator[None]:
    """No test speaks TLS. Loading the certificates of the authorities takes each new client longer than most tests
    take as a whole."""
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR")
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    with tempfile.TemporaryDirectory() as empty:
        os.environ["SSL_CERT_DIR"] = empty
        yield
    del os.environ["SSL_CERT_DIR"]
    os.environ.update(before)
