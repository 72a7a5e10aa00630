"""The rule language: which work belongs to which initiative, team or exemption.

Pure: rules and items in, `RuleMatches` out. No I/O, no goals, no references between items;
whether a rule decides is told by `linking`. Proposals of new rules stand in `propose` and `wide`, which only the verb
that proposes them loads.
"""

from .coverage import RuleUse, coverage, remarks, rule_text, unreachable
from .matcher import Matcher, compile, match  # noqa: A004 - reads as `mappings.compile(...)`
from .patterns import PatternError

__all__ = [
    "Matcher",
    "PatternError",
    "RuleUse",
    "compile",
    "coverage",
    "match",
    "remarks",
    "rule_text",
    "unreachable",
]
