"""All rules in one place."""

from __future__ import annotations

from okrsync.domain.findings import RuleSpec

from . import exemptions, initiatives, key_results, objectives, work

OF_WORK: tuple[RuleSpec, ...] = work.RULES
"""What they say of an item hangs on that item and on what is above it, on nothing else."""
OF_ALL: tuple[RuleSpec, ...] = (*key_results.RULES, *objectives.RULES, *initiatives.RULES, *exemptions.RULES)
"""They ask only how many items stand in which way."""
RULES: tuple[RuleSpec, ...] = tuple(sorted((*OF_WORK, *OF_ALL), key=lambda r: r.code))

_BY_NAME = {name.casefold(): spec for spec in RULES for name in (spec.code, spec.slug)}


def rule(name: str) -> RuleSpec | None:
    """The rule of that code or slug, in any case; None where there is none."""
    return _BY_NAME.get(name.strip().casefold())
