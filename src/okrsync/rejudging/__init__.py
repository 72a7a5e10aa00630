"""Findings without judging again what did not change: what was told of items is kept beside the store, and holds for as
long as neither they nor what is above them changed, under the same goals, rules and settings, on the same day."""

from .again import Found, findings

__all__ = ["Found", "findings"]
