"""What a work item's own text says of its ties: ticket keys, closing keywords, trailers (DESIGN section 5).

Extraction knows neither goals nor other items: whether a reference leads anywhere is told by `resolve`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from urllib.parse import urlsplit

from msgspec.structs import replace

from okrsync.domain.text import regex
from okrsync.domain.work import Kind, Reference, Trailer, Via, WorkItem

from .keys import INVISIBLE, branch_keys, leading_keys, ticket, title_keys
from .prose import own_text

# Bounds on what is read of one description, far beyond any that a person writes: a line of this length is no trailer
# and no template field, and a stranger's text must neither cost much nor make okrsync follow thousands of references.
_LONGEST_LINE = 4000
_MOST_LINES = 1000
_MOST_IN_LINE = 20
_MOST_FOUND = 200
_EMPHASIS = r"[*_]{0,3}"

_TRAILER = regex(
    rf"\n(?=[^\n]{{4}}) {{0,3}}(?:[-*+][ \t]+)?{_EMPHASIS}(okr|initiative|kr|objective)[ \t]{{0,3}}"
    rf"{_EMPHASIS}:{_EMPHASIS}(.+)",
    re.IGNORECASE,
)
_ID = regex(r"[^\W_][\w.-]{0,79}")  # goals may have ids in any script

_KEY_OR_URL = r"(?:https?://|[A-Z][A-Z0-9_]{0,254}-[1-9])"
_REPOSITORY = r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}"
# https://docs.github.com/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
# Each way begins with plain characters, so that the engine jumps from one candidate to the next; the look-ahead lets a
# keyword count only before what it could close.
_CLOSES = (
    r"(?:[Cc](?<![\w-].)(?i:lose[sd]?)|[Ff](?<![\w-].)(?i:ix(?:es|ed)?)|[Rr](?<![\w-].)(?i:esolve[sd]?))"
    rf"(?::[ \t]*|[ \t]+)(?=[\[(<*_,; \t]{{0,8}}(?:#[1-9]|{_KEY_OR_URL}|{_REPOSITORY}#[1-9]))"
)
_CLOSING = regex(_CLOSES, re.DOTALL)
_ISSUE = regex(
    rf"(?:\[)?(?:({_REPOSITORY})?#([1-9][0-9]{{0,17}})|https?://([^/\s]{{1,255}})/({_REPOSITORY})/issues/([1-9][0-9]{{0,17}}))"
    r"(?![A-Za-z0-9_])"
)
_TICKET_URL = regex(
    r"https?://[^/\s]{1,255}/(?:[^/\s]{1,100}/)?browse/([A-Za-z][A-Za-z0-9_]{0,254})-([1-9][0-9]{0,17})(?![A-Za-z0-9_])"
)
_NAMED = (
    rf"[ \t]*(?:[-*+][ \t]+)?{_EMPHASIS}"
    r"(?i:jira(?:[ \t]+(?:ticket|issue|key|link|id)s?)?|tickets?|issues?|refs?|references?)"
    rf"[ \t]{{0,3}}{_EMPHASIS}:{_EMPHASIS}[ \t]*(?=\S)"
)
_FIELD = regex(_NAMED)
_BETWEEN = regex(r"(?:[\s,;&()\[\]<>*_|]|and\b)+")
_NEIGHBOUR = regex(r"[ \t]*#{1,6}[ \t]")
_NUMBERED = regex(r"-[1-9]")
# Lines that may tie a pull request to a ticket: with a closing keyword, a template's field, or a key at their start.
_TELLING = regex(
    rf"\n(?=[^\n]{{3}})(?:{_NAMED})?(?:[ \t,;&()\[\]<>*_|]|and\b){{0,8}}{_KEY_OR_URL}|{_CLOSES}", re.DOTALL
)


def read_text(item: WorkItem, projects: Mapping[str, str]) -> WorkItem:
    """The item with the references and trailers that its own text holds; applied twice it gives the same.

    projects  upper-case Jira project key -> name of the connector that reads it; for a key that a renamed project had
              before, `connector:KEY` with the one it has now
    """
    found = [r for r in item.references if r.structural]
    pull_request = item.kind is Kind.PULL_REQUEST
    text = own_text(item.body) if pull_request or _may_hold_trailers(item.body) else ""
    if pull_request:
        telling = list(_telling(text))
        found += _keys(item, text, telling, projects)
        found += islice(_closes(item, (text[start:stop] for start, stop in telling)), _MOST_FOUND)
    references: dict[tuple[Via, str], Reference] = {}
    for reference in found:
        if reference.target != item.id:
            references.setdefault((reference.via, reference.target), reference)
    said = tuple(references.values()), read_trailers(text) if text else ()
    if said == (item.references, item.trailers):
        return item
    return replace(item, references=said[0], trailers=said[1])


def _may_hold_trailers(text: str) -> bool:
    """False for most texts, at a tenth of the price of looking closely. Beyond ASCII other letters count as these in
    any case, and a hidden comment may stand within a word; but a colon is a colon."""
    if ":" not in text:
        return False
    if not text.isascii() or "<!--" in text:
        return True
    folded = text.lower()
    return "kr" in folded or "initiative" in folded or "objective" in folded


def trailers_of(text: str) -> tuple[Trailer, ...]:
    """The trailers of any description, such as a milestone's."""
    return read_trailers(own_text(text))


