"""Why an order or a change is not sent: what can be known on this side before IBKR refuses it."""

from __future__ import annotations

from ...core.broker import Capabilities, Instrument, Replacement
from ...core.lifecycle import FINAL
from ...core.order_checks import WITH_PRICE, Denial, order_denial
from ...core.orders import Order, OrdStatus, OrdType
from ...core.reasons import Code
from .orders import OrderTable
from .rows import NO_ADDRESS, Row

CHANGEABLE_STRATEGIES = frozenset({"", "Adaptive"})
"""IBKR answers 440 to a change of its other algorithms."""
STRATEGIES = frozenset(
    {
        "Adaptive",
        "ArrivalPx",
        "BalanceImpactRisk",
        "ClosePx",
        "DarkIce",
        "MinImpact",
        "PctVol",
        "PctVolPx",
        "PctVolSz",
        "PctVolTm",
        "Twap",
        "Vwap",
    }
)


def new_denial(
    order: Order, table: OrderTable, instrument: Instrument | None, can: Capabilities, most: int
) -> Denial | None:
    """Why a new order is not sent; `most` orders of its name and side may work before it."""
    denied = order_denial(order, can, table.rows)
    if denied is not None:
        return denied
    if instrument is None:
        return Code.ORDER_NO_INSTRUMENT, f"{order.symbol} is not resolved. Resolve it first."
    if table.is_frozen(order.symbol):
        return Code.ORDER_SYMBOL_FROZEN, f"an order of {order.symbol} is of unknown fate"
    if table.active_on(order.symbol, order.side) >= most:
        return Code.ORDER_TOO_MANY, f"no further order of {order.symbol} may work on this side"
    return _off_tick(order, instrument)


def change_denial(wanted: Replacement, row: Row | None, table: OrderTable) -> Denial | None:
    """Why a change is not sent, the price aside."""
    if row is None or row.is_final:
        return Code.ORDER_NOT_WORKING, f"{wanted.cl_ord_id} does not work"
    order = row.order
    if order.terms.strategy not in CHANGEABLE_STRATEGIES:
        return Code.ORDER_UNSUPPORTED, f"orders of {order.terms.strategy} cannot be changed"
    if row.is_split:
        text = f"the broker made two orders of {wanted.cl_ord_id}. Cancel it instead."
        return Code.ORDER_UNSUPPORTED, text
    if wanted.order_qty <= row.cum_qty:
        text = f"a change to {wanted.order_qty} with {row.cum_qty} filled. Cancel it instead."
        return Code.ORDER_UNSUPPORTED, text
    if table.is_frozen(order.symbol):
        return Code.ORDER_SYMBOL_FROZEN, f"an order of {order.symbol} is of unknown fate"
    if not row.is_sent:
        return None
    if row.wanted is not None or not row.is_acked or row.status is OrdStatus.PENDING_CANCEL:
        return Code.ORDER_IN_FLIGHT, f"{wanted.cl_ord_id} is {row.status}. Wait for its answer."
    if row.address == NO_ADDRESS:
        return Code.ORDER_NOT_WORKING, f"{wanted.cl_ord_id} is another client's order"
    return None


def price_denial(order: Order, instrument: Instrument | None) -> Denial | None:
    if instrument is None:
        return Code.ORDER_NO_INSTRUMENT, f"{order.symbol} is not resolved. Resolve it first."
    return _off_tick(order, instrument)


def is_cancelable(row: Row | None) -> bool:
    return row is not None and row.status not in FINAL


def _off_tick(order: Order, instrument: Instrument) -> Denial | None:
    prices = [order.price] if order.ord_type in WITH_PRICE else []
    if order.ord_type in (OrdType.STOP, OrdType.STOP_LIMIT):
        prices.append(order.terms.stop_px)
    for price in prices:
        step = instrument.increment(price)
        if not price > 0 or abs(price / step - round(price / step)) > 1e-6:
            return Code.ORDER_OFF_TICK, f"{order.symbol} at {price:g} is not a multiple of {step:g}"
    return None
