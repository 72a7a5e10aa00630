"""okrsync: a linter for strategy.

Reads goals and work, traces each piece of work up to a goal, and says which work has no
strategic parent and which key results nobody supports.
"""

__version__ = "0.1.0"
