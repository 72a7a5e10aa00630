"""The transport on a real loopback network: proxies of the environment, and real broken connections."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from netfakes import Time
from pytest_httpserver import HTTPServer

from okrsync.connectors.transport import Transport
from okrsync.domain.trackers import SourceFailed


def transport(url: str, time: Time, **more: Any) -> Transport:
    return Transport(
        url,
        source="jira",
        headers={},
        authorize=lambda: {"Authorization": "Bearer secret-token"},
        secret_variable="OKRSYNC_JIRA_TOKEN",
        clock=time.clock,
        sleep=time.sleep,
        deadline=time.deadline,
        **more,
    )


def test_loopback_is_never_proxied(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    httpserver.expect_request("/x").respond_with_json({"a": 1})
    assert transport(httpserver.url_for(""), Time()).request("GET", "x", type=dict[str, int]).value == {"a": 1}


def test_other_hosts_go_through_the_proxy(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", httpserver.url_for("").rstrip("/"))
    httpserver.expect_request("/x").respond_with_json({"through": "proxy"})
    answer = transport("http://jira.invalid", Time()).request("GET", "x", type=dict[str, str])
    assert answer.value == {"through": "proxy"}


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[HTTPServer]:
    """A server over TLS, whose certificate lies in `tmp_path`, signed by nobody else."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "jira")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, datetime.now(UTC), datetime.now(UTC) + timedelta(1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(plain)
    (tmp_path / "cert.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with HTTPServer(host="127.0.0.1", ssl_context=context) as server:
        server.expect_request("/x").respond_with_json({"a": 1})
        yield server


def test_the_authorities_are_those_that_the_environment_names(
    secured: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    assert transport(secured.url_for(""), Time()).request("GET", "x", type=dict[str, int]).value == {"a": 1}


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(secured: HTTPServer) -> None:
    with pytest.raises(SourceFailed, match="SSL_CERT_FILE may name a file of authorities"):
        transport(secured.url_for(""), Time()).request("GET", "x", type=dict[str, int])


def test_plain_http_asks_for_no_authorities(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/authorities.pem")
    httpserver.expect_request("/x").respond_with_json({"a": 1})
    assert transport(httpserver.url_for(""), Time()).request("GET", "x", type=dict[str, int]).value == {"a": 1}


def test_a_closed_port_fails_the_source_after_all_attempts() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    time = Time()
    with pytest.raises(SourceFailed, match="no connection to "):
        transport(f"http://127.0.0.1:{port}", time).request("GET", "x", type=dict[str, int])
    assert len(time.slept) == 4


def test_garbage_instead_of_http() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        server.settimeout(5)

        def serve() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(SourceFailed, match="answer was lost"):
            transport(url, Time(), attempts=2).request("GET", "x", type=dict[str, int])
        thread.join(5)


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\nX-Drip: ", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"])
def test_a_byte_now_and_then_is_no_way_round_the_deadline(first: bytes) -> None:
    """Headers or body: each read ends in time, the whole does not."""
    time = Time()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        server.settimeout(5)

        def serve() -> None:
            for _ in range(2):
                with contextlib.suppress(OSError):  # the client has gone away, or does not come again
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(65536)
                        connection.sendall(first)
                        while True:
                            time.now += timedelta(seconds=1)
                            connection.sendall(b"x")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(SourceFailed, match="did not end in time"):
            transport(url, time, attempts=2).request("GET", "x", type=dict[str, int])
        socket.create_connection(server.getsockname()).close()  # the server may still await the second attempt
        thread.join(5)
