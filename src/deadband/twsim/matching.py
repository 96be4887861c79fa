"""What of an order trades against a quote: pure functions of terms, quote and volume.

Taking: an order that crosses takes the displayed size, and below it one tick at a time a half more,
as far as its limit goes. Resting: an order at the touch waits behind the size that was there when
it joined; one inside the spread is first; half of the volume that prints meets each side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .market import LOT, Quote
from .orders import Order

DEEPEST_LEVEL = 50
AT_MARKET = frozenset({"MKT", "MOC", "STP"})
RESTING_PEGS = frozenset({"MIDPRICE", "PEG MID", "REL"})
STOPS = frozenset({"STP", "STP LMT"})
AT_CLOSE = frozenset({"MOC", "LOC"})
ADDED, REMOVED = 1, 2
"""IBKR's liquidity marks."""
SUPPORTED = AT_MARKET | RESTING_PEGS | STOPS | AT_CLOSE | {"LMT"}


@dataclass(frozen=True, slots=True)
class Fill:
    """Shares at a price, and IBKR's liquidity mark: 1 added, 2 removed."""

    shares: int
    price: float
    liquidity: int


def limit_of(order: Order, quote: Quote) -> float | None:
    """The worst price an order takes now, USD; None is any.

    MIDPRICE and PEG MID stand at the mid, REL at its own side's touch, each capped by their limit.
    """
    ticket, limit = order.ticket, order.ticket.limit
    if ticket.order_type in AT_MARKET:
        return None
    if ticket.order_type not in RESTING_PEGS:
        return limit
    near = quote.bid if ticket.side > 0 else quote.ask
    pegged = near if ticket.order_type == "REL" else quote.mid
    if limit is None:
        return pegged
    return min(pegged, limit) if ticket.side > 0 else max(pegged, limit)


def is_triggered(order: Order, quote: Quote) -> bool:
    """Whether a stop's price has traded."""
    stop = order.ticket.price("auxPrice")
    if stop is None:
        return False
    return quote.last >= stop if order.ticket.side > 0 else quote.last <= stop


def levels(quote: Quote, side: int, tick: float) -> Iterator[tuple[float, int]]:
    """Prices and shares that a taker of `side` meets, best first."""
    best, size = (quote.ask, quote.ask_size) if side > 0 else (quote.bid, quote.bid_size)
    for depth in range(DEEPEST_LEVEL):
        price = round(best + side * depth * tick, 10)
        if price <= 0:
            return
        yield price, size + depth * size // 2


def take(order: Order, quote: Quote, shares: int, used: int) -> list[Fill]:
    """Fills of up to `shares` against the book, `used` shares of which others took this step."""
    side, limit = order.ticket.side, limit_of(order, quote)
    fills = []
    for price, size in levels(quote, side, order.contract.tick(quote.mid)):
        if limit is not None and side * (price - limit) > 1e-9:
            break
        free = max(size - used, 0)
        used = max(used - size, 0)
        taken = min(free, shares)
        if taken:
            fills.append(Fill(taken, price, REMOVED))
            shares -= taken
        if not shares:
            break
    return fills


def rest(order: Order, quote: Quote, shares: int, traded: int) -> list[Fill]:
    """Fills of a resting order out of `traded` shares of volume since the last step.

    Moves the order's place in the queue.
    """
    side, limit = order.ticket.side, limit_of(order, quote)
    if limit is None:
        return []
    near = quote.bid if side > 0 else quote.ask
    if side * (limit - near) < -1e-9:
        order.queue_ahead = None
        return []
    if order.queue_ahead is None:
        joins = abs(limit - near) <= 1e-9
        near_size = quote.bid_size if side > 0 else quote.ask_size
        order.queue_ahead = near_size if joins else 0
        return []
    met = traded // 2
    passed = min(order.queue_ahead, met)
    order.queue_ahead -= passed
    reached = min(met - passed, shares)
    whole_lots = reached if reached == shares else reached // LOT * LOT
    return [Fill(whole_lots, limit, ADDED)] if whole_lots else []
