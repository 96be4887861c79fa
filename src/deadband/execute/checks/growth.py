"""What an order that makes a position larger has to be beside that; none of it stops an exit.

A position shrinks by no more than what is held, which bounds an exit better than any of these.
"""

from __future__ import annotations

import numpy as np

from ...core.reasons import GLOBAL, Code
from .desk import Denial, Desk, young
from .single import Check


def may_grow(desk: Desk, k: int) -> Denial | None:
    """The operator's REDUCING and FLATTEN, and names that may only shrink."""
    symbol, switch = desk.orders[k].symbol, desk.asked.seen.switch
    if switch.mode != "ACTIVE" or GLOBAL in switch.flatten or symbol in switch.flatten:
        return Denial(Code.GATE_KILLED, 1.0, 0.0)
    if symbol in desk.asked.settings.policy.close_only:
        return Denial(Code.GATE_CLOSE_ONLY, 1.0, 0.0)
    return None


def in_round_lots(desk: Desk, k: int) -> Denial | None:
    qty, gate = desk.orders[k].order_qty, desk.asked.settings.gate
    for lot in (int(desk.asked.universe.lot[desk.name[k]]), gate.round_lot):
        if qty % lot:
            return Denial(Code.GATE_LOT, float(qty), float(lot))
    return None


def not_too_large(desk: Desk, k: int) -> Denial | None:
    """Shares, dollars and share of NAV, at the worse of limit price and last.

    A raised order is as large as all that is left of it.
    """
    gate, name = desk.asked.settings.gate, int(desk.name[k])
    raised = desk.raised.get(k)
    qty = desk.orders[k].order_qty + (raised.leaves_qty if raised is not None else 0)
    usd = qty * _worse_price(desk, k)
    bounds = (
        (Code.GATE_SIZE_SHARES, float(qty), gate.max_order_shares),
        (Code.GATE_SIZE_USD, usd, gate.max_order_usd),
        (Code.GATE_SIZE_NAV, usd / desk.asked.seen.portfolio.nav, gate.max_order_nav),
    )
    for code, value, bound in bounds:
        if not value <= bound:
            return Denial(code, value, bound)
    adv = float(desk.asked.seen.market.adv[name])
    if not (adv > 0 and qty <= gate.max_order_adv * adv):
        return Denial(Code.GATE_SIZE_ADV, qty / max(adv, 1.0), gate.max_order_adv)
    return None


def not_too_fast(desk: Desk, k: int) -> Denial | None:
    gate, recent = desk.asked.settings.gate, desk.asked.state.sent.recent
    for seconds, most in ((1.0, gate.max_orders_per_s), (60.0, gate.max_orders_per_min)):
        count = len(young(recent, desk.now, seconds)) + k + 1
        if not count <= most:
            return Denial(Code.GATE_RATE, float(count), most)
    return None


def not_too_many(desk: Desk, k: int) -> Denial | None:
    """Orders and dollars since the session began, those of this plan that come before too."""
    gate, sent = desk.asked.settings.gate, desk.asked.state.sent
    count = sent.count + k + 1
    if not count <= gate.max_orders_day:
        return Denial(Code.GATE_DAY_COUNT, float(count), gate.max_orders_day)
    places = np.flatnonzero(desk.sense[: k + 1]).tolist()
    usd = sent.usd + sum(desk.orders[j].order_qty * _worse_price(desk, j) for j in places)
    most = gate.max_day_nav * desk.asked.seen.portfolio.nav
    return None if usd <= most else Denial(Code.GATE_DAY_USD, usd, most)


def loss_is_small(desk: Desk, k: int) -> Denial | None:
    start, nav = desk.asked.state.start_nav, desk.asked.seen.portfolio.nav
    most = desk.asked.settings.gate.daily_loss
    loss = 1.0 - nav / start if start > 0 else float("nan")
    return None if loss < most else Denial(Code.GATE_DAILY_LOSS, loss, most)


def _worse_price(desk: Desk, k: int) -> float:
    return max(desk.orders[k].price, float(desk.asked.seen.market.last[desk.name[k]]))


GROWING: tuple[Check, ...] = (
    *(may_grow, in_round_lots, not_too_large, not_too_fast, not_too_many, loss_is_small),
)
