"""PEG_MID: an order the broker keeps at the mid, capped by the collar; crosses at the end."""

from __future__ import annotations

from ...core.orders import OrdType
from ...core.parents import Progress, Tick
from ...core.reasons import Code
from .wish import Wish, crossed, elapsed


def wish(progress: Progress, tick: Tick) -> Wish:
    """One pegged order at IB's MIDPRICE, whose cap is the collar; then what is left crosses."""
    parent, qty = progress.parent, progress.leaves_qty
    if progress.crossing or elapsed(parent, tick.ts) >= parent.tactics.cross_at:
        return crossed(progress, tick, qty, Code.ALGO_CROSSES)
    return Wish(qty, parent.order.price, Code.ALGO_RESTS, OrdType.PEGGED_MIDPOINT)
