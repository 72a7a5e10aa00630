"""Keys that somebody seems to have meant and that do not count as written: `KAKFA-9503`, `KAFKA 14515`, `kafka-1`.

Never evidence: for unlinked work they are told as a suggestion (DESIGN section 5, "Keys").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from okrsync.domain.links import NearKey
from okrsync.domain.text import regex
from okrsync.domain.work import Kind, Via, WorkItem

from .keys import openings, plain_title, ticket

_MOST = 3
_END = r"(?![A-Za-z0-9_]|[.,][0-9])"
_HYPHENED = regex(rf"(?<![A-Za-z0-9_])([A-Za-z][A-Za-z0-9_]{{1,40}})-([1-9][0-9]{{0,9}}){_END}")
# what people put where the hyphen belongs, at the start of a title; a single digit is rather a version (`Kafka 4`)
_OTHERWISE = regex(rf"([A-Za-z][A-Za-z0-9_]{{1,40}}?)[\s_:#‐-―-]{{0,3}}([1-9][0-9]{{1,9}}){_END}")
_STANDARDS = frozenset(("CVE", "GHSA", "HTTP", "HTTPS", "ISO", "JEP", "JDK", "PEP", "RFC", "SHA", "TLS", "SSL", "UTF"))
_SHORTEST_TITLE, _SHORTEST_BRANCH = 4, 5  # letters from which a word with one slip is taken for a project key


def near_keys(item: WorkItem, projects: Mapping[str, str]) -> tuple[NearKey, ...]:
    """What the title, else the branch, of a pull request without any key seems to mean; `projects` as `read_text` takes
    them."""
    if item.kind is not Kind.PULL_REQUEST or not projects or any(r.via is Via.KEY for r in item.references):
        return ()
    title = plain_title(item.title)
    found = dict(_in_title(title, projects))
    where = "title"
    if not found:
        found = dict(_slips(item.branch[: len(title) + 1000], projects, shortest=_SHORTEST_BRANCH))
        where = "branch"
    return tuple(
        NearKey(written=written, meant=ticket(key, projects), where=where) for key, written in [*found.items()][:_MOST]
    )


def _in_title(title: str, projects: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(key, as written)."""
    for start in openings(title):
        first = _OTHERWISE.match(title, start)
        if first and first[1].upper() in projects:
            yield f"{first[1].upper()}-{first[2]}", first[0]
    for match in _HYPHENED.finditer(title):
        if match[1].upper() in projects:  # in the wrong case
            yield f"{match[1].upper()}-{match[2]}", match[0]
    yield from _slips(title, projects, shortest=_SHORTEST_TITLE, upper=True)


def _slips(text: str, projects: Mapping[str, str], *, shortest: int, upper: bool = False) -> Iterator[tuple[str, str]]:
    for match in _HYPHENED.finditer(text):
        word = match[1].upper()
        if word in projects or word in _STANDARDS or len(word) < shortest or (upper and word != match[1]):
            continue
        meant = [project for project in projects if _one_slip(word, project)]
        if len(meant) == 1:  # where two are as near, nobody can tell
            yield f"{meant[0]}-{match[2]}", match[0]


def _one_slip(written: str, meant: str) -> bool:
    """Whether one letter is wrong, missing or too many, or two neighbours are swapped."""
    if abs(len(written) - len(meant)) > 1:
        return False
    start = 0
    while start < min(len(written), len(meant)) and written[start] == meant[start]:
        start += 1
    one, other = written[start:], meant[start:]
    if len(one) == len(other):
        return one[1:] == other[1:] or (one[:2] == other[1::-1] and one[2:] == other[2:])
    shorter, longer = sorted((one, other), key=len)
    return longer[1:] == shorter
