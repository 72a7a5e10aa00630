"""Logs on stderr: plain on a terminal, JSON lines elsewhere or with OKRSYNC_LOG=json. Secrets are cut out last.

structlog is loaded with the first message: it takes a fifth of the start-up time, and most runs have nothing to say.
"""

from __future__ import annotations

import base64
import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from functools import partial
from typing import Any, TextIO

_secrets: set[str] = set()
_least = logging.NOTSET
_pending: Callable[[], None] | None = None


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


class Logger:
    """Hands messages of the level that is logged to structlog. The values are keyword arguments, never in the text."""

    def debug(self, event: str, **values: Any) -> None:
        self._log(logging.DEBUG, "debug", event, values)

    def info(self, event: str, **values: Any) -> None:
        self._log(logging.INFO, "info", event, values)

    def warning(self, event: str, **values: Any) -> None:
        self._log(logging.WARNING, "warning", event, values)

    def error(self, event: str, **values: Any) -> None:
        self._log(logging.ERROR, "error", event, values)

    def exception(self, event: str, **values: Any) -> None:
        """As `error`, with the traceback of what is being handled."""
        self._log(logging.ERROR, "exception", event, values)

    def _log(self, level: int, method: str, event: str, values: Mapping[str, Any]) -> None:
        if level < _least:
            return
        import structlog  # noqa: PLC0415  # see above

        _settle()
        getattr(structlog.get_logger(), method)(event, **values)


_logger = Logger()


def get_logger() -> Logger:
    """For use at import time: nothing is configured or opened by it."""
    return _logger


def configure(
    env: Mapping[str, str], *, verbose: bool, stream: TextIO | None = None, first: Sequence[Any] = ()
) -> None:
    """Called once by the command line, before anything logs. `first` are structlog's processors, put before ours."""
    global _least, _pending  # noqa: PLW0603  # as structlog's, one configuration a process
    out = stream or sys.stderr
    _least = logging.DEBUG if verbose else logging.INFO
    as_json = env.get("OKRSYNC_LOG") == "json" or not out.isatty()
    _pending = partial(_configure, out, _least, first, as_json=as_json)
    if "structlog" in sys.modules:
        _settle()
    # Libraries' own debug logs may hold headers; they are never shown.
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger().setLevel(logging.CRITICAL)


def _settle() -> None:
    global _pending
    pending, _pending = _pending, None
    if pending is not None:
        pending()


def _configure(out: TextIO, least: int, first: Sequence[Any], *, as_json: bool) -> None:
    import structlog  # noqa: PLC0415

    chain: list[Any] = [*first, structlog.processors.add_log_level, structlog.processors.format_exc_info, _cut_event]
    if as_json:
        chain += [structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.JSONRenderer()]
    else:
        chain += [structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=0)]
    structlog.configure(
        processors=chain,
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
