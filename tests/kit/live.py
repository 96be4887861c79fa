"""A live run on the simulated gateway in virtual time: the tape's bars are its prices."""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from deadband.backtest.measure import Measure
from deadband.backtest.run import Progress
from deadband.brokers.ibkr.broker import IbkrBroker
from deadband.brokers.ibkr.clock import LoopClock
from deadband.brokers.ibkr.settings import IbkrSettings
from deadband.core.broker import Memory, WriteAhead
from deadband.core.config import Settings
from deadband.core.events import Intent
from deadband.core.ports import Journal
from deadband.core.seen import Switch
from deadband.core.types import CycleRecord, State
from deadband.core.units import epoch_ns
from deadband.feeds.simulated import SimulatedMarket, simulated_market
from deadband.journal.store import JournalReader, JournalWriter
from deadband.live.adopt import Adopt
from deadband.live.begin import Beginning, Counter, begin
from deadband.live.line import Line, Patience
from deadband.live.market import BarFeed
from deadband.live.recover import recover
from deadband.live.run import LiveRun
from deadband.live.write_ahead import INTENTS
from deadband.twsim.contracts import BUILT_IN
from deadband.twsim.faults import Fault
from deadband.twsim.gateway import Gateway
from deadband.twsim.recorded import recorded
from deadband.twsim.world import GatewaySettings

from . import virtual
from .ibkr import ACCOUNT, CLIENT
from .inputs import settings as settings_of

SYMBOLS = tuple(contract.symbol for contract in BUILT_IN)

EAGER = {"K": 3, "K_buy": 4, "K_sell": 4, "open_clamp_min": 0.0, "per_name_cap": 0.2, "z_keep": 0.0}
"""Settings under which a few names trade in most cycles."""


class Killed(BaseException):
    """The process is gone: nothing may catch it."""


@dataclass(slots=True)
class Mortal:
    """A journal whose process dies at its n-th record, before or after it is durable."""

    inner: JournalWriter
    at: int = 0
    """0: never."""
    is_after: bool = False
    count: int = 0
    died: asyncio.Event = field(default_factory=asyncio.Event)

    def append(self, *record: Any) -> None:
        if self.died.is_set():
            raise Killed
        self.count += 1
        if self.count != self.at:
            self.inner.append(*record)
            return
        if self.is_after:
            self.inner.append(*record)
        self.died.set()
        raise Killed

    def close(self) -> None:
        self.inner.close()


@cache
def market_of(names: int, days: int) -> SimulatedMarket:
    return simulated_market(settings_of(), 5, symbols=SYMBOLS[:names], days=days)


