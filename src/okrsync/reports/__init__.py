"""Reports: one pure view model, then html, markdown, csv and json renderings of it, and writing them to a folder.

Only `writer` touches the disk; nothing here judges work, asks a tracker or the store, or ranks persons.
"""

from .findings_text import BEHIND, BETWEEN, finding_texts, findings_texts, joined
from .json_report import findings_json
from .model import Report, RunInfo, build
from .writer import render, write

__all__ = [
    "BEHIND",
    "BETWEEN",
    "Report",
    "RunInfo",
    "build",
    "finding_texts",
    "findings_json",
    "findings_texts",
    "joined",
    "render",
    "write",
]
