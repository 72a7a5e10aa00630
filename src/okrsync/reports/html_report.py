"""The report as one self-contained HTML page: no request leaves it, and it reads well without its script."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from typing import Any

import jinja2
from markupsafe import Markup, escape

from . import charts, move_wording, text, wording
from .model import Report

# What a page can show before it stops being read; the csv and json reports hold everything.
TEAMS, FINDINGS, UNREAD = 40, 50, 20
# Without its script, and on paper: roots in all, and of one team at most and at least.
PAPER, MOST, LEAST = 300, 25, 5
# Unlinked items that the page carries for its filter: some 3 MB. Beyond, whole trees are left out, smallest last.
CARRIED = 20_000


def render_html(report: Report) -> str:
    style, script = _asset("style.css"), _asset("report.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            trend=charts.trend(report),
            rows={row.id: row for row in report.work},
            unlinked=unlinked_data(report),
            max_teams=TEAMS,
            max_roots=max(min(PAPER // max(len(report.teams), 1), MOST), LEAST),
            max_findings=FINDINGS,
            max_unread=UNREAD,
            # both are files of this package, not text from outside
            style=Markup(style),  # noqa: S704  # see above
            script=Markup(script),  # noqa: S704  # see above
            style_hash=_digest(style),
            script_hash=_digest(script),
        )
    )


def unlinked_data(report: Report) -> dict[str, Any]:
    """What the page's script filters and sorts: `teams`, `roots` and all `items`.

    teams  names
    roots  [index of its item, index of its team, number of open items in it, what it may belong to in words]
    items  [id, title, address, kind, status, age in days], each root followed by what is below it
    left   roots that were left out beyond `CARRIED` items
    """
    below: dict[str, list[Any]] = {}
    for row in report.work:
        if row.open and row.alignment == "unlinked":
            values = [row.id, row.title, row.url, row.kind.replace("_", " "), row.status, row.age_days]
            if row.id == row.root:
                below.setdefault(row.root, []).insert(0, values)
            else:
                below.setdefault(row.root, []).append(values)
    items: list[Any] = []
    roots: list[tuple[int, int, int, list[str]]] = []
    left = 0
    ranked = [(root, team) for team, row in enumerate(report.teams) for root in row.roots]
    for root, team in sorted(ranked, key=lambda r: -r[0].items):
        if len(items) + root.items > CARRIED:
            left += 1
            continue
        roots.append((len(items), team, root.items, [wording.suggestion(one) for one in root.suggestions]))
        items += below[root.row.id]
    return {"teams": [wording.team_name(t) for t in report.teams], "roots": roots, "items": items, "left": left}


def _digest(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


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
    # titles stay as they are written; jinja escapes what could end the element
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    environment.filters |= {"percent": text.percent, "number": text.number, "safe_url": text.safe_url, "code": _code}
    environment.globals |= {"count": text.count, "w": wording, "m": move_wording, "c": charts}
    return environment


@functools.cache
def _asset(name: str) -> str:
    loader = jinja2.PackageLoader("okrsync.reports")
    return loader.get_source(jinja2.Environment(autoescape=True), name)[0]
