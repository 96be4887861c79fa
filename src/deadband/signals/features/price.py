"""Prices of today and of the sessions before, carried over gaps: returns, the gap, the spread."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...core.arrays import Bools, Floats, sealed
from ...core.bars import Bar
from ...core.corporate_action import split_ratio
from .curve import Curve

DAYS = 5
"""Earlier sessions whose prices are kept."""

Rows = tuple[Floats, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Last prices (n,) USD after each bar of a session, NaN before a name's first trade in it.

    `today` begins with the price at the open; `days` are the sessions before, oldest first.
    `traded`: beside each row of today the bar (n,) in which the name last traded, 0 none. (n,) USD,
    NaN where not known: first_open of today, prior_close of the session before, last_close of any
    before, and half_spread at the last bar's end. `whole` (n,): sessions since the last night that
    a split explains. `slot`: mean return of the bars that follow a time of day.
    """

    today: Rows
    days: tuple[Rows, ...]
    traded: Rows
    first_open: Floats
    prior_close: Floats
    last_close: Floats
    half_spread: Floats
    whole: Floats
    slot: Curve

    @classmethod
    def empty(cls, n: int, bars: int) -> Prices:
        unknown = sealed(np.full(n, np.nan))
        never_split = sealed(np.full(n, np.inf))
        slot = Curve.empty(bars + 1, 1, n)
        return cls(
            today=(),
            days=(),
            traded=(sealed(np.zeros(n)),),
            first_open=unknown,
            prior_close=unknown,
            last_close=unknown,
            half_spread=unknown,
            whole=never_split,
            slot=slot,
        )

    def opened(self, *, after_a_gap: bool) -> Prices:
        """The next session begins; after a gap of missed sessions nothing before it is near."""
        n = len(self.whole)
        unknown = sealed(np.full(n, np.nan))
        ended = self.today[-1] if self.today else unknown
        kept = () if after_a_gap or not self.today else (*self.days, self.today)[-DAYS:]
        return replace(
            self,
            today=(),
            days=kept,
            traded=(sealed(np.zeros(n)),),
            first_open=unknown,
            prior_close=ended if kept else unknown,
            last_close=sealed(np.where(np.isnan(ended), self.last_close, ended)),
            half_spread=unknown,
            whole=sealed(self.whole + 1.0),
        )

    def with_opens(self, bar: Bar, known: Bools) -> tuple[Prices, Floats | None]:
        """Note who trades for the first time today; gives the split ratio (n,) of their night.

        None where no night was a split. The market's own move is that of all names that have
        opened by now.
        """
        fresh = known & np.isnan(self.first_open)
        if not fresh.any():
            return self, None
        first_open = np.where(fresh, bar.open, self.first_open)
        ratio = np.where(fresh, split_ratio(self.last_close, first_open), 1.0)
        whole = np.where(ratio == 1.0, self.whole, 0.0)
        opened = replace(self, first_open=sealed(first_open), whole=sealed(whole))
        return opened, ratio if (ratio != 1.0).any() else None

    def after(self, bar: Bar, known: Bools) -> Prices:
        """Fold a bar in which `known` (n,) traded."""
        rows = self.today or (sealed(np.where(known, bar.open, np.nan)),)
        last = np.where(known, bar.close, rows[-1])
        traded = np.where(known, float(len(rows)), self.traded[-1])
        return Prices(
            today=(*rows, sealed(last)),
            days=self.days,
            traded=(*self.traded, sealed(traded)),
            first_open=self.first_open,
            prior_close=self.prior_close,
            last_close=self.last_close,
            half_spread=sealed(bar.half_spread.copy()),
            whole=self.whole,
            slot=self.slot,
        )

    def taught(self, ahead: int) -> Prices:
        """The session has ended: its slots' returns, each over `ahead` bars, go into the curve."""
        rows = np.array(self.today)
        moved = rows[ahead:] / rows[:-ahead] - 1.0
        begun = np.arange(len(moved))[:, None]
        said = np.isfinite(moved) & (np.array(self.traded[ahead:]) > begun)
        values = np.where(said, moved, 0.0)[:, None]
        return replace(self, slot=self.slot.learn(values, said))

    def return_over(self, bars: int) -> Floats:
        """Return (n,) over the last bars of this session, of names that traded in one of them."""
        k = len(self.today) - 1
        if k < bars:
            return np.full(len(self.whole), np.nan)
        moved = self.today[k] / self.today[k - bars] - 1.0
        fresh: Bools = self.traded[-1] > k - bars
        return np.where(fresh, moved, np.nan)

    def return_since(self, sessions: int) -> Floats:
        """Return (n,) since the same time of day so many sessions ago; NaN across a split.

        A half-day's last price stands for the rest of its day.
        """
        if len(self.days) < sessions:
            return np.full(len(self.whole), np.nan)
        then = self.days[-sessions]
        k = len(self.today) - 1
        moved = self.today[k] / then[min(k, len(then) - 1)] - 1.0
        return np.where(self.whole >= sessions, moved, np.nan)

    def gap(self) -> Floats:
        """The first price of today (n,) over the last of the session before, less one."""
        return np.where(self.whole >= 1.0, self.first_open / self.prior_close - 1.0, np.nan)

    def opening_return(self, bars: int) -> Floats:
        """Return (n,) from the last session's close to so many bars after the open."""
        if len(self.today) - 1 < bars:
            return np.full(len(self.whole), np.nan)
        moved = self.today[bars] / self.prior_close - 1.0
        return np.where(self.whole >= 1.0, moved, np.nan)

    def slot_return(self, bars_left: int, ahead: int) -> Floats:
        """Mean return (n,), over earlier sessions, of the bars that begin now."""
        if bars_left < ahead:
            return np.full(len(self.whole), np.nan)
        mean, known = self.slot.means(len(self.today) - 1)
        return np.where(known, mean[0], np.nan)
