"""An IBKR broker on the simulated gateway, in virtual time, with a journal in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from deadband.brokers.ibkr.broker import IbkrBroker
from deadband.brokers.ibkr.clock import LoopClock
from deadband.brokers.ibkr.settings import IbkrSettings
from deadband.core.broker import Memory, Ok
from deadband.core.events import Heard, Intent, Notice
from deadband.core.lifecycle import FINAL
from deadband.core.orders import ExecType, ExecutionReport, Order, OrdStatus, TradeFee
from deadband.core.units import epoch_ns
from deadband.twsim.gateway import Gateway

from . import virtual
from .orders import order

ACCOUNT = "DU1234567"
CLIENT = 11


class Desk:
    """A broker, what it made durable, and everything it said."""

    def __init__(self, host: Gateway, memory: Memory | None = None, **changes: Any) -> None:
        self.host, self.intents, self.heard = host, [], []  # type: ignore[var-annotated]
        settings = {"settle_s": 0.1, "client_id": CLIENT} | changes
        clock = LoopClock(lambda: epoch_ns(host.timeline.now))
        self.broker = IbkrBroker(IbkrSettings(ACCOUNT, **settings), clock, self.write_ahead, memory)

    def write_ahead(self, intents: tuple[Intent, ...]) -> None:
        self.intents += intents

    async def connect(self, *symbols: str) -> Desk:
        await self.broker.connect()
        answers = await self.broker.contracts.resolve(symbols or ("AAPL", "SPY"))
        assert all(isinstance(answer, Ok) for answer in answers.values()), answers
        return self

    def hear(self) -> list[Heard]:
        self.heard += self.broker.taken()
        return self.heard

    def reports(self, ref: str = "") -> list[ExecutionReport]:
        """Everything reported of orders so far, or of one."""
        events = [heard.event for heard in self.hear()]
        found = [event for event in events if isinstance(event, ExecutionReport)]
        return [report for report in found if ref in ("", report.cl_ord_id)]

    def fees(self) -> list[TradeFee]:
        return [h.event for h in self.hear() if isinstance(h.event, TradeFee)]

    def notices(self) -> list[Notice]:
        return [h.event for h in self.hear() if isinstance(h.event, Notice)]

    def kinds(self, ref: str = "") -> list[ExecType]:
        return [report.exec_type for report in self.reports(ref)]

    def status(self, ref: str) -> OrdStatus:
        """Where an order stands, by the last report of it."""
        said = [report.ord_status for report in self.reports(ref)]
        return said[-1] if said and said[-1] is not None else OrdStatus.PENDING_NEW

    def filled(self, ref: str) -> int:
        return sum(r.last_qty - r.prior_qty for r in self.reports(ref))

    async def until(self, ref: str, *statuses: OrdStatus, seconds: float = 60.0) -> None:
        """Wait, at most so long, until an order stands there; any final status if none is named."""
        wanted = set(statuses) or FINAL
        for _ in range(round(seconds / 0.05)):
            if self.status(ref) in wanted:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{ref} is {self.status(ref)} after {seconds} s: {self.notices()}")


def buy(ref: str, qty: int = 10, price: float = 150.0, symbol: str = "AAPL", **other: Any) -> Order:
    return order(ref, symbol, order_qty=qty, price=price, **other)


def trade(host: Gateway, work: Callable[[Desk], Coroutine[Any, Any, None]], **changes: Any) -> Desk:
    """Connect a desk to a gateway, let a coroutine trade on it, and hang up."""
    kept: list[Desk] = []

    async def session() -> None:
        desk = await Desk(host, **changes).connect()
        kept.append(desk)
        await work(desk)
        desk.hear()
        await desk.broker.close()

    virtual.run(host, session)
    return kept[0]
