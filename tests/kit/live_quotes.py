"""A live run whose bars are made of the simulated gateway's quotes, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime

from deadband.backtest.measure import Measure
from deadband.brokers.ibkr.broker import IbkrBroker
from deadband.core.ports import Journal
from deadband.core.seen import Switch
from deadband.core.types import CycleRecord
from deadband.live.lookout import Lookout
from deadband.live.quote_bars import QuoteFeed
from deadband.live.rotation import Pace
from deadband.live.run import LiveRun
from deadband.live.trading_days import TradingDays

from .live import World


@dataclass(slots=True)
class QuoteWorld(World):
    """As World, but what a cycle sees of the market is what the broker's lines have shown."""

    lines: int = 100
    sessions: int = 1
    most: int = 10_000
    """Cycles in a life; then the run is stopped."""
    knows_the_past: bool = False
    """Whether the days before are given, as with a file; else they are asked from the broker."""
    switch: Callable[[datetime], Switch] = field(default=lambda _: Switch())
    fed: list[QuoteFeed] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    lookout: Lookout | None = None
    most_lines: int = 0

    async def trade_quotes(self, journal: Journal) -> None:
        """One life: begin, and run until the sessions or the cycles are over."""
        line = await self.begun(journal)
        broker = line.broker
        assert isinstance(broker, IbkrBroker)
        pace = Pace(self.lines)
        self.lookout = Lookout(line, broker.quotes, pace, self.wall, self.switch)
        scores = self.market.scores
        run = LiveRun(self.settings, line, scores, self.wall, self.switch, progress=self._progress)
        self.run = run
        given = self.market.tape.days if self.knows_the_past else {}
        first = self.market.sessions[0].day
        tape = replace(
            self.market.tape, days={day: bars for day, bars in given.items() if day < first}
        )
        ask = broker.history.bars
        measure = Measure(tape, scores.needs)
        days = TradingDays(tape, ask, self.lookout, measure, self.wall, self.said.append)
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(work) for work in (self.lookout.keep(), days.mend())]
            async with aclosing(days.feeds(run, self.sessions)) as feeds:
                await run.over(feeds)
            for task in beside:
                task.cancel()

    def _progress(self, record: CycleRecord) -> None:
        assert self.lookout is not None and self.run is not None
        self.lookout.decided(record)
        self.records.append(record)
        self.most_lines = max(self.most_lines, self.lookout.sight.lines)
        if self.lookout.feed is not None and self.lookout.feed not in self.fed:
            self.fed.append(self.lookout.feed)
        if len(self.records) >= self.most:
            self.run.stop()