def read_trailers(text: str) -> tuple[Trailer, ...]:
    """The trailers of what `own_text` leaves of a description."""
    found: dict[tuple[str, tuple[str, ...]], Trailer] = {}
    for match in islice(_TRAILER.finditer(text), _MOST_LINES):
        if len(match[0]) > _LONGEST_LINE:
            continue
        ids = tuple(part.strip().rstrip(".") for part in match[2].translate(INVISIBLE).split(","))
        if all(_ID.fullmatch(i) for i in ids):
            trailer = Trailer(kind=match[1].lower(), ids=ids)
            found.setdefault((trailer.kind, ids), trailer)
    return tuple(found.values())


def _telling(text: str) -> Iterator[tuple[int, int]]:
    """Where the lines begin and end that may tie a pull request to something."""
    if "#" not in text and "://" not in text and not _NUMBERED.search(text):
        return  # most descriptions: nothing in them could be a key, a number or an address
    at = 0
    for _ in range(_MOST_LINES):
        match = _TELLING.search(text, at)
        if not match:
            return
        start = match.start() + 1 if match[0][0] == "\n" else text.rfind("\n", 0, match.start()) + 1
        end = text.find("\n", match.end())
        at = len(text) if end < 0 else end
        if at - start <= _LONGEST_LINE:
            yield start, at


# --- keys of tickets --------------------------------------------------------------------------------------


def _keys(
    item: WorkItem, text: str, telling: Sequence[tuple[int, int]], projects: Mapping[str, str]
) -> list[Reference]:
    """The title wins over the branch, the branch over the description."""
    if not projects:
        return []
    detail = dict.fromkeys(title_keys(item.title, projects), "title")
    if not detail:
        detail = dict.fromkeys(branch_keys(item.branch, projects), "branch")
    if not detail:
        for said, key in islice(_described(text, telling, projects), _MOST_FOUND):
            detail.setdefault(key, f"description: {said}")
    return [
        Reference(via=Via.KEY, target=ticket(key, projects), structural=False, detail=_said(said, key, projects))
        for key, said in detail.items()
    ]


def _said(where: str, key: str, projects: Mapping[str, str]) -> str:
    """Where a key was found, and how it is written there if the project was renamed since."""
    return where if ticket(key, projects).endswith(f":{key}") or key in where else f"{where}: {key}"


def _described(text: str, telling: Iterable[tuple[int, int]], projects: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(what was said, key) for keys after a closing keyword, and on lines that hold nothing else."""
    for start, stop in telling:
        line = text[start:stop]
        for keyword in islice(_CLOSING.finditer(line), _MOST_IN_LINE):
            keys, _ = _tickets(line, keyword.end(), projects)
            for key in keys:
                yield f"{keyword[0].strip()} {key}", key
        field = _FIELD.match(line)
        if not field and not (_stands_apart(_before(text, start)) and _stands_apart(_after(text, stop))):
            continue  # a line of wrapped prose may happen to hold a key alone
        keys, end = _tickets(line, field.end() if field else 0, projects)
        if keys and not line[end:].strip(" \t.,;)]>*_|"):
            said = f"{_word(field[0])} " if field else ""
            for key in keys:
                yield f"{said}{key}", key


def _tickets(line: str, at: int, projects: Mapping[str, str]) -> tuple[tuple[str, ...], int]:
    """The keys and ticket URLs that stand one after the other from `at` on, and where they end."""
    found: dict[str, None] = {}
    end = at
    while True:
        between = _BETWEEN.match(line, at)
        at = between.end() if between else at
        url = _TICKET_URL.match(line, at)
        if url and url[1].upper() in projects:
            found[f"{url[1].upper()}-{url[2]}"] = None
            at = url.end()
        else:
            keys, after = leading_keys(line, at, projects)
            if not keys:
                return tuple(found), end
            found.update(dict.fromkeys(keys))
            at = after
        end = at


def _word(field: str) -> str:
    """`- **Jira:** ` as people would say it: `Jira:`."""
    return field.translate({ord(mark): None for mark in "*_+-"}).strip()


def _before(text: str, start: int) -> str:
    return text[text.rfind("\n", 0, start - 1) + 1 : start - 1]


def _after(text: str, stop: int) -> str:
    end = text.find("\n", stop + 1)
    return text[stop + 1 : end if end >= 0 else len(text)]


def _stands_apart(neighbour: str) -> bool:
    return not neighbour.strip() or bool(_NEIGHBOUR.match(neighbour) or _FIELD.match(neighbour))


# --- issues that a pull request closes ---------------------------------------------------------------------


def _closes(item: WorkItem, lines: Iterable[str]) -> Iterator[Reference]:
    for line in lines:
        for keyword in islice(_CLOSING.finditer(line), _MOST_IN_LINE):
            issue = _ISSUE.match(line, keyword.end())
            if not issue or (issue[3] and issue[3].lower() != (urlsplit(item.url).netloc or issue[3]).lower()):
                continue
            repository = issue[1] or issue[4] or item.container
            if repository.lower() == item.container.lower():  # GitHub ignores case; ids here do not
                repository = item.container
            number = issue[2] or issue[5]
            said = f"description: {keyword[0].strip()} {issue[0].lstrip('[')}"
            target = f"{item.connector}:{repository}#{number}"
            yield Reference(via=Via.CLOSES, target=target, structural=False, detail=said)
