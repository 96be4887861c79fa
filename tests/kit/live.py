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
from deadband.twsim.recorded import Recorded, recorded
from deadband.twsim.world import GatewaySettings

from . import virtual
from .death import Boundary, Death, Life
from .ibkr import ACCOUNT, CLIENT
from .inputs import settings as settings_of

SYMBOLS = tuple(contract.symbol for contract in BUILT_IN)

EAGER = {"K": 3, "K_buy": 4, "K_sell": 4, "open_clamp_min": 0.0, "per_name_cap": 0.2, "z_keep": 0.0}
"""Settings under which a few names trade in most cycles."""


@dataclass(slots=True)
class Mortal:
    """A journal whose process dies somewhere, at one of its records or at a frame of its line."""

    inner: JournalWriter
    life: Life = field(default_factory=Life)
    intended: set[bytes] = field(default_factory=set)
    """Orders by reference whose intent is durable."""

    @property
    def count(self) -> int:
        """Records so far."""
        return self.life.crossed[Boundary.RECORD]

    @property
    def died(self) -> asyncio.Event:
        return self.life.died

    def append(self, *record: Any) -> None:
        self.life.cross(Boundary.RECORD, lambda: self.inner.append(*record))
        kind, _, _, value, *_ = record
        if kind == INTENTS:
            self.intended |= {intent.order.cl_ord_id.encode() for intent in value}

    def expect_intended(self, frame: bytes) -> None:
        """No order may leave before its intent is durable; previews are no orders."""
        fields = frame[4:].split(b"\0")
        is_order = fields[0] == b"3" and b"preview" not in fields
        assert not is_order or self.intended & set(fields), f"sent without an intent: {frame!r}"

    def close(self) -> None:
        self.inner.close()


@cache
def market_of(names: int, days: int, seed: int = 5) -> SimulatedMarket:
    return simulated_market(settings_of(), seed, symbols=SYMBOLS[:names], days=days)


@cache
def prices_of(names: int, days: int, seed: int) -> Recorded:
    """The same market as a gateway has it."""
    tape = market_of(names, days, seed).tape
    return recorded(tape.universe.symbols, tape.bar_min, tape.days)


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
    work_s: float = 1.0
    first_s: float = 1.0
    """Seconds between two looks at the line."""
    market_seed: int = 5
    watches: bool = False
    """Whether the broker's quotes are laid over the bars."""
    longest_s: float = 1e7
    """Seconds beyond which a life that neither ends nor dies is one that never would."""
    seed: int = 7
    """Of the gateway's chances."""
    line: Line | None = None
    run: LiveRun | None = None

    def __post_init__(self) -> None:
        self.market = market_of(self.names, self.days, self.market_seed)
        first = self.market.sessions[0]
        given = prices_of(self.names, self.days, self.market_seed)
        self.host = Gateway(
            GatewaySettings(
                start=first.open + timedelta(minutes=self.begins_min),
                step_s=self.step_s,
                seed=self.seed,
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
            Patience(
                settle_s=0.5, compare_s=self.compare_s, first_s=self.first_s, work_s=self.work_s
            ),
            self.adopt,
        )
        self.line = await begin(what, self._counter)
        return self.line

    def _counter(self, write_ahead: WriteAhead, memory: Memory) -> Counter:
        quiet = {"settle_s": 0.1, "heartbeat_s": 60.0, "silence_s": 150.0, "reconcile_s": 1800.0}
        settings = {"client_id": CLIENT} | quiet | self.changes
        clock = LoopClock(lambda: epoch_ns(self.wall()))
        broker = IbkrBroker(IbkrSettings(ACCOUNT, **settings), clock, write_ahead, memory)
        seen = broker.quotes if self.quotes or self.watches else None
        return Counter(broker, broker.contracts, seen)

    def feeds(self, *cycles: int) -> tuple[BarFeed, ...]:
        quotes = self.line.quotes if self.line is not None and self.watches else None
        return tuple(
            Short(self.market.tape.day(session), Measure(self.market.tape, ()), quotes, most)
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
            switch=self.switch,
            progress=taken,
        )
        await self.run.over(self.feeds(*cycles))

    def live(
        self,
        work: Callable[[Mortal], Coroutine[Any, Any, None]],
        at: int = 0,
        *,
        is_after: bool = False,
        death: Death | None = None,
    ) -> Mortal:
        """A process that does this work and may die, at a record unless `death` says where."""
        life = Life(death or Death(Boundary.RECORD, at, is_after))
        with JournalWriter(self.path, goes_on=True) as writer:
            journal = Mortal(writer, life)

            async def process() -> None:
                loop = asyncio.get_running_loop()
                assert isinstance(loop, virtual.VirtualLoop)
                loop.life, loop.witness = life, journal.expect_intended
                living = asyncio.ensure_future(work(journal))
                dying = asyncio.ensure_future(life.died.wait())
                await asyncio.wait(
                    (living, dying),
                    timeout=self.longest_s,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not life.is_over:
                    dying.cancel()
                    assert living.done(), f"a life neither ended nor died in {self.longest_s:g} s"
                    await living
                else:
                    # The line breaks with the process; what was not sent does not go out.
                    for line in loop.lines:
                        line.cut()
                    living.cancel()
                    await asyncio.wait((living,))
                    assert living.cancelled() or living.exception() is not None
                assert not loop.faults, loop.faults

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
