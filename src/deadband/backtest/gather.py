"""What a cycle gets to see: the book marked to the market, with the orders in flight."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from ..core.config import ExecutionSettings
from ..core.orders import OrdStatus
from ..core.seen import History, Market, Portfolio, RiskGiven, Scores, Seen, Switch
from ..core.session import open_minutes_since
from ..core.types import State
from ..core.units import usd


def gather(
    state: State,
    market: Market,
    history: History | None,
    scores: Scores,
    switch: Switch,
    execution: ExecutionSettings,
    risk_given: RiskGiven | None = None,
) -> Seen:
    """Everything the cycle at `market.asof` may look at."""
    return Seen(
        now=market.asof.astimezone(UTC),
        market=market,
        history=history,
        risk_given=risk_given,
        scores=scores,
        portfolio=portfolio(state, market, execution, market.asof),
        switch=switch,
    )


def portfolio(
    state: State, market: Market, execution: ExecutionSettings, now: datetime
) -> Portfolio:
    """The book at today's marks: the last price, which for a name without quotes is its last seen.

    Working orders count with their leaves, as if they will fill (SEMANTICS §1); shares whose fate
    is not known, or of which a cancel or a change is not yet confirmed, are kept apart and freeze
    the name.
    """
    n = len(state.universe)
    working, unknown = np.zeros((2, n), dtype=np.int64)
    for order in state.working:
        name = state.universe.index[order.order.symbol]
        if order.status in (OrdStatus.UNKNOWN, OrdStatus.PENDING_CANCEL):
            unknown[name] += order.most_leaves
        else:
            working[name] += order.order.side.sign * order.least_leaves
            unknown[name] += order.most_leaves - order.least_leaves
    cash = usd(state.book.cash_micro)
    nav = cash + float(state.book.shares @ market.last)
    return Portfolio(
        account=execution.account,
        currency=execution.currency,
        shares=state.book.shares,
        working=working,
        unknown=unknown,
        price=market.last,
        cash=cash,
        nav=nav,
        entry_price=state.book.entry_price,
        holding_min=open_minutes_since(state.book.entry_at, now),
    )
