"""The embedded simulated broker: fills on the next bars, at costs, with books of its own.

Rules
  * An order sent at a bar's end meets the market at the next bar's open: half a spread against it,
    then square-root impact, then a tick further if between ticks.
  * At most `max_fill_participation` of a bar's volume fills, all orders of a name together; the
    rest works on. A name without a bar does not fill.
  * A limit that the open passes is filled at the limit if the bar comes back to it, costs and all.
  * A change takes effect at once, as a cancel does: the next bar meets the order as changed.
  * Commission is charged on the order as a whole, so that its minimum is paid once. A limit that
    the bar came back to has added liquidity; what met the open as the share of the spread says.
  * Nights are charged with the first bar of the next session, on the book as it stood at the close.
  * It keeps its own shares and cash: an independent witness of what was traded.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from ..core.bars import Bar
from ..core.billing import Bill, Month, added_share, filled, owed
from ..core.carry import Overnight, nights
from ..core.config import ExecutionSettings
from ..core.costs import CostSettings, impact
from ..core.orders import Charge, ExecType, ExecutionReport, Order, OrdType, Replacement, Side
from ..core.ports import Statement
from ..core.seen import Universe
from ..core.session import exchange_day
from ..core.units import epoch_ns, micros, tick_size, to_tick


@dataclass(slots=True)
class _Resting:
    order: Order
    bill: Bill = Bill()
    fee_micro: int = 0
    reports: int = 0

    @property
    def cum_qty(self) -> int:
        return self.bill.shares


@dataclass(slots=True, eq=False)
class SimBroker:
    """A broker in memory; `shortable` (n,) may be borrowed, `halted` symbols are rejected."""

    universe: Universe
    execution: ExecutionSettings
    costs: CostSettings
    shortable: np.ndarray
    halted: frozenset[str] = frozenset()
    cash_micro: int = field(init=False)
    shares: dict[str, int] = field(default_factory=dict)
    resting: dict[str, _Resting] = field(default_factory=dict)
    month: Month = field(init=False)
    marks: dict[str, float] = field(default_factory=dict)
    """The last close of each name, USD."""
    last: datetime | None = None
    """When the last bar began."""

    def __post_init__(self) -> None:
        self.cash_micro = micros(self.execution.capital_usd)
        self.month = Month(self.costs.month_shares)

    def submit(self, orders: tuple[Order, ...], now: datetime) -> tuple[ExecutionReport, ...]:
        """Acknowledge or reject each new order."""
        reports = []
        for order in orders:
            resting = _Resting(order)
            refusal = self._refusal(order)
            kind = ExecType.REJECTED if refusal else ExecType.NEW
            reports.append(_report(resting, kind, now, text=refusal))
            if not refusal:
                self.resting[order.cl_ord_id] = resting
        return tuple(reports)

    def _refusal(self, order: Order) -> str:
        if order.symbol in self.halted:
            return f"{order.symbol} is halted"
        name = self.universe.index.get(order.symbol)
        if name is None:
            return f"{order.symbol} is not listed"
        if order.side is Side.SELL_SHORT and not self.shortable[name]:
            return f"{order.symbol} has no shares to borrow"
        held, on_sale = self.shares.get(order.symbol, 0), self._on_sale(order.symbol)
        if order.side is Side.SELL and order.order_qty > held - on_sale:
            return f"sell of {order.order_qty} {order.symbol} with {held} held, {on_sale} on sale"
        return ""

    def _on_sale(self, symbol: str) -> int:
        """Shares of resting sells: a share is sold once."""
        return sum(
            resting.order.order_qty - resting.cum_qty
            for resting in self.resting.values()
            if resting.order.symbol == symbol and resting.order.side is Side.SELL
        )

    def cancel(self, cl_ord_ids: tuple[str, ...], now: datetime) -> tuple[ExecutionReport, ...]:
        """Cancel what still rests; an order that is already done is passed over."""
        gone = [self.resting.pop(one) for one in cl_ord_ids if one in self.resting]
        return tuple(_report(resting, ExecType.CANCELED, now) for resting in gone)

    def replace(
        self, changes: tuple[Replacement, ...], now: datetime
    ) -> tuple[ExecutionReport, ...]:
        """Change what still rests; an order that is already done is passed over."""
        there = [
            (self.resting[one.cl_ord_id], one) for one in changes if one.cl_ord_id in self.resting
        ]
        return tuple(self._replaced(resting, to, now) for resting, to in there)

    def _replaced(self, resting: _Resting, to: Replacement, now: datetime) -> ExecutionReport:
        """More, or another price, is a new place in the queue; less keeps its own."""
        order, ref = resting.order, to.cl_ord_id
        more = to.order_qty - order.order_qty
        refusal = self._refusal(replace(order, order_qty=more)) if more > 0 else ""
        if refusal:
            return _report(resting, ExecType.CANCEL_REJECTED, now, text=refusal)
        if to.order_qty <= resting.cum_qty:
            del self.resting[ref]
            return _report(resting, ExecType.CANCELED, now)
        resting.order = replace(order, order_qty=to.order_qty, price=to.price)
        if more > 0 or to.price != order.price:
            self.resting[ref] = self.resting.pop(ref)
        told = _report(resting, ExecType.REPLACED, now)
        return replace(told, order_qty=to.order_qty, price=to.price)

    def advance(self, bar: Bar) -> tuple[ExecutionReport | Charge, ...]:
        """Charge for nights before the bar, and fill what it allows, orders as they came."""
        reports: list[ExecutionReport | Charge] = [*self._nights(bar.start)]
        volume = np.where(np.isfinite(bar.volume), bar.volume, 0.0)
        left = np.floor(volume * self.execution.max_fill_participation).astype(np.int64)
        for resting in list(self.resting.values()):
            name = self.universe.index[resting.order.symbol]
            qty = min(resting.order.order_qty - resting.cum_qty, int(left[name]))
            found = self._price(resting.order, bar, name, qty) if qty > 0 else None
            if found is not None:
                left[name] -= qty
                reports.append(self._fill(resting, qty, *found, bar.start))
        seen = np.flatnonzero(np.isfinite(bar.close))
        self.marks.update({self.universe.symbols[i]: float(bar.close[i]) for i in seen})
        return tuple(reports)

    def _nights(self, now: datetime) -> tuple[Charge, ...]:
        since, self.last = self.last, now
        if since is None or exchange_day(since) == exchange_day(now):
            return ()
        held = {symbol: qty for symbol, qty in self.shares.items() if qty}
        charges = nights(Overnight(held, self.marks, self.cash_micro), since, now, self.costs)
        self.cash_micro -= sum(charge.amount_micro for charge in charges)
        return charges

    def close(self, now: datetime) -> tuple[ExecutionReport, ...]:
        """Day orders expire with the session."""
        gone, self.resting = list(self.resting.values()), {}
        return tuple(_report(resting, ExecType.EXPIRED, now) for resting in gone)

    def statement(self) -> Statement:
        held = {symbol: qty for symbol, qty in sorted(self.shares.items()) if qty}
        return Statement(held, self.cash_micro)

    def _price(self, order: Order, bar: Bar, name: int, qty: int) -> tuple[float, float] | None:
        """Where `qty` shares fill in this bar, and the share that adds liquidity; or None."""
        if not np.isfinite(bar.open[name]):
            return None
        sign = order.side.sign
        half = float(bar.half_spread[name]) * self.costs.spread_paid
        fraction = float(
            impact(
                np.array([float(qty)]),
                bar.adv[[name]],
                bar.sigma_day[[name]],
                self.costs,
            )[0]
        )
        reference = float(bar.open[name])
        tick = float(tick_size(np.array([reference]))[0])
        against = sign * (half + fraction * reference)
        wanted = to_tick(reference + against, tick, up=sign > 0)
        if order.ord_type is OrdType.MARKET or sign * (order.price - wanted) >= 0:
            return wanted, added_share(self.costs)
        best = float(bar.low[name] if sign > 0 else bar.high[name]) + against
        return (order.price, 1.0) if sign * (order.price - best) >= 0 else None

    def _fill(
        self, resting: _Resting, qty: int, price: float, added: float, start: datetime
    ) -> ExecutionReport:
        order = resting.order
        resting.bill += filled(qty, price, self.month.before(start, qty), added, self.costs)
        whole = owed(resting.bill, self.costs, sells=order.side is not Side.BUY)
        fee = micros(whole) - resting.fee_micro
        resting.fee_micro += fee
        signed = order.side.sign * qty
        self.shares[order.symbol] = self.shares.get(order.symbol, 0) + signed
        self.cash_micro -= signed * micros(price) + fee
        if resting.cum_qty == order.order_qty:
            del self.resting[order.cl_ord_id]
        return _report(resting, ExecType.TRADE, start, qty=qty, price=price, fee=fee)


def _report(
    resting: _Resting,
    kind: ExecType,
    at: datetime,
    *,
    qty: int = 0,
    price: float = 0.0,
    fee: int = 0,
    text: str = "",
) -> ExecutionReport:
    resting.reports += 1
    order = resting.order
    return ExecutionReport(
        cl_ord_id=order.cl_ord_id,
        symbol=order.symbol,
        side=order.side,
        exec_id=f"{order.cl_ord_id}.{resting.reports}",
        exec_type=kind,
        last_qty=qty,
        last_px=price,
        fee_micro=fee,
        ts=epoch_ns(at),
        text=text,
    )
