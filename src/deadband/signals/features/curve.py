"""What is usual at a time of day: a mean over earlier sessions for each bar of the day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.arrays import Bools, Floats, sealed

MEMORY = 20.0
"""Sessions that the mean is of: equal weights up to here, from then on each new one weighs 1/20."""
LEAST = 3.0
"""Sessions before a mean counts as known."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Rows by bar of the day, each (q + 1, n): q means, and how many sessions they are of.

    A bar's row is next read a session later, so it may be taught as soon as the bar has ended.
    """

    rows: tuple[Floats, ...]

    @classmethod
    def empty(cls, bars: int, quantities: int, n: int) -> Curve:
        return cls((sealed(np.zeros((quantities + 1, n))),) * bars)

    def learn(self, bar: int, values: Floats, known: Bools) -> Curve:
        """Fold one session's finite values (q, n) of a bar into the means of names known (n,)."""
        row = self.rows[bar]
        taught = np.empty_like(row)
        np.add(row[-1], known, out=taught[-1])
        share = known / np.minimum(np.maximum(taught[-1], 1.0), MEMORY)
        np.add(row[:-1], share * (values - row[:-1]), out=taught[:-1])
        return Curve((*self.rows[:bar], sealed(taught), *self.rows[bar + 1 :]))

    def means(self, bar: int) -> tuple[Floats, Bools]:
        """Means (q, n) at a bar of the day, and whose (n,) are of enough sessions."""
        row = self.rows[bar]
        return row[:-1], row[-1] >= LEAST

    def scaled(self, quantity: int, factor: Floats) -> Curve:
        """The means of one quantity times a factor (n,)."""
        scale = np.ones_like(self.rows[0])
        scale[quantity] = factor
        return Curve(tuple(sealed(row * scale) for row in self.rows))
