"""The JSON of `okrsync findings --format json` put together from findings that were written down one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

from okrsync.domain.findings import Finding, View
from okrsync.domain.text import pretty_json

from .json_report import findings_json
from .model import RunInfo, shown_findings

_NONE = b'"findings": []\n}'
_FIRST, _BETWEEN, _LAST = b'"findings": [\n', b"\n    },\n", b"\n    }\n  ]\n}"
_SINCE = b'"since": '
_UNKNOWN = b"null"
BETWEEN = len(_UNKNOWN + _BETWEEN)
"""How long is what `joined` puts between two texts where it is not known since when."""
BEHIND = len(_UNKNOWN)
"""And behind the last one."""


def finding_texts(view: View, findings: Sequence[Finding], *, restricted: bool = False) -> list[bytes]:
    """Each as it stands in the list of `findings_json`, up to the value of `since`, which comes last."""
    if not findings:
        return []
    shown = shown_findings(view, findings, restricted=restricted)
    _, _, body = pretty_json({"findings": [finding.json() for finding in shown]}).partition(_FIRST)
    texts = body.removesuffix(_LAST).split(_BETWEEN)  # nothing that stands deeper ends in so few blanks
    return [text[: text.rindex(_SINCE) + len(_SINCE)] for text in texts]


def joined(texts: Iterable[bytes | memoryview], since: Iterable[str | None] = repeat(None)) -> bytes:
    """What `finding_texts` says, and since when, as a part of the list. Not to be asked of none."""
    moments = (f'"{moment}"'.encode() if moment else _UNKNOWN for moment in since)
    return _BETWEEN.join(map(b"".join, zip(texts, moments, strict=False)))


def findings_texts(view: View, parts: Iterable[bytes | memoryview], run: RunInfo) -> Iterator[bytes | memoryview]:
    """`findings_json` as text, in pieces, of the parts that `joined` made: there may be a million findings."""
    yield pretty_json(findings_json(view, (), run)).removesuffix(_NONE)
    between = _FIRST
    for part in parts:
        yield between
        yield part
        between = _BETWEEN
    yield _NONE if between is _FIRST else _LAST
