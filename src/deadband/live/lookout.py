"""Looks at quotes between cycles, once a second in a session.

Rules
  * Lines are moved only while the session is ready; the names on them are folded into bars.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from ..core.broker import MarketData
from ..core.events import Quality, SessionState
from ..core.seen import Switch
from ..core.types import CycleRecord
from .line import Line
from .quote_bars import QuoteFeed
from .rotation import Pace, Watched, turn

EVERY_S, IDLE_S = 1.0, 5.0
"""Seconds between looks in a session, and between sessions."""
SHARE_NEAR = 0.5
"""Of the lines that held and working names leave, what names near to a trade may keep at most."""


@dataclass(frozen=True, slots=True)
class Sight:
    """How much of the market is seen: names with a line, with a live quote, and all there are."""

    lines: int
    live: int
    names: int


@dataclass(slots=True, eq=False)
class Lookout:
    """Turns lines over and folds their quotes into the feed of the session that is on."""

    line: Line
    quotes: MarketData
    pace: Pace
    wall: Callable[[], datetime]
    switch: Callable[[datetime], Switch]
    two_sided: bool = False
    """Whether the lowest scores are near to a trade too."""
    feed: QuoteFeed | None = None
    near: Sequence[str] = ()
    """Names near to a trade, the nearest first."""
    is_halted: bool = False
    _watched: dict[str, Watched] = field(default_factory=dict)
    _turned_at: dict[str, float] = field(default_factory=dict)

    async def keep(self) -> None:
        """Look until canceled."""
        while True:
            self.look(asyncio.get_running_loop().time())
            await asyncio.sleep(EVERY_S if self.feed is not None else IDLE_S)

    def look(self, at: float) -> None:
        """One look; `at` is loop seconds."""
        now = self.wall()
        self.is_halted = self.switch(now).mode == "HALTED"
        if self.feed is not None:
            for symbol in self.feed.look(self._watched, now):
                self._watched[symbol] = replace(self._watched[symbol], seen_at=at)
        if self.line.broker.state is SessionState.READY:
            self._turn(at)

    def decided(self, record: CycleRecord) -> None:
        """Learn from a cycle who is near to a trade: what was ordered, then the best scores."""
        universe, score = record.state.universe, record.signal.score
        ordered = [order.symbol for order in record.plan.orders]
        strength = np.abs(score) if self.two_sided else score
        best = [universe.symbols[i] for i in np.argsort(-strength, kind="stable").tolist()]
        self.near = tuple(dict.fromkeys([*ordered, *best]))[: self.pace.lines]

    @property
    def sight(self) -> Sight:
        """How much is seen now."""
        names = self._names()
        live = [name for name in names if self._quality(name) is Quality.LIVE]
        return Sight(len(self._watched), len(live), len(names))

    def _quality(self, symbol: str) -> Quality:
        source = self.quotes if self.feed is None else self.feed.sighted
        return source.quality(symbol)

    def _names(self) -> list[str]:
        """Names of the run that the broker knows."""
        known = self.line.reference.instrument
        return [symbol for symbol in self.line.symbols if known(symbol) is not None]

    def _turn(self, at: float) -> None:
        """Move lines to names whose turn it is."""
        standing = self.line.standing.state
        shares: Mapping[str, int] = dict(
            zip(standing.universe.symbols, standing.book.shares.tolist(), strict=True)
        )
        held = [symbol for symbol, qty in shares.items() if qty]
        working = [order.order.symbol for order in standing.working]
        busy = list(dict.fromkeys([*working, *held]))
        spare = max(int((self.pace.lines - len(busy)) * SHARE_NEAR), 0)
        first = [*busy, *self.near[:spare]]
        moved = turn(at, self.pace, first, self._names(), self._watched, self._turned_at)
        for symbol in moved.drop:
            del self._watched[symbol]
            self._turned_at[symbol] = at
        for symbol in moved.add:
            self._watched[symbol] = Watched(at)
        self.quotes.unsubscribe(moved.drop)
        self.quotes.subscribe(moved.add)
