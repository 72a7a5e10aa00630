"""An in-memory tracker with the full protocol, and switches for everything that goes wrong while writing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count

from msgspec.structs import replace

from okrsync.connectors.remembering import one_by_one, parts
from okrsync.domain.comments import Comment
from okrsync.domain.trackers import (
    Batch,
    Dashboard,
    Fetched,
    Forbidden,
    LabelEdit,
    Look,
    NotFound,
    NotSent,
    NotWritable,
    OurComment,
    OutcomeUnknown,
    Probe,
    SliceState,
    SourceFailed,
    TrackerError,
    WriteRefused,
)
from okrsync.domain.work import WorkItem


class Crash(BaseException):
    """The process dies here."""


FAULTS = ("lost_after", "lost_before", "crash_after", "crash_before", "source_failed", "refused")
"""What may happen to a write: processed or not, and the answer lost; the process dies after or before it was
processed; the source fails; the server refuses this one. `late` (comments and issues): as `lost_after`, but it shows
only after `arrive`."""


class FakeTracker:
    """GitHub-like when `definitions` (labels need definitions, containers are `owner/repo`), else Jira-like; `bulk`:
    so many label edits go into one batch."""

    def __init__(self, name: str = "github", *, definitions: bool = True, bulk: int = 1) -> None:
        self.name = name
        self.definitions: dict[str, set[str]] | None = {} if definitions else None
        self.items: dict[str, WorkItem] = {}
        self.comments: dict[str, list[tuple[str, Comment]]] = {}
        self.late: list[tuple[str, str, Comment]] = []
        self.boards: dict[str, dict[str, Comment]] = {}  # dashboard issues: container -> ref -> content
        self.closed: set[str] = set()  # refs of those that a person closed
        self.public: set[str] = set()
        self.late_boards: list[tuple[str, str, Comment]] = []
        self.faults: dict[int, str] = {}  # number of the write, from 0 -> what happens to it
        self.read_faults: set[str] = set()  # reads at which the source fails: `look github:acme/web#1`
        self.down = ""  # the source fails from now on
        self.read_only: set[str] = set()  # containers that answer a write with NotWritable
        self.hidden: set[str] = set()  # uids that answer Forbidden
        self.configured: Callable[[str], bool] = lambda container: True
        self.calls: list[str] = []
        self.bulk = bulk
        self.alone: set[str] = set()  # uids that a batch did not take
        self.batches: list[int] = []  # how many edits each had
        self._writes = 0
        self._ids = count(1)
        self._edits = count(1)
        self._edited: dict[str, int] = {}  # by uid: the number of its newest change, which watermarks are made of

    # --- the world and its people

    def add(self, *items: WorkItem) -> None:
        for item in items:
            self.items[item.uid] = item
            self._edited[item.uid] = next(self._edits)
            if self.definitions is not None:
                self.definitions.setdefault(item.container, set()).update(item.labels)

    def edit(self, uid: str, /, **fields: object) -> None:
        self.items[uid] = replace(self.items[uid], **fields)
        self._edited[uid] = next(self._edits)

    def person_removes_label(self, uid: str, label: str) -> None:
        self.edit(uid, labels=tuple(x for x in self.items[uid].labels if x != label))

    def person_adds_label(self, uid: str, label: str) -> None:
        if label not in self.items[uid].labels:
            self.edit(uid, labels=(*self.items[uid].labels, label))

    def person_deletes_comment(self, uid: str) -> None:
        self.comments.pop(uid, None)

    def arrive(self) -> None:
        """What was under way shows now."""
        for uid, id_, comment in self.late:
            self.comments.setdefault(uid, []).append((id_, comment))
        self.late.clear()
        for container, ref, content in self.late_boards:
            self.boards.setdefault(container, {})[ref] = content
        self.late_boards.clear()

    def fail_from_here(self, faults: Mapping[int, str]) -> None:
        """Faults of the next writes, counted from now."""
        self.faults = {self._writes + number: fault for number, fault in faults.items()}

    def texts(self) -> dict[str, list[str]]:
        """By uid: our comments' text."""
        return {uid: [c.text for _, c in found] for uid, found in sorted(self.comments.items()) if found}

    def labels(self) -> dict[str, list[str]]:
        return {uid: sorted(item.labels) for uid, item in sorted(self.items.items())}

    # --- reading

    def pull(self, slices: Mapping[str, SliceState], *, full: bool = False, sweep: bool = False) -> Iterator[Batch]:
        self._reading("pull")
        containers = {item.container for item in self.items.values()} | slices.keys()
        for container in sorted(filter(self.configured, containers)):
            known = slices.get(container, SliceState()).watermark
            since = 0 if full or known is None else int(known)
            there = [i for i in self.items.values() if i.container == container and i.uid not in self.hidden]
            yield Batch(
                slice=container,
                items=tuple(i for i in there if self._edited[i.uid] > since),
                watermark=str(max(self._edited.values(), default=0)),
                full=since == 0,
                present=frozenset(i.uid for i in there) if sweep or since == 0 else None,
            )

    def fetch(self, ids: Sequence[str]) -> Fetched:
        self._reading("fetch")
        by_id = {item.id: item for item in self.items.values()}
        shown = {i: by_id[i] for i in ids if i in by_id and by_id[i].uid not in self.hidden}
        return Fetched(
            items=shown,
            missing=tuple(i for i in ids if i not in by_id),
            forbidden=tuple(i for i in ids if i in by_id and i not in shown),
        )

    def owns(self, id_: str) -> bool:
        return any(item.id == id_ and self.configured(item.container) for item in self.items.values())

    def projects(self) -> tuple[str, ...]:
        return () if self.definitions is not None else tuple(sorted({i.container for i in self.items.values()}))

    def writable(self, container: str) -> bool:
        return self.configured(container)

    def look(self, item: WorkItem, *, comments: bool) -> Look:
        self._reading(f"look {item.id}")
        now = self._find(item)
        ours = tuple(OurComment(id=i, hash=c.hash) for i, c in self.comments.get(item.uid, ()))
        return Look(item=now, comments=ours if comments else None)

    def container_labels(self, container: str) -> frozenset[str] | None:
        self._reading(f"container_labels {container}")
        return None if self.definitions is None else frozenset(self.definitions.get(container, ()))

    def find_ours(self, prefix: str) -> Iterator[Look]:
        self._reading("find_ours")
        for item in list(self.items.values()):
            under = [x for x in item.labels if self._fold(x).startswith(self._fold(prefix))]
            if item.open and self.configured(item.container) and (under or self.comments.get(item.uid)):
                ours = tuple(OurComment(id=i, hash=c.hash) for i, c in self.comments.get(item.uid, ()))
                yield Look(item=item, comments=ours)

    def probe(self) -> Probe:
        return Probe(identity="okrsync", server="memory")

    def close(self) -> None:
        pass

    # --- writing

    def add_labels(self, item: WorkItem, labels: Sequence[str]) -> None:
        def work() -> None:
            now = self._find(item)
            have = {self._fold(x) for x in now.labels}
            self.edit(item.uid, labels=(*now.labels, *(x for x in labels if self._fold(x) not in have)))
            if self.definitions is not None:
                self.definitions.setdefault(item.container, set()).update(labels)

        self._writing(f"add_labels {item.id} {' '.join(labels)}", item.container, work)

    def remove_labels(self, item: WorkItem, labels: Sequence[str]) -> None:
        def work() -> None:
            gone = {self._fold(x) for x in labels}
            self.edit(item.uid, labels=tuple(x for x in self._find(item).labels if self._fold(x) not in gone))

        self._writing(f"remove_labels {item.id} {' '.join(labels)}", item.container, work)

    def label_batches(self, edits: Sequence[LabelEdit]) -> Sequence[Sequence[LabelEdit]]:
        """Item by item, removals first; with `bulk`, so many parts together, but for those that failed there."""
        split = [part for edit in edits for part in parts(edit)]
        many = [part for part in split if self.bulk > 1 and part.item.uid not in self.alone]
        many.sort(key=lambda part: not part.remove)
        found = [many[n : n + self.bulk] for n in range(0, len(many), max(1, self.bulk))]
        return found + [[part] for part in split if part not in many]

    def change_labels(self, batch: Sequence[LabelEdit]) -> Sequence[TrackerError | None]:
        """In a batch a fault hits the write that it would hit alone; what is refused there has to come alone."""

        def send(edit: LabelEdit) -> None:
            try:
                if edit.remove:
                    self.remove_labels(edit.item, edit.remove)
                if edit.add:
                    self.add_labels(edit.item, edit.add)
            except (WriteRefused, NotFound, Forbidden) as error:
                if len(batch) == 1:
                    raise
                self.alone.add(edit.item.uid)
                raise NotSent("not in a batch") from error

        self.batches.append(len(batch))
        return one_by_one(batch, send)

    def create_comment(self, item: WorkItem, comment: Comment) -> str:
        id_ = f"c{next(self._ids)}"

        def work(*, late: bool = False) -> None:
            self._find(item)
            if late:
                self.late.append((item.uid, id_, comment))
            else:
                self.comments.setdefault(item.uid, []).append((id_, comment))

        self._writing(f"create_comment {item.id}", item.container, work)
        return id_

    def update_comment(self, item: WorkItem, comment_id: str, comment: Comment) -> None:
        def work() -> None:
            self._find(item)
            found = self.comments.get(item.uid, [])
            if comment_id not in [i for i, _ in found]:
                raise NotFound(f"comment {comment_id} is not there")
            self.comments[item.uid] = [(i, comment if i == comment_id else c) for i, c in found]

        self._writing(f"update_comment {item.id}", item.container, work)

    def delete_comment(self, item: WorkItem, comment_id: str) -> None:
        def work() -> None:
            self.comments[item.uid] = [(i, c) for i, c in self.comments.get(item.uid, []) if i != comment_id]

        self._writing(f"delete_comment {item.id}", item.container, work)

    def create_label(self, container: str, label: str, color: str, description: str) -> None:
        def work() -> None:
            assert self.definitions is not None
            assert len(label) <= 50
            assert len(description) <= 100
            self.definitions.setdefault(container, set()).add(label)

        self._writing(f"create_label {container} {label}", container, work)

    def delete_label(self, container: str, label: str) -> bool:
        used = any(label in item.labels for item in self.items.values() if item.container == container)

        def work() -> None:
            assert self.definitions is not None
            if not used:
                self.definitions.get(container, set()).discard(label)

        self._writing(f"delete_label {container} {label}", container, work)
        return not used

    def is_public(self, container: str) -> bool:
        self._reading(f"is_public {container}")
        return container in self.public

    def find_dashboard(self, container: str, ref: str | None) -> Dashboard | None:
        self._reading(f"find_dashboard {container}")
        there = self.boards.get(container, {})
        if ref is None:
            ref = min(there, default=None)
        elif ref not in there:
            raise NotFound(f"{container}#{ref} is gone")
        return None if ref is None else Dashboard(ref=ref, open=ref not in self.closed, hash=there[ref].hash)

    def create_issue(self, container: str, title: str, content: Comment) -> str:
        assert title
        ref = f"{next(self._ids)}"

        def work(*, late: bool = False) -> None:
            if late:
                self.late_boards.append((container, ref, content))
            else:
                self.boards.setdefault(container, {})[ref] = content

        self._writing(f"create_issue {container}", container, work)
        return ref

    def update_issue(self, container: str, ref: str, content: Comment) -> None:
        def work() -> None:
            if ref not in self.boards.get(container, {}):
                raise NotFound(f"{container}#{ref} is gone")
            self.boards[container][ref] = content

        self._writing(f"update_issue {container}", container, work)

    # --- switches

    def _fold(self, label: str) -> str:
        return label if self.definitions is None else label.casefold()

    def _find(self, item: WorkItem) -> WorkItem:
        if item.uid not in self.items:
            raise NotFound(f"{item.id} is gone")
        if item.uid in self.hidden:
            raise Forbidden(f"{item.id} may not be seen")
        return self.items[item.uid]

    def _reading(self, call: str) -> None:
        self.calls.append(call)
        if self.down or call in self.read_faults:
            raise SourceFailed(self.down or "the server answers 503")

    def _writing(self, call: str, container: str, work: Callable[..., None]) -> None:
        self.calls.append(call)
        fault = self.faults.get(self._writes, "")
        self._writes += 1
        if self.down or fault == "source_failed":
            raise SourceFailed(self.down or "the server answers 503")
        if container in self.read_only:
            raise NotWritable(f"{container} may not be written to")
        if fault == "hidden":
            raise NotFound("404 Not Found")
        if fault == "not_writable":
            raise NotWritable("this one is closed to edits")
        if fault == "refused":
            raise WriteRefused("the server answers 422")
        if fault == "lost_before":
            raise OutcomeUnknown("the connection was reset")
        if fault == "crash_before":
            raise Crash
        if fault == "late" and call.startswith(("create_comment", "create_issue")):
            work(late=True)
            raise OutcomeUnknown("the connection was reset")
        work()
        if fault in ("lost_after", "late"):
            raise OutcomeUnknown("the connection was reset")
        if fault == "crash_after":
            raise Crash
