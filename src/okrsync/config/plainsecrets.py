"""Secrets that stand in a file: refused, and never repeated."""

from __future__ import annotations

import re
from typing import Any

from .wording import Complaint
from .yamlfile import Loc

_KEY = re.compile(
    r"(^|[_-])(token|tokens|pat|password|passwd|pwd|passphrase|secret|secrets|credential|credentials|authorization|bearer)($|[_-])"
    r"|(api|private|access|secret|app|signing)[_-]?key|^pem$|^auth$",
    re.IGNORECASE,
)
# GitHub's and Atlassian's tokens, and keys in PEM, are known by how they begin
_VALUE = re.compile(r"\b(gh[pousr]_\w{16,}|github_pat_\w{16,}|ATATT\w{16,})|-----BEGIN [A-Z ]*PRIVATE KEY")


def take_out_secrets(data: dict[str, Any], variable: str) -> tuple[dict[str, Any], list[Complaint]]:
    """The data without what looks like a secret, and a complaint for each that names the `variable` to use."""
    found: list[Complaint] = []

    def walk(value: Any, loc: Loc) -> Any:
        if isinstance(value, dict):
            kept = {}
            for key, item in value.items():
                if _KEY.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key)):
                    found.append(((*loc, key), f"`{key[:60]}`: no secret stands in a file; {_instead(key, variable)}"))
                else:
                    kept[key] = walk(item, (*loc, key))
            return kept
        if isinstance(value, list):
            return [walk(item, (*loc, i)) for i, item in enumerate(value)]
        if isinstance(value, str) and _VALUE.search(value):
            found.append((loc, f"this looks like a secret, and none stands in a file; {_instead(value, variable)}"))
            return "secret"
        return value

    return walk(data, ()), found


def _instead(hint: str, variable: str) -> str:
    end = "_PRIVATE_KEY" if re.search(r"private|pem", hint, re.IGNORECASE) else "_TOKEN"
    return f"take it out and set {variable}{end} or {variable}{end}_FILE"
