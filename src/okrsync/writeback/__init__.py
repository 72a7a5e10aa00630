"""Carries a plan out: journal, look before writing, repair after a crash, undo.

Knows trackers and the store by their protocols only. Decides nothing: what is wanted comes from planning.
"""

from .adopt import adopt, adopt_unclaimed
from .apply import apply
from .dashboard import adopt_dashboard
from .dashboard import dismissal as dashboard_dismissal
from .recover import Recovered, recover
from .undo import Removal, Undone, undo

__all__ = [
    "Recovered",
    "Removal",
    "Undone",
    "adopt",
    "adopt_dashboard",
    "adopt_unclaimed",
    "apply",
    "dashboard_dismissal",
    "recover",
    "undo",
]
