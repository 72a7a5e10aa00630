"""The work as CSV: stable columns, one row for each item."""

from __future__ import annotations

import csv
import io

from okrsync.domain.text import iso

from .model import Report
from .text import csv_cell
from .work import WorkRow

COLUMNS = (
    "id",
    "kind",
    "title",
    "url",
    "status",
    "alignment",
    "exempt_class",
    "initiatives",
    "key_results",
    "objectives",
    "team",
    "assignee",
    "age_days",
    "updated",
)


def values(row: WorkRow) -> dict[str, object]:
    """The columns of one row; ids as lists, times as text."""
    found: dict[str, object] = {}
    for column in COLUMNS:
        value = getattr(row, column)
        found[column] = list(value) if isinstance(value, tuple) else value
    found["updated"] = iso(row.updated)
    return found


def render_csv(report: Report) -> str:
    """Comma-separated, UTF-8, one header line; several ids joined by `;`; formulas defused."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in report.work:
        writer.writerow(csv_cell(_text(value)) for value in values(row).values())
    return out.getvalue()


def _text(value: object) -> str:
    return ";".join(str(v) for v in value) if isinstance(value, list) else str(value)
