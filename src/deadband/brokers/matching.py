"""How a market shown second by second fills an order: the rules, as pure functions.

Assumptions, each on the careful side where the data cannot tell:
  * An order crosses at the next second's quotes. The touch gives what it shows; each tick beyond it
    gives as much again, as far as the limit goes.
  * An order that joins the touch stands behind all that is shown there. Only trades at its price
    move it forward, and a smaller size shown; of what trades in a second that saw several prices,
    half is taken to have been at its own.
  * It fills where the queue before it is used up, where trades go through its price and the touch
    goes with them (a print alone may be late), or where the far touch comes to it; never more than
    what traded, or is shown, allows.
  * A pegged order meets `MID_SHARE` of what trades at the mid or better for us.
  * Our orders move nobody else's: neither quotes nor trades answer them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..core.orders import OrdType, Side
from ..core.parents import ChildOrder, Tick
from ..core.quotes import Traded
from ..core.units import tick_size

AT_PRICE_SHARE = 0.5
MID_SHARE = 0.1
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Queued:
    """A child at the broker. `ahead`: shares before it at its price, −1 until it has joined."""

    order: ChildOrder
    cum_qty: int = 0
    ahead: float = -1.0

    @property
    def leaves_qty(self) -> int:
        return self.order.order_qty - self.cum_qty


def match(
    queued: Queued, tick: Tick, traded: Traded
) -> tuple[Queued, tuple[tuple[int, float], ...]]:
    """The child after one second, and its fills as (shares, USD)."""
    if not tick.is_quoted:
        return queued, ()
    if queued.order.ord_type is OrdType.PEGGED_MIDPOINT:
        return _pegged(queued, tick, traded)
    side = queued.order.side
    limit = _limit(queued.order)
    if side.sign * (limit - tick.far(side)) >= -ROUNDING:
        # What rested when the far touch came to it fills at its own price, not at a better one.
        fills = _taken(queued, limit, tick, at_own_price=queued.ahead >= 0)
        return _after(queued, fills), fills
    if queued.ahead < 0:
        return replace(queued, ahead=_ahead(limit, side, tick)), ()
    return _rested(queued, limit, tick, traded)


def _limit(order: ChildOrder) -> float:
    """The worst price; of a market order any."""
    if order.ord_type in (OrdType.MARKET, OrdType.MARKET_ON_CLOSE):
        return float("inf") if order.side is Side.BUY else 0.0
    return order.price


def _taken(
    queued: Queued, limit: float, tick: Tick, *, at_own_price: bool
) -> tuple[tuple[int, float], ...]:
    """Fills against the far side: its touch, then ticks deeper of the same size, to the limit."""
    side = queued.order.side
    shown = int(tick.ask_size if side is Side.BUY else tick.bid_size)
    if at_own_price:
        qty = min(queued.leaves_qty, shown)
        return ((qty, limit),) if qty else ()
    price, left, fills = tick.far(side), queued.leaves_qty, []
    step = side.sign * float(tick_size(np.array([price]))[0])
    while left and shown and side.sign * (limit - price) >= -ROUNDING and price > 0:
        qty = min(left, shown)
        fills.append((qty, price))
        left, price = left - qty, round(price + step, 6)
    return tuple(fills)


def _ahead(limit: float, side: Side, tick: Tick) -> float:
    """Shares before an order that joins now: all that the touch shows, none inside the spread."""
    behind = side.sign * (tick.near(side) - limit)
    shown = tick.bid_size if side is Side.BUY else tick.ask_size
    # Behind the touch the queue is not known; it is met as if it were as long as the touch's.
    return shown if behind >= -ROUNDING else 0.0


def _rested(
    queued: Queued, limit: float, tick: Tick, traded: Traded
) -> tuple[Queued, tuple[tuple[int, float], ...]]:
    """Trades go through the order's price, or at it, and use up the queue before it."""
    side = queued.order.side
    ahead = queued.ahead
    if traded.volume > 0:
        reached = traded.low if side is Side.BUY else traded.high
        through = side.sign * (limit - reached)
        if through > ROUNDING and side.sign * (limit - tick.near(side)) > ROUNDING:
            qty = min(queued.leaves_qty, traded.volume)
            return _after(queued, ((qty, limit),)), ((qty, limit),)
        if through >= -ROUNDING:
            single = traded.high - traded.low < ROUNDING and through < ROUNDING
            ahead -= traded.volume * (1.0 if single else AT_PRICE_SHARE)
    if ahead < 0:
        qty = min(queued.leaves_qty, int(-ahead))
        fills = ((qty, limit),) if qty else ()
        return replace(_after(queued, fills), ahead=0.0), fills
    if abs(tick.near(side) - limit) < ROUNDING:
        ahead = min(ahead, tick.bid_size if side is Side.BUY else tick.ask_size)
    return replace(queued, ahead=ahead), ()


def _pegged(
    queued: Queued, tick: Tick, traded: Traded
) -> tuple[Queued, tuple[tuple[int, float], ...]]:
    """A share of what trades at the mid or better, at the mid, within the cap."""
    side, mid = queued.order.side, tick.mid
    reached = traded.low if side is Side.BUY else traded.high
    capped = side.sign * (queued.order.price - mid) < -ROUNDING
    if traded.volume <= 0 or capped or side.sign * (mid - reached) < -ROUNDING:
        return queued, ()
    qty = min(queued.leaves_qty, int(traded.volume * MID_SHARE))
    fills = ((qty, mid),) if qty else ()
    return _after(queued, fills), fills


def _after(queued: Queued, fills: tuple[tuple[int, float], ...]) -> Queued:
    return replace(queued, cum_qty=queued.cum_qty + sum(qty for qty, _ in fills))
