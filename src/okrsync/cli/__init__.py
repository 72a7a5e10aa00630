"""The verbs: options in, a session, one call into `sync` or a room, text or JSON out, an exit code.

No decision about goals or work is taken here. `main` is the console script; `run` is the same with the
environment, the clock and the folder passed in.
"""

from .app import main, run

__all__ = ["main", "run"]
