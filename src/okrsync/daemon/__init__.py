"""`sync` on a schedule: when it runs, how it stops, what health, metrics and the latest report say of it.

Nothing here decides about goals or work. Time, sleep and the stop come in from outside; the command line wires them.
"""

from .loop import Daemon, Outcome
from .metrics import Metrics
from .once import Once
from .serving import Server, application
from .stopping import Stop

__all__ = ["Daemon", "Metrics", "Once", "Outcome", "Server", "Stop", "application"]
