"""Parent orders with their fills and mids, from a run on recorded quotes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...core.orders import ExecType, ExecutionReport
from ...core.parents import Progress
from ...core.quotes import QuoteDay
from ...core.units import usd
from ..quote_run import Played
from .shortfall import Trade


def trades_of(played: Played, days: Mapping[str, QuoteDay]) -> list[Trade]:
    """One trade a parent that saw a quote; it ends at its deadline, or with its last tick."""
    fills: dict[str, list[ExecutionReport]] = {}
    for report in played.parents:
        if report.exec_type is ExecType.TRADE:
            fills.setdefault(report.cl_ord_id, []).append(report)
    return [
        _trade(one, fills.get(one.parent.order.cl_ord_id, []), days[one.parent.order.symbol])
        for one in played.basket.works
        if one.arrival
    ]


def _trade(one: Progress, fills: list[ExecutionReport], day: QuoteDay) -> Trade:
    parent, order, mids = one.parent, one.parent.order, day.last_mid
    first = day.index_at(parent.start)
    last = day.index_at(min(parent.deadline, max(one.last_tick, parent.start)))
    ts = np.array([fill.ts for fill in fills], dtype=np.int64)
    return Trade(
        order_id=order.cl_ord_id,
        symbol=order.symbol,
        sign=order.side.sign,
        order_qty=order.order_qty,
        at=parent.start,
        reason=order.reason,
        algorithm=parent.route.algorithm.value,
        decision=order.arrival,
        arrival=one.arrival,
        end=float(mids[last]),
        fees=sum(usd(fill.fee_micro) for fill in fills),
        half=0.5 * float(day.ask[first] - day.bid[first]),
        sigma_day=parent.sigma_day,
        share=order.order_qty / max(parent.adv, 1.0),
        qty=np.array([fill.last_qty for fill in fills], dtype=np.int64),
        price=np.array([fill.last_px for fill in fills]),
        # The mid before the step in which it filled: what the fill moved is not in it.
        mid=mids[[max(0, day.index_at(fill) - 1) for fill in ts.tolist()]],
        ts=ts,
    )
