"""Carries a plan out: journal, look before writing, repair after a crash, undo.

Knows trackers and the store by their protocols only. Decides nothing: what is wanted comes from planning.
"""

from .adopt import adopt
from .apply import apply
from .recover import Recovered, recover
from .undo import Removal, Undone, undo

__all__ = ["Recovered", "Removal", "Undone", "adopt", "apply", "recover", "undo"]
