"""What a slice remembers between two pulls, as one line: since when to read, what must show, which fields. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from msgspec import Struct, structs

from okrsync.domain.text import iso
from okrsync.domain.work import WorkItem

from .fields import CustomFields

# Jira's `updated` has the grain of a minute, and its index lags: what is this near to the watermark is read again.
OVERLAP = timedelta(minutes=15)
PILE = 25  # so many items may be read again for ever; a bulk edit leaves thousands within one minute
_NEVER = datetime.min.replace(tzinfo=UTC)
_SAFE = re.compile(r"[\w.-]+")


class Mark(Struct, frozen=True):
    """The watermark of a project.

    at      everything updated until then was read, but for what a lagging index hid for up to OVERLAP
    canary  key of an item that must show in each answer; empty where the newest item does so by itself, since the
            overlap reaches back behind it. An account that has become nobody is shown nothing, and so is one that
            looks where nothing changed: only what must show tells the two apart
    fields  the custom fields as they were found; None where nothing had to be looked up
    """

    at: datetime
    canary: str = ""
    fields: CustomFields | None = None


def write_mark(mark: Mark) -> str:
    words: list[str] = [iso(mark.at) or ""]
    if mark.canary:
        words.append(f"canary={mark.canary}")
    if mark.fields is not None:
        words.extend(f"{name}={id_}" for name, id_ in structs.asdict(mark.fields).items() if id_)
        words.append("looked-up")
    return " ".join(words)


def read_mark(text: str | None) -> Mark | None:
    """None for anything that is no watermark: then everything is read."""
    at, *words = (text or "").split(" ")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    told = dict(word.split("=", 1) for word in words if "=" in word)
    known = {name: id_ for name, id_ in told.items() if name in CustomFields.__struct_fields__ and _SAFE.fullmatch(id_)}
    canary = told.get("canary", "")
    return Mark(
        moment.astimezone(UTC),
        canary if _SAFE.fullmatch(canary) else "",
        CustomFields(**known) if "looked-up" in words else None,
    )


class Newest:
    """The newest of the items read so far, and how many lie so near before it that the overlap reads them again."""

    def __init__(self, at: datetime = _NEVER) -> None:
        self.at = at
        self.key = ""
        self._near: Counter[datetime] = Counter()

    def add(self, items: Collection[WorkItem]) -> None:
        if not items:
            return
        for item in items:
            if item.updated > self.at or (item.updated == self.at and not self.key):
                self.at, self.key = item.updated, item.key
        floor = self.at - OVERLAP
        self._near = Counter({at: n for at, n in self._near.items() if at >= floor})
        self._near.update([item.updated for item in items if item.updated >= floor])

    def mark(self, started: datetime, before: Mark | None = None, fields: CustomFields | None = None) -> Mark:
        """`started`: when the reading began, by the server's clock. The mark stands at the newest item, so that an
        idle project keeps its mark; where too much lies beside that, it moves on once a lagging index has caught up."""
        at = min(self.at, started) if self.at > _NEVER else before.at if before is not None else started
        canary = ""
        if before is not None and at <= before.at:
            at, canary = before.at, before.canary
        if self._near.total() > PILE and started - max(at, self.at) > OVERLAP and self.key:
            return Mark(started, self.key, fields)
        return Mark(at, canary, fields)
