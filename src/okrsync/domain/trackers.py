"""The protocol of trackers (Jira, GitHub, the in-memory fake): reading, looking, writing; and its errors.

Glossary
  container  what holds items and bounds permissions: a Jira project key, a GitHub `owner/repo`
  slice      a part of a source that is read on its own and has its own watermark; for both trackers a
             container, or `*` where one query reads them all
  watermark  opaque to everybody but the connector; made from server data only
  resume     opaque; where to go on after a killed pull
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from .comments import Comment
from .work import WorkItem

Clock = Callable[[], datetime]
"""Returns the current time, aware and UTC."""


# --- errors, by what the caller does next ------------------------------------------------------------------


class TrackerError(Exception):
    """Base. The message is for people and never holds a secret; foreign bodies are cut to 200 characters.

    TrackerError
      SourceFailed      suspend the connector for this run
        SignInFailed    401, or signed in as nobody: the message names the variable that holds the secret
        Throttled       rate limited beyond what the run's budget allows
          NoTimeLeft    our own pacing or the run's time: this was not sent, the next run goes on
      ItemUnavailable   skip this item
        Forbidden       it may exist, but not for us: unknown, never unlinked
        NotFound        a definite 404 or 410
      WriteRefused      the server said no to this one write (400, 409 after retries, 422): set it aside
        NotWritable     no permission, archived, locked: skipped for good, said once, no error
      OutcomeUnknown    a write was sent and the answer was lost: look before writing again
      NotSent           a batch did not carry this edit out: give it to `label_batches` again
    """


class SourceFailed(TrackerError):
    pass


class SignInFailed(SourceFailed):
    pass


class Throttled(SourceFailed):
    pass


class NoTimeLeft(Throttled):
    pass


class ItemUnavailable(TrackerError):
    pass


class Forbidden(ItemUnavailable):
    pass


class NotFound(ItemUnavailable):
    pass


class WriteRefused(TrackerError):
    pass


class NotWritable(WriteRefused):
    pass


class OutcomeUnknown(TrackerError):
    pass


class NotSent(TrackerError):
    pass


# --- values ------------------------------------------------------------------------------------------------


class SliceState(Struct, frozen=True, kw_only=True):
    """What the store remembers of a slice. `held`: items it holds of it, tombstones and chased ones left out."""

    watermark: str | None = None
    resume: str | None = None
    swept_at: datetime | None = None
    held: int = 0


class Batch(Struct, frozen=True, kw_only=True):
    """One page as it comes; stored in one transaction together with `resume` or `watermark`.

    items      translated; text references are not yet extracted
    resume     where to go on after a kill; None keeps the earlier one
    watermark  set on the last batch of a slice that was read to its end (which clears `resume`)
    full       the slice was listed in full: set on every batch of a full listing
    present    on the last batch of a full listing or key sweep: the uids that exist now; what the store
               holds beyond them is gone, unless the shrink guard objects
    gone       uids that a definite 404 or 410 named
    problem    the slice could not be read, others go on: one sentence with a remedy; no watermark then
    suspect    the answer is suspiciously empty (a canary failed): treated as a shrink; beside `problem`: a container
               that nobody names, and that was there before, is there no longer
    warnings   said loudly but harmless: a renamed repository, an archived one
    """

    slice: str
    items: tuple[WorkItem, ...] = ()
    resume: str | None = None
    watermark: str | None = None
    full: bool = False
    present: Collection[str] | None = None
    gone: tuple[str, ...] = ()
    problem: str | None = None
    suspect: bool = False
    warnings: tuple[str, ...] = ()


class Fetched(Struct, frozen=True, kw_only=True):
    """The answer to `fetch`: by asked id. `moved` maps an asked id to the id the item has now."""

    items: Mapping[str, WorkItem] = {}
    missing: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    moved: Mapping[str, str] = {}


class OurComment(Struct, frozen=True, kw_only=True):
    """A comment that bears our mark and was written by our own login."""

    id: str
    hash: str


class Look(Struct, frozen=True, kw_only=True):
    """An item as the server shows it now, read directly (never from a search index), before a write."""

    item: WorkItem
    comments: tuple[OurComment, ...] | None = None  # None: not asked for


class Dashboard(Struct, frozen=True, kw_only=True):
    """The dashboard issue as the server shows it now. `ref` is the tracker's own id of it within its container (GitHub:
    the number; Jira: the immutable id), `hash` that of the content by our mark, empty where there is none."""

    ref: str
    open: bool
    hash: str


class LabelEdit(Struct, frozen=True, kw_only=True):
    """What is to change about the labels of one item: atomic, and no error where it is so already."""

    item: WorkItem
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class Access(Struct, frozen=True, kw_only=True):
    """For one container, `check --online`. `missing`: each missing permission by its official name, with
    where to grant it."""

    container: str
    readable: bool
    writable: bool
    missing: tuple[str, ...] = ()


class RateBudget(Struct, frozen=True, kw_only=True):
    """What a server still grants, in requests or points; `resets`: when the whole `limit` is granted again."""

    name: str
    limit: int
    remaining: int
    resets: datetime | None = None


class FirstPull(Struct, frozen=True, kw_only=True):
    """What a first pull will bring, about: items, requests, seconds. `more`: some place did not tell its count."""

    items: int
    requests: int
    seconds: int
    more: bool = False


class Probe(Struct, frozen=True, kw_only=True):
    """The answer to `check --online` for one connector. `problems` make it fail, `notes` inform. `first_pull` is None
    where the server cannot tell it."""

    identity: str
    server: str
    access: tuple[Access, ...] = ()
    fields: Mapping[str, str] = {}
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    budget: tuple[RateBudget, ...] = ()
    first_pull: FirstPull | None = None


# --- the protocol ------------------------------------------------------------------------------------------


class Memory(Protocol):
    """What a connector remembers from one run to the next, in texts by key."""

    def recall(self, key: str) -> str | None: ...

    def remember(self, key: str, value: str) -> None: ...


class Meter(Protocol):
    """Told what the requests to one source come to, while they go, by whatever thread sends them. Each costs a moment.

    outcome  done | unchanged (304) | redirected | limited | refused (any other 4xx that is no answer) | broken (5xx, no
             connection, an answer that was lost or cannot be used); each attempt is a request
    reason   of another attempt: limited | broken | conflict; of a wait: told (by the server) | backoff | pacing (ours)
    """

    def requested(self, outcome: str) -> None: ...

    def retried(self, reason: str) -> None: ...

    def waits(self, reason: str, seconds: float) -> None:
        """Before the wait; requests that wait at the same time tell it each."""
        ...

    def granted(self, budget: RateBudget) -> None:
        """What the last answer said of it; `name` is GitHub's resource, else `requests`."""
        ...


