"""The workspace loader: reads and validates what an operator keeps in git, and the secrets of connectors.

Errors name file and line, all at once. Nothing here talks to a server or a database, and no value is invented:
meanings and defaults are those of `domain`. `examples`, `scaffold` and `schemas` are loaded by the verbs that use them.
"""

from .credentials import Secret, SecretMissing, SecretUnusable, secret, secrets
from .loader import load

__all__ = [
    "Secret",
    "SecretMissing",
    "SecretUnusable",
    "load",
    "secret",
    "secrets",
]
