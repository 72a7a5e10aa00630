"""How work is tied to goals: references from text, and their resolution into verdicts with all the evidence.

Pure: items, goals and rule matches in, verdicts out. No I/O and no clock; nothing here judges a verdict
(that is `findings`) or writes it anywhere.
"""

from .chase import dangling, naming
from .commands import command_lines
from .context import Context
from .explain import UnknownSubject, explain
from .graph import NOT_FOLLOWED, NOWHERE
from .references import read_text
from .remote import ASKED as REMOTE_ASKED
from .remote import RemoteLinks, pull_request
from .resolve import Resolution, Weighed, resolve
from .standing import Ways, standings, standings_together
from .suggest import Suggester
from .terms import terms
from .words import explain_text

__all__ = [
    "NOT_FOLLOWED",
    "NOWHERE",
    "REMOTE_ASKED",
    "Context",
    "RemoteLinks",
    "Resolution",
    "Suggester",
    "UnknownSubject",
    "Ways",
    "Weighed",
    "command_lines",
    "dangling",
    "explain",
    "explain_text",
    "naming",
    "pull_request",
    "read_text",
    "resolve",
    "standings",
    "standings_together",
    "terms",
]
