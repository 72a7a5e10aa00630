"""What the tickets are to look like in the end."""

from __future__ import annotations

from tickets import wanted

__all__ = ["wanted"]
