"""Accounts: cash in whole micro-dollars, positions at cost, margin, and what a trade would ask.

Margin is Reg T as IBKR applies it within a day: a quarter of long value, three tenths of short,
for initial and maintenance alike, and buying power of four times what is available; over the close
half of all value, which the look-ahead values tell at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..core.billing import Month
from ..core.units import micros, usd
from .contracts import Contract

LONG_MARGIN, SHORT_MARGIN = 0.25, 0.30
OVERNIGHT_MARGIN = 0.50
BUYING_POWER_TIMES = 4
DEFAULT_CASH_USD = 1_000_000.0

PriceOf = Callable[[Contract], float]


@dataclass(slots=True)
class Position:
    """Signed shares and their signed cost with fees, in micro-dollars."""

    contract: Contract
    shares: int = 0
    cost_micros: int = 0
    realized_micros: int = 0

    @property
    def average_cost(self) -> float:
        """USD a share, fees included."""
        return usd(self.cost_micros) / self.shares if self.shares else 0.0


@dataclass(frozen=True, slots=True)
class Margin:
    """Initial, maintenance and equity with loan, USD."""

    initial: float
    maintenance: float
    equity: float


@dataclass(slots=True)
class Account:
    """One account's books, moved by fills, and by what nights cost once it is posted."""

    name: str
    start_micros: int = micros(DEFAULT_CASH_USD)
    cash_micros: int = field(init=False)
    fees_micros: int = 0
    positions: dict[int, Position] = field(default_factory=dict)
    is_ready: bool = True
    month: Month = field(default_factory=lambda: Month(0.0))
    accrued_micros: int | None = None
    """Borrow fees and interest that are not posted yet, + is owed; None where nights are free."""

    def __post_init__(self) -> None:
        self.cash_micros = self.start_micros

    def fill(self, contract: Contract, signed: int, price: float, fee_micros: int) -> int | None:
        """Book signed shares at a price; the realized gain in micro-dollars where shares close."""
        position = self.positions.setdefault(contract.con_id, Position(contract))
        value = signed * micros(price)
        self.cash_micros -= value + fee_micros
        self.fees_micros += fee_micros
        held = position.shares
        closing = min(abs(signed), abs(held)) if held * signed < 0 else 0
        if not closing:
            position.shares += signed
            position.cost_micros += value + fee_micros
            return None
        sign = 1 if signed > 0 else -1
        fee_closing = round(fee_micros * closing / abs(signed))
        cost_closed = round(position.cost_micros * closing / abs(held))
        realized = -(sign * closing * micros(price)) - fee_closing - cost_closed
        opening = abs(signed) - closing
        position.cost_micros += -cost_closed + sign * opening * micros(price)
        position.cost_micros += fee_micros - fee_closing
        position.shares += signed
        position.realized_micros += realized
        return realized

    def reprice(self, contract: Contract, moved_micros: int) -> None:
        """Book that an earlier trade cost `moved_micros` more; its cost stays with what is held.

        Where nothing is held any more, the gain that was realized takes it.
        """
        position = self.positions[contract.con_id]
        self.cash_micros -= moved_micros
        if position.shares:
            position.cost_micros += moved_micros
        else:
            position.realized_micros -= moved_micros

    def post(self) -> None:
        """Move what has accrued into cash."""
        self.cash_micros -= self.accrued_micros or 0
        self.accrued_micros = 0

    def held(self) -> Iterator[Position]:
        """Positions that are not flat, by contract id."""
        return (self.positions[con_id] for con_id in sorted(self._open_ids()))

    def _open_ids(self) -> Iterator[int]:
        return (con_id for con_id, position in self.positions.items() if position.shares)

    def shares_of(self, contract: Contract) -> int:
        position = self.positions.get(contract.con_id)
        return position.shares if position else 0

    def margin(self, price_of: PriceOf, extra: tuple[Contract, int] | None = None) -> Margin:
        """What the book asks at these prices, or would with `extra` signed shares traded at them.

        Trading at the mark moves value between cash and shares and leaves equity as it is.
        """
        shares = {p.contract: p.shares for p in self.positions.values()}
        equity = usd(self.cash_micros - (self.accrued_micros or 0)) + sum(
            price_of(c) * n for c, n in shares.items()
        )
        if extra is not None:
            shares[extra[0]] = shares.get(extra[0], 0) + extra[1]
        asked = sum(
            abs(n) * price_of(c) * (LONG_MARGIN if n > 0 else SHORT_MARGIN)
            for c, n in shares.items()
        )
        return Margin(asked, asked, equity)

    def values(self, price_of: PriceOf, reserved: float) -> dict[str, str]:
        """Account values by IBKR's keys; `reserved` is the margin USD of orders that work."""
        now = self.margin(price_of)
        held = list(self.held())
        gross = sum(abs(p.shares) * price_of(p.contract) for p in held)
        unrealized = sum(p.shares * price_of(p.contract) - usd(p.cost_micros) for p in held)
        realized = usd(sum(p.realized_micros for p in self.positions.values()))
        available = now.equity - now.initial - reserved
        cash = usd(self.cash_micros)
        amounts = {
            "NetLiquidation": now.equity,
            "TotalCashValue": cash,
            "SettledCash": cash,
            "CashBalance": cash,
            "AvailableFunds": available,
            "ExcessLiquidity": now.equity - now.maintenance,
            "BuyingPower": max(available, 0.0) * BUYING_POWER_TIMES,
            "GrossPositionValue": gross,
            "InitMarginReq": now.initial + reserved,
            "MaintMarginReq": now.maintenance,
            "EquityWithLoanValue": now.equity,
            "LookAheadInitMarginReq": OVERNIGHT_MARGIN * gross + reserved,
            "LookAheadAvailableFunds": now.equity - OVERNIGHT_MARGIN * gross - reserved,
            "UnrealizedPnL": unrealized,
            "RealizedPnL": realized,
        }
        if self.accrued_micros is not None:
            amounts["AccruedCash"] = -usd(self.accrued_micros)
        return {key: f"{amount:.2f}" for key, amount in amounts.items()}
