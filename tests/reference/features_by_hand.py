"""Features of one name at one instant, from all its bars at once: plain loops, nothing kept.

Written from docs/features.md, apart from the code it checks. Only `split_ratio` is shared: it has
tests of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, fsum, inf, log, nan, sqrt

import numpy as np

from deadband.core.arrays import Floats
from deadband.core.corporate_action import split_ratio
from deadband.core.session import Session, previous_session

ATR_BARS, LEAST_SESSIONS, KEPT_SESSIONS = 14, 3, 20


@dataclass(frozen=True)
class Day:
    """Bars (b, n) of one session, NaN where a name did not trade."""

    session: Session
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    half_spread: Floats

    def __len__(self) -> int:
        return len(self.close)


@dataclass(frozen=True)
class ByHand:
    """Sessions oldest first. d numbers sessions, k bars of one from 1, i names."""

    days: Sequence[Day]
    bar_min: float

    def features(self, d: int, k: int, i: int) -> dict[str, float]:
        last = self.price(d, k, i)
        told = {
            "return_1d": self.return_since(d, k, i, 1),
            "return_5d": self.return_since(d, k, i, 5),
            "overnight_gap": self.gap(d, k, i),
            "vwap_distance": last / self.vwap(d, k, i) - 1,
            "spread": self.spread(d, k, i),
            "since_open_min": k * self.bar_min,
            "to_close_min": max(self.days[d].session.minutes - k * self.bar_min, 0),
        }
        if bars := self.whole_bars(5):
            told["return_5m"] = self.return_over(d, k, i, bars)
        if bars := self.whole_bars(390):
            told["realized_vol_1d"] = self.realized(self.rows_until(d, k), bars, i)
            told["range_vol_1d"] = self.ranged(self.rows_until(d, k), bars, i)
        if bars := self.whole_bars(30):
            told |= {
                "return_30m": self.return_over(d, k, i, bars),
                "opening_return_30m": self.opening_return(d, k, i, bars),
                "slot_return_30m": self.slot_return(d, k, i, bars),
                "realized_vol_30m": self.realized([(d, row) for row in range(k)], bars, i),
                "atr_30m": self.atr(d, k, i, bars) / last,
                "volume_ratio": self.volume_ratio(d, k, i, bars, dollars=False),
                "dollar_volume_ratio": self.volume_ratio(d, k, i, bars, dollars=True),
            }
        return told

    def whole_bars(self, minutes: int) -> int:
        """Bars in so many minutes, 0 if they are not a whole number."""
        return round(minutes / self.bar_min) if minutes % self.bar_min == 0 else 0

    # --- prices

    def traded(self, d: int, row: int, i: int) -> bool:
        return bool(np.isfinite(self.days[d].close[row, i]))

    def price(self, d: int, k: int, i: int) -> float:
        """The last price after k bars; after none, the price at the open."""
        if k == 0:
            return float(self.days[d].open[0, i]) if self.traded(d, 0, i) else nan
        rows = [row for row in range(k) if self.traded(d, row, i)]
        return float(self.days[d].close[rows[-1], i]) if rows else nan

    def close(self, d: int, i: int) -> float:
        return self.price(d, len(self.days[d]), i) if d >= 0 else nan

    def follows(self, d: int) -> bool:
        """Whether session d comes right after the one before it."""
        if d == 0:
            return False
        before = previous_session(self.days[d].session.day)
        return before.day == self.days[d - 1].session.day

    def return_over(self, d: int, k: int, i: int, bars: int) -> float:
        if k < bars or not any(self.traded(d, row, i) for row in range(k - bars, k)):
            return nan
        return self.price(d, k, i) / self.price(d, k - bars, i) - 1

    def return_since(self, d: int, k: int, i: int, sessions: int) -> float:
        nights = range(d - sessions + 1, d + 1)
        if d < sessions or not all(self.follows(night) for night in nights):
            return nan
        if any(self.split(night, k if night == d else inf, i) != 1 for night in nights):
            return nan
        then = d - sessions
        return self.price(d, k, i) / self.price(then, min(k, len(self.days[then])), i) - 1

    def opening_return(self, d: int, k: int, i: int, bars: int) -> float:
        if k < bars or not self.follows(d) or self.split(d, k, i) != 1:
            return nan
        return self.price(d, bars, i) / self.close(d - 1, i) - 1

    def gap(self, d: int, k: int, i: int) -> float:
        first = self.first_trade(d, i)
        if first >= k or not self.follows(d) or self.split(d, k, i) != 1:
            return nan
        return float(self.days[d].open[int(first), i]) / self.close(d - 1, i) - 1

    def first_trade(self, d: int, i: int) -> float:
        """The first row in which the name trades, inf if none."""
        rows = (row for row in range(len(self.days[d])) if self.traded(d, row, i))
        return next(rows, inf)

    def split(self, d: int, k: float, i: int) -> float:
        """The split of the night before session d, as known after k bars of it."""
        first = self.first_trade(d, i)
        if first >= k:
            return 1.0
        n = self.days[d].close.shape[1]
        opens, lasts = np.full(n, nan), np.full(n, nan)
        for j in range(n):
            begun = self.first_trade(d, j)
            if begun <= first:
                opens[j] = self.days[d].open[int(begun), j]
            closes = [self.close(e, j) for e in range(d)]
            known = [close for close in closes if not np.isnan(close)]
            lasts[j] = known[-1] if known else nan
        return float(split_ratio(lasts, opens)[i])

    def new_shares(self, e: int, d: int, k: int, i: int) -> float:
        """How many shares of (d, k) one share of session e is."""
        shares = 1.0
        for night in range(e + 1, d + 1):
            shares *= self.split(night, k if night == d else inf, i)
        return shares

    def slot_return(self, d: int, k: int, i: int, bars: int) -> float:
        if k + bars > len(self.days[d]):
            return nan
        full = [e for e in range(d) if self.days[e].session.minutes == 390]
        moves = [self.return_over(e, k + bars, i, bars) for e in full]
        return usual([move for move in moves if not np.isnan(move)])

    def spread(self, d: int, k: int, i: int) -> float:
        return 2 * float(self.days[d].half_spread[k - 1, i]) / self.price(d, k, i)

    # --- volatility

    def rows_until(self, d: int, k: int) -> list[tuple[int, int]]:
        earlier = [(e, row) for e in range(d) for row in range(len(self.days[e]))]
        return earlier + [(d, row) for row in range(k)]

    def realized(self, rows: list[tuple[int, int]], window: int, i: int) -> float:
        squares = []
        for d, row in rows[-window:]:
            if self.traded(d, row, i):
                day = self.days[d]
                since = day.open[row, i]
                if row > 0 and self.traded(d, row - 1, i):
                    since = day.close[row - 1, i]
                squares.append(log(day.close[row, i] / since) ** 2)
        return over_window(squares, window)

    def ranged(self, rows: list[tuple[int, int]], window: int, i: int) -> float:
        variances = []
        for d, row in rows[-window:]:
            if self.traded(d, row, i):
                day = self.days[d]
                high, low, close = (
                    log(column[row, i] / day.open[row, i])
                    for column in (day.high, day.low, day.close)
                )
                variances.append(high * (high - close) + low * (low - close))
        return over_window(variances, window)

    def atr(self, d: int, k: int, i: int, bars: int) -> float:
        """In dollars of today's shares."""
        reaches: list[float] = []
        before = nan
        for e, rows in self.half_hours(d, k, bars):
            if rows[0] == 0 and not self.follows(e):
                before = nan
            day = self.days[e]
            traded = [row for row in rows if self.traded(e, row, i)]
            if not traded:
                continue
            shares = self.new_shares(e, d, k, i)
            high = max(float(day.high[row, i]) for row in traded) / shares
            low = min(float(day.low[row, i]) for row in traded) / shares
            if not np.isnan(before):
                reaches.append(max(high - low, abs(high - before), abs(low - before)))
            before = float(day.close[traded[-1], i]) / shares
        if len(reaches) < ATR_BARS:
            return nan
        atr = fsum(reaches[:ATR_BARS]) / ATR_BARS
        for reach in reaches[ATR_BARS:]:
            atr = ((ATR_BARS - 1) * atr + reach) / ATR_BARS
        return atr

    def half_hours(self, d: int, k: int, bars: int) -> Iterator[tuple[int, range]]:
        """Rows of every half hour that has ended."""
        for e in range(d + 1):
            ended = k if e == d else len(self.days[e])
            for start in range(0, ended, bars):
                if start + bars <= ended or e < d:
                    yield e, range(start, min(start + bars, ended))

    # --- volume

    def amount(self, d: int, row: int, i: int, *, dollars: bool) -> float:
        if not self.traded(d, row, i):
            return 0.0
        day = self.days[d]
        price = float(day.high[row, i] + day.low[row, i] + day.close[row, i]) / 3
        return float(day.volume[row, i]) * (price if dollars else 1.0)

    def counted(self, d: int, row: int, i: int) -> bool:
        """Whether silence of the name in this bar is zero volume."""
        if not np.isfinite(self.days[d].close[row]).any():
            return False
        return any(self.traded(e, r, i) for e, r in self.rows_until(d, row + 1))

    def volume_ratio(self, d: int, k: int, i: int, bars: int, *, dollars: bool) -> float:
        traded, expected = [], []
        for row in range(max(0, k - bars), k):
            history = [
                self.amount(e, row, i, dollars=dollars)
                * (1.0 if dollars else self.new_shares(e, d, k, i))
                for e in range(d)
                if self.days[e].session.minutes == 390 and self.counted(e, row, i)
            ]
            mean = usual(history)
            if not np.isnan(mean) and self.counted(d, row, i):
                traded.append(self.amount(d, row, i, dollars=dollars))
                expected.append(mean)
        return fsum(traded) / fsum(expected) if fsum(expected) > 0 else nan

    def vwap(self, d: int, k: int, i: int) -> float:
        shares = fsum(self.amount(d, row, i, dollars=False) for row in range(k))
        dollars = fsum(self.amount(d, row, i, dollars=True) for row in range(k))
        return dollars / shares if shares > 0 else nan


def bars_of(session: Session, bar_min: float) -> int:
    return ceil(session.minutes / bar_min)


def usual(values: list[float]) -> float:
    """Mean of 20, from then on each new one weighs 1/20; NaN of fewer than 3."""
    if len(values) < LEAST_SESSIONS:
        return nan
    mean = fsum(values[:KEPT_SESSIONS]) / len(values[:KEPT_SESSIONS])
    for value in values[KEPT_SESSIONS:]:
        mean += (value - mean) / KEPT_SESSIONS
    return mean


def over_window(variances: list[float], window: int) -> float:
    if 2 * len(variances) < window:
        return nan
    return sqrt(fsum(variances) * window / len(variances))
