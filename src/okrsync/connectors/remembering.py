"""What writing to any tracker needs: a memory for one process, and label edits made one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from okrsync.domain.trackers import LabelEdit, TrackerError


class Forgetful:
    """`domain.trackers.Memory` that ends with its process."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def recall(self, key: str) -> str | None:
        return self._known.get(key)

    def remember(self, key: str, value: str) -> None:
        self._known[key] = value


def parts(edit: LabelEdit) -> Iterator[LabelEdit]:
    """An edit as one that only removes and one that only adds."""
    if edit.remove:
        yield LabelEdit(item=edit.item, remove=edit.remove)
    if edit.add:
        yield LabelEdit(item=edit.item, add=edit.add)


def one_by_one(batch: Sequence[LabelEdit], send: Callable[[LabelEdit], None]) -> list[TrackerError | None]:
    """The outcome of each, as `Tracker.change_labels` tells it."""
    outcomes: list[TrackerError | None] = []
    for edit in batch:
        try:
            send(edit)
        except TrackerError as error:
            outcomes.append(error)
        else:
            outcomes.append(None)
    return outcomes
