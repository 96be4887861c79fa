"""TWAP: even slices over the time the order has."""

from __future__ import annotations

from ...core.parents import Progress, Tick
from .sliced import sliced
from .wish import Wish


def wish(progress: Progress, tick: Tick) -> Wish:
    """The slice due now."""
    return sliced(progress, tick, even)


def even(passed: float) -> float:
    return passed
