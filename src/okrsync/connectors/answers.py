"""Reading what a server says besides its data: error messages, rate limits, waits; and keeping secrets out of it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx
import msgspec

from okrsync.domain.text import regex
from okrsync.domain.trackers import RateBudget

_LIMIT_TEXT = regex(r"rate limit|rate-limit|abuse detection|temporarily blocked from content creation", re.IGNORECASE)
_PERMISSION_TEXT = regex(
    r"resource not accessible|must have|archived|locked|permission|not authorized|SAML", re.IGNORECASE
)
_TITLE = regex(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_LONGEST = 200


def server_message(body: bytes) -> str:
    """What an error body says, whichever dialect it speaks: GitHub's `message` and `errors`, Jira's
    `errorMessages` and `errors` (either may be absent or empty), OAuth's `error_description`, an HTML title, or
    plain text. One line; not yet cut."""
    try:
        said = list(_texts(msgspec.json.decode(body)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = body[:20_000].decode("utf-8", "replace")
        title = _TITLE.search(text)
        said = [title[1] if title else text if "<html" not in text.lower() else "an HTML page"]
    return one_line("; ".join(said))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, dict):
        for key in ("message", "errorMessages", "error_description", "error", "errors"):
            part = value.get(key)
            if key == "errors" and isinstance(part, dict):
                yield from (f"{name}: {why}" for name, why in part.items())
            elif part:
                yield from _texts(part)
        if "message" not in value and isinstance(code := value.get("code"), str):
            yield f"{value.get('field', '')} {code}".strip()  # GitHub's validation errors name only field and code


def one_line(text: str) -> str:
    """Printable and on one line, so that a server cannot forge log lines or steer a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def redact(text: str, secrets: Iterable[str]) -> str:
    for secret in sorted({s for s in secrets if len(s) >= 4}, key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return text


def secrets_in(headers: Mapping[str, str]) -> frozenset[str]:
    """Every spelling in which the values of authorization headers could turn up in a text."""
    found: set[str] = set()
    for value in headers.values():
        scheme, _, credentials = value.partition(" ")
        credentials = credentials.strip() or scheme
        found |= {value, credentials}
        if scheme.lower() == "basic":
            try:
                pair = base64.b64decode(credentials, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                continue
            found |= {pair, pair.partition(":")[2]}
    for secret in tuple(found):
        found.add(base64.b64encode(secret.encode()).decode().rstrip("="))
    return frozenset(found)


def rate_limited(status: int, headers: httpx.Headers, message: str) -> bool:
    """Tells a rate limit from a lack of permission; GitHub uses 403 for both. A secondary limit may come without
    Retry-After and with plenty of X-RateLimit-Remaining, so its text counts."""
    if status == 429:
        return True
    if status != 403:
        return False
    if "retry-after" in headers or _LIMIT_TEXT.search(message):
        return True
    return headers.get("x-ratelimit-remaining") == "0" and not _PERMISSION_TEXT.search(message)


def told_wait(headers: httpx.Headers, now: datetime) -> float | None:
    """Seconds the server asks us to wait, None where it does not say. Moments are compared with the answer's own
    Date, since our clock may be off.

    Retry-After (seconds or a date); X-RateLimit-Reset once X-RateLimit-Remaining is 0 (GitHub: epoch seconds, Jira
    Cloud: ISO 8601); `RateLimit: ...;r=0;t=5` (Jira Cloud); X-RateLimit-Interval-Seconds (Jira Data Center)."""
    there = _moment(headers.get("date")) or now
    after = headers.get("retry-after", "").strip()
    if after:
        try:
            return max(0.0, float(after)) if float(after) < float("inf") else None
        except ValueError:
            moment = _moment(after)
            if moment is not None:
                return max(0.0, (moment - there).total_seconds())
    if headers.get("x-ratelimit-remaining") == "0":
        reset = _moment(headers.get("x-ratelimit-reset"))
        if reset is not None:
            return max(0.0, (reset - there).total_seconds()) + 1  # resets are told in whole seconds
    left = re.search(r"\bt=(\d{1,9})", headers.get("ratelimit", ""))
    if left and re.search(r"\br=0\b", headers.get("ratelimit", "")):
        return float(left[1])
    interval = headers.get("x-ratelimit-interval-seconds", "")
    return float(interval) if re.fullmatch(r"\d{1,9}", interval) else None


def told_budget(headers: Mapping[str, str], name: str) -> RateBudget | None:
    """What X-RateLimit-Limit, -Remaining and -Reset say (GitHub, Jira Cloud; Data Center where limits are on)."""
    limit, remaining = headers.get("x-ratelimit-limit", ""), headers.get("x-ratelimit-remaining", "")
    if not (limit.isdecimal() and remaining.isdecimal()):
        return None
    return RateBudget(
        name=name, limit=int(limit), remaining=int(remaining), resets=_moment(headers.get("x-ratelimit-reset"))
    )


def _moment(text: str | None) -> datetime | None:
    """An HTTP date, epoch seconds or ISO 8601; None for anything else."""
    if not text:
        return None
    try:
        if re.fullmatch(r"\d{1,11}", text.strip()):
            return datetime.fromtimestamp(int(text), UTC)
        moment = datetime.fromisoformat(text) if re.match(r"\d{4}-", text) else parsedate_to_datetime(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def phrase(status: int) -> str:
    """The usual words for a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"
