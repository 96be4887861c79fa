"""What buys may spend: cash and filled sells, less fees, less what is already on its way out.

Every working buy is counted at its parent's collar, with the commission of the whole child, so that
whatever fills and in whatever order, cash does not fall below the buffer. Shares sold short are no
cash to buy with; their commission is.
"""

from __future__ import annotations

from ..core.billing import owed_at_most
from ..core.costs import CostSettings
from ..core.orders import TRADES, ExecutionReport, Side
from ..core.parents import Basket, Progress
from ..core.units import usd


def after_fill(cash: float, report: ExecutionReport) -> float:
    """Spendable cash after a report: sells add, buys take, a short sale only pays its fee."""
    if report.exec_type not in TRADES:
        return cash
    moved = report.last_qty * report.last_px - report.prior_qty * report.prior_px
    proceeds = 0.0 if report.side is Side.SELL_SHORT else moved
    return cash - report.side.sign * proceeds - usd(report.fee_micro)


def reserved(work: Progress, costs: CostSettings) -> float:
    """USD that the child in flight may still take."""
    child = work.child
    if child is None or work.parent.order.side is Side.SELL:
        return 0.0
    collar, qty = work.parent.order.price, child.cum_qty + child.worst_leaves
    fee = owed_at_most(qty, collar, costs, sells=work.parent.order.side is not Side.BUY)
    return fee if work.parent.order.side is Side.SELL_SHORT else child.worst_leaves * collar + fee


def spendable(basket: Basket) -> float:
    """USD that nothing in flight has a claim on."""
    claims = sum(reserved(work, basket.costs) for work in basket.works)
    return basket.cash - basket.buffer - claims


def affordable(work: Progress, usd_left: float, costs: CostSettings) -> int:
    """Shares the parent may have working for `usd_left`, what it has in flight included.

    A cover is never held back: to stay short for want of cash would be to keep the risk.
    """
    side, collar = work.parent.order.side, work.parent.order.price
    wanted = work.leaves_qty
    if side is Side.SELL or work.parent.is_cover:
        return wanted
    room = usd_left + reserved(work, costs)
    if side is Side.SELL_SHORT:
        return wanted if owed_at_most(wanted, collar, costs, sells=True) <= room else 0
    most = int(min(max(room, 0.0) / collar, wanted))
    while most > 0 and (excess := most * collar + _fee(work, most, costs) - room) > 0:
        most -= max(1, int(excess / collar))
    return max(0, most)


def _fee(work: Progress, working: int, costs: CostSettings) -> float:
    done = 0 if work.child is None else work.child.cum_qty
    return owed_at_most(done + working, work.parent.order.price, costs)
