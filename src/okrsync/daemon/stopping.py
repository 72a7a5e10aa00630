"""The wish to stop, and sleeps that it ends."""

from __future__ import annotations

from collections.abc import Callable

_NAP = 0.5  # seconds


class Stop:
    """Asked for once, it stays. `sleep` is what really sleeps; it is called for short naps only."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._sleep = sleep
        self._asked = False

    def ask(self) -> None:
        """May be called from a signal handler."""
        self._asked = True

    def asked(self) -> bool:
        return self._asked

    def sleep(self, seconds: float) -> None:
        """Returns early once the stop is asked for."""
        left = seconds
        while left > 0 and not self._asked:
            self._sleep(min(left, _NAP))
            left -= _NAP
