"""Work that seldom serves a goal and is valid all the same: what robots write, upkeep, documentation, audits."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Upkeep(Struct, frozen=True, kw_only=True):
    name: str
    when: dict[str, Any]
    exempt: str
    why: str
    robots: bool = False
    of_area: bool = False  # may as well be counted to what its area is for


# In this order: the first that matches an item takes it. Wide rules stand before those of an area, and behind the
# others: no version bump serves an objective, and a type or label that a person set says more. Titles are searched by
# RE2 expressions.
UPKEEP = (
    Upkeep(
        name="robots",
        when={"author_type": ["bot", "app"]},
        exempt="operational-health",
        why="a robot wrote it, and nobody decides on it",
        robots=True,
    ),
    Upkeep(
        name="dependency bumps",
        when={
            "title": [
                r"(?i)^\W*(\w+(\([\w-]+\))?: )?(bump|upgrade|update)\b.*\bto v?\d",
                r"(?i)\b(upgrade|update|bump)\b.*\b(dependency|dependencies|librar(y|ies))\b",
            ]
        },
        exempt="operational-health",
        why="the title says that a version is raised",
    ),
    Upkeep(
        name="audits and regulation",
        when={"title": r"\b(PCI|GDPR|HIPAA|SOX|SOC ?2|ISO ?27001)\b"},
        exempt="compliance",
        why="the title names a regulation",
    ),
    Upkeep(
        name="vulnerabilities",
        when={"title": r"\bCVE-\d{4}-\d+"},
        exempt="operational-health",
        why="the title names a vulnerability",
    ),
    Upkeep(
        name="bugs outside epics",
        when={"type": "Bug"},
        exempt="operational-health",
        why="a bug that belongs to no epic is upkeep",
    ),
    Upkeep(
        name="bug labels",
        when={"labels": "bug"},
        exempt="operational-health",
        why="the label says that it is a bug",
    ),
    Upkeep(
        name="tests",
        when={
            "title": [
                r"(?i)\b(flaky|deflake|quarantined?) ?tests?\b|\bflaky\b",
                r"(?i)\b(add|fix|improve|refactor|rewrite|stabili[sz]e|disable|re-?enable|remove)\b.*\btests?\b",
                r"[a-z](Test|IT|Suite)s?(\b|[.#])|\btest[A-Z]\w+|_test\.\w+|\b[IU]T\b",
                r"(?i)\b(unit|system|integration|e2e|end[- ]to[- ]end|acceptance) tests?\b",
                r"(?i)\btest (infra\w*|code|scope)\b",
            ]
        },
        exempt="tech-debt",
        why="the title speaks of tests",
        of_area=True,
    ),
    Upkeep(
        name="documentation",
        when={
            "title": [r"(?i)\b(docs?|javadocs?|documentation|typos?|readmes?|upgrade notes)\b", r"(?i)^\W*document\b"]
        },
        exempt="operational-health",
        why="the title speaks of documentation",
        of_area=True,
    ),
    Upkeep(
        name="bugs by their title",
        when={
            "title": [
                r"(?i)^\W*((\w+(\([\w-]+\))?: )?fix(es|ed|ing)?|hotfix)\b",
                r"(?i)\b(breaks|broken|crash(es|ed)?|fails|stuck|regression|deadlock|leak(ing|ed)?|race condition)\b",
                r"(?i)\b(memory|resource|socket|thread)s? leaks\b",
                r"\b([A-Z]\w+Exception|NPE)\b",
            ]
        },
        exempt="operational-health",
        why="the title tells of something broken, or of its repair",
        of_area=True,
    ),
    Upkeep(
        name="clean-up",
        when={
            "title": [
                r"(?i)\b(deprecated?|deprecations?|unused|obsolete|dead code|tech(nical)? debt)\b",
                r"(?i)\b(clean[- ]?up|refactor(ed|ing|s)?|renam(e|ed|es|ing))\b",
                r"(?i)\b(refresh|overhaul|moderni[sz]\w+)\b",
                r"(?i)^\W*(remove|delete|drop|replace)d? (the )?(last|old|legacy|dead)\b",
                r"(?i)^\W*(moved?|migrate|extract)\b.*\b(module|package|pkg)\b",
                # a name as programs have them: theirPath, its.option, a_file
                r"^\W*(?i:remov|delet|mov|replac|rewrit|renam)(?i:e|ed|es|ing|s)?\b.*([a-z][A-Z]|\w[._#]\w)",
            ]
        },
        exempt="tech-debt",
        why="the title speaks of clean-up",
        of_area=True,
    ),
    Upkeep(
        name="running costs",
        when={"title": r"(?i)\b(costs?|cheaper)\b"},
        exempt="operational-health",
        why="the title speaks of what running costs",
        of_area=True,
    ),
    Upkeep(
        name="build and delivery",
        when={
            "title": [
                r"(?i)\b(github actions?|ci|gradle|maven|checkstyle|junit)\b",
                r"(?i)\bbuild (scripts?|runners?|matrix)\b",
            ]
        },
        exempt="operational-health",
        why="the title speaks of how software is built",
        of_area=True,
    ),
)
