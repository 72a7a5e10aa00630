"""What a repository's watermark holds, and how what was read is compared with what is shown now. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from okrsync.connectors.decoding import decode
from okrsync.domain.text import iso

from .payloads import Repo

OVERLAP = timedelta(minutes=5)
NOTHING = "nothing"
_MOST_SPELT = 50


class Watermark(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """moment  the newest `updated_at` that is certainly read, less the time the reading took
    etag    of the answer to the incremental reading that begins there
    shown   the items nearest to the newest (`spell`), as they were read; empty where it would prove nothing
    nature  what items take over from their repository: where it changes, all of them are read anew
    fields  when the newest entry in a project changed whose fields are read
    """

    moment: datetime
    etag: str = ""
    shown: str = ""
    nature: str = ""
    fields: datetime | None = None

    def dump(self) -> str:
        more = {key: value for key in ("etag", "shown", "nature", "fields") if (value := getattr(self, key))}
        return " ".join([iso(self.moment) or "", *([msgspec.json.encode(more).decode()] if more else [])])


class _More(Struct):
    etag: str = ""
    shown: str = ""
    nature: str = ""
    fields: datetime | None = None


def load(text: str) -> Watermark:
    """Also one from before there was more than an ETag in it."""
    moment, _, rest = text.partition(" ")
    more = decode(rest, _More) if rest.startswith("{") else _More(etag=rest)
    return Watermark(
        moment=datetime.fromisoformat(moment),
        etag=more.etag,
        shown=more.shown,
        nature=more.nature,
        fields=more.fields,
    )


def nature(repo: Repo) -> str:
    return f"{'archived ' if repo.archived else ''}{'public' if repo.public else 'private'}"


def recent(seen: Mapping[int, datetime]) -> dict[int, datetime]:
    """By number, what was updated within an overlap of the newest."""
    newest = max(seen.values(), default=None)
    return {n: moment for n, moment in seen.items() if newest is not None and moment >= newest - OVERLAP}


def spell(near: Mapping[int, datetime]) -> str:
    """`7@1763283600,9@1763283660`, or a digest where that gets long."""
    text = ",".join(f"{number}@{int(moment.timestamp())}" for number, moment in sorted(near.items()))
    return _digest(text) if len(near) > _MOST_SPELT else text or NOTHING


def spelt(shown: str) -> dict[int, datetime] | None:
    """None where it cannot be read back."""
    if shown == NOTHING:
        return {}
    pairs = [pair.partition("@") for pair in shown.split(",")]
    if not all(at for _, at, _ in pairs):
        return None
    return {int(number): datetime.fromtimestamp(int(moment), UTC) for number, _, moment in pairs}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
