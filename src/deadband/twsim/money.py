"""What orders ask of an account: the margin they hold back, and what one would change."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.costs import commission
from .accounts import Account, PriceOf
from .books import FEES
from .order_replies import Preview
from .orders import Order
from .rules import opening_margin


def margin_of(orders: Iterable[Order], account: Account, price_of: PriceOf) -> float:
    """Margin USD that working orders would ask beyond what they close."""
    return sum(
        opening_margin(order.ticket, order.contract, account, price_of(order.contract))
        * (order.remaining / order.ticket.shares)
        for order in orders
    )


def preview(order: Order, account: Account, price_of: PriceOf) -> Preview:
    """What an order would do to margin and equity if it traded at the mark."""
    signed = order.ticket.side * order.ticket.shares
    before = account.margin(price_of)
    after = account.margin(price_of, (order.contract, signed))
    fee = commission(order.ticket.shares, price_of(order.contract), FEES)
    return Preview(
        (before.initial, after.initial - before.initial, after.initial),
        (before.maintenance, after.maintenance - before.maintenance, after.maintenance),
        (before.equity, -fee, before.equity - fee),
        fee,
    )