class Tracker(Protocol):
    """One configured connector. Methods block; all raise TrackerError subclasses only.

    Every method may raise SourceFailed. Retries of idempotent calls, pacing, deadlines and secrets are the
    transport's; a caller never retries blindly. Instances are used from one thread at a time.
    """

    @property
    def name(self) -> str: ...

    def pull(self, slices: Mapping[str, SliceState], *, full: bool = False, sweep: bool = False) -> Iterator[Batch]:
        """Everything new since the watermarks: first pull, full listing, or only what changed. `sweep`
        adds a key sweep (daily) to slices that are read incrementally. A slice unknown to the mapping is
        read for the first time. Slices that the configuration no longer names are not read.
        A failing slice yields a Batch with `problem`; a failing source raises SourceFailed."""
        ...

    def fetch(self, ids: Sequence[str]) -> Fetched:
        """Items by id, in batches, from any container the token can read: for chasing, and for a direct
        reading of items whose label seems to have been removed."""
        ...

    def owns(self, id_: str) -> bool:
        """True when an id of this connector lies in a configured container (it counts), not only chased."""
        ...

    def projects(self) -> tuple[str, ...]:
        """Jira: upper-case project keys whose keys count in pull request texts (configured, else all seen).
        GitHub: empty."""
        ...

    def writable(self, container: str) -> bool:
        """True when `write` of the configuration covers the container."""
        ...

    def look(self, item: WorkItem, *, comments: bool) -> Look:
        """Reads the item directly. Raises NotFound, Forbidden."""
        ...

    def container_labels(self, container: str) -> frozenset[str] | None:
        """Label definitions (GitHub), as written; None where labels need no definition (Jira)."""
        ...

    def add_labels(self, item: WorkItem, labels: Sequence[str]) -> None:
        """Atomic add, notifications off where the API has a switch. Idempotent."""
        ...

    def remove_labels(self, item: WorkItem, labels: Sequence[str]) -> None:
        """Atomic removal; a label that is not there is no error. Idempotent."""
        ...

    def label_batches(self, edits: Sequence[LabelEdit]) -> Sequence[Sequence[LabelEdit]]:
        """How edits, one for an item, are made with the fewest requests: each batch is one `change_labels`, in this
        order. An edit may come back in parts, its removals before its additions. Sends nothing."""
        ...

    def change_labels(self, batch: Sequence[LabelEdit]) -> Sequence[TrackerError | None]:
        """Makes one batch, notifications off where the API has a switch; may wait until the server is done with it.
        Idempotent. Raises nothing: tells the outcome of each edit, in order, None where it was made. NotSent only
        in a batch of several; the next `label_batches` then finds a surer way for it."""
        ...

    def create_comment(self, item: WorkItem, comment: Comment) -> str:
        """Writes our one comment with our mark; returns its id. Never retried by the transport; raises
        OutcomeUnknown when the answer was lost. On service-desk projects internal."""
        ...

    def update_comment(self, item: WorkItem, comment_id: str, comment: Comment) -> None:
        """Edits in place. Raises NotFound when a person deleted it. Idempotent."""
        ...

    def delete_comment(self, item: WorkItem, comment_id: str) -> None:
        """A comment that is gone already is no error. Idempotent."""
        ...

    def create_label(self, container: str, label: str, color: str, description: str) -> None:
        """One that exists already is no error. Idempotent."""
        ...

    def delete_label(self, container: str, label: str) -> bool:
        """Deletes a label definition unless an item still bears it; True when it is gone. Idempotent."""
        ...

    def find_ours(self, prefix: str) -> Iterator[Look]:
        """For `undo` without a journal: open items in writable containers that bear a label under the
        prefix or a comment of ours (by mark and login)."""
        ...

    def is_public(self, container: str) -> bool:
        """Whether strangers may read what is written there. The container need not be a configured one, here and
        below. Raises NotFound, Forbidden."""
        ...

    def find_dashboard(self, container: str, ref: str | None) -> Dashboard | None:
        """The issue `ref`, read directly; without one the oldest issue that bears our dashboard mark and was written
        by our own login, None where none shows (yet: a search index may lag). Raises NotFound where `ref` was deleted
        or moved out of the container, Forbidden where that cannot be told."""
        ...

    def create_issue(self, container: str, title: str, content: Comment) -> str:
        """Writes the dashboard issue with our mark; returns its `ref`. Never retried by the transport; raises
        OutcomeUnknown when the answer was lost."""
        ...

    def update_issue(self, container: str, ref: str, content: Comment) -> None:
        """Replaces its text and mark, nothing else, notifications off where the API has a switch. Raises NotFound.
        Idempotent."""
        ...

    def probe(self) -> Probe:
        """Who am I, what may I read and write, which fields exist: `check --online`."""
        ...

    def close(self) -> None: ...
