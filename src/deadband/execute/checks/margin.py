"""Margin and buying power: what growing orders ask of the account's equity and cash.

Regulation T in outline: initial margin for what grows, maintenance for what stands; from some
minutes before the close on, initial margin for the whole book. The managed capital is taken for
the equity: what else the account holds is the broker's to count, and `house_multiplier` the room
for it. A cash account buys from settled cash alone and sells nothing short.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from ...core.arrays import Bools
from ...core.reasons import Code
from ...core.session import session_at
from .book import dot
from .desk import Denial, Desk
from .weights import SLACK, Breach, Weights, size


def shortfalls(weights: Weights, denied: Bools) -> Iterator[Breach]:
    """What equity, or a cash account's cash, does not carry."""
    desk = weights.desk
    gate = desk.asked.settings.gate
    if gate.account_type == "cash":
        yield from _cash(weights)
        return
    high, low = weights.base + weights.up, weights.base - weights.down
    stands, full = size(high, low), size(*weights.filled(denied))
    if is_overnight(desk):
        before = gate.initial_margin * float(stands.sum())
        asked = gate.initial_margin * float(full.sum())
    else:
        rate = np.where(-low > high, gate.maintenance_short, gate.maintenance_long)
        before = dot(rate, stands)
        asked = before + gate.initial_margin * float(np.maximum(full - stands, 0.0).sum())
    used, bound = gate.house_multiplier * asked, max(1.0, gate.house_multiplier * before)
    if not used <= bound + SLACK:
        yield Breach(Denial(Code.GATE_MARGIN, used, bound), desk.growing)


def is_overnight(desk: Desk) -> bool:
    """Whether the requirement of the night holds: near the close, and outside of sessions."""
    session, gate = session_at(desk.asked.seen.now), desk.asked.settings.gate
    if session is None:
        return True
    lead = timedelta(minutes=gate.overnight_lead_min)
    return desk.asked.seen.now >= session.close - lead


def _cash(weights: Weights) -> Iterator[Breach]:
    """All buys that work, are unsure or are asked, at the worse price, against the cash."""
    desk = weights.desk
    market, book = desk.asked.seen.market, desk.asked.seen.portfolio
    claimed = float(((desk.buys + desk.unsure_buys) * market.ask).sum())
    pushing = desk.growing & ~(weights.order <= 0)
    for k in np.flatnonzero(pushing).tolist():
        order, ask = desk.orders[k], float(market.ask[desk.name[k]])
        claimed += order.order_qty * max(order.price, ask)
        if (raised := desk.raised.get(k)) is not None:
            # All that is left of it may now pay the new price.
            claimed += raised.leaves_qty * max(0.0, order.price - ask)
    if not claimed <= book.cash:
        yield Breach(Denial(Code.GATE_CASH, claimed, book.cash), pushing)
