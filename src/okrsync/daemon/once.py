"""A warning that each run would repeat is logged by the first only."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import structlog


class Once:
    """A processor for structlog. What the run before warned of is dropped; what is no longer warned of is forgotten,
    and said again should it come back."""

    def __init__(self) -> None:
        self._before: frozenset[str] = frozenset()
        self._now: set[str] = set()

    def __call__(self, _logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if method == "warning":
            text = repr(sorted(event.items(), key=lambda pair: pair[0]))
            self._now.add(text)
            if text in self._before:
                raise structlog.DropEvent
        return event

    def run_ended(self) -> None:
        self._before, self._now = frozenset(self._now), set()
