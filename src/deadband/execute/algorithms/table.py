"""The algorithms by name."""

from __future__ import annotations

from collections.abc import Mapping

from ...core import orders
from . import arrival, close, hand_off, marketable, passive, peg, pov, twap, vwap
from .wish import Algorithm

WISHES: Mapping[orders.Algorithm, Algorithm] = {
    orders.Algorithm.MARKETABLE: marketable.wish,
    orders.Algorithm.PASSIVE: passive.wish,
    orders.Algorithm.PEG_MID: peg.wish,
    orders.Algorithm.TWAP: twap.wish,
    orders.Algorithm.VWAP: vwap.wish,
    orders.Algorithm.POV: pov.wish,
    orders.Algorithm.CLOSE: close.wish,
    orders.Algorithm.ARRIVAL: arrival.wish,
    **dict.fromkeys(hand_off.DESCRIPTORS, hand_off.wish),
}

SCHEDULES = frozenset(
    {
        orders.Algorithm.TWAP,
        orders.Algorithm.VWAP,
        orders.Algorithm.POV,
        orders.Algorithm.ARRIVAL,
    }
)
"""Those that send many children: `max_replaces` counts for each of their slices."""
