"""Positions and money as the broker tells them, kept up to date between questions.

Rules
  * Positions of the configured account alone; a list counts when its end has come.
  * Values come every three minutes and with fills: they lag, and while the account is not ready
    they may be zeros. `is_ready` says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...core.events import AccountReport, PositionReport
from .said import PositionSaid, ValueSaid

_AMOUNTS = {
    "NetLiquidation": "net_liq",
    "TotalCashValue": "cash",
    "SettledCash": "settled_cash",
    "BuyingPower": "buying_power",
    "AvailableFunds": "available",
    "ExcessLiquidity": "excess_liquidity",
    "InitMarginReq": "init_margin",
    "MaintMarginReq": "maint_margin",
}
MOST_TRADES = 1_000_000
"""IBKR writes unset numbers as very large ones."""
OVERNIGHT = "LookAheadAvailableFunds"
OTHERS = frozenset({"AccountReady", "DayTradesRemaining", OVERNIGHT})


@dataclass(slots=True, eq=False)
class Account:
    """What was said last; `positions` None until a list was complete."""

    name: str
    positions: dict[str, PositionReport] | None = None
    _values: dict[str, str] = field(default_factory=dict)
    _currency: str = "USD"

    def position(self, said: PositionSaid) -> None:
        """A position moved after the list was complete; before that the list's end counts."""
        if said.account == self.name and self.positions is not None:
            self.positions[said.symbol] = self._report(said)

    def listed(self, rows: tuple[PositionSaid, ...]) -> tuple[PositionReport, ...]:
        """A complete list of positions; one named twice counts once, as it was named last."""
        mine = [said for said in rows if said.account == self.name]
        self.positions = {said.symbol: self._report(said) for said in mine}
        return self.held()

    def held(self) -> tuple[PositionReport, ...]:
        known = (self.positions or {}).values()
        return tuple(sorted((one for one in known if one.qty), key=lambda one: one.symbol))

    def qty(self, symbol: str) -> int:
        """Signed shares as last heard; 0 where nothing was said."""
        known = (self.positions or {}).get(symbol)
        return known.qty if known else 0

    def value(self, said: ValueSaid) -> None:
        if said.account not in ("", self.name):
            return
        if said.key == "NetLiquidation":
            self._currency = said.currency or self._currency
        if said.key in _AMOUNTS or said.key in OTHERS:
            self._values[said.key] = said.value

    def report(self) -> AccountReport:
        amounts = {name: _amount(self._values.get(key, "")) for key, name in _AMOUNTS.items()}
        overnight = self._values.get(OVERNIGHT)
        ready = self._values.get("AccountReady", "false").lower() == "true"
        return AccountReport(
            account=self.name,
            currency=self._currency,
            day_trades_left=_count(self._values.get("DayTradesRemaining", "-1")),
            is_ready=ready and "NetLiquidation" in self._values,
            available_overnight=_amount(overnight) if overnight is not None else None,
            **amounts,
        )

    def _report(self, said: PositionSaid) -> PositionReport:
        return PositionReport(said.account, said.symbol, round(said.qty), said.avg_cost)


def _amount(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _count(text: str) -> int:
    """A count of day trades; −1, no limit, where none is told or it is no number to count to."""
    value = _amount(text or "-1")
    return int(value) if 0 <= value < MOST_TRADES else -1
