"""Bars of a session as the broker's quotes make them, one look after another.

Rules
  * A bar is made of trades, as recorded ones are: a look counts once the day's volume has risen, or
    the last price changed, since the look before. The first look only says where both stand.
  * A name that nobody saw trade in a bar has no bar. Nothing is carried over or invented.
  * Only live quotes with both sides count, and only between the open and the close.
  * A bar that the broker's history tells replaces one that was made here only where none was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from ..core.events import Quality, Quote
from ..core.session import Session
from ..feeds.tape import DayBars


def empty_day(session: Session, bar_min: float, names: int) -> DayBars:
    """Tables (b, n) of a session in which nothing has traded yet; they may be written."""
    shape = (round(session.minutes / bar_min), names)
    return DayBars(*(np.full(shape, np.nan) for _ in range(6)))


def drives(quote: Quote) -> bool:
    """Whether a quote may be decided on: live, both sides there, and not crossed."""
    return quote.quality is Quality.LIVE and 0 < quote.bid < quote.ask


@dataclass(frozen=True, slots=True, eq=False)
class Forming:
    """The tables (b, n) of one session, written as looks come in; half spreads USD."""

    session: Session
    bar_min: float
    bars: DayBars
    _before: dict[int, Quote] = field(default_factory=dict)

    def row(self, now: datetime) -> int:
        """The bar that an instant falls into, from 0; −1 outside of the session."""
        if now not in self.session:
            return -1
        return int((now - self.session.open) / timedelta(minutes=self.bar_min))

    def look(self, name: int, quote: Quote, now: datetime) -> None:
        """Take in what one name's quote says now."""
        if not drives(quote):
            return
        before = self._before.get(name)
        self._before[name] = quote
        row = self.row(now)
        if row < 0:
            return
        self.bars.quoted[row, name] = (quote.ask - quote.bid) / 2
        if before is not None and quote.last > 0 and _has_traded(before, quote):
            self._print(row, name, quote.last, max(quote.volume - before.volume, 0))

    def _print(self, row: int, name: int, price: float, shares: int) -> None:
        bars = self.bars
        if np.isnan(bars.close[row, name]):
            bars.open[row, name] = bars.high[row, name] = bars.low[row, name] = price
            bars.volume[row, name] = 0.0
        bars.high[row, name] = max(bars.high[row, name], price)
        bars.low[row, name] = min(bars.low[row, name], price)
        bars.close[row, name] = price
        bars.volume[row, name] += shares

    def fill(self, told: DayBars, now: datetime) -> int:
        """Take bars that history tells, up to the one under way, where none was made; how many."""
        rows = self.row(now) + 1 if now < self.session.close else len(self.bars.close)
        missing = np.isnan(self.bars.close[:rows]) & ~np.isnan(told.close[:rows])
        for mine, theirs in (
            (self.bars.open, told.open),
            (self.bars.high, told.high),
            (self.bars.low, told.low),
            (self.bars.close, told.close),
            (self.bars.volume, told.volume),
        ):
            mine[:rows][missing] = theirs[:rows][missing]
        return int(missing.sum())


def _has_traded(before: Quote, quote: Quote) -> bool:
    return quote.volume > before.volume or quote.last != before.last
