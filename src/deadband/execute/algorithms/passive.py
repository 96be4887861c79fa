"""PASSIVE, in full passive-then-aggressive: join the touch, climb, and cross by the deadline."""

from __future__ import annotations

from ...core.parents import Progress, Tick
from ...core.reasons import Code
from .wish import Wish, crossed, elapsed, laddered


def wish(progress: Progress, tick: Tick) -> Wish:
    """The ladder by elapsed time; crosses early when the market runs away, and then for good."""
    qty = progress.leaves_qty
    if progress.crossing:
        return crossed(progress, tick, qty, Code.ALGO_CROSSES)
    trigger = alarm(progress, tick)
    if trigger is not None:
        return crossed(progress, tick, qty, trigger)
    return laddered(progress, tick, qty, elapsed(progress.parent, tick.ts))


def alarm(progress: Progress, tick: Tick) -> Code | None:
    """Why waiting has become dear: the mid ran away, or the far touch is about to."""
    parent, side = progress.parent, progress.parent.order.side
    run = side.sign * (tick.mid - progress.arrival)
    limit = parent.tactics.adverse_spreads
    if limit > 0 and run >= limit * max(tick.spread, parent.tick):
        return Code.ALGO_ADVERSE
    buys = side.sign > 0
    near, far = (tick.bid_size, tick.ask_size) if buys else (tick.ask_size, tick.bid_size)
    if 0 < parent.tactics.imbalance * far <= near:
        return Code.ALGO_IMBALANCE
    return None
