"""What a day of bars comes to for each name: the figures that several examinations share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from ...core.arrays import Bools, Floats, Ints
from ..tape import DayBars

HALF_CENT = 0.005


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """Days in order, and figures (d, n): NaN or 0 where a name did not trade that day.

    bars: bars with a trade; volume: shares; opening, closing: first open and last close USD;
    fingerprint: a number that depends on every close and volume of the day.
    """

    symbols: tuple[str, ...]
    bar_min: float
    days: tuple[date, ...]
    tables: tuple[DayBars, ...]
    bars: Ints
    volume: Floats
    opening: Floats
    closing: Floats
    fingerprint: Floats

    @property
    def traded(self) -> Bools:
        return self.bars > 0

    @property
    def length(self) -> Ints:
        """Bars of each session (d,)."""
        return np.array([len(table.close) for table in self.tables], dtype=np.int64)

    @property
    def first(self) -> Ints:
        """The day (n,) on which each name has its first bar; 0 for one that has none."""
        first: Ints = self.traded.argmax(axis=0)
        return first

    @property
    def last(self) -> Ints:
        """The day (n,) on which each name has its last bar; the last for one that has none."""
        last: Ints = len(self.days) - 1 - self.traded[::-1].argmax(axis=0)
        return last

    @property
    def steadiness(self) -> Floats:
        """Share (n,) of the bars of the days on which a name trades, its worst day left out.

        A halt of half a day is then measured against the other days, and not against itself.
        """
        possible = self.traded * self.length[:, np.newaxis]
        worst = (possible - self.bars).argmax(axis=0), np.arange(len(self.symbols))
        several = self.traded.sum(axis=0) > 1
        bars = self.bars.sum(axis=0) - several * self.bars[worst]
        share: Floats = bars / np.maximum(possible.sum(axis=0) - several * possible[worst], 1)
        return share

    @property
    def coverage(self) -> Floats:
        """Share (n,) of the bars from a name's first day to its last in which it trades."""
        ends = np.concatenate([[0], np.cumsum(self.length)])
        possible = ends[self.last + 1] - ends[self.first]
        share: Floats = self.bars.sum(axis=0) / possible
        return share


def draw_chart(symbols: tuple[str, ...], bar_min: float, days: Mapping[date, DayBars]) -> Chart:
    order = tuple(sorted(days))
    tables = tuple(days[day] for day in order)
    shape = len(order), len(symbols)
    bars = np.zeros(shape, dtype=np.int64)
    volume, opening, closing, fingerprint = (np.full(shape, np.nan) for _ in range(4))
    names = np.arange(len(symbols))
    for d, table in enumerate(tables):
        seen = np.isfinite(table.close)
        bars[d] = seen.sum(axis=0)
        traded = bars[d] > 0
        first = seen.argmax(axis=0)
        last = len(seen) - 1 - seen[::-1].argmax(axis=0)
        shares = np.where(seen, table.volume, 0.0)
        volume[d] = np.where(traded, shares.sum(axis=0), np.nan)
        opening[d] = np.where(traded, table.open[first, names], np.nan)
        closing[d] = np.where(traded, table.close[last, names], np.nan)
        # Irrational weights: no two different days come to the same number but by a freak.
        # Summed row by row: a matrix product would round equal columns differently.
        weight = np.sqrt(2.0 + np.arange(len(seen)))[:, np.newaxis]
        price = np.where(seen, table.close, 0.0)
        prints = (weight * (price + np.sqrt(3.0) * shares)).sum(axis=0)
        fingerprint[d] = np.where(traded, prints, np.nan)
    return Chart(symbols, bar_min, order, tables, bars, volume, opening, closing, fingerprint)
