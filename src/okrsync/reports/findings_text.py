"""The JSON of `okrsync findings --format json` put together from findings that were written down one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from okrsync.domain.findings import Finding, View
from okrsync.domain.text import pretty_json

from .json_report import findings_json
from .model import RunInfo, shown_findings

_NONE = b'"findings": []\n}'
_FIRST, _BETWEEN, _LAST = b'"findings": [\n', b"\n    },\n", b"\n    }\n  ]\n}"
_SINCE = b'"since": '


def finding_texts(view: View, findings: Sequence[Finding], *, restricted: bool = False) -> list[bytes]:
    """Each as it stands in the list of `findings_json`, up to the value of `since`, which comes last."""
    if not findings:
        return []
    shown = shown_findings(view, findings, restricted=restricted)
    _, _, body = pretty_json({"findings": [finding.json() for finding in shown]}).partition(_FIRST)
    texts = body.removesuffix(_LAST).split(_BETWEEN)  # nothing that stands deeper ends in so few blanks
    return [text[: text.rindex(_SINCE) + len(_SINCE)] for text in texts]


def findings_texts(view: View, texts: Iterable[tuple[bytes, str | None]], run: RunInfo) -> list[bytes]:
    """`findings_json` as text, in pieces, of what `finding_texts` says and since when: there may be a million."""
    head = pretty_json(findings_json(view, (), run)).removesuffix(_NONE)
    pieces = [head, _FIRST]
    for text, since in texts:
        pieces += (text, f'"{since}"'.encode() if since else b"null", _BETWEEN)
    pieces[-1] = _LAST if len(pieces) > 2 else _NONE
    return pieces
