"""What resolution must know of a run besides items, goals and rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from okrsync.domain.rules import BUILT_IN_CLASSES


class Context(Struct, frozen=True, kw_only=True):
    """
    failed             names of connectors whose reading failed, ended early or is suspect in this run
    failed_containers  (connector, container) of single containers that could not be read
    unreachable        referenced id -> `missing` (404, 410) | `forbidden`
    aliases            old id -> present id of moved and renamed items
    classes            declared exemption classes, the built-in ones included
    label_prefix       labels under it are okrsync's own and never evidence
    today              UTC
    connectors         names of all configured connectors; a reference to any other is void
    projects           as `read_text` takes them
    """

    today: date
    connectors: frozenset[str]
    failed: frozenset[str] = frozenset()
    failed_containers: frozenset[tuple[str, str]] = frozenset()
    unreachable: Mapping[str, str] = {}
    aliases: Mapping[str, str] = {}
    classes: tuple[str, ...] = BUILT_IN_CLASSES
    label_prefix: str = "okr/"
    projects: Mapping[str, str] = {}
