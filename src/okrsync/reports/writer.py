"""Rendering by format, and writing the files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import UTC
from pathlib import Path

from .csv_report import render_csv
from .json_report import render_json
from .markdown_report import render_markdown
from .model import Report


def _render_html(report: Report) -> str:
    from .html_report import render_html  # noqa: PLC0415  # Jinja is slow to load, and most verbs make no page

    return render_html(report)


_RENDERERS: dict[str, Callable[[Report], str]] = {
    "html": _render_html,
    "md": render_markdown,
    "csv": render_csv,
    "json": render_json,
}


def render(report: Report, format_: str) -> str:
    """The report as `html`, `md`, `csv` or `json`. Raises ValueError for another word."""
    renderer = _RENDERERS.get(format_)
    if renderer is None:
        raise ValueError(f"unknown report format {format_!r}; one of {', '.join(_RENDERERS)}")
    return renderer(report)


def dated_name(report: Report) -> str:
    """`2026-W47.html`: the ISO week of the run, in UTC."""
    year, week, _ = report.run.at.astimezone(UTC).isocalendar()
    return f"{year}-W{week:02}.html"


def write(report: Report, folder: Path, formats: Iterable[str]) -> list[Path]:
    """Writes `okrsync.<format>` for each format, UTF-8, and returns the paths in that order; with `html` also the
    copy of the week (`2026-W47.html`), last. Later runs of a week replace its copy, so that each week's end stays.

    Each file is replaced in one step, so that whoever reads it meanwhile sees the old one or the new one.
    Raises OSError where the folder cannot be written, and ValueError for an unknown format.
    """
    rendered = {f: render(report, f) for f in formats}
    folder.mkdir(parents=True, exist_ok=True)
    paths = [_replace(folder / f"okrsync.{format_}", text) for format_, text in rendered.items()]
    if "html" in rendered:
        paths.append(_replace(folder / dated_name(report), rendered["html"]))
    return paths


def _replace(path: Path, text: str) -> Path:
    # next to its target: a rename is atomic within one file system only
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path
