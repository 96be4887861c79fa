"""What orders ask of an account, what one would change, and what nights cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from ..core.billing import owed_at_most
from ..core.carry import Overnight, nights
from ..core.costs import CostSettings
from ..core.session import Session, exchange_day, next_session, session_on
from .accounts import Account, PriceOf
from .order_replies import Preview
from .orders import Order
from .rules import opening_margin
from .timeline import Timeline

SETTLES_S = 60.0
"""Seconds after a close at which its nights are reckoned: the auctions are booked by then."""


def margin_of(orders: Iterable[Order], account: Account, price_of: PriceOf) -> float:
    """Margin USD that working orders would ask beyond what they close."""
    return sum(
        opening_margin(order.ticket, order.contract, account, price_of(order.contract))
        * (order.remaining / order.ticket.shares)
        for order in orders
    )


def preview(order: Order, account: Account, price_of: PriceOf, costs: CostSettings) -> Preview:
    """What an order would do to margin and equity if it traded at the mark."""
    signed = order.ticket.side * order.ticket.shares
    before = account.margin(price_of)
    after = account.margin(price_of, (order.contract, signed))
    price, sells = price_of(order.contract), order.ticket.side < 0
    fee = owed_at_most(order.ticket.shares, price, costs, sells=sells)
    return Preview(
        (before.initial, after.initial - before.initial, after.initial),
        (before.maintenance, after.maintenance - before.maintenance, after.maintenance),
        (before.equity, -fee, before.equity - fee),
        fee,
    )


def keep_accruing(
    timeline: Timeline, accounts: Mapping[str, Account], price_of: PriceOf, costs: CostSettings
) -> None:
    """After every close add what the nights until the next open cost to what is accrued.

    IBKR posts a month's accruals early in the next one; here its first close does.
    """
    for account in accounts.values():
        account.accrued_micros = 0
    today = exchange_day(timeline.now)
    first = session_on(today)
    if first is None or timeline.now >= first.close:
        first = next_session(today)
    _accrue_after(first, first, timeline, accounts, price_of, costs)


def _accrue_after(
    session: Session,
    before: Session,
    timeline: Timeline,
    accounts: Mapping[str, Account],
    price_of: PriceOf,
    costs: CostSettings,
) -> None:
    def reckon() -> None:
        coming = next_session(session.day)
        for account in accounts.values():
            if session.day.month != before.day.month:
                account.post()
            held = {p.contract.symbol: p for p in account.held()}
            overnight = Overnight(
                {symbol: position.shares for symbol, position in held.items()},
                {symbol: price_of(position.contract) for symbol, position in held.items()},
                account.cash_micros,
            )
            charges = nights(overnight, session.close, coming.open, costs)
            owed = sum(charge.amount_micro for charge in charges)
            account.accrued_micros = (account.accrued_micros or 0) + owed
        _accrue_after(coming, session, timeline, accounts, price_of, costs)

    timeline.at(session.close + timedelta(seconds=SETTLES_S), reckon)
