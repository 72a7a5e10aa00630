"""What a work item's own text says of its ties: ticket keys, closing keywords, trailers (DESIGN section 5).

Extraction knows neither goals nor other items: whether a reference leads anywhere is told by `resolve`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from msgspec.structs import replace

from okrsync.domain.work import Kind, Reference, Trailer, Via, WorkItem

from .keys import branch_keys, leading_keys, title_keys
from .prose import own_lines

# A line of this length is no trailer and no template field; skipping it bounds the work on hostile text.
_LONGEST_LINE = 4000
_EMPHASIS = r"[*_]{0,3}"

_TRAILER = re.compile(
    rf" {{0,3}}{_EMPHASIS}(okr|initiative|kr|objective)[ \t]{{0,3}}{_EMPHASIS}:{_EMPHASIS}(.+)", re.IGNORECASE
)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")

# https://docs.github.com/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
_CLOSING = re.compile(r"(?<![\w-])(?:close[sd]?|fix(?:es|ed)?|resolve[sd]?)(?::[ \t]*|[ \t]+)(?=\S)", re.IGNORECASE)
_REPOSITORY = r"([A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100})"
_ISSUE = re.compile(
    rf"(?:\[)?(?:{_REPOSITORY}?#([1-9][0-9]{{0,17}})|https?://([^/\s]{{1,255}})/{_REPOSITORY}/issues/([1-9][0-9]{{0,17}}))"
    r"(?![A-Za-z0-9_])"
)
_TICKET_URL = re.compile(
    r"https?://[^/\s]{1,255}/(?:[^/\s]{1,100}/)?browse/([A-Za-z][A-Za-z0-9_]{0,254})-([1-9][0-9]{0,17})(?![A-Za-z0-9_])"
)
_FIELD = re.compile(
    rf"[ \t]*(?:[-*+][ \t]+)?{_EMPHASIS}"
    r"(?:jira(?:[ \t]+(?:ticket|issue|key|link|id)s?)?|tickets?|issues?|refs?|references?)"
    rf"[ \t]{{0,3}}{_EMPHASIS}:{_EMPHASIS}[ \t]*(?=\S)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"(?:[\s,;&()\[\]<>*_|]|and\b)+")
_NEIGHBOUR = re.compile(r"[ \t]*#{1,6}[ \t]")


def read_text(item: WorkItem, projects: Mapping[str, str]) -> WorkItem:
    """The item with the references and trailers that its own text holds; applied twice it gives the same.

    projects  upper-case Jira project key -> name of the connector that reads it
    """
    stated = [r for r in item.references if r.structural]
    found: list[Reference] = []
    trailers: tuple[Trailer, ...] = ()
    lines = list(own_lines(item.body)) if item.body else []
    if lines:
        trailers = read_trailers(lines)
    if item.kind is Kind.PULL_REQUEST:
        found += _keys(item, lines, projects)
        found += _closes(item, lines)
    references = dict[tuple[Via, str], Reference]()
    for reference in (*stated, *found):
        if reference.target != item.id:
            references.setdefault((reference.via, reference.target), reference)
    return replace(item, references=tuple(references.values()), trailers=trailers)


def trailers_of(text: str) -> tuple[Trailer, ...]:
    """The trailers of any description, such as a milestone's."""
    return read_trailers(own_lines(text))


def read_trailers(lines: Iterable[str]) -> tuple[Trailer, ...]:
    found: dict[tuple[str, tuple[str, ...]], Trailer] = {}
    for line in lines:
        match = _TRAILER.match(line) if len(line) <= _LONGEST_LINE else None
        if not match:
            continue
        ids = tuple(part.strip().rstrip(".") for part in match[2].split(","))
        if all(_ID.fullmatch(i) for i in ids):
            trailer = Trailer(kind=match[1].lower(), ids=ids)
            found.setdefault((trailer.kind, ids), trailer)
    return tuple(found.values())


# --- keys of tickets --------------------------------------------------------------------------------------


def _keys(item: WorkItem, lines: Sequence[str], projects: Mapping[str, str]) -> list[Reference]:
    """The title wins over the branch, the branch over the description."""
    if not projects:
        return []
    detail = dict.fromkeys(title_keys(item.title, projects), "title")
    if not detail:
        detail = dict.fromkeys(branch_keys(item.branch, projects), "branch")
    if not detail:
        for said, key in _described(lines, projects):
            detail.setdefault(key, f"description: {said}")
    return [
        Reference(via=Via.KEY, target=f"{projects[key.rpartition('-')[0]]}:{key}", structural=False, detail=said)
        for key, said in detail.items()
    ]


def _described(lines: Sequence[str], projects: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(what was said, key) for keys after a closing keyword, and on lines that hold nothing else."""
    for number, line in enumerate(lines):
        if not line or len(line) > _LONGEST_LINE:
            continue
        for keyword in _CLOSING.finditer(line):
            keys, _ = _tickets(line, keyword.end(), projects)
            for key in keys:
                yield f"{keyword[0].strip()} {key}", key
        field = _FIELD.match(line)
        if not field and not (_stands_apart(lines, number - 1) and _stands_apart(lines, number + 1)):
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


def _stands_apart(lines: Sequence[str], number: int) -> bool:
    if not 0 <= number < len(lines):
        return True
    return not lines[number].strip() or bool(_NEIGHBOUR.match(lines[number]) or _FIELD.match(lines[number]))


# --- issues that a pull request closes ---------------------------------------------------------------------


def _closes(item: WorkItem, lines: Sequence[str]) -> Iterator[Reference]:
    own_host = urlsplit(item.url).netloc.lower()
    for line in lines:
        if not line or len(line) > _LONGEST_LINE:
            continue
        for keyword in _CLOSING.finditer(line):
            issue = _ISSUE.match(line, keyword.end())
            if not issue or (issue[3] and own_host and issue[3].lower() != own_host):
                continue
            repository = issue[1] or issue[4] or item.container
            if repository.lower() == item.container.lower():  # GitHub ignores case; ids here do not
                repository = item.container
            number = issue[2] or issue[5]
            said = f"description: {keyword[0].strip()} {issue[0].lstrip('[')}"
            target = f"{item.connector}:{repository}#{number}"
            yield Reference(via=Via.CLOSES, target=target, structural=False, detail=said)
