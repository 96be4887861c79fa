"""VWAP: slices as large as the market's usual volume in them."""

from __future__ import annotations

from ...core.parents import Progress, Tick
from .sliced import sliced
from .wish import Wish


def wish(progress: Progress, tick: Tick) -> Wish:
    """The slice due now, by the parent's volume curve."""
    curve = progress.parent.curve
    return sliced(progress, tick, lambda passed: along(curve, passed))


def along(curve: tuple[float, ...], passed: float) -> float:
    """Share of the curve's volume before `passed` of its time, linear within a part."""
    whole = sum(curve)
    if whole <= 0:
        return passed
    at = passed * len(curve)
    full = min(len(curve), int(at))
    part = curve[full] * (at - full) if full < len(curve) else 0.0
    return min(1.0, (sum(curve[:full]) + part) / whole)
