"""What a plan is made from, beside the view and its findings; and what it is collected in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from ..domain.changes import Change, Dismissal, Held, Owned
from ..domain.findings import View
from ..domain.links import Alignment, Suggestion, Verdict
from ..domain.settings import WritebackSettings
from ..domain.work import StoredItem, WorkItem


class Inputs(Struct, frozen=True, kw_only=True):
    """Settings and memory.

    writable         whether the configuration lets us write to an item's container
    owned            what the journal says is ours, by uid
    dismissals       what people undid, by (uid, label or `comment`)
    container_labels label definitions by `<connector>:<container>`; None or absent: none are needed
    silent           `<connector>:<container>`, or an item's uid, where the server refuses comments
    deaf             connectors whose comments are not read for commands
    enabled_at       when write-back was first enabled; None: not before now
    comments_today   comments created within the last day
    suggest          likely initiatives for unlinked work; asked only where a comment is written
    """

    settings: WritebackSettings
    writable: Callable[[WorkItem], bool]
    owned: Mapping[str, Owned] = {}
    dismissals: Mapping[tuple[str, str], Dismissal] = {}
    container_labels: Mapping[str, frozenset[str] | None] = {}
    silent: frozenset[str] = frozenset()
    deaf: frozenset[str] = frozenset()
    enabled_at: datetime | None = None
    comments_today: int = 0
    suggest: Callable[[WorkItem], Sequence[Suggestion]] = lambda _: ()


class Case(Struct, frozen=True, kw_only=True):
    """One item that may be written to, with everything that decides about it.

    wanted     the labels it should bear
    state      fingerprint of alignment and wanted labels: a dismissal holds while this stays
    because    the code behind its alignment, or the alignment itself where there is no finding
    dismissals of this item, by label or `comment`
    """

    stored: StoredItem
    verdict: Verdict
    wanted: frozenset[str]
    state: str
    because: str
    owned: Owned
    dismissals: Mapping[str, Dismissal]

    @property
    def item(self) -> WorkItem:
        return self.stored.item


class Draft(Struct, kw_only=True):
    """Collects a plan while it is being made."""

    changes: list[Change] = []
    held: list[Held] = []
    dismissals: list[Dismissal] = []
    foreign: list[tuple[str, str]] = []
    unclaimed: list[str] = []

    def hold(self, target: str, why: str) -> None:
        self.held.append(Held(target=target, why=why))


def fingerprint(alignment: Alignment, wanted: Iterable[str]) -> str:
    """16 hex digits: the same while alignment and wanted labels stay as they are."""
    text = "\n".join((alignment.value, *sorted(wanted)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def in_scope(view: View, stored: StoredItem, inputs: Inputs) -> bool:
    """Whether an item may be written to at all: open, not archived, writable, within `writeback.only`."""
    item, only = stored.item, inputs.settings.only
    return (
        item.open
        and not item.archived
        and not stored.chased
        and item.kind in only.kinds
        and (only.updated_within is None or view.now - stored.moved_at <= only.updated_within)
        and inputs.writable(item)
    )
