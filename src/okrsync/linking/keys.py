"""Ticket keys in titles and branches of pull requests (DESIGN section 5, "Keys").

A key counts only for a project that is known; anything that merely looks like one (`UTF-8`, `KIP-919`) is
nothing, and typing errors are never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

from okrsync.domain.text import regex

# Both trackers stop titles at some 255 characters and Git stops branches soon after; the cap keeps hostile
# input cheap whatever a server lets through.
_LIMIT = 1000
INVISIBLE = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF))

# What makes a key a version: `web-1.2`, and the branch `renovate/web-1.x`.
_VERSION = r"\.(?:[0-9]|[Xx](?![A-Za-z0-9_]))"
# The look-behind lets an attempt start only at the beginning of a word, so a text is scanned once.
KEY = rf"(?<![A-Za-z0-9_])([A-Z][A-Z0-9_]*)-([1-9][0-9]*)(?![A-Za-z0-9_]|{_VERSION})"
_KEY = regex(KEY)
_JOINT = regex(r"(?:[\s,;&/.:\-()\[\]{}]|and\b)+")
_ABBREVIATED = regex(r"/([1-9][0-9]*)(?![A-Za-z0-9_])")
_QUOTED = regex(r"(?:revert|reapply)\s*[\"'“‘]", re.IGNORECASE)
# Tags hold no digits: `[1/2]` or `(KIP-932)` is part of the sentence, `[HOTFIX]` is not.
_TAG = regex(r"\[[^\[\]\d]{1,60}\]|\([^()\d]{1,60}\)!?|[^\W\d_]{1,60}!?(?=\s*[-:(])")
_BRANCH_KEY = regex(rf"(?<![A-Za-z0-9_])([A-Za-z][A-Za-z0-9_]*)-([1-9][0-9]*)(?![A-Za-z0-9]|{_VERSION})")


def ticket(key: str, projects: Mapping[str, str]) -> str:
    """The id of the work item that a key means: `jira:PAY-1`; a key of a renamed project means the present one's
    (`projects` as `read_text` takes them)."""
    project, _, number = key.rpartition("-")
    connector, _, present = projects[project].partition(":")
    return f"{connector}:{present or project}-{number}"


def title_keys(title: str, projects: Container[str]) -> tuple[str, ...]:
    """The keys whose work a pull request with this title is, in order, without duplicates.

    The upper-case keys at the very start, after optional tags; only where none leads, every key in it.
    `projects` holds upper-case project keys.
    """
    text = plain_title(title)
    return leading_keys(text, openings(text)[-1], projects)[0] or _all_keys(text, projects)


def plain_title(title: str) -> str:
    """A title as it is looked at: without invisible characters, and cut."""
    return title[:_LIMIT].translate(INVISIBLE)


def leading_keys(text: str, at: int, projects: Container[str]) -> tuple[tuple[str, ...], int]:
    """The group of keys that starts exactly at `at`, abbreviated lists (`PAY-1/2/3`) spelled out, and where
    it ends; an empty group ends where it starts."""
    found: dict[str, None] = {}
    end = at
    while (key := _KEY.match(text, at)) and key[1] in projects:
        found[key[0]] = None
        end = key.end()
        while more := _ABBREVIATED.match(text, end):
            found[f"{key[1]}-{more[1]}"] = None
            end = more.end()
        joint = _JOINT.match(text, end)
        at = joint.end() if joint else end
        if not joint:
            break
    return tuple(found), end


def branch_keys(branch: str, projects: Container[str]) -> tuple[str, ...]:
    """The keys in a branch name, in any case, at a boundary: `feature/pay-12_checkout` holds PAY-12."""
    found: dict[str, None] = {}
    for match in _BRANCH_KEY.finditer(branch[:_LIMIT]):
        prefix = match[1].upper()
        while prefix not in projects and "_" in prefix:  # `_` is a boundary, but also part of some project keys
            prefix = prefix.partition("_")[2]
        if prefix in projects:
            found[f"{prefix}-{match[2]}"] = None
    return tuple(found)


def openings(text: str) -> list[int]:
    """Where each thing at the start of a title stands: tags, `Revert "`, what joins them, and the first other thing."""
    starts = [0]
    while starts[-1] < len(text):
        at = starts[-1]
        if _KEY.match(text, at):
            break
        step = _QUOTED.match(text, at) or _TAG.match(text, at) or _JOINT.match(text, at)
        if not step:
            break
        starts.append(step.end())
    return starts


def _all_keys(text: str, projects: Container[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for match in _KEY.finditer(text):
        if match[1] in projects:
            found[match[0]] = None
            at = match.end()
            while more := _ABBREVIATED.match(text, at):
                found[f"{match[1]}-{more[1]}"] = None
                at = more.end()
    return tuple(found)
