"""A session whose bars are made of the broker's quotes while it happens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from ..backtest.measure import Measure
from ..core.bars import SessionBars
from ..core.broker import MarketData
from ..core.events import Quality, Quote
from ..core.features import Features
from ..core.seen import History, Market
from .forming import Forming, drives
from .market import aged, quoted


@dataclass(slots=True, eq=False)
class Sighted:
    """Quotes by symbol, those of names that have no line just now as they were last seen.

    Fulfills MarketData. What was seen earlier ages; it is forgotten once most of the lines that
    have ticked are in doubt, for then nobody knows what it is worth.
    """

    quotes: MarketData
    _seen: dict[str, Quote] = field(default_factory=dict)

    def subscribe(self, symbols: Sequence[str]) -> None:
        self.quotes.subscribe(symbols)

    def unsubscribe(self, symbols: Sequence[str]) -> None:
        self.quotes.unsubscribe(symbols)

    def quality(self, symbol: str) -> Quality:
        quote = self.quote(symbol)
        return Quality.NONE if quote is None else quote.quality

    def quote(self, symbol: str) -> Quote | None:
        """A line that has said anything speaks for itself, whatever was seen before."""
        now = self.quotes.quote(symbol)
        return now if now is not None and now.ts else self._seen.get(symbol)

    def look(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """The quotes of names with a line that may be decided on; they are remembered."""
        lines = {symbol: quote for symbol in symbols if (quote := self.quotes.quote(symbol))}
        ticked = [quote for quote in lines.values() if quote.ts]
        if sum(quote.quality is Quality.NONE for quote in ticked) * 2 > len(ticked):
            self._seen.clear()
        seen = {symbol: quote for symbol, quote in lines.items() if drives(quote)}
        self._seen |= seen
        return seen


@dataclass(slots=True, eq=False)
class QuoteFeed:
    """One session's Feed: bars from looks at quotes, and the quotes laid over them.

    The tables of `day` are those that `forming` writes. Of bars, only those that have ended are
    read; a name without a bar keeps its last price, which is old.
    """

    day: SessionBars
    measure: Measure
    sighted: Sighted
    forming: Forming

    def __len__(self) -> int:
        return len(self.day)

    @property
    def interval(self) -> timedelta:
        return timedelta(minutes=self.day.bar_min)

    def due(self, k: int) -> datetime:
        return self.day.ended(k)

    def look(self, symbols: Iterable[str], now: datetime) -> dict[str, Quote]:
        """Fold what lines say now; the quotes that may be decided on."""
        seen = self.sighted.look(symbols)
        index, row = self.day.universe.index, self.forming.row(now)
        for symbol, quote in seen.items():
            self.forming.look(index[symbol], quote, now)
            if row >= 0:
                self.day.half_spread[row, index[symbol]] = (quote.ask - quote.bid) / 2
        return seen

    def market(self, k: int, now: datetime) -> Market:
        market = quoted(aged(self.day.market_after(k), now), self.sighted)
        return replace(market, shortable=market.shortable & ~self._nothing_to_borrow(market))

    def _nothing_to_borrow(self, market: Market) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Names (n,) of which the broker says that no share can be borrowed."""
        quotes = (self.sighted.quote(symbol) for symbol in market.universe.symbols)
        none = [quote is not None and quote.shortable_shares == 0 for quote in quotes]
        return np.array(none, dtype=np.bool_)

    def history(self) -> History:
        return self.day.history

    def features(self, k: int) -> Features | None:
        return self.measure.at(self.day, k)
