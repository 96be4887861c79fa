"""Volatility from the bars' own returns and ranges, and Wilder's average true range."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...core.arrays import Bools, Floats, sealed
from ...core.bars import Bar
from .window import Window

ATR_BARS = 14


@dataclass(frozen=True, slots=True, eq=False)
class Ranges:
    """Sums of squared log returns, of Rogers-Satchell variances and of bars observed.

    `recent` lies within the session, `day` runs over sessions; no bar's return spans a night.
    `before` (n,): the close of the bar before, NaN where there was none.
    """

    before: Floats
    recent: Window
    day: Window

    @classmethod
    def empty(cls, n: int, recent_bars: int, day_bars: int) -> Ranges:
        shape = (3, n)
        before = sealed(np.full(n, np.nan))
        return cls(before, Window.empty(recent_bars, shape), Window.empty(day_bars, shape))

    def opened(self) -> Ranges:
        fresh = Window.empty(self.recent.bars, (3, len(self.before)))
        return replace(self, before=sealed(np.full(len(self.before), np.nan)), recent=fresh)

    def after(self, bar: Bar, known: Bools) -> Ranges:
        since = np.where(np.isnan(self.before), bar.open, self.before)
        reach = np.array((bar.high, bar.low, bar.close, bar.close))
        reach[:3] /= bar.open
        reach[3] /= since
        up, down, across, moved = np.log(reach, out=reach)
        row = np.empty((3, len(since)))
        row[0] = moved * moved
        # L. C. G. Rogers, S. E. Satchell, Estimating variance from high, low and closing prices,
        # Annals of Applied Probability 1 (1991): unbiased whatever the drift.
        row[1] = np.maximum(up * (up - across) + down * (down - across), 0.0)
        row[2] = 1.0
        row[:, ~known] = 0.0
        sealed(row)
        return Ranges(sealed(bar.close.copy()), self.recent.push(row), self.day.push(row))


def realized(window: Window) -> Floats:
    """√Σr² (n,): volatility over the window's length (T. G. Andersen, T. Bollerslev, 1998)."""
    return _over_the_window(window, 0)


def ranged(window: Window) -> Floats:
    """Rogers-Satchell volatility (n,) over the window's length."""
    return _over_the_window(window, 1)


def _over_the_window(window: Window, quantity: int) -> Floats:
    """Root of a sum, as if all its bars had been observed; NaN unless half of them were."""
    total = window.sum
    observed = total[2]
    enough = 2.0 * observed >= window.bars
    variance = total[quantity] * window.bars / np.maximum(observed, 1.0)
    return np.where(enough, np.sqrt(variance), np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class TrueRange:
    """Wilder's average true range (n,) USD over longer bars, and the one that is being made.

    high, low, close (n,) USD of the bar in the making, NaN where the name has not traded in it;
    `before` (n,) the last close of the ones before; `seen` (n,) how many the average is of.
    """

    high: Floats
    low: Floats
    close: Floats
    before: Floats
    atr: Floats
    seen: Floats

    @classmethod
    def empty(cls, n: int) -> TrueRange:
        unknown, zero = sealed(np.full(n, np.nan)), sealed(np.zeros(n))
        return cls(unknown, unknown, unknown, unknown, zero, zero)

    def after(self, bar: Bar, known: Bools) -> TrueRange:
        return replace(
            self,
            high=sealed(np.fmax(self.high, bar.high)),
            low=sealed(np.fmin(self.low, bar.low)),
            close=sealed(np.where(known, bar.close, self.close)),
        )

    def closed(self) -> TrueRange:
        """The bar in the making is complete.

        J. Welles Wilder, New Concepts in Technical Trading Systems (1978): the first value is the
        mean of 14 true ranges, each later one is (13·ATR + TR) / 14. A bar without a trade is
        passed over: a halt is not calm.
        """
        reach = np.fmax(self.high, self.before) - np.fmin(self.low, self.before)
        counts = np.isfinite(self.close) & np.isfinite(self.before)
        seen = self.seen + counts
        share = np.where(counts, 1.0 / np.clip(seen, 1.0, ATR_BARS), 0.0)
        atr = self.atr + share * (np.where(counts, reach, 0.0) - self.atr)
        before = np.where(np.isfinite(self.close), self.close, self.before)
        unknown = sealed(np.full(len(seen), np.nan))
        return TrueRange(unknown, unknown, unknown, sealed(before), sealed(atr), sealed(seen))

    def opened(self, *, after_a_gap: bool) -> TrueRange:
        """Close a bar that the session's end cut short; after missed sessions forget the close."""
        ended = self.closed() if np.isfinite(self.close).any() else self
        if not after_a_gap:
            return ended
        return replace(ended, before=sealed(np.full(len(self.seen), np.nan)))

    def split(self, ratio: Floats) -> TrueRange:
        """Dollars of before, in dollars of the new shares."""
        return replace(self, before=sealed(self.before / ratio), atr=sealed(self.atr / ratio))

    def of(self, price: Floats) -> Floats:
        """The average (n,) as a fraction of price; NaN before 14 of them."""
        return np.where(self.seen >= ATR_BARS, self.atr / price, np.nan)
