"""The weights at which each name may rest when it trades in whole lots of a least size.

A name's levels are its home, home plus whole lots that are together at least the least trade, and
zero whatever the lot, all inside its box. A box that is a point is its only level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.arrays import Bools, Floats, Ints
from ..exact.program import Program

NEAR = 1e-9
"""Lots this close to a whole number are that number."""
SIDES = np.array([[1.0], [-1.0]])
"""Up and down; downwards is upwards in a mirror."""


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """home, lot (n,) fractions of NAV; least (n,) lots of the smallest trade.

    end (2, n): the box, seen to each side: highest weight, −lowest weight; last (2, n): lots from
    home to the last level on each side, of `fixed` (n,) names of no meaning.
    """

    home: Floats
    lot: Floats
    least: Floats
    end: Floats
    last: Floats
    fixed: Bools

    def nearest(self, weights: Floats, *, inward: bool) -> Floats | None:
        """The level (n,) next to `weights`, or next towards home; None where a name has none.

        A trade below the least is dropped, or raised to it where that is no further off.
        """
        place = (weights - self.home) / self.lot
        size = np.abs(place)
        lots = np.floor(size + NEAR) if inward else np.rint(size)
        small = size < self.least - NEAR
        raised = small & (2.0 * size >= self.least) & (not inward)
        lots = np.where(raised, self.least, np.where(small, 0.0, lots))
        lots = np.clip(np.copysign(lots, place), -self.last[1], self.last[0])
        low, high = -self.end[1], self.end[0]
        to = np.clip(self.home + lots * self.lot, low, high)
        to = np.where((weights == 0.0) | (np.abs(to) <= NEAR * self.lot), 0.0, to)
        nowhere = (-self.last[1] > self.last[0]) & ~self.fixed
        if (nowhere & ((low > 0.0) | (high < 0.0))).any():
            return None
        rounded: Floats = np.where(self.fixed, weights, np.where(nowhere, 0.0, to))
        return rounded

    def beyond(self, weights: Floats, names: Ints) -> Floats:
        """The next level up and down (2, m) from `weights` (m,) of `names`: themselves if none."""
        lot, least = self.lot[names], self.least[names]
        at, home, end = SIDES * weights, SIDES * self.home[names], self.end[:, names]
        place = (at - home) / lot
        lots = np.floor(place + NEAR) + 1.0
        back = np.where(place < -least - NEAR, -least, 0.0)
        lots = np.where((lots < 0.0) & (lots > -least), back, lots)
        lots = np.where((lots > 0.0) & (lots < least), least, lots)
        lots = np.minimum(lots, self.last[:, names])
        to = np.where(lots > place + NEAR, np.minimum(home + lots * lot, end), np.inf)
        to = np.where((at < 0.0) & (to > 0.0) & (end >= 0.0), 0.0, to)
        to = np.where(np.abs(to) <= NEAR * lot, 0.0, to)
        moved = (to < np.inf) & ~self.fixed[names]
        return np.where(moved, SIDES * to + 0.0, weights)


def levels_of(program: Program, lot: Floats, least: float) -> Levels:
    """The levels of every name; `least` is the smallest trade, fraction of NAV."""
    home = program.home
    fewest = np.maximum(1.0, np.ceil(least / lot - NEAR))
    end = np.array([program.high, -program.low])
    last = np.floor((end - SIDES * home) / lot + NEAR)
    last = np.where((last > 0.0) & (last < fewest), 0.0, last)
    last = np.where((last < 0.0) & (last > -fewest), -fewest, last)
    return Levels(home, lot, fewest, end, last, program.low == program.high)
