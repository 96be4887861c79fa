"""Volume against what is usual at the time of day, and the session's average price."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...core.arrays import Bools, Floats, sealed
from ...core.bars import Bar
from .curve import Curve
from .window import Window

SHARES, DOLLARS = 0, 1


@dataclass(frozen=True, slots=True, eq=False)
class Volumes:
    """Shares and dollars (2, n): of the session so far, and usually at each bar of the day.

    `recent`: over the last bars of the session, what traded and what usually does (4, n).
    `listed` (n,): who has ever traded; a bar without a trade is zero volume from then on.
    `today`: what traded in each bar of the session (2, n), and `counted` whose (n,) it is told of.
    """

    session: Floats
    recent: Window
    usual: Curve
    listed: Bools
    today: tuple[Floats, ...] = ()
    counted: tuple[Bools, ...] = ()

    @classmethod
    def empty(cls, n: int, recent_bars: int, day_bars: int) -> Volumes:
        return cls(
            sealed(np.zeros((2, n))),
            Window.empty(recent_bars, (4, n)),
            Curve.empty(day_bars, 2, n),
            sealed(np.zeros(n, dtype=np.bool_)),
        )

    def opened(self) -> Volumes:
        n = len(self.listed)
        fresh = Window.empty(self.recent.bars, (4, n))
        return Volumes(sealed(np.zeros((2, n))), fresh, self.usual, self.listed)

    def taught(self) -> Volumes:
        """The session has ended: what traded in it goes into the curve."""
        usual = self.usual.learn(np.array(self.today), np.array(self.counted))
        return replace(self, usual=usual)

    def split(self, ratio: Floats) -> Volumes:
        """Shares of before, in new shares; dollars stay dollars."""
        factor = np.ones((4, len(ratio)))
        factor[[SHARES, 2 + SHARES]] = ratio
        usual = self.usual.scaled(SHARES, ratio)
        return replace(self, usual=usual, recent=self.recent.times(factor))

    def after(self, bar: Bar, known: Bools) -> Volumes:
        """Fold the session's next bar."""
        traded = np.where(known, (bar.volume, typical_price(bar) * bar.volume), 0.0)
        usual, enough = self.usual.means(len(self.today))
        listed = self.listed | known
        # In a bar in which nothing traded at all the feed was silent, not the market.
        counted = listed & known.any()
        row = np.concatenate((traded, usual)) * (enough & counted)
        return Volumes(
            session=sealed(self.session + traded),
            recent=self.recent.push(sealed(row)),
            usual=self.usual,
            listed=sealed(listed),
            today=(*self.today, sealed(traded)),
            counted=(*self.counted, sealed(counted)),
        )

    def ratio(self, quantity: int) -> Floats:
        """What traded in the recent bars (n,) over what usually does; NaN where that is nothing."""
        total = self.recent.sum
        traded, usual = total[quantity], total[2 + quantity]
        return _quotient(traded, usual)

    def average_price(self) -> Floats:
        """Volume-weighted average price (n,) USD of the session; NaN before any volume."""
        shares, dollars = self.session
        return _quotient(dollars, shares)


def _quotient(part: Floats, whole: Floats) -> Floats:
    unknown = np.full(len(whole), np.nan)
    quotient: Floats = np.divide(part, whole, out=unknown, where=whole > 0)
    return quotient


def typical_price(bar: Bar) -> Floats:
    """(high + low + close) / 3: what a bar's shares are taken to have traded at."""
    price: Floats = (bar.high + bar.low + bar.close) / 3.0
    return price
