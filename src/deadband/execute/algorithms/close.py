"""CLOSE: an order for the closing auction, sent before the exchange's cut-off."""

from __future__ import annotations

from ...core.orders import OrdType, Tif, Venue
from ...core.parents import Progress, Tick
from ...core.reasons import Code
from ...core.units import BPS
from .wish import Wish, laddered

MINUTE = 60_000_000_000


def wish(progress: Progress, tick: Tick) -> Wish:
    """Limit- or market-on-close for all of it; what missed the cut-off climbs the ladder instead.

    After the cut-off an auction order can be neither changed nor canceled: it is left alone, and a
    remainder the auction refused crosses the spread while the session lasts.
    """
    parent, child = progress.parent, progress.child
    tactics, side, qty = parent.tactics, parent.order.side, progress.leaves_qty
    cutoff = parent.close - int(tactics.close_cutoff_min * MINUTE)
    if child is not None and child.order.tif is Tif.CLS:
        left = child.order.order_qty - child.cum_qty
        return Wish(
            left, child.order.price, Code.ALGO_AUCTION, child.order.ord_type, Tif.CLS, Venue.PRIMARY
        )
    if tick.ts >= cutoff:
        return laddered(
            progress, tick, qty, _left(tick.ts, max(cutoff, parent.start), parent.deadline)
        )
    if tactics.close_limit_bps <= 0:
        return Wish(
            qty,
            parent.order.price,
            Code.ALGO_AUCTION,
            OrdType.MARKET_ON_CLOSE,
            Tif.CLS,
            Venue.PRIMARY,
        )
    price = tick.mid * (1.0 + side.sign * tactics.close_limit_bps * BPS)
    return Wish(qty, price, Code.ALGO_AUCTION, OrdType.LIMIT_ON_CLOSE, Tif.CLS, Venue.PRIMARY)


def _left(now: int, begin: int, end: int) -> float:
    """Share passed of the time between the cut-off and the end."""
    return 1.0 if end <= begin else min(1.0, (now - begin) / (end - begin))
