"""What trading and holding cost: the settings of `[costs]`, by which everything here is priced."""

from __future__ import annotations

from dataclasses import dataclass

PLANS = ("fixed", "tiered")


@dataclass(frozen=True, slots=True)
class CostSettings:
    """What trades and nights cost, as charged and as the optimizer expects (docs/costs.md)."""

    scale: float = 1.0
    """Multiplies spread, impact and commission alike."""
    spread_scale: float = 1.0
    """Multiplies the simulated spread alone."""
    spread_paid: float = 1.0
    """Share of the half-spread a fill pays: 1 crosses, 0 is the mid, -1 rests; `deadband tca`."""
    impact: float = 0.7
    """Y of the square-root law: cost = Y · σ_day · √(shares / ADV)."""
    plan: str = "fixed"
    """fixed or tiered: IBKR's two US price lists."""
    commission_per_share: float = 0.005
    """fixed: USD a share."""
    commission_min: float = 1.0
    """fixed: USD an order at least."""
    commission_max: float = 0.01
    """Share of an order's value at most, even below the minimum; under both plans."""
    tier_shares: tuple[float, ...] = (300_000.0, 3_000_000.0, 20_000_000.0, 100_000_000.0)
    """tiered: shares of a calendar month up to which each rate holds; the last has no end."""
    tier_per_share: tuple[float, ...] = (0.0035, 0.002, 0.0015, 0.001, 0.0005)
    """tiered: USD a share in each tier, one more than there are bounds."""
    tier_min: float = 0.35
    """tiered: USD an order at least, before the fees of others."""
    month_shares: float = 0.0
    """tiered: shares that the account has traded in the month before a run begins."""
    remove_per_share: float = 0.003
    """tiered: the exchange's fee for shares that take liquidity, USD a share."""
    add_per_share: float = -0.002
    """tiered: the same for shares that add it; below zero it is a rebate."""
    clearing_per_share: float = 0.0002
    """tiered: clearing, USD a share."""
    clearing_max: float = 0.005
    """tiered: clearing, share of the order's value at most."""
    pass_through: float = 0.000735
    """tiered: fees of NYSE and FINRA, share of the commission."""
    regulatory: bool = False
    """Charge sales with the fees of SEC and FINRA under fixed too; tiered always does."""
    sec_per_million_usd: float = 20.6
    """SEC's fee on sales, USD per million USD; it changes every year."""
    taf_per_share: float = 0.000195
    """FINRA's trading activity fee on sales, USD a share; it changes with the years."""
    taf_max: float = 9.79
    """The same, USD an order at most."""
    borrow_pct: float = 0.0
    """Fee for shares sold short and held overnight, percent a year; 0.25 is usual, 0 is none."""
    borrow_names: tuple[str, ...] = ()
    """The same for names that are hard to borrow, such as "GME=12.5"."""
    financing: bool = False
    """Charge interest on money that is borrowed overnight."""
    benchmark_pct: float = 3.6
    """The benchmark of interest, percent a year; for USD the effective federal funds rate."""
    debit_usd: tuple[float, ...] = (100_000.0, 1_000_000.0, 50_000_000.0)
    """USD borrowed up to which each spread holds; the last has no end."""
    debit_spread_pct: tuple[float, ...] = (1.5, 1.0, 0.75, 0.5)
    """Spread over the benchmark in each tier, percent a year, one more than there are bounds."""
    credit: bool = False
    """Pay interest on cash held overnight."""
    credit_free_usd: float = 10_000.0
    """Cash that earns nothing, USD."""
    credit_spread_pct: float = 0.5
    """What cash earns less than the benchmark, percent a year."""
    credit_full_usd: float = 100_000.0
    """NAV from which the whole rate is paid, USD; below it, in proportion."""
