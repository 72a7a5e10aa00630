"""Which addresses a connector may talk to: its own host alone, and loopback never by way of a proxy."""

from __future__ import annotations

import ipaddress
import ssl

import httpx


def same_host(base: httpx.URL, url: httpx.URL) -> bool:
    """True for base's scheme, host and port; plain HTTP may be answered with HTTPS on the usual ports, never the
    other way round."""
    if url.host != base.host:
        return False
    if (url.scheme, _port(url)) == (base.scheme, _port(base)):
        return True
    return (base.scheme, url.scheme) == ("http", "https") and base.port is None and url.port is None


def loopback_mounts(host: str) -> dict[str, httpx.BaseTransport | None]:
    """Mounts for httpx.Client; None means straight there, whatever HTTP_PROXY says."""
    hosts = {"localhost", "127.0.0.1", "[::1]"}
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is not None and address.is_loopback:
        hosts.add(f"[{host}]" if address.version == 6 else host)
    return dict.fromkeys((f"all://{h}" for h in sorted(hosts)), None)


def tls(base: httpx.URL) -> ssl.SSLContext:
    """What connections to an address are secured with, straight or by proxy: the authorities that SSL_CERT_FILE or
    SSL_CERT_DIR names, else certifi's. Reading these takes a tenth of a second: it is done once for all connections of
    a client, and not for plain HTTP on a port of its own, which is never left for HTTPS (`same_host`)."""
    if base.scheme == "http" and base.port is not None:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody
    return httpx.create_ssl_context()


def _port(url: httpx.URL) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)
