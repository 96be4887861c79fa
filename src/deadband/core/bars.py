"""Bars of one session, dense: a row a bar, a column a name, and what was known before the open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from .arrays import Bools, Floats
from .seen import NEVER_S, History, Market, Universe
from .session import Session


@dataclass(frozen=True, slots=True, eq=False)
class Bar:
    """One bar of every name, as the simulated broker matches on it.

    open, high, low, close USD, NaN where no bar; volume shares; half_spread USD; adv shares a day;
    sigma_day fraction per √day.
    """

    start: datetime
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    half_spread: Floats
    adv: Floats
    sigma_day: Floats


@dataclass(frozen=True, slots=True, eq=False)
class SessionBars:
    """All bars of a session (b, n), NaN where a name did not trade, and the day before's facts.

    prior_close (n,) USD and prior_age_s (n,) its age at the open; adv (n,) shares a day;
    half_spread (b, n) USD; norm_move, norm_spread (b,). Whoever decides may read rows of bars
    that have ended only: `market_after` does.
    """

    universe: Universe
    session: Session
    bar_min: float
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    half_spread: Floats
    prior_close: Floats
    prior_age_s: Floats
    adv: Floats
    sigma_day: Floats
    norm_move: Floats
    norm_spread: Floats
    shortable: Bools
    history: History

    def __len__(self) -> int:
        return len(self.close)

    def ended(self, k: int) -> datetime:
        """When the k-th bar has ended, k from 1."""
        return self.session.open + timedelta(minutes=self.bar_min * k)

    def bar(self, k: int) -> Bar:
        """The k-th bar, k from 1."""
        row = k - 1
        return Bar(
            start=self.ended(row),
            open=self.open[row],
            high=self.high[row],
            low=self.low[row],
            close=self.close[row],
            volume=self.volume[row],
            half_spread=self.half_spread[row],
            adv=self.adv,
            sigma_day=self.sigma_day,
        )

    def market_after(self, k: int) -> Market:
        """The market as known when the k-th bar has ended, from the first k bars alone."""
        seen = np.isfinite(self.close[:k])
        traded = seen.any(axis=0)
        last_row = np.where(traded, k - 1 - seen[::-1].argmax(axis=0), -1)
        names = np.arange(len(self.universe))
        last = np.where(traded, self.close[np.maximum(last_row, 0), names], self.prior_close)
        half = np.where(traded, self.half_spread[np.maximum(last_row, 0), names], 0.0)
        before = self.prior_age_s + self.bar_min * 60.0 * k
        age = np.where(traded, (k - 1 - last_row) * self.bar_min * 60.0, before)
        move = bar_returns(self.open[max(k - 2, 0) : k], self.close[max(k - 2, 0) : k])[-1]
        volume = self.volume[k - 1]
        return Market(
            universe=self.universe,
            asof=self.ended(k),
            bar_min=self.bar_min,
            bid=np.maximum(last - half, 0.0),
            ask=last + half,
            last=last,
            volume=np.where(np.isfinite(volume), volume, 0.0),
            adv=self.adv,
            bar_return=np.where(np.isfinite(move), move, 0.0),
            quote_age_s=np.minimum(age, NEVER_S),
            halted=np.zeros(len(names), dtype=np.bool_),
            shortable=self.shortable,
            norm_move=float(self.norm_move[k - 1]),
            norm_spread=float(self.norm_spread[k - 1]),
        )


def bar_returns(open_: Floats, close: Floats) -> Floats:
    """Return of each bar (b, n) on the close before it, or on its open where that is missing."""
    before = np.vstack([np.full((1, close.shape[1]), np.nan), close[:-1]])
    before = np.where(np.isfinite(before), before, open_)
    with np.errstate(invalid="ignore", divide="ignore"):
        returns: Floats = close / before - 1.0
    return returns
