"""What all schedules share: slices that fall due, are worked by the ladder, and carry over.

A schedule is a function F of the share of time, with F(0) = 0, F(1) = 1, never falling. Slice k of
n begins at (k + jitter·(h_k − ½))/n of the time, where h_k in [0, 1) is a hash of the order's id,
the same after every restart; from then on F((k+1)/n) of the order is due. What the slices before
left unfilled is due with it.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

from ...core.parents import Parent, Progress, Tick
from ...core.reasons import Code
from .wish import Wish, crossed, elapsed, laddered, nothing, rested, whole_lots

Share = Callable[[float], float]


def sliced(progress: Progress, tick: Tick, share: Share) -> Wish:
    """The slice due now, worked by the ladder within its own time."""
    parent = progress.parent
    tactics, passed = parent.tactics, elapsed(parent, tick.ts)
    k = slice_at(parent, passed)
    qty = due(parent, share, k) - progress.filled
    if qty <= 0:
        return nothing(Code.ALGO_RESTS)
    child = progress.child
    if child is not None and child.order.reason is Code.ALGO_CROSSES:
        # What a slice left goes on crossing by itself: the slice that follows may rest.
        left = min(qty, child.order.order_qty - child.cum_qty)
        return crossed(progress, tick, left, Code.ALGO_CROSSES)
    if not tactics.complete:
        return rested(progress, tick, qty, tactics.start_at, Code.ALGO_RESTS)
    begins, ends = edge(parent, k), edge(parent, k + 1)
    return laddered(progress, tick, qty, (passed - begins) / (ends - begins))


def edge(parent: Parent, k: int) -> float:
    """Where slice k begins, as a share of the parent's time: the first at 0, the n-th at 1."""
    n, jitter = parent.tactics.slices, parent.tactics.jitter
    if k <= 0 or k >= n:
        return 0.0 if k <= 0 else 1.0
    digest = blake2b(f"{parent.order.cl_ord_id}/{k}".encode(), digest_size=8).digest()
    drawn = int.from_bytes(digest, "big") / 2**64
    return (k + jitter * (drawn - 0.5)) / n


def slice_at(parent: Parent, passed: float) -> int:
    """The slice that is being worked once `passed` of the time is over."""
    n = parent.tactics.slices
    # Jitter moves an edge by less than half a slice, so the slice is this one or a neighbor.
    near = min(n - 1, int(passed * n))
    first = max(0, near - 1)
    return max(k for k in range(first, min(n, near + 2)) if edge(parent, k) <= passed or k == first)


def due(parent: Parent, share: Share, k: int) -> int:
    """Shares to be filled by the end of slice k, in whole lots; all of them by the last."""
    n, qty = parent.tactics.slices, parent.order.order_qty
    if k >= n - 1:
        return qty
    return min(qty, whole_lots(qty * share((k + 1) / n), parent.lot))
