"""Which referenced items must be fetched before verdicts are given (DESIGN section 5, "Chasing")."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from datetime import datetime

from okrsync.domain.work import StoredItem


def dangling(
    targets: Iterable[str],
    *,
    known: Container[str],
    aliases: Mapping[str, str],
    connectors: Container[str],
    skip: Container[str] = frozenset(),
) -> tuple[str, ...]:
    """Ids that items refer to and the store does not hold, sorted. Call again with what was fetched until empty.

    targets     the ids that items refer to
    known       ids the store holds
    aliases     old id -> present id
    connectors  names of configured connectors; nobody could fetch from any other
    skip        ids not to ask for again: found unreachable in this run
    """
    wanted: set[str] = set()
    for target in targets:
        if target in known or target in wanted or target in skip or target.partition(":")[0] not in connectors:
            continue
        present = aliases.get(target)
        if present is None:
            wanted.add(target)
        elif present not in known and present not in skip:
            wanted.add(present)
    return tuple(sorted(wanted))


def naming(items: Iterable[StoredItem], missing: Collection[str], *, before: datetime) -> tuple[str, ...]:
    """Ids of items last read before that moment in which the server itself named one that is missing: it may name it
    no longer. Chased items are left out, as they are read anew in each run."""
    return tuple(
        stored.item.id
        for stored in items
        if not stored.chased
        and stored.read_at < before
        and any(r.structural and r.target in missing for r in stored.item.references)
    )
