"""For every room: no test speaks TLS, so no client loads the certificates of the world's authorities."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_authorities() -> Iterator[None]:
    """Loading them takes each new client longer than most tests take as a whole."""
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR")
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    with tempfile.TemporaryDirectory() as empty:
        os.environ["SSL_CERT_DIR"] = empty
        yield
    del os.environ["SSL_CERT_DIR"]
    os.environ.update(before)
