"""Verbs."""


def main() -> None:
    """Console script."""
