"""What it takes to close positions: for each name an order, or why there is none.

Rules
  * Never more than is held, less all that may still fill in the same direction, whosever it is: a
    position is closed and never turned.
  * One limit order a name, through the far touch by the collar, on a price step inside of it.
  * Nothing is sent into a halt, on a quote that is not live, or at a price far from the last one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..core.broker import BrokerSnapshot, MarketData, Ok, ReferenceData
from ..core.events import Halt, OrderState, Quality, Quote
from ..core.lifecycle import FINAL
from ..core.orders import Order, OrdType, Side
from ..core.reasons import Code
from ..core.units import BPS, to_tick


@dataclass(frozen=True, slots=True)
class Reach:
    """How far orders go: `collar_bps` beyond the far touch, and `most_bps` from touch to last."""

    collar_bps: float = 30.0
    most_bps: float = 500.0


@dataclass(frozen=True, slots=True)
class Leg:
    """One position: signed shares `held`, and `qty` unsigned to close at `price` USD.

    `working`: unsigned shares of orders that may close it already; `note` says why it is not
    closed, or not all of it; `mid` USD, 0 where nothing is quoted.
    """

    symbol: str
    held: int
    qty: int
    price: float = 0.0
    mid: float = 0.0
    working: int = 0
    note: str = ""

    @property
    def side(self) -> Side:
        return Side.SELL if self.held > 0 else Side.BUY


def legs(
    shot: BrokerSnapshot,
    symbols: Iterable[str],
    reference: ReferenceData,
    quotes: MarketData,
    reach: Reach,
) -> tuple[Leg, ...]:
    """A leg for each of the names that is held, by symbol."""
    held = positions(shot)
    return tuple(
        _leg(symbol, held[symbol], _closing(shot, symbol, held[symbol]), reference, quotes, reach)
        for symbol in sorted(set(symbols) & held.keys())
    )


def positions(shot: BrokerSnapshot) -> dict[str, int]:
    """Signed shares by symbol, without those that are flat."""
    assert isinstance(shot.positions, Ok), "a snapshot that was agreed on is complete"
    return {one.symbol: one.qty for one in shot.positions.value if one.qty}


def alive(shot: BrokerSnapshot, symbol: str) -> list[OrderState]:
    """Everybody's orders of a name that may still fill."""
    sections = (shot.orders, shot.foreign)
    orders = [one for section in sections if isinstance(section, Ok) for one in section.value]
    return [one for one in orders if one.symbol == symbol and one.status not in FINAL]


def _closing(shot: BrokerSnapshot, symbol: str, held: int) -> int:
    """Shares of working orders that make the position smaller, or turn it."""
    against = [one for one in alive(shot, symbol) if one.side.sign * held < 0]
    return sum(max(one.leaves_qty, 1) for one in against)


def _leg(
    symbol: str,
    held: int,
    working: int,
    reference: ReferenceData,
    quotes: MarketData,
    reach: Reach,
) -> Leg:
    quote, instrument = quotes.quote(symbol), reference.instrument(symbol)
    qty = max(abs(held) - working, 0)
    note = f"{working} shares work already" if working else ""
    if instrument is None:
        return Leg(symbol, held, 0, working=working, note="no US stock that this adapter trades")
    fault = _unquoted(quote, reach)
    if fault or quote is None:
        mid = (quote.bid + quote.ask) / 2 if quote and quote.bid > 0 and quote.ask > 0 else 0.0
        return Leg(symbol, held, 0, mid=mid, working=working, note=fault)
    sells, collar = held > 0, reach.collar_bps * BPS
    edge = quote.bid * (1 - collar) if sells else quote.ask * (1 + collar)
    step = instrument.increment(edge)
    # Inside the collar; a price below one step would be none.
    price = max(to_tick(edge, step, up=sells), step)
    return Leg(symbol, held, qty, price, (quote.bid + quote.ask) / 2, working, note)


def _unquoted(quote: Quote | None, reach: Reach) -> str:
    """Why nothing is sent on this quote; empty if it may be."""
    if quote is not None and quote.halt is not Halt.NONE:
        return f"halted ({quote.halt}): nothing is sent into a halt"
    if quote is None or quote.quality is not Quality.LIVE:
        return f"no live quote ({Quality.NONE if quote is None else quote.quality})"
    if not 0 < quote.bid < quote.ask:
        return f"no two-sided quote (bid {quote.bid:g}, ask {quote.ask:g})"
    touches = (quote.bid, quote.ask) if quote.last > 0 else ()
    far = max((abs(touch / quote.last - 1.0) for touch in touches), default=0.0)
    if far > reach.most_bps * BPS:
        return f"bid {quote.bid:g}, ask {quote.ask:g} are {far:.1%} from the last price"
    return ""


def orders_of(
    found: Iterable[Leg], decision_id: str, prefix: str, now: int, first: int = 0
) -> tuple[Order, ...]:
    """The orders of the legs that have one; ids are `prefix.decision_id` and a number from `first`.

    `now` epoch ns.
    """
    return tuple(
        Order(
            cl_ord_id=f"{prefix}.{decision_id}.{k:03d}",
            symbol=leg.symbol,
            side=leg.side,
            order_qty=leg.qty,
            ord_type=OrdType.LIMIT,
            price=leg.price,
            decision_id=decision_id,
            reason=Code.HAND_FLATTEN.value,
            arrival=leg.mid,
            transact_time=now,
        )
        for k, leg in enumerate((leg for leg in found if leg.qty), first)
    )
