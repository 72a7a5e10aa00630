"""What a direct reading says about a write of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..domain.changes import Op
from ..domain.trackers import Forbidden, Look, Tracker
from ..domain.work import WorkItem
from ..planning.labels import folded


def connector_of(target: str) -> str:
    """The first half of an item id or of `<connector>:<container>`."""
    return target.partition(":")[0]


def bears(item: WorkItem, label: str) -> bool:
    wanted = folded(label, item.container)
    return any(folded(present, item.container) == wanted for present in item.labels)


def seen(op: str, value: str, content_hash: str, look: Look) -> tuple[bool, str | None]:
    """Whether the write shows in a reading, and the id of our comment where it does. A label that is there after
    we set out to add it is ours: it was not there when we decided to."""
    match op:
        case Op.ADD_LABEL:
            return bears(look.item, value), None
        case Op.REMOVE_LABEL:
            return not bears(look.item, value), None
        case Op.CREATE_COMMENT | Op.UPDATE_COMMENT:
            ids = [comment.id for comment in look.comments or () if comment.hash == content_hash]
            return bool(ids), ids[0] if ids else None
        case _:
            return False, None


def look_at(tracker: Tracker, items: Sequence[WorkItem]) -> dict[str, Look]:
    """Direct readings by uid, comments left out; several items are read together. What is not there, or is another
    item by now, is missing from the answer. Raises SourceFailed, and for a single item NotFound, Forbidden."""
    if len(items) == 1:
        looks = [tracker.look(items[0], comments=False)]
    else:
        fetched = tracker.fetch([item.id for item in items])
        looks = [Look(item=found) for found in fetched.items.values()]
    wanted = {item.uid for item in items}
    return {look.item.uid: look for look in looks if look.item.uid in wanted}


def why_not(item: WorkItem, look: Look) -> str:
    """Why nothing may be written to an item as it stands now; empty where it may."""
    now = look.item
    if now.uid != item.uid:
        return f"{item.id} is another item by now"
    if now.id != item.id:
        return f"it has moved to {now.id}"
    if now.archived:
        return "it has been archived"
    return "" if now.open else "it has been closed"


def find_item(target: str, uid: str, items: Mapping[str, WorkItem], tracker: Tracker) -> WorkItem | None:
    """A journalled item, also one the store holds no longer; None when it is gone. Raises Forbidden."""
    if uid in items:
        return items[uid]
    fetched = tracker.fetch([target])
    found = fetched.items.get(target) or fetched.items.get(fetched.moved.get(target, ""))
    if found is None and target in fetched.forbidden:
        raise Forbidden(f"{target} may not be read")
    # another item may bear that key by now; but one that the server forwards to is the same, whatever its new uid
    return found if found is not None and (found.uid == uid or target in fetched.moved) else None
