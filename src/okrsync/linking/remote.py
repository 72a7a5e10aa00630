"""Remote links, which Jira calls web links: a GitHub pull request inherits from the issues that link to it, as if it
named them (DESIGN section 5, `key`).

The link stands on the issue and the pull request knows nothing of it. So links are gathered from issues first, and
then each pull request is told which issues link to it: from there on these are references like any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

from msgspec import structs

from okrsync.domain.outlines import Outlines, outline
from okrsync.domain.text import regex
from okrsync.domain.work import Glimpse, Kind, Reference, StoredItem, Via, WorkItem

from .context import Context

Held = TypeVar("Held", bound=StoredItem | Glimpse)

REMOTE_LINK = "remote link"
"""The `detail` of a reference that stands on the issue referred to."""
ASKED = frozenset(("connector", "container", "kind", "remote_links", "url"))
"""The fields of an item that are asked for here, besides those that its outline is made of."""
_PULL_REQUEST = regex(r"/([A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100})/pull/([1-9][0-9]{0,17})(?:/.*)?")
_LONGEST = 2000  # characters of an address


def pull_request(url: str) -> str | None:
    """`github.com/acme/web#12` for the address of a pull request on any host, or of one of its pages; None for any
    other address, that of an issue too: a link to an issue does not say which of the two serves the other."""
    host = _host(url)
    path = _PULL_REQUEST.fullmatch(urlsplit(url).path) if host else None
    return f"{host}/{path[1]}#{path[2]}" if path else None


def _host(url: str) -> str:
    """In lower case, with its port where that is not the usual one; empty for what is no web address."""
    if len(url) > _LONGEST:
        return ""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or parts.username is not None:
        return ""
    return host if port in (None, {"http": 80, "https": 443}[parts.scheme]) else f"{host}:{port}"


class RemoteLinks:
    """Filled by `take`; `tied` and `tie` then tell pull requests. The order of input does not matter.

    Where issues with links could not be read, any pull request might be linked to by one of them: it bears a reference
    to something that is not there (`jira:*`), so that unless something nearer decides it is unknown.
    """

    def __init__(self, read: Mapping[str, Callable[[str], bool]], context: Context) -> None:
        """`read`: connector -> whether the remote links of issues in a container are read."""
        self._read = read
        self._aliases = context.aliases
        self._links: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)  # folded key -> (host, issue)
        failed = {f"{name}:*" for name in read if name in context.failed}
        failed |= {
            f"{name}:{place}-*" for name, place in context.failed_containers if name in read and read[name](place)
        }
        self._unheard = tuple(sorted(failed))
        self._taken = False

    @property
    def whole(self) -> bool:
        """Whether `tie` has to see all pull requests whole."""
        return bool(self._unheard)

    def take(self, issue: WorkItem) -> None:
        """Those of an issue that counts."""
        reads = self._read.get(issue.connector)
        if not issue.remote_links or reads is None or not reads(issue.container):
            return
        for link in issue.remote_links:
            host, _, key = link.partition("/")
            self._links[key.casefold()].add((host, issue.id))

    def taken(self) -> None:
        """No more issues come: what is linked to by an old name is linked to by its present one."""
        if self._links and not self._taken:
            for old, present in self._aliases.items():
                if links := self._links.get(_key(old)):
                    self._links[_key(present)] |= links
        self._taken = True

    def tied(self, item: WorkItem) -> WorkItem:
        """A pull request with references to the issues that link to it; any other item as it is."""
        if item.kind is not Kind.PULL_REQUEST or item.connector in self._read:
            return item
        links = self._links.get(_key(item.id), ())
        here = _host(item.url) if links else ""
        targets = [*sorted(issue for host, issue in links if host == here), *self._unheard]
        said = {reference.target for reference in item.references if reference.via is Via.KEY}
        more = [
            Reference(via=Via.KEY, target=target, structural=True, detail=REMOTE_LINK)
            for target in targets
            if target not in said
        ]
        return structs.replace(item, references=(*item.references, *more)) if more else item

    def all_tied(self, held: Mapping[str, StoredItem]) -> dict[str, StoredItem]:
        """Of all items, by id."""
        for stored in held.values():
            if not stored.chased:
                self.take(stored.item)
        self.taken()
        return {id_: self._with_tied(stored) for id_, stored in held.items()}

    def tie(
        self, items: Iterable[Outlines], look: Callable[[Collection[str]], Iterable[WorkItem]]
    ) -> Iterator[Outlines]:
        """Likewise by columns. Issues have to come before pull requests.

        look  the items of these ids, with the fields of `ASKED` and of an outline
        """
        for some in items:
            if some.connector in self._read:
                for stored in some.whole.values():
                    if not stored.chased:
                        self.take(stored.item)
                yield some
                continue
            self.taken()
            yield self._tied_together(some, look)

    def _tied_together(self, some: Outlines, look: Callable[[Collection[str]], Iterable[WorkItem]]) -> Outlines:
        wanted = {id_: n for n, id_ in enumerate(some.ids) if _key(id_) in self._links} if self._links else {}
        whole = {n: some.whole[n] for n in (some.whole if self._unheard else wanted.values()) if n in some.whole}
        others = [id_ for id_, n in wanted.items() if n not in some.whole]
        whole |= {wanted[item.id]: Glimpse(item) for item in (look(others) if others else ())}
        found = {n: tied for n, held in whole.items() if (tied := self._with_tied(held)) is not held}
        if not found:
            return some
        targets, outlines = list(some.targets), list(some.outlines)
        for n, tied in found.items():
            targets[n], outlines[n] = outline(tied.item)
        return structs.replace(some, targets=targets, outlines=outlines, whole={**some.whole, **found})

    def _with_tied(self, held: Held) -> Held:
        item = self.tied(held.item)
        return held if item is held.item else structs.replace(held, item=item)


def _key(id_: str) -> str:
    """What GitHub compares of an id: whatever the connector, in any case."""
    return id_.partition(":")[2].casefold()
