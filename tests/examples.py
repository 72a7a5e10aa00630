"""How many examples a property is tried on: a quarter in everybody's run, all of them under `make soak`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import settings

F = TypeVar("F", bound=Callable[..., object])
ALL = "long"
"""The profile under which all are tried (`tests/conftest.py` registers it)."""


def examples(number: int, **more: Any) -> Callable[[F], F]:
    """Marks a property, to be tried on so many examples; `more` goes to Hypothesis' settings."""
    tried = number if settings.get_current_profile_name() == ALL else max(number // 4, 5)

    def mark(test: F) -> F:
        marked: F = pytest.mark.property(settings(max_examples=tried, deadline=None, **more)(test))
        return marked

    return mark
