"""The algorithms by name."""

from __future__ import annotations

from collections.abc import Mapping

from ...core.orders import Algorithm
from . import arrival, close, hand_off, marketable, passive, peg, pov, twap, vwap
from .wish import Wisher

WISHES: Mapping[Algorithm, Wisher] = {
    Algorithm.MARKETABLE: marketable.wish,
    Algorithm.PASSIVE: passive.wish,
    Algorithm.PEG_MID: peg.wish,
    Algorithm.TWAP: twap.wish,
    Algorithm.VWAP: vwap.wish,
    Algorithm.POV: pov.wish,
    Algorithm.CLOSE: close.wish,
    Algorithm.ARRIVAL: arrival.wish,
    **dict.fromkeys(hand_off.DESCRIPTORS, hand_off.wish),
}

SCHEDULES = frozenset(
    {
        Algorithm.TWAP,
        Algorithm.VWAP,
        Algorithm.POV,
        Algorithm.ARRIVAL,
    }
)
"""Those that send many children: `max_replaces` counts for each of their slices."""
