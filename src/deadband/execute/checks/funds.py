"""The account as its broker tells it: what growing orders ask of its remaining funds.

Rules
  * Judged only where a broker tells of the account; the model in margin.py stands beside it, and
    whichever is tighter denies.
  * Account values lag by minutes: all that works counts as if it had not been reserved yet, and a
    shrinking order frees nothing before it has filled.
  * While the account is not ready its values may be zeros: nothing grows on them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...core.arrays import Bools
from ...core.events import AccountReport
from ...core.reasons import Code
from .desk import Denial
from .margin import is_overnight
from .weights import Breach, Weights, size

CENT = 0.005
"""USD by which sums may be off a bound."""


def shortages(weights: Weights, denied: Bools) -> Iterator[Breach]:
    """What the account's remaining funds do not carry."""
    desk = weights.desk
    funds, gate = desk.asked.seen.funds, desk.asked.settings.gate
    if funds is None or not desk.growing.any():
        return
    if not funds.is_ready or funds.currency != desk.asked.settings.execution.currency:
        yield Breach(Denial(Code.GATE_FUNDS_UNKNOWN, 0.0, 1.0), desk.growing)
        return
    if funds.day_trades_left == 0:
        yield Breach(Denial(Code.GATE_DAY_TRADES, 0.0, 1.0), desk.growing)
    grown = _grown_usd(weights, denied)
    asked = gate.house_multiplier * gate.initial_margin * grown
    kept = gate.house_multiplier * gate.maintenance_short * grown
    if gate.account_type == "cash":
        bounds = [("SettledCash", grown, funds.settled_cash)]
    else:
        bounds = [
            ("AvailableFunds", asked, funds.available),
            ("ExcessLiquidity", kept, funds.excess_liquidity),
        ]
    for limit, value, bound in (("BuyingPower", grown, funds.buying_power), *bounds):
        if not value <= bound + CENT:
            yield Breach(Denial(Code.GATE_FUNDS, value, bound, limit), desk.growing)
    if is_overnight(desk) and gate.account_type != "cash":
        yield from _overnight(weights, funds, asked)


def _grown_usd(weights: Weights, denied: Bools) -> float:
    """USD by which positions would be larger than what is held, if all that may fills."""
    full = size(*weights.filled(denied))
    grown = np.maximum(full - np.abs(weights.held), 0.0)
    return float(grown.sum()) * weights.desk.asked.seen.portfolio.nav


def _overnight(weights: Weights, funds: AccountReport, asked: float) -> Iterator[Breach]:
    """Whether the account holds the book over the close: the broker's next margins, or Reg T."""
    desk = weights.desk
    value, bound, limit = asked, funds.available_overnight, "LookAheadAvailableFunds"
    if bound is None:
        gate, nav = desk.asked.settings.gate, desk.asked.seen.portfolio.nav
        rate = gate.house_multiplier * gate.initial_margin
        stands = rate * float(np.abs(weights.held).sum()) * nav
        value, bound, limit = max(funds.init_margin, stands) + asked, funds.net_liq, "NetLiq"
    if not value <= bound + CENT:
        yield Breach(Denial(Code.GATE_OVERNIGHT, value, bound, limit), desk.growing)
