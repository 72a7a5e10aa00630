"""Evaluation: every rule that is not ignored, on one view, in one fixed order."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from okrsync.domain.findings import Finding, RuleSpec, Severity, View
from okrsync.domain.settings import RulesSettings

from .registry import RULES


def evaluate(view: View, settings: RulesSettings, rules: Iterable[RuleSpec] = RULES) -> tuple[Finding, ...]:
    """All findings of these rules, sorted by gravity, code, subject kind and subject id; each key occurs once.

    `rules.ignore` and `rules.severity` name rules by code or slug, in any case; a severity given there
    holds for all findings of the rule. `since` is left None: only the caller knows earlier runs.
    """
    ignored = {name.casefold() for name in settings.ignore}
    severities = {name.casefold(): Severity(value) for name, value in settings.severity.items()}
    found: dict[tuple[str, str, str], Finding] = {}
    for spec in rules:
        if _names(spec) & ignored:
            continue
        severity = next((severities[n] for n in sorted(_names(spec)) if n in severities), None)
        for finding in spec.check(view, settings):
            judged = finding if severity is None else replace(finding, severity=severity)
            # an id that lives in two active cycles (a year and its quarter) is one subject
            found.setdefault(judged.key, judged)
    return tuple(sorted(found.values(), key=order))


def order(finding: Finding) -> tuple[int, tuple[str, str, str]]:
    """By what findings are sorted."""
    return finding.severity.rank, finding.key


def _names(spec: RuleSpec) -> set[str]:
    return {spec.code.casefold(), spec.slug.casefold()}
