"""What an order owes the broker: IBKR's fixed and tiered price lists for US stocks.

A bill is the sum of its fills, so that a minimum is paid once an order; what a fill costs is what
it adds to the bill. Under `tiered` the month's shares decide the rate of each share, and the fees
of exchanges, clearing and regulators come on top; a rebate may leave less than nothing.

Approximations: one fee for all exchanges, by whether a fill added or removed liquidity; the
regulator's maximum counts an order, not each of its trades; the fee for the consolidated audit
trail is left out. IBKR rounds each part on its own; here the sum is rounded to a micro-dollar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .cost_settings import CostSettings
from .session import EXCHANGE_ZONE
from .units import MICRO, micros


@dataclass(frozen=True, slots=True)
class Bill:
    """An order's fills: shares, their value in micro-dollars, and USD by tiers and by venues."""

    shares: int = 0
    value_micro: int = 0
    tiers: float = 0.0
    venues: float = 0.0

    def __add__(self, other: Bill) -> Bill:
        return Bill(
            self.shares + other.shares,
            self.value_micro + other.value_micro,
            self.tiers + other.tiers,
            self.venues + other.venues,
        )

    def __neg__(self) -> Bill:
        return Bill(-self.shares, -self.value_micro, -self.tiers, -self.venues)


@dataclass(slots=True)
class Month:
    """How many shares an account has traded in the running calendar month, on New York's clocks."""

    shares: float
    of: str = ""

    def before(self, at: datetime, qty: int) -> float:
        """Shares of the month before this fill, which is counted; a new month begins at none."""
        month = at.astimezone(EXCHANGE_ZONE).strftime("%Y-%m")
        if self.of not in ("", month):
            self.shares = 0.0
        before, self.of = self.shares, month
        self.shares += qty
        return before


def filled(qty: int, price: float, before: float, added: float, costs: CostSettings) -> Bill:
    """What one fill adds: `before` shares of the month, the share of it that `added` liquidity."""
    tiers = by_tiers(before, qty, costs.tier_shares, costs.tier_per_share)
    return Bill(qty, qty * micros(price), tiers, qty * venue_rate(added, costs))


def owed(bill: Bill, costs: CostSettings, *, sells: bool) -> float:
    """USD that the order owes in all; below zero where rebates are more than everything else."""
    if bill.shares == 0:
        return 0.0
    value = bill.value_micro / MICRO
    if costs.plan == "tiered":
        own = min(max(costs.tier_min, bill.tiers), costs.commission_max * value)
        clearing = min(costs.clearing_per_share * bill.shares, costs.clearing_max * value)
        whole = own * (1.0 + costs.pass_through) + bill.venues + clearing
    else:
        least = max(costs.commission_min, costs.commission_per_share * bill.shares)
        whole = min(least, costs.commission_max * value)
    if sells and is_regulated(costs):
        whole += sale_tax(value, costs) + min(costs.taf_per_share * bill.shares, costs.taf_max)
    return costs.scale * whole


def owed_at_most(qty: int, price: float, costs: CostSettings, *, sells: bool = False) -> float:
    """USD of a whole order at the month's first rate, all of it taking liquidity."""
    return owed(filled(qty, price, 0.0, 0.0, costs), costs, sells=sells)


def is_regulated(costs: CostSettings) -> bool:
    """Whether sales are charged with the fees of SEC and FINRA."""
    return costs.plan == "tiered" or costs.regulatory


def sale_tax(value: float, costs: CostSettings) -> float:
    """SEC's fee in USD on a sale of `value` USD."""
    return costs.sec_per_million_usd * value / 1e6


def by_tiers(
    before: float, amount: float, bounds: Sequence[float], rates: Sequence[float]
) -> float:
    """Σ rate · amount over tiers, of an amount that comes after `before`: each at its own rate."""
    total, low = 0.0, 0.0
    for high, rate in zip((*bounds, float("inf")), rates, strict=True):
        inside = min(before + amount, high) - max(before, low)
        total += rate * max(inside, 0.0)
        low = high
    return total


def marginal_rate(costs: CostSettings) -> float:
    """USD a share of the tier in which the account stands."""
    passed = sum(costs.month_shares >= bound for bound in costs.tier_shares)
    return costs.tier_per_share[passed]


def added_share(costs: CostSettings) -> float:
    """The share of fills taken to add liquidity: none where all the spread is paid, all at -1."""
    return min(max(0.5 * (1.0 - costs.spread_paid), 0.0), 1.0)


def venue_rate(added: float, costs: CostSettings) -> float:
    """The exchange's fee, USD a share, of fills of which the share `added` added liquidity."""
    return added * costs.add_per_share + (1.0 - added) * costs.remove_per_share
