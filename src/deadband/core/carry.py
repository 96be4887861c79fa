"""What a night costs: the fee for borrowed shares and interest, on a book as it stood at the close.

IBKR's rules, as published: shares are borrowed against 102 % of the close, rounded up to a whole
dollar, times the rate, over 360; interest goes in tiers over a benchmark, over 360 too. Each
calendar day counts, so a weekend costs three nights.

Approximations: positions count from the day they are traded, not settled; the proceeds of short
sales lie as collateral and earn nothing; rates are constant; what IBKR accrues and posts once a
month is charged the next morning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

import numpy as np

from .arrays import Floats
from .billing import by_tiers
from .cost_settings import CostSettings
from .orders import Charge, ChargeKind
from .session import exchange_day
from .units import PERCENT, epoch_ns, micros, usd

DAYS_A_YEAR = 360
COLLATERAL = 1.02


@dataclass(frozen=True, slots=True)
class Overnight:
    """A book at a close: signed shares and closing price (USD) by symbol, cash micro-dollars."""

    shares: Mapping[str, int]
    price: Mapping[str, float]
    cash_micro: int


def borrow_rates(costs: CostSettings) -> dict[str, float]:
    """Percent a year of the names that have a rate of their own; raises ValueError on nonsense."""
    rates = {}
    for text in costs.borrow_names:
        symbol, _, rate = text.partition("=")
        try:
            percent = float(rate)
        except ValueError:
            percent = float("nan")
        if not symbol or not 0 <= percent < float("inf"):
            raise ValueError(text)
        rates[symbol] = percent
    return rates


def borrow_pct(symbols: Sequence[str], costs: CostSettings) -> Floats | None:
    """Percent a year (n,) by name, None where nothing costs anything."""
    own = borrow_rates(costs)
    rates = np.array([own.get(symbol, costs.borrow_pct) for symbol in symbols], dtype=np.float64)
    return rates if rates.any() else None


def credit_pct(costs: CostSettings) -> float:
    """What one more dollar of cash earns, percent a year."""
    return max(costs.benchmark_pct - costs.credit_spread_pct, 0.0) if costs.credit else 0.0


def collateral(price: float) -> int:
    """Whole dollars a share that lie as collateral for a share borrowed."""
    # A hair off: 1.02 · 50 is 51, not the next dollar.
    return ceil(COLLATERAL * price - 1e-9)


def has_nights(costs: CostSettings) -> bool:
    """Whether a night may cost or earn anything."""
    borrows = costs.borrow_pct > 0 or bool(costs.borrow_names)
    return borrows or costs.financing or costs.credit


def nights(
    held: Overnight, since: datetime, until: datetime, costs: CostSettings
) -> tuple[Charge, ...]:
    """Charges for the nights between two instants, of a book that did not change in between."""
    days = (exchange_day(until) - exchange_day(since)).days
    if days <= 0:
        return ()
    ts = epoch_ns(until)
    found = [
        Charge(ChargeKind.BORROW, symbol, micros(fee), days, ts)
        for symbol, fee in _borrowed(held, days, costs)
    ]
    free = usd(held.cash_micro) - _collateral(held)
    if costs.financing and free < 0:
        fee = days * _daily(_debit(-free, costs))
        found.append(Charge(ChargeKind.DEBIT_INTEREST, "", micros(fee), days, ts))
    if costs.credit and free > costs.credit_free_usd:
        paid = days * _daily((free - costs.credit_free_usd) * credit_pct(costs))
        paid *= min(max(_nav(held) / costs.credit_full_usd, 0.0), 1.0)
        found.append(Charge(ChargeKind.CREDIT_INTEREST, "", -micros(paid), days, ts))
    return tuple(charge for charge in found if charge.amount_micro)


def _borrowed(held: Overnight, days: int, costs: CostSettings) -> list[tuple[str, float]]:
    own = borrow_rates(costs)
    return [
        (symbol, days * _daily(-qty * collateral(held.price[symbol]) * rate))
        for symbol, qty in sorted(held.shares.items())
        if qty < 0 and (rate := own.get(symbol, costs.borrow_pct)) > 0
    ]


def _collateral(held: Overnight) -> float:
    return sum(-qty * collateral(held.price[s]) for s, qty in held.shares.items() if qty < 0)


def _nav(held: Overnight) -> float:
    return usd(held.cash_micro) + sum(qty * held.price[s] for s, qty in held.shares.items())


def _debit(borrowed: float, costs: CostSettings) -> float:
    """USD times percent a year."""
    benchmark = max(costs.benchmark_pct, 0.0)
    rates = [benchmark + spread for spread in costs.debit_spread_pct]
    return by_tiers(0.0, borrowed, costs.debit_usd, rates)


def _daily(usd_percent: float) -> float:
    return usd_percent * PERCENT / DAYS_A_YEAR
