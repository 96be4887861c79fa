"""The port's contract on a real paper account, for whoever has one; never run without being asked.

    DEADBAND_LIVE_PAPER=127.0.0.1:4002:DU1234567:77 pytest -m live -p no:cacheprovider

Host, port, account and a client number that nobody else uses. It trades one share of SPY and of
AAPL at a time, in regular hours, cancels what rests and sells what it bought. What it finds belongs
into docs/ibkr.md.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from deadband.brokers.ibkr.broker import IbkrBroker
from deadband.brokers.ibkr.clock import LoopClock
from deadband.brokers.ibkr.settings import IbkrSettings
from deadband.core.broker import CancelAll, Ok, Receipt
from deadband.core.events import Heard, Intent, SessionState
from deadband.core.orders import TRADES, Order, OrdType, Side
from tests.contract.port import Act, PortContract, Stage
from tests.kit.orders import order

MARKET = OrdType.MARKET
WHERE = os.environ.get("DEADBAND_LIVE_PAPER", "")


class Named:
    """A broker whose order ids carry a name of their own: yesterday's "a" is not today's."""

    def __init__(self, broker: IbkrBroker) -> None:
        self._broker, self._name = broker, f"t{time.time_ns() // 1_000_000:x}."

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def submit(self, orders: Sequence[Order]) -> tuple[Receipt, ...]:
        named = [replace(one, cl_ord_id=self._name + one.cl_ord_id) for one in orders]
        return tuple(self._plain(receipt) for receipt in self._broker.submit(named))

    def cancel(self, ref: str) -> Receipt:
        return self._broker.cancel(self._name + ref)

    async def order_status(self, ref: str) -> Any:
        return await self._broker.order_status(self._name + ref)

    def taken(self) -> tuple[Heard, ...]:
        return tuple(replace(one, event=self._plain(one.event)) for one in self._broker.taken())

    async def events(self) -> AsyncIterator[Heard]:
        async for one in self._broker.events():
            yield replace(one, event=self._plain(one.event))

    def _plain(self, said: Any) -> Any:
        if not getattr(said, "cl_ord_id", ""):
            return said
        return replace(said, cl_ord_id=said.cl_ord_id.removeprefix(self._name))


class LiveStage(Stage):
    """A paper account in regular hours; every size is one share."""

    symbols = ("AAPL", "SPY")

    def play(self, act: Act) -> None:
        async def session() -> None:
            host, port, account, client = WHERE.split(":")
            settings = IbkrSettings(account, host=host, port=int(port), client_id=int(client))
            broker = IbkrBroker(settings, LoopClock(time.time_ns), self.write_ahead)
            self.broker = Named(broker)
            await self.broker.connect()
            await self.broker.contracts.resolve(self.symbols)
            self.broker.quotes.subscribe(self.symbols)
            await self._quoted()
            shot = await self.broker.snapshot()
            assert isinstance(shot.positions, Ok)
            assert shot.positions.value == (), "begin with a flat account"
            try:
                await act(self)
            finally:
                self.heard()
                await self._leave()
                await self.broker.close()

        asyncio.run(session())

    def write_ahead(self, intents: tuple[Intent, ...]) -> None:
        plain = (one.order.cl_ord_id.partition(".")[2] for one in intents)
        super().write_ahead(
            tuple(
                replace(one, order=replace(one.order, cl_ord_id=ref))
                for one, ref in zip(intents, plain, strict=True)
            )
        )

    async def _leave(self) -> None:
        """Cancel what rests, sell what was bought, with a session of its own if there is none."""
        if self.broker.state is not SessionState.READY:
            await self.broker.disconnect()
            await self.broker.connect()
        self.is_disk_full = False
        self.broker.cancel_all(CancelAll())
        self.broker.submit(
            [
                order(f"out.{symbol}", symbol, side=Side.SELL, order_qty=qty, ord_type=MARKET)
                for symbol, qty in self.held().items()
            ]
        )
        await self.pass_time()

    async def _quoted(self) -> None:
        for _ in range(200):
            if not any(math.isnan(self._ask(place)) for place in (0, 1)):
                return
            await asyncio.sleep(0.1)
        pytest.fail("no quotes within 20 s: run this in regular hours, with market data")

    async def pass_time(self) -> None:
        await asyncio.sleep(3)

    def _ask(self, place: int) -> float:
        quote = self.broker.quotes.quote(self.symbols[place])
        return quote.ask if quote is not None else math.nan

    def marketable(self, ref: str, qty: int = 100, place: int = 0) -> Order:
        price = round(self._ask(place) * 1.005, 2)
        return order(ref, self.symbols[place], order_qty=1, price=price)

    def resting(self, ref: str, qty: int = 100, place: int = 0) -> Order:
        price = round(self._ask(place) * 0.9, 2)
        return order(ref, self.symbols[place], order_qty=1, price=price)

    def doomed(self, ref: str) -> Order:
        return order(ref, "AAPL", order_qty=10_000_000, ord_type=OrdType.MARKET)

    def held(self) -> dict[str, int]:
        shares: Counter[str] = Counter()
        for report in self.reports():
            if report.exec_type in TRADES:
                signed = report.side.sign * (report.last_qty - report.prior_qty)
                shares[report.symbol] += signed
        return {symbol: qty for symbol, qty in sorted(shares.items()) if qty}


@pytest.mark.live
@pytest.mark.timeout(300)
@pytest.mark.skipif(not WHERE, reason="DEADBAND_LIVE_PAPER names no paper account")
class TestLivePaper(PortContract):
    """Sizes are one share, so cases that name sizes are left out here."""

    test_o2_a_marketable_order_fills_and_the_books_agree = None  # type: ignore[assignment]
    test_o1_an_order_is_acknowledged_once_and_then_rests = None  # type: ignore[assignment]
    test_o4_an_id_that_would_not_come_back_is_denied = None  # type: ignore[assignment]
    test_o10_a_change_is_made_or_denied = None  # type: ignore[assignment]
    test_c3_the_whole_account_goes_only_when_confirmed = None  # type: ignore[assignment]

    @pytest.fixture
    def stage(self) -> Stage:
        return LiveStage()
