"""Storing items: upserts by uid, ids that move, tombstones. Functions run inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

import msgspec
from sqlalchemy import Connection, Table, delete, exists, func, select, text, update

from okrsync.domain.outlines import outline
from okrsync.domain.storage import Saved
from okrsync.domain.text import clean
from okrsync.domain.trackers import Batch
from okrsync.domain.work import WorkItem

from .changes import KEY, following
from .chunks import chunks
from .database import among, upsert, upsert_values
from .encoding import brief, decode, encode, looked_at
from .movement import first_moved, next_moved
from .queries import AT_ONCE
from .schema import COUNTED, LIVE, AnyRow, aliases, items, journal, meta, slices, unreachable

_STATE = (
    items.c.uid,
    items.c.id,
    items.c.slice,
    items.c.chased,
    items.c.tombstoned_at,
    items.c.updated,
    items.c.read_at,
    items.c.moved_at,
    items.c.data,
)

_COLUMNS = (
    *("uid", "id", "connector", "slice", "container", "open", "chased", "tombstoned_at"),
    *("updated", "read_at", "moved_at", "data", "target", "outline", "brief", "change"),
)

# Where an item belongs, given its row if it has one, and whether that is alive: (slice, chased).
_Place: TypeAlias = "Callable[[WorkItem, AnyRow | None, bool], tuple[str, bool]]"


def save_batches(c: Connection, connector: str, batches: Sequence[Batch], *, read_at: datetime, prefix: str) -> Saved:
    """Pages in the order in which they were read: their items, what is gone, and the slices' watermarks or resumes.
    Many together cost little more than one."""
    saved = [_save_together(c, connector, part, read_at=read_at, prefix=prefix) for part in _apart(batches)]
    return Saved(
        new=sum(s.new for s in saved),
        changed=sum(s.changed for s in saved),
        same=sum(s.same for s in saved),
        gone=sum(s.gone for s in saved),
    )


def _apart(batches: Sequence[Batch]) -> Iterator[list[Batch]]:
    """Pages that can be stored at once: none shows an item or an id that another one shows, too, and only the last one
    says that something is gone."""
    together: list[Batch] = []
    seen: set[str] = set()
    for batch in batches:
        shown = {item.uid for item in batch.items}.union([item.id for item in batch.items])
        if not seen.isdisjoint(shown):
            yield together
            together, seen = [], set()
        together.append(batch)
        seen |= shown
        if batch.gone or batch.present is not None:
            yield together
            together, seen = [], set()
    if together:
        yield together


def _save_together(c: Connection, connector: str, batches: Sequence[Batch], *, read_at: datetime, prefix: str) -> Saved:
    through: dict[str, str] = {}
    for batch in batches if len({batch.slice for batch in batches}) > 1 else ():
        through |= dict.fromkeys([clean(item.uid) for item in batch.items], clean(batch.slice))
    only = clean(batches[0].slice)  # where there are not several
    read = [item for batch in batches for item in batch.items]

    def place(item: WorkItem, _old: AnyRow | None, _alive: bool) -> tuple[str, bool]:
        return (through[item.uid] if through else only), False

    saved = _store(c, read, place, read_at=read_at, prefix=prefix)
    last = batches[-1]
    gone = {clean(uid) for uid in last.gone}
    if last.present is not None:
        gone |= {uid for uid in held_uids(c, connector, clean(last.slice)) if uid not in last.present}
    if gone:
        gone -= {clean(item.uid) for item in last.items}  # just read, so it is there
    by_slice: dict[str, list[Batch]] = {}
    for batch in batches:
        by_slice.setdefault(clean(batch.slice), []).append(batch)
    for slice_, pages in by_slice.items():
        _move_slice(c, connector, slice_, pages, read_at)
    return msgspec.structs.replace(saved, gone=saved.gone + tombstone(c, sorted(gone), at=read_at))


def save_chased(
    c: Connection, found: Iterable[WorkItem], *, read_at: datetime, moved: Mapping[str, str], prefix: str
) -> None:
    """Items that only serve as evidence; a live counted one stays counted."""

    def place(_item: WorkItem, old: AnyRow | None, alive: bool) -> tuple[str, bool]:
        return (old.slice, old.chased) if old is not None and alive else ("", True)

    _store(c, found, place, read_at=read_at, prefix=prefix, always=True)
    for asked, present in moved.items():
        _follow(c, clean(asked), clean(present), at=read_at)


def refresh(c: Connection, read: Iterable[WorkItem], *, read_at: datetime, prefix: str) -> None:
    """Direct readings of counted items; they stay in the slice they came through."""

    def place(_item: WorkItem, old: AnyRow | None, alive: bool) -> tuple[str, bool]:
        return (old.slice, alive and old.chased) if old is not None else ("", False)

    _store(c, read, place, read_at=read_at, prefix=prefix, always=True)


def note_labels(c: Connection, changes: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> None:
    """Changes the labels of the stored readings, by uid: (added, removed); nothing happens where an item is not
    held."""
    change = _next_change(c)
    for uid, (added, removed) in changes.items():
        _note_labels(c, uid, added, removed, change)


def _note_labels(c: Connection, uid: str, added: Sequence[str], removed: Sequence[str], change: int) -> None:
    data = c.execute(select(items.c.data).where(items.c.uid == uid, LIVE)).scalar()
    if data is None:
        return
    item = decode(data)
    kept = [label for label in item.labels if label not in removed]
    labels = (*kept, *(label for label in dict.fromkeys(added) if label not in kept))
    item, data = encode(msgspec.structs.replace(item, labels=labels))
    c.execute(update(items).where(items.c.uid == uid).values(data=data, change=change, **looked_at(item)))


def tombstone(c: Connection, uids: Iterable[str], *, at: datetime) -> int:
    """Returns how many of them were alive."""
    dead, parts = 0, list(chunks(uids))
    buried = {"tombstoned_at": at, "change": _next_change(c)} if parts else {}
    for part in parts:
        dead += c.execute(update(items).where(items.c.uid.in_(part), LIVE).values(**buried)).rowcount
    return dead


def held_uids(c: Connection, connector: str, slice_: str) -> Iterator[str]:
    held = select(items.c.uid).where((items.c.connector == connector) & (items.c.slice == slice_) & COUNTED)
    for uids in c.execute(held.execution_options(yield_per=AT_ONCE)).scalars().partitions():
        yield from uids


def forget_scope(c: Connection, connector: str, names: Sequence[str], *, at: datetime) -> None:
    """Items leave, and the watermark with them: named again, the slice is read from the beginning."""
    buried = {"tombstoned_at": at, "change": _next_change(c)}
    for part in chunks(names):
        held = (items.c.connector == connector) & items.c.slice.in_(part) & COUNTED
        c.execute(update(items).where(held).values(**buried))
        c.execute(delete(slices).where(slices.c.connector == connector, slices.c.slice.in_(part)))


def _store(
    c: Connection, read: Iterable[WorkItem], place: _Place, *, read_at: datetime, prefix: str, always: bool = False
) -> Saved:
    """Upserts by uid. `always`: `read_at` moves on unchanged rows too."""
    latest = {one[0].uid: one for one in map(encode, read)}
    by_id = {one[0].id: one for one in latest.values()}  # of several readings the last one wins
    known, owners = _known(c, by_id)

    there: list[tuple[WorkItem, str, AnyRow | None, str, bool]] = []
    same: list[str] = []
    for item, data in by_id.values():
        old = known.get(item.uid)
        alive = old is not None and old.tombstoned_at is None
        slice_, chased = place(item, old, alive)
        if old is not None and alive and (old.data, old.slice, old.chased) == (data, slice_, chased):
            same.append(item.uid)
        else:
            there.append((item, data, old, slice_, chased))
    moved = _moved(c, [(item, old) for item, _, old, _, _ in there if old is not None], prefix) if known else {}
    change = _next_change(c) if there else 0
    rows = [
        (
            *(item.uid, item.id, item.connector, slice_, item.container, item.state == "open", chased, None),
            *(item.updated, read_at, moved[item.uid] if old is not None else first_moved(item), data),
            *outline(item),
            brief(item),
            change,
        )
        for item, data, old, slice_, chased in there
    ]
    fresh = {item.id: item.uid for item, *_ in there}
    taken = _free_ids(c, fresh, owners, at=read_at)
    upsert_values(c, items, _COLUMNS, rows)
    _note_aliases(c, fresh, known)
    if _any(c, unreachable):
        for part in chunks(fresh):
            c.execute(delete(unreachable).where(unreachable.c.id.in_(part)))
    _touch(c, same, read_at=read_at, always=always)
    changed = sum(uid in known for uid in fresh.values()) if known else 0
    return Saved(new=len(rows) - changed, changed=changed, same=len(same), gone=taken)


def _moved(c: Connection, found: Sequence[tuple[WorkItem, AnyRow]], prefix: str) -> dict[str, datetime]:
    """`moved_at` by uid of items that were known."""
    differing = [(item, old) for item, old in found if item.updated > old.updated]
    writes: dict[str, list[tuple[datetime, datetime]]] = {}
    for part in chunks(item.uid for item, _ in differing):
        sent = select(journal.c.uid, journal.c.at, func.coalesce(journal.c.settled_at, journal.c.at))
        for uid, at, settled in c.execute(sent.where(journal.c.uid.in_(part), journal.c.state != "failed")):
            writes.setdefault(uid, []).append((at, settled))
    return {item.uid: old.moved_at for item, old in found} | {
        item.uid: next_moved(
            decode(old.data),
            item,
            moved_at=old.moved_at,
            read_at=old.read_at,
            writes=writes.get(item.uid, ()),
            prefix=prefix,
        )
        for item, old in differing
    }


def _known(c: Connection, by_id: Mapping[str, tuple[WorkItem, str]]) -> tuple[dict[str, AnyRow], list[tuple[str, str]]]:
    """The rows of these items by uid, and who bears their ids now: (id, uid)."""
    known: dict[str, AnyRow] = {}
    owners: list[tuple[str, str]] = []
    uids = {item.uid for item, _ in by_id.values()}
    ours = among(c, items.c.uid, uids) | (among(c, items.c.id, by_id) & LIVE)
    for row in c.execute(select(*_STATE).where(ours)) if uids else ():
        if row.uid in uids:
            known[row.uid] = row
        if row.tombstoned_at is None and row.id in by_id:
            owners.append((row.id, row.uid))
    return known, owners


def _any(c: Connection, table: Table) -> bool:
    """Most databases have no alias and nothing unreachable: then a page costs no question about each of its items."""
    return c.execute(select(exists(select(text("1")).select_from(table)))).scalar_one()


def _free_ids(c: Connection, fresh: Mapping[str, str], owners: Iterable[tuple[str, str]], *, at: datetime) -> int:
    """Takes ids away from rows of other uids, so that the unique index holds even when two items swap ids. `fresh`:
    the uid by id of what is to be stored. Returns how many items are gone for good by that."""
    losers = [uid for id_, uid in owners if fresh.get(id_, uid) != uid]
    tombstone(c, losers, at=at)
    return len(set(losers).difference(fresh.values())) if losers else 0


def _note_aliases(c: Connection, fresh: Mapping[str, str], known: Mapping[str, AnyRow]) -> None:
    old_ids = [
        {"alias": known[uid].id, "uid": uid}
        for id_, uid in (fresh.items() if known else ())
        if uid in known and known[uid].id != id_
    ]
    upsert(c, aliases, old_ids)
    if not _any(c, aliases):
        return
    # an id that some live item bears is nobody's alias
    for part in chunks([*fresh, *(old["alias"] for old in old_ids)]):
        borne = select(items.c.id).where(items.c.id.in_(part), LIVE)
        c.execute(delete(aliases).where(aliases.c.alias.in_(borne)))


def _follow(c: Connection, asked: str, present: str, *, at: datetime) -> None:
    """The server says that `asked` is now called `present`; nothing is remembered where `present` is not held."""
    uid = c.execute(select(items.c.uid).where(items.c.id == present, LIVE)).scalar()
    if uid is None or asked == present:
        return
    left = select(items.c.uid).where(items.c.id == asked, LIVE)
    tombstone(c, list(c.execute(left).scalars()), at=at)
    upsert(c, aliases, [{"alias": asked, "uid": uid}])


def _touch(c: Connection, uids: Sequence[str], *, read_at: datetime, always: bool) -> None:
    """An unchanged row is left alone, unless we wrote to the item since its last reading: then it matters that
    this reading is newer than the write."""
    written = exists().where(
        journal.c.uid == items.c.uid, func.coalesce(journal.c.settled_at, journal.c.at) >= items.c.read_at
    )
    for part in chunks(uids):
        touch = update(items).where(items.c.uid.in_(part)).values(read_at=read_at)
        c.execute(touch if always else touch.where(written))


def _move_slice(c: Connection, connector: str, slice_: str, pages: Iterable[Batch], read_at: datetime) -> None:
    where = (slices.c.connector == connector) & (slices.c.slice == slice_)
    old = c.execute(select(slices.c.watermark, slices.c.resume, slices.c.swept_at).where(where)).first()
    watermark, resume, swept_at = old or (None, None, None)
    for page in pages:
        if page.watermark is not None:
            watermark, resume = page.watermark, None
        elif page.resume is not None:
            resume = page.resume
        if page.present is not None:
            swept_at = read_at
    row = {"connector": connector, "slice": slice_, "watermark": watermark, "resume": resume, "swept_at": swept_at}
    if old is None or tuple(old) != (watermark, resume, swept_at):
        upsert(c, slices, [row])


def _next_change(c: Connection) -> int:
    """The number for what this transaction writes. Whoever else writes waits for its end, so that numbers are seen in
    the order in which they were given."""
    number, told = following(c.execute(select(meta.c.value).where(meta.c.key == KEY).with_for_update()).scalar())
    upsert(c, meta, [{"key": KEY, "value": told}])
    return number
