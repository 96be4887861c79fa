"""How loud each bar of the day is: one curve for all names, from the sessions before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.arrays import Floats, Ints
from ..core.seen import History
from ..core.session import SESSION_MIN

SMOOTH_MIN = 15.0
"""Width of the moving mean over the curve, in minutes."""
CLOSING_MIN = 60.0
"""On a half-day this last stretch is as loud as that of a full one: the curve is anchored there."""
MOST = 16.0
"""A squared return counts as this many variances at most: no single print shapes the day."""
LEAST = 0.01
"""No bar of the day is quieter than this share of the mean bar."""


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """Of each row of history (t,) its place in its session and on the curve; the curve (b,).

    `curve` is the variance of each bar of a full session over that of the mean bar.
    """

    row_of_day: Ints
    place: Ints
    curve: Floats

    @property
    def loudness(self) -> Floats:
        """The curve at each row of history (t,)."""
        return self.curve[self.place]

    @property
    def last_rows(self) -> Ints:
        """The last row of the session that each row (t,) is of."""
        last = np.flatnonzero(np.diff(self.row_of_day, append=-1) <= 0)
        return last[np.searchsorted(last, np.arange(len(self.row_of_day)))]


def clock_of(history: History) -> Clock:
    """The clock of a history, its curve measured over all names."""
    row = history.row_of_day
    if row is None:
        row = np.arange(len(history.returns)) % full_rows(history.bar_min)
    starts = np.flatnonzero(np.diff(row, prepend=np.iinfo(np.int64).max) <= 0)
    lengths = np.diff(starts, append=len(row))
    place = on_curve(row, np.repeat(lengths, lengths), history.bar_min)
    return Clock(row, place, _curve(history, row, place))


def full_rows(bar_min: float) -> int:
    """Bars of a full session."""
    return round(SESSION_MIN / bar_min)


def on_curve(row: Ints, rows_in_session: Ints, bar_min: float) -> Ints:
    """Places on the curve of bars `row` (from 0), of sessions that have `rows_in_session`."""
    full, closing = full_rows(bar_min), round(CLOSING_MIN / bar_min)
    from_end = rows_in_session - row
    anchored = (rows_in_session < full) & (from_end <= closing)
    place: Ints = np.clip(np.where(anchored, full - from_end, row), 0, full - 1)
    return place


def _curve(history: History, row_of_day: Ints, place: Ints) -> Floats:
    """How loud each bar is, each name in units of its variance, each session of its mean.

    So neither a wild name nor a wild day shapes it (T. Andersen, T. Bollerslev, Intraday
    periodicity and volatility persistence, J. Empirical Finance 4 (1997), here pooled over names).
    """
    returns, observed, rows = history.returns, history.observed, full_rows(history.bar_min)
    variance = (returns**2).sum(axis=0) / np.maximum(observed.sum(axis=0), 1)
    moved = variance > 0
    if not moved.any():
        return np.ones(rows)
    seen = observed[:, moved].sum(axis=1).astype(np.float64)
    squares = np.minimum(returns[:, moved] ** 2 / variance[moved], MOST).sum(axis=1)
    session = np.cumsum(row_of_day == 0)
    total, names = np.bincount(session, squares), np.bincount(session, seen)
    level = np.divide(total, names, out=np.zeros_like(total), where=names > 0)[session]
    silent = level <= 0
    squares = np.divide(squares, level, out=np.zeros_like(squares), where=~silent)
    weight = np.bincount(place, np.where(silent, 0.0, seen), rows)
    raw = np.divide(np.bincount(place, squares, rows), weight, out=np.ones(rows), where=weight > 0)
    smooth = _moving_mean(raw, max(1, round(SMOOTH_MIN / history.bar_min)))
    # A bar that never moved in history may move today: it is not taken for silent.
    smooth = np.maximum(smooth, LEAST * smooth.mean())
    curve: Floats = smooth / smooth.mean()
    return curve


def _moving_mean(values: Floats, width: int) -> Floats:
    """Centered mean of `width` neighbors, of those there are at the ends."""
    window = np.ones(width)
    share = np.convolve(np.ones_like(values), window, "same")
    mean: Floats = np.convolve(values, window, "same") / share
    return mean


def ahead(curve: Floats, place: int, rows: int) -> float:
    """Sum of the curve over the next `rows` bars; past the close the last bars go on as they are.

    An overnight return is not in it: what lies beyond the close is σ of a night, not of minutes.
    """
    left = curve[place : place + rows]
    if not len(left):
        left = curve[-rows:]
    return float(left.mean()) * rows
