"""Rules: one module per rule family, a registry, and evaluation; each rule is one small pure function of a View.

Nothing here does I/O, reads a clock or knows a tracker; what a rule says of a subject is a `domain.findings.Finding`.
"""

from .evaluation import evaluate, order
from .registry import OF_ALL, OF_WORK, RULES, rule
from .support import Support, closed_in_cycle, doubt, in_gap, oldest, roots, support, supporting

__all__ = [
    "OF_ALL",
    "OF_WORK",
    "RULES",
    "Support",
    "closed_in_cycle",
    "doubt",
    "evaluate",
    "in_gap",
    "oldest",
    "order",
    "roots",
    "rule",
    "support",
    "supporting",
]
