"""Weather for the soak: faults of every kind, and things that happen at a given request of a cycle."""

from __future__ import annotations

import threading
from collections.abc import Callable
from random import Random

from okrsync.sandbox import Fault, Faults
from product import StoryClock

SOURCES = ("jira", "github")
PATHS = {
    "jira": ["", "", "/search", "/myself", "/project", "/field", "/issue/", "/bulk", "/comment", "/serverInfo"],
    "github": ["", "", "/issues", "/repos/", "/orgs/", "/graphql", "/labels", "/comments", "page=2", "/acme/sdk-js"],
}
STATUSES = (400, 401, 403, 404, 408, 409, 410, 422, 429, 500, 502, 503, 504)
KINDS = {  # kind -> weight
    "status": 8, "rate_limit_html": 2, "secondary_limit": 1, "primary_limit": 1, "graphql_limited": 1,
    "graphql_partial": 2, "html": 2, "empty": 3, "repeat_page": 2, "truncated": 2, "invalid_json": 2,
    "reset": 3, "drop_after": 6, "slow": 2, "endless": 1, "endless_headers": 0.5, "huge": 0.2, "empty_page": 2,
    "repeat_token": 2,
}  # fmt: skip
GITHUB_ONLY = ("secondary_limit", "primary_limit", "graphql_limited", "graphql_partial")


class Storm(Faults):
    """Faults that also run what was put `at` a request. Answers that never come move the story's clock, since
    nothing else does while a request is under way."""

    def __init__(self, clock: StoryClock) -> None:
        super().__init__()
        self._clock = clock
        self._guard = threading.Lock()
        self._counts = dict.fromkeys((*SOURCES, "*"), 0)
        self._due: dict[tuple[str, int], list[Callable[[], None]]] = {}

    def at(self, source: str, number: int, happening: Callable[[], None]) -> None:
        """Before the `number`th request from now to this source (`*`: to both) is looked at; once."""
        with self._guard:
            self._due.setdefault((source, self._counts[source] + number), []).append(happening)

    def calm(self) -> None:
        """No faults, and nothing due any more."""
        with self._guard:
            self._due.clear()
        self.clear()

    def take(self, source: str, method: str, path: str, body: bytes = b"") -> Fault | None:
        due: list[Callable[[], None]] = []
        with self._guard:
            for name in (source, "*"):
                self._counts[name] += 1
                due += self._due.pop((name, self._counts[name]), [])
        for happening in due:
            happening()
        fault = super().take(source, method, path, body)
        if fault is not None and fault.kind in ("slow", "endless", "endless_headers"):
            self._clock.advance(seconds=90)
        return fault

    def brew(self, dice: Random, *, waiting: bool) -> str:
        """Adds one fault by chance; returns it in words. Without `waiting` none that makes the product wait long."""
        source = dice.choice(SOURCES)
        kinds = {k: w for k, w in KINDS.items() if source == "github" or k not in GITHUB_ONLY}
        if not waiting:
            kinds = {k: w for k, w in kinds.items() if k in ("empty", "repeat_page", "drop_after", "status")}
        kind = dice.choices(list(kinds), list(kinds.values()))[0]
        headers = {"Retry-After": str(dice.choice((0, 1, 30, 4000)))} if dice.random() < 0.2 else {}
        method = dice.choice(("POST", "PUT", "PATCH", "DELETE")) if dice.random() < 0.3 else None
        fault = Fault(
            kind=kind,
            source=source,
            path=dice.choice(PATHS[source]),
            method=method,
            after=dice.choice((0, 0, 1, 2, 3, 5, 8, 13)),
            times=dice.choice((1, 1, 2, 3, 6, None)) if waiting else 1,
            status=dice.choice(STATUSES) if waiting else dice.choice((400, 403, 404, 422)),
            headers=headers,
            seconds=dice.choice((0.05, 60.0)) if kind == "primary_limit" else 0.05,
            size=70_000_000,
        )
        self.add(fault)
        return (
            f"{fault.kind} {fault.status if kind == 'status' else ''} on {source} {method or '*'} {fault.path!r}"
            f" after={fault.after} times={fault.times} {headers or ''}"
        )