@dataclass(slots=True)
class World:
    """A gateway, and one run after another on one journal file."""

    path: Path
    names: int = 4
    days: int = 1
    faults: tuple[Fault, ...] = ()
    begins_min: float = -0.5
    """Minutes after the first session's open."""
    step_s: float = 30.0
    settings: Settings = field(default_factory=lambda: settings_of(**EAGER))
    changes: dict[str, Any] = field(default_factory=dict)
    host: Gateway = field(init=False)
    market: SimulatedMarket = field(init=False)
    records: list[CycleRecord] = field(default_factory=list)
    switch: Callable[[datetime], Switch] = lambda _: Switch()  # noqa: E731
    quotes: bool = False
    """Whether the run sees the gateway's quotes, as it must to work orders on them."""
    late_s: float = 0.0
    compare_s: float = 1800.0
    adopt: Adopt = Adopt.LEAVE
    line: Line | None = None
    run: LiveRun | None = None

    def __post_init__(self) -> None:
        self.market = market_of(self.names, self.days)
        tape, first = self.market.tape, self.market.sessions[0]
        given = recorded(tape.universe.symbols, tape.bar_min, tape.days)
        self.host = Gateway(
            GatewaySettings(
                start=first.open + timedelta(minutes=self.begins_min),
                step_s=self.step_s,
                faults=self.faults,
                contracts=given.contracts,
                market=given.market,
            )
        )

    def wall(self) -> datetime:
        """The gateway's time, moved to the loop's where one runs."""
        with suppress(RuntimeError):
            loop = asyncio.get_running_loop()
            assert isinstance(loop, virtual.VirtualLoop)
            loop.pump()
        return self.host.timeline.now

    def late_wall(self) -> datetime:
        """What the loop sees: once, the time after a cycle that took too long."""
        return self.wall() + timedelta(seconds=self.late_s)

    @property
    def state(self) -> State:
        assert self.line is not None
        return self.line.standing.state

    async def begun(self, journal: Journal) -> Line:
        today = self.wall().date()
        what = Beginning(
            self.settings,
            self.market.tape.universe,
            journal,
            self.wall,
            recover(self.path, today),
            Patience(settle_s=0.5, compare_s=self.compare_s),
            self.adopt,
        )
        self.line = await begin(what, self._counter)
        return self.line

    def _counter(self, write_ahead: WriteAhead, memory: Memory) -> Counter:
        quiet = {"settle_s": 0.1, "heartbeat_s": 60.0, "silence_s": 150.0, "reconcile_s": 1800.0}
        settings = {"client_id": CLIENT} | quiet | self.changes
        clock = LoopClock(lambda: epoch_ns(self.wall()))
        broker = IbkrBroker(IbkrSettings(ACCOUNT, **settings), clock, write_ahead, memory)
        return Counter(broker, broker.contracts, broker.quotes if self.quotes else None)

    def feeds(self, *cycles: int) -> tuple[BarFeed, ...]:
        return tuple(
            Short(self.market.tape.day(session), Measure(self.market.tape, ()), None, most)
            for session, most in zip(self.market.sessions, cycles, strict=True)
        )

    async def trade(self, journal: Journal, *cycles: int, also: Progress = lambda _: None) -> None:
        """One life: begin, and run so many cycles of each session."""
        line = await self.begun(journal)

        def taken(record: CycleRecord) -> None:
            self.records.append(record)
            also(record)

        self.run = LiveRun(
            self.settings,
            line,
            self.market.scores,
            self.late_wall,
            progress=taken,
            switch=self.switch,
        )
        await self.run.over(self.feeds(*cycles))

    def live(
        self,
        work: Callable[[Mortal], Coroutine[Any, Any, None]],
        at: int = 0,
        *,
        is_after: bool = False,
    ) -> Mortal:
        """A process that does this work and may die at a record."""
        with JournalWriter(self.path, goes_on=True) as writer:
            journal = Mortal(writer, at, is_after)

            async def process() -> None:
                living = asyncio.ensure_future(work(journal))
                dying = asyncio.ensure_future(journal.died.wait())
                await asyncio.wait((living, dying), return_when=asyncio.FIRST_COMPLETED)
                if not journal.died.is_set():
                    dying.cancel()
                    await living
                    return
                # The line breaks with the process; nothing of what was not sent goes out.
                for client in list(self.host.clients):
                    client.close()
                living.cancel()
                await asyncio.wait((living,))
                assert living.cancelled() or living.exception() is not None

            virtual.run(self.host, process)
        return journal

    def check(self) -> None:
        """The run's books are the gateway's, and no order is there twice."""
        universe, account = self.state.universe, self.host.accounts[ACCOUNT]
        held = {position.contract.symbol: position.shares for position in account.held()}
        mine = dict(zip(universe.symbols, self.state.book.shares.tolist(), strict=True))
        assert {symbol: qty for symbol, qty in mine.items() if qty} == held
        assert self.state.book.cash_micro == account.cash_micros
        working = {
            (o.order.cl_ord_id, o.order.order_qty, o.order.price, o.cum_qty)
            for o in self.state.working
            if o.order.route is None
        }
        assert self.line is not None
        works = self.line.standing.basket.works
        children = [one.child for one in works if one.child is not None]
        working |= {
            (c.order.cl_ord_id, c.order.order_qty, c.order.price, c.cum_qty) for c in children
        }
        there = {
            (o.ticket.text("orderRef"), o.ticket.quantity, o.ticket.limit, o.filled)
            for o in self.host.desk.working()
        }
        assert working == there
        assert not self.line.standing.asked, "an answer is waited for that will never come"
        refs = Tally(order.ticket.text("orderRef") for order in self.host.desk.orders)
        assert set(refs.values()) <= {1}
        assert refs.keys() <= {intent.order.cl_ord_id for intent in self.intents()}

    def intents(self) -> list[Intent]:
        """All that was intended, as the journal has it."""
        with JournalReader(self.path) as journal:
            found = [journal.value(e.tree) for e in journal.entries() if e.kind == INTENTS]
        return [intent for batch in found for intent in batch]

    def kinds(self) -> Tally[str]:
        """How many records of each kind the journal has."""
        with JournalReader(self.path) as journal:
            return Tally(entry.kind for entry in journal.entries())


@dataclass(slots=True, eq=False)
class Short(BarFeed):
    """The first cycles of a session."""

    cycles: int = 0

    def __len__(self) -> int:
        return min(self.cycles, len(self.day))
