"""POV: follows a share of the market's volume, within a least and a largest share."""

from __future__ import annotations

from ...core.parents import Progress, Tick
from ...core.reasons import Code
from .wish import Wish, crossed, elapsed, nothing, rested, whole_lots


def wish(progress: Progress, tick: Tick) -> Wish:
    """Rest for what the rate has due; cross where it is behind, or where the time runs out.

    Filled and working shares never pass `max_participation` of the volume seen since arrival, not
    even to complete: what that leaves is decided anew.
    """
    parent = progress.parent
    tactics, volume = parent.tactics, progress.volume
    least = tactics.min_participation * volume - progress.filled
    late = tactics.complete and elapsed(parent, tick.ts) >= tactics.cross_at
    rate = tactics.max_participation if late else tactics.participation
    qty = min(progress.leaves_qty, whole_lots(rate * volume - progress.filled, parent.lot))
    child, worth_it = progress.child, parent.order.order_qty / tactics.slices
    if child is None and qty < min(worth_it, progress.leaves_qty):
        # Each child costs messages and a least commission: it waits until a slice is due.
        return nothing(Code.ALGO_RESTS)
    if child is not None and not late:
        # A working child is left to fill: each share more would cost it its place in the queue.
        qty = min(progress.leaves_qty, max(qty, child.order.order_qty - child.cum_qty))
    if qty <= 0:
        return nothing(Code.ALGO_RESTS)
    if late:
        return crossed(progress, tick, qty, Code.ALGO_CROSSES)
    # A resting order is given the time of one slice before it counts as behind.
    if least >= worth_it:
        return crossed(progress, tick, qty, Code.ALGO_BEHIND)
    return rested(progress, tick, qty, tactics.start_at, Code.ALGO_RESTS)
