"""What the market looks like when a cycle is due: a session's bars, and quotes over them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from ..backtest.measure import Measure
from ..core.bars import SessionBars
from ..core.broker import MarketData
from ..core.events import Halt, Quality
from ..core.features import Features
from ..core.seen import NEVER_S, History, Market


class Feed(Protocol):
    """One session as it happens; the k-th moment is when the k-th bar has ended, k from 1."""

    def __len__(self) -> int: ...

    @property
    def interval(self) -> timedelta: ...

    def due(self, k: int) -> datetime: ...

    def market(self, k: int, now: datetime) -> Market:
        """What is known of the market at `now`, by then the k-th bar has ended."""
        ...

    def history(self) -> History: ...

    def features(self, k: int) -> Features | None: ...


@dataclass(slots=True, eq=False)
class BarFeed:
    """Bars of a session from elsewhere, as a recorded or a running tape has them.

    Of the bars, only those that have ended are read. With `quotes`, a name is worth what its
    broker quotes now, and one that has no live quote is stale, however fresh its bar.
    """

    day: SessionBars
    measure: Measure
    quotes: MarketData | None = None

    def __len__(self) -> int:
        return len(self.day)

    @property
    def interval(self) -> timedelta:
        return timedelta(minutes=self.day.bar_min)

    def due(self, k: int) -> datetime:
        return self.day.ended(k)

    def market(self, k: int, now: datetime) -> Market:
        market = aged(self.day.market_after(k), now)
        return market if self.quotes is None else quoted(market, self.quotes)

    def history(self) -> History:
        return self.day.history

    def features(self, k: int) -> Features | None:
        return self.measure.at(self.day, k)


def aged(market: Market, now: datetime) -> Market:
    """The same market looked at later: its quotes are older by as much."""
    late = max((now - market.asof).total_seconds(), 0.0)
    age = np.minimum(market.quote_age_s + late, NEVER_S)
    return replace(market, asof=now, quote_age_s=age)


def quoted(market: Market, quotes: MarketData) -> Market:
    """The market with the broker's quotes: only LIVE ones, with both sides, may drive an order."""
    bid, ask, last = market.bid.copy(), market.ask.copy(), market.last.copy()
    age, halted = np.full(len(bid), NEVER_S), market.halted.copy()
    for name, symbol in enumerate(market.universe.symbols):
        quote = quotes.quote(symbol)
        if quote is None:
            continue
        halted[name] = quote.halt is not Halt.NONE
        is_two_sided = 0 < quote.bid < quote.ask
        if quote.quality is Quality.LIVE and is_two_sided:
            bid[name], ask[name] = quote.bid, quote.ask
            last[name] = quote.last if quote.last > 0 else (quote.bid + quote.ask) / 2
            age[name] = max(market.asof.timestamp() - quote.ts / 1e9, 0.0)
    return replace(market, bid=bid, ask=ask, last=last, quote_age_s=age, halted=halted)
