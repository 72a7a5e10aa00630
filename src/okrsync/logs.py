"""Logs on stderr: plain on a terminal, JSON lines elsewhere or with OKRSYNC_LOG=json. Secrets are cut out last."""

from __future__ import annotations

import base64
import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

_secrets: set[str] = set()


def redact(secret: str) -> None:
    """From now on the value never leaves through a log, plain or in base64."""
    if len(secret) >= 4:
        _secrets.add(secret)
        _secrets.add(base64.b64encode(secret.encode()).decode())


def redacted(text: str) -> str:
    """The text without any registered secret."""
    for secret in _secrets:
        text = text.replace(secret, "***")
    return text


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {k: _cut(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(v) for v in value]
    return value if isinstance(value, int | float | bool | None) else redacted(str(value))


def _cut_event(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {k: _cut(v) for k, v in event.items()}


def configure(env: Mapping[str, str], *, verbose: bool, stream: TextIO | None = None) -> None:
    """Called once by the command line, before anything logs."""
    out = stream or sys.stderr
    as_json = env.get("OKRSYNC_LOG") == "json" or not out.isatty()
    chain: list[Any] = [structlog.processors.add_log_level, structlog.processors.format_exc_info, _cut_event]
    if as_json:
        chain += [structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.JSONRenderer()]
    else:
        chain += [structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=0)]
    structlog.configure(
        processors=chain,
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    # Libraries' own debug logs may hold headers; they are never shown.
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger().setLevel(logging.CRITICAL)
