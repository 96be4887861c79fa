"""What keeps an order from being one that a broker could take; asked before anything is sent."""

from __future__ import annotations

from collections.abc import Container

from .broker import MOST_CL_ORD_ID, Capabilities, WriteAhead
from .errors import DeadbandError
from .events import Intent
from .orders import Order, OrdType, Tif
from .reasons import Code

Denial = tuple[Code, str]
"""Why, and in words."""

WITH_PRICE = frozenset({OrdType.LIMIT, OrdType.STOP_LIMIT, OrdType.LIMIT_ON_CLOSE})
WITH_STOP = frozenset({OrdType.STOP, OrdType.STOP_LIMIT, OrdType.PEGGED_PRIMARY})
AT_CLOSE = frozenset({OrdType.MARKET_ON_CLOSE, OrdType.LIMIT_ON_CLOSE})


def order_denial(order: Order, can: Capabilities, used: Container[str]) -> Denial | None:
    """Why a broker that `can` this, and has `used` these ids, would not take an order."""
    fault = cl_ord_id_fault(order.cl_ord_id)
    if not fault and order.cl_ord_id in used:
        fault = f"{order.cl_ord_id} was used before"
    if fault:
        return Code.ORDER_BAD_ID, fault
    fault = _unsupported(order, can)
    return (Code.ORDER_UNSUPPORTED, fault) if fault else None


def journal_denial(write_ahead: WriteAhead, intents: tuple[Intent, ...]) -> Denial | None:
    """Make intents durable; why nothing of them may be sent, if that fails."""
    if not intents:
        return None
    try:
        write_ahead(intents)
    except (DeadbandError, OSError) as fault:
        return Code.ORDER_NOT_JOURNALED, str(fault)
    return None


def cl_ord_id_fault(cl_ord_id: str) -> str:
    """What keeps a text from being a client order id; empty if nothing does."""
    if not cl_ord_id or len(cl_ord_id) > MOST_CL_ORD_ID:
        return f"{cl_ord_id!r} has {len(cl_ord_id)} characters, 1 to {MOST_CL_ORD_ID} are possible"
    if not all("!" <= letter <= "~" for letter in cl_ord_id):
        return f"{cl_ord_id!r} holds a character that is not plain ASCII"
    return ""


def _unsupported(order: Order, can: Capabilities) -> str:
    terms = order.terms
    if order.ord_type not in can.ord_types:
        return f"the order type {order.ord_type} is not possible"
    if terms.tif not in can.tifs:
        return f"the time in force {terms.tif} is not possible"
    if terms.strategy and terms.strategy not in can.strategies:
        return f"the strategy {terms.strategy} is not possible"
    if order.order_qty <= 0:
        return f"the size is {order.order_qty}"
    if order.ord_type in WITH_PRICE and not order.price > 0:
        return f"{order.ord_type} has the price {order.price}"
    if order.ord_type in WITH_STOP and not terms.stop_px > 0:
        return f"{order.ord_type} has the stop price {terms.stop_px}"
    if (terms.tif is Tif.GTD) != bool(terms.expire_time):
        return f"the time in force {terms.tif} has the expiry {terms.expire_time}"
    if terms.tif is Tif.CLS and order.ord_type not in AT_CLOSE:
        return f"the time in force {terms.tif} does not go with {order.ord_type}"
    return ""
