"""The rule language: which work belongs to which initiative, team or exemption.

Pure: rules and items in, `RuleMatches` out. No I/O, no goals, no references between items;
whether a rule decides is told by `linking`.
"""

from .coverage import RuleUse, coverage, remarks, rule_text, unreachable
from .matcher import Matcher, compile, match  # noqa: A004 - reads as `mappings.compile(...)`
from .patterns import PatternError
from .propose import Proposal, propose
from .wide import ordered, propose_wide

__all__ = [
    "Matcher",
    "PatternError",
    "Proposal",
    "RuleUse",
    "compile",
    "coverage",
    "match",
    "ordered",
    "propose",
    "propose_wide",
    "remarks",
    "rule_text",
    "unreachable",
]
