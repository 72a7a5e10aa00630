"""A small Jira and GitHub on loopback, for the demo and for tests: a believable company, faults on demand.

Knows the real servers' addresses, payloads and refusals. Nothing of okrsync's linking, planning or
connectors may be used here: what is tested must not test itself.
"""

from __future__ import annotations

from .faults import Fault, Faults
from .server import Sandbox, Seen, Write
from .story import company, untied
from .workspace import copy_workspace, example_workspace
from .world import STORY_NOW, StoryClock, World

__all__ = [
    "STORY_NOW",
    "Fault",
    "Faults",
    "Sandbox",
    "Seen",
    "StoryClock",
    "World",
    "Write",
    "company",
    "copy_workspace",
    "example_workspace",
    "untied",
]
