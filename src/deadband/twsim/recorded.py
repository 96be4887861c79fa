"""A market of recorded bars: its names become contracts, its bars become quotes between them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Protocol

from ..core.arrays import Floats
from ..core.errors import DataError, MissingError
from ..core.session import exchange_day, session_on
from .contracts import Contract, listed
from .market import modeled_half_spread


class DayTables(Protocol):
    """One session's bars (b, n), NaN where a name did not trade; `quoted` is half a spread USD."""

    @property
    def open(self) -> Floats: ...
    @property
    def high(self) -> Floats: ...
    @property
    def low(self) -> Floats: ...
    @property
    def close(self) -> Floats: ...
    @property
    def volume(self) -> Floats: ...
    @property
    def quoted(self) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of trading from `start`; prices USD, volume shares; half a quoted spread or NaN."""

    start: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float
    half_quote: float = math.nan


@dataclass(slots=True)
class RecordedMarket:
    """Prices of recorded bars; inside a bar they go by its nearer extreme, then the other."""

    bars: Mapping[str, Sequence[Bar]]
    bar_min: float
    _starts: dict[str, list[datetime]] = field(init=False)
    _before: dict[str, list[float]] = field(init=False)
    """Shares of the day before each bar: asked for with every quote."""

    def __post_init__(self) -> None:
        self._starts = {symbol: [bar.start for bar in bars] for symbol, bars in self.bars.items()}
        self._before = {symbol: _done_before(bars) for symbol, bars in self.bars.items()}

    def mid(self, contract: Contract, moment: datetime) -> float:
        bar = self._bar(contract, moment)
        part = (moment - bar.start) / timedelta(minutes=self.bar_min)
        rising = bar.close >= bar.open
        first, second = (bar.low, bar.high) if rising else (bar.high, bar.low)
        path = ((0.0, bar.open), (1 / 3, first), (2 / 3, second), (1.0, bar.close))
        for (t0, p0), (t1, p1) in pairwise(path):
            if part <= t1:
                return p0 + (p1 - p0) * max(part - t0, 0.0) / (t1 - t0)
        return bar.close

    def half_quote(self, contract: Contract, price: float, moment: datetime) -> float:
        bar = self._bar(contract, moment)
        if math.isfinite(bar.half_quote):
            return bar.half_quote
        return modeled_half_spread(contract, price, moment)

    def volume(self, contract: Contract, moment: datetime) -> float:
        bars = self.bars[contract.symbol]
        place = bisect_right(self._starts[contract.symbol], moment) - 1
        if place < 0 or exchange_day(bars[place].start) != exchange_day(moment):
            return 0.0
        part = (moment - bars[place].start) / timedelta(minutes=self.bar_min)
        return self._before[contract.symbol][place] + bars[place].volume * min(part, 1.0)

    def _bar(self, contract: Contract, moment: datetime) -> Bar:
        starts = self._starts.get(contract.symbol)
        if not starts:
            raise MissingError(f"the bars hold no {contract.symbol}. Ask for a symbol they hold.")
        place = bisect_right(starts, moment) - 1
        return self.bars[contract.symbol][max(place, 0)]


def _done_before(bars: Sequence[Bar]) -> list[float]:
    before: list[float] = []
    for place, bar in enumerate(bars):
        last = bars[place - 1] if place else None
        same_day = last is not None and exchange_day(last.start) == exchange_day(bar.start)
        before.append(before[-1] + last.volume if last is not None and same_day else 0.0)
    return before


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a bars file gives a gateway: contracts, prices, and the instant they begin."""

    contracts: tuple[Contract, ...]
    market: RecordedMarket
    start: datetime


def recorded(symbols: Sequence[str], bar_min: float, days: Mapping[date, DayTables]) -> Recorded:
    """Turn session bars, (b, n) in the order of `symbols`, into a market; raises DataError."""
    bars = {symbol: list(_bars_of(place, bar_min, days)) for place, symbol in enumerate(symbols)}
    bars = {symbol: found for symbol, found in bars.items() if found}
    if not bars:
        raise DataError("the bars hold no name that trades. Give a file with bars in sessions.")
    contracts = tuple(_sized(c, bars[c.symbol], len(days)) for c in listed(bars))
    start = min(found[0].start for found in bars.values())
    return Recorded(contracts, RecordedMarket(bars, bar_min), start)


def _bars_of(place: int, bar_min: float, days: Mapping[date, DayTables]) -> Iterator[Bar]:
    """A name's bars in order of time."""
    for day in sorted(days):
        session, tables = session_on(day), days[day]
        if session is None:
            continue
        for row in range(len(tables.close)):
            if math.isfinite(tables.close[row, place]):
                yield Bar(
                    session.open + timedelta(minutes=bar_min * row),
                    float(tables.open[row, place]),
                    float(tables.high[row, place]),
                    float(tables.low[row, place]),
                    float(tables.close[row, place]),
                    float(tables.volume[row, place]),
                    float(tables.quoted[row, place]),
                )


def _sized(contract: Contract, bars: Sequence[Bar], days: int) -> Contract:
    """A contract with the price and the average volume of its bars."""
    shares = sum(bar.volume for bar in bars) / days
    return replace(contract, price_usd=bars[0].open, daily_shares=max(shares, 1.0))
