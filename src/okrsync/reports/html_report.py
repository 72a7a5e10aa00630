"""The report as one self-contained HTML page: no request leaves it, and it reads well without its script."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from datetime import UTC, date

import jinja2
from markupsafe import Markup, escape
from msgspec import Struct

from . import text, wording
from .model import Report, TrendPoint

# What a page can show before it stops being read; the csv and json reports hold everything.
ROOTS, FINDINGS = 25, 50


class Trend(Struct, frozen=True, kw_only=True):
    """A line from 0 to 100 in both directions (percent; y grows downwards). Gaps split it into `lines`."""

    lines: tuple[str, ...]
    dots: tuple[tuple[float, float, str], ...]
    first: date
    last: date
    low: float
    high: float


def render_html(report: Report) -> str:
    script = _asset("filter.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            trend=trend(report.history),
            max_roots=ROOTS,
            max_findings=FINDINGS,
            # both are files of this package, not text from outside
            style=Markup(_asset("style.css")),  # noqa: S704  # see above
            script=Markup(script),  # noqa: S704  # see above
            script_hash=digest,
        )
    )


def _code(words: str) -> Markup:
    """Escaped text in which `these` are set as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(words))))  # noqa: S704  # escaped before


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("okrsync.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": text.percent, "number": text.number, "safe_url": text.safe_url, "code": _code}
    environment.globals |= {"count": text.count, "w": wording}
    return environment


@functools.cache
def _asset(name: str) -> str:
    loader = jinja2.PackageLoader("okrsync.reports")
    return loader.get_source(jinja2.Environment(autoescape=True), name)[0]


def trend(history: tuple[TrendPoint, ...]) -> Trend | None:
    """The line of one point a day; None where fewer than two days have a rate."""
    rated = [(p.at.astimezone(UTC).date(), p.rate) for p in history]
    rates = [rate for _, rate in rated if rate is not None]
    if len(rates) < 2:
        return None
    first, last = rated[0][0], rated[-1][0]
    span = max((last - first).days, 1)
    lines: list[list[str]] = [[]]
    dots = []
    for day, rate in rated:
        if rate is None:  # withheld: the line breaks rather than guesses
            lines.append([])
            continue
        x, y = round((day - first).days / span * 100, 2), round(100 - rate * 100, 2)
        lines[-1].append(f"{x},{y}")
        dots.append((x, y, f"{day.isoformat()}: {text.percent(rate)}"))
    return Trend(
        lines=tuple(" ".join(line) for line in lines if len(line) > 1),
        dots=tuple(dots),
        first=first,
        last=last,
        low=min(rates),
        high=max(rates),
    )
