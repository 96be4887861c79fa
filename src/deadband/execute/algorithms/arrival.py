"""ARRIVAL: Almgren and Chriss's schedule, front-loaded by how dear risk is against impact.

Almgren & Chriss, "Optimal execution of portfolio transactions", Journal of Risk 3 (2000): with
impact linear in the rate v, cost P·η·σ·v²/V, and risk λP²σ²x², the shares left are

    x(t) = X · sinh(κ(T − t)) / sinh(κT),    κ² = λ·P·σ·V / η      (t in days)

for price P (USD), σ a day, V shares a day and λ per USD. η is the impact of trading at the market's
own rate, in units of σ a day (Almgren et al. 2005, whose exponent is 0.6 where this one is 1).
"""

from __future__ import annotations

from math import exp, expm1, sqrt

from ...core.parents import Parent, Progress, Tick
from ...core.session import SESSION_MIN
from .sliced import sliced
from .wish import Wish

ETA = 0.142
DAY_NS = SESSION_MIN * 60e9


def wish(progress: Progress, tick: Tick) -> Wish:
    """The slice due now."""
    bend = urgency(progress.parent)
    return sliced(progress, tick, lambda passed: traded(passed, bend))


def urgency(parent: Parent) -> float:
    """κT: near 0 the schedule is even, at 5 nearly all trades in the first half."""
    price, days = parent.order.arrival, (parent.deadline - parent.start) / DAY_NS
    squared = parent.tactics.risk_aversion * price * parent.sigma_day * parent.adv / ETA
    return sqrt(max(0.0, squared)) * days


def traded(passed: float, bend: float) -> float:
    """1 − x/X after `passed` of the time, for κT = `bend`."""
    if bend < 1e-6:
        return passed
    # sinh(b(1−u))/sinh(b) with the large exponentials divided out, so that no urgency overflows.
    left = exp(-bend * passed) * expm1(-2.0 * bend * (1.0 - passed)) / expm1(-2.0 * bend)
    return 1.0 - left
