"""Stages for the port's contract: the simulated broker on bars, and IBKR on the gateway."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from deadband.brokers.paper import PaperBroker
from deadband.brokers.sim import SimBroker
from deadband.core.config import ExecutionSettings
from deadband.core.costs import CostSettings
from deadband.core.orders import TRADES, Order, OrdType, Side
from deadband.twsim.gateway import Gateway
from tests.contract.broker import NAMES, OTHER, PLAIN, bar
from tests.contract.port import Act, Stage

from . import virtual
from .ibkr import Desk
from .orders import NOW_NS, order
from .tws import gateway


class StillClock:
    """A clock that a test moves; timers are not used with it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def wall_ns(self) -> int:
        return NOW_NS + int(self.seconds) * 1_000_000_000

    def later(self, seconds: float, act: Callable[[], None]) -> Any:
        raise AssertionError("nobody waits here")


class PaperStage(Stage):
    """The embedded simulated broker; time passes bar by bar."""

    symbols = (PLAIN, OTHER)

    def __init__(self) -> None:
        super().__init__()
        self.sim = SimBroker(
            NAMES,
            ExecutionSettings(capital_usd=1e6, max_fill_participation=0.1),
            CostSettings(),
            shortable=np.ones(len(NAMES.symbols), bool),
        )
        self.clock = StillClock()

    def play(self, act: Act) -> None:
        async def session() -> None:
            self.broker = PaperBroker(self.sim, self.clock, self.write_ahead)
            await self.broker.connect()
            await act(self)
            self.heard()
            await self.broker.close()

        asyncio.run(session())

    async def pass_time(self) -> None:
        self.clock.seconds += 300
        self.broker.advance(bar())

    def marketable(self, ref: str, qty: int = 100, place: int = 0) -> Order:
        return order(ref, self.symbols[place], order_qty=qty, price=102.0)

    def resting(self, ref: str, qty: int = 100, place: int = 0) -> Order:
        return order(ref, self.symbols[place], order_qty=qty, price=90.0)

    def doomed(self, ref: str) -> Order:
        return order(ref, PLAIN, side=Side.SELL, price=90.0)

    def held(self) -> dict[str, int]:
        return self.sim.statement().shares


class GatewayStage(Stage):
    """IBKR's adapter on the simulated gateway, in virtual time."""

    symbols = ("AAPL", "SPY")

    def __init__(self, host: Gateway | None = None, **settings: Any) -> None:
        super().__init__()
        self.host = host or gateway()
        self._settings = settings

    def play(self, act: Act) -> None:
        async def session() -> None:
            desk = Desk(self.host, **self._settings)
            desk.broker._write_ahead = self.write_ahead
            self.broker = desk.broker
            await desk.connect(*self.symbols)
            await act(self)
            self.heard()
            await self.broker.close()

        virtual.run(self.host, session)

    async def pass_time(self) -> None:
        await asyncio.sleep(1.5)

    def _mid(self, place: int) -> float:
        contract = self.host.listing.find({"symbol": self.symbols[place]})
        assert contract is not None
        return self.host.exchange.quote(contract).mid

    def marketable(self, ref: str, qty: int = 100, place: int = 0) -> Order:
        price = round(self._mid(place) * 1.02, 2)
        return order(ref, self.symbols[place], order_qty=qty, price=price)

    def resting(self, ref: str, qty: int = 100, place: int = 0) -> Order:
        price = round(self._mid(place) * 0.9, 2)
        return order(ref, self.symbols[place], order_qty=qty, price=price)

    def doomed(self, ref: str) -> Order:
        # The margin of ten million shares is nowhere.
        return order(ref, "AAPL", order_qty=10_000_000, ord_type=OrdType.MARKET)

    def held(self) -> dict[str, int]:
        """The gateway's own executions, which the adapter never saw as such."""
        shares: Counter[str] = Counter()
        for execution in self.host.exchange.books.executions:
            signed = execution.order.ticket.side * execution.shares
            shares[execution.order.contract.symbol] += signed
        return {symbol: qty for symbol, qty in sorted(shares.items()) if qty}


def traded(stage: Stage) -> dict[str, int]:
    """Shares by symbol by what the broker reported."""
    shares: Counter[str] = Counter()
    for report in stage.reports():
        if report.exec_type in TRADES:
            signed = report.side.sign * (report.last_qty - report.prior_qty)
            shares[report.symbol] += signed
    return {symbol: qty for symbol, qty in sorted(shares.items()) if qty}
