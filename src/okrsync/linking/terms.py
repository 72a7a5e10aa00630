"""The words of a title as they are compared: folded, without what every title holds."""

from __future__ import annotations

import re
from functools import lru_cache

from okrsync.domain.text import regex

# keys, versions, numbers and links tell nothing about the subject
_NOISE = regex(r"https?://\S+|[A-Za-z][A-Za-z0-9_]*-\d+|#\d+|\b[\d.]+\b")
_WORD = regex(r"[^\W\d_]+")
_CAMEL = regex(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ES = regex(r"(?:ss|x|sh|tch|nch)es$")
_WIDE = (("\u3040", "\u30ff"), ("\u3400", "\u9fff"), ("\uf900", "\ufaff"))
_SHORTEST = 3
_COMMON_WORDS = """
about across add added adding adds after all allow also and another any are avoid away back be because been
before being better between both bug bump but can cause change changed changes clean cleanup code correct could
did do does doing done down each enable ensure error every feat feature few first fix fixed fixes fixing followup for
from get had has have hotfix how implement improve into introduce is issue its just last like made make makes making
may minor more most move must need needs new next not now off old one only other our out over part per pull refactor
refs remove removed request revert same set should simplify since small so some still such support than that the
their them then there these they this those through ticket too two unit update updated upgrade use used uses
using via very was way were what when where which while who why will with within without work would you your
"""
_COMMON = frozenset(_COMMON_WORDS.split())


@lru_cache(maxsize=50_000)
def terms(title: str) -> tuple[str, ...]:
    """Words and pairs of neighbouring words (`group coordinator`), in order, each once."""
    found: dict[str, None] = {}
    for stretch in re.split(r"[:;,()\[\]\"'`]|\s-\s", _NOISE.sub(" ; ", title[:500])):
        before = ""
        for word in _words(stretch):
            if word in _COMMON or (len(word) < _SHORTEST and not _is_wide(word)):
                before = ""
                continue
            found[word] = None
            if before and not _is_wide(word):
                found[f"{before} {word}"] = None
            before = word
    return tuple(found)


def _is_wide(word: str) -> bool:
    """Written without blanks, so that pairs of signs are compared. An expression for these takes as long to compile, at
    each start, as all others of this room."""
    return not word.isascii() and any(first <= word[0] <= last for first, last in _WIDE)


def _words(text: str) -> list[str]:
    words: list[str] = []
    for run in _WORD.findall(_CAMEL.sub(" ", text)):
        if _is_wide(run):
            words += [run[n : n + 2] for n in range(max(1, len(run) - 1))]
        else:
            words.append(_stem(run.casefold()))
    return words


def _stem(word: str) -> str:
    """`retries` and `retry`, `groups` and `group`, `classes` and `class` are one word."""
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if _ES.search(word):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
