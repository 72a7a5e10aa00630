"""Wanted against observed: the plan, its order, checksum and renderings, and the safety gate.

Pure: values in, values out; time and memory come in as arguments. Nothing here reads, writes or logs.
"""

from . import dashboard
from .gate import gate, known_open
from .inputs import Inputs
from .labels import Labels, folded, shorten
from .plan import plan
from .render import counted, headline, render_markdown, render_text

__all__ = [
    "Inputs",
    "Labels",
    "counted",
    "dashboard",
    "folded",
    "gate",
    "headline",
    "known_open",
    "plan",
    "render_markdown",
    "render_text",
    "shorten",
]
