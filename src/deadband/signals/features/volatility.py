"""Volatility from the bars' own returns and ranges, and Wilder's average true range."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...core.arrays import Bools, Floats, sealed
from ...core.bars import Bar
from .window import Window

ATR_BARS = 14


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Sums of squared log returns and of bars observed (2, n).

    `recent` lies within the session, `day` runs over sessions; no bar's return spans a night.
    `before` (n,): the close of the bar before, NaN where there was none.
    """

    before: Floats
    recent: Window
    day: Window

    @classmethod
    def empty(cls, n: int, recent_bars: int, day_bars: int) -> Moves:
        before = sealed(np.full(n, np.nan))
        return cls(before, Window.empty(recent_bars, (2, n)), Window.empty(day_bars, (2, n)))

    def opened(self) -> Moves:
        n = len(self.before)
        fresh = Window.empty(self.recent.bars, (2, n))
        return Moves(sealed(np.full(n, np.nan)), fresh, self.day)

    def after(self, bar: Bar, known: Bools) -> Moves:
        since = np.where(np.isnan(self.before), bar.open, self.before)
        moved = np.log(bar.close / since)
        row = sealed(np.array((np.where(known, moved * moved, 0.0), known)))
        return Moves(sealed(bar.close.copy()), self.recent.push(row), self.day.push(row))


@dataclass(frozen=True, slots=True, eq=False)
class Ranges:
    """Sums of Rogers-Satchell variances and of bars observed (2, n), over sessions."""

    day: Window

    @classmethod
    def empty(cls, n: int, day_bars: int) -> Ranges:
        return cls(Window.empty(day_bars, (2, n)))

    def after(self, bar: Bar, known: Bools) -> Ranges:
        up, down, across = np.log(np.array((bar.high, bar.low, bar.close)) / bar.open)
        # L. C. G. Rogers, S. E. Satchell, Estimating variance from high, low and closing prices,
        # Annals of Applied Probability 1 (1991): unbiased whatever the drift.
        variance = np.maximum(up * (up - across) + down * (down - across), 0.0)
        return Ranges(self.day.push(sealed(np.array((np.where(known, variance, 0.0), known)))))


def volatility(window: Window) -> Floats:
    """Root of the summed variances (n,), over the window's length.

    √Σr² is T. G. Andersen, T. Bollerslev (1998). As if all bars of the window had been observed;
    NaN unless half of them were.
    """
    total, observed = window.sum
    enough = 2.0 * observed >= window.bars
    variance = total * window.bars / np.maximum(observed, 1.0)
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
