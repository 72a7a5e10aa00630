"""The workspace loader: reads and validates what an operator keeps in git, and the secrets of connectors.

Errors name file and line, all at once. Nothing here talks to a server or a database, and no value is invented:
meanings and defaults are those of `domain`.
"""

from .credentials import Secret, SecretMissing, SecretUnusable, secret, secrets
from .examples import check_examples
from .loader import load
from .scaffold import example_files, init
from .schemas import schemas

__all__ = [
    "Secret",
    "SecretMissing",
    "SecretUnusable",
    "check_examples",
    "example_files",
    "init",
    "load",
    "schemas",
    "secret",
    "secrets",
]
