"""`okrsync` and `python -m okrsync`."""

from __future__ import annotations

import gc

_ALLOCATIONS = 100_000


def seldom_collect() -> None:
    """Python looks for cycles of garbage after every 700 new objects; loading libraries and decoding pages make
    hundreds of thousands, and none of them lie in cycles. Looking seldom saves a seventh of a first pull's CPU time and
    costs a few megabytes."""
    gc.set_threshold(_ALLOCATIONS, 20, 20)


def main() -> None:
    seldom_collect()
    from .cli import main as call  # noqa: PLC0415  # its libraries are loaded under the above

    call()


if __name__ == "__main__":
    main()
