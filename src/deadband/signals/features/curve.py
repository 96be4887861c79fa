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
        """Fold one session's values (q, n) of a bar into its means, for the names known (n,)."""
        row = self.rows[bar]
        count = row[-1] + known
        share = np.where(known, 1.0 / np.clip(count, 1.0, MEMORY), 0.0)
        mean = row[:-1] + share * (np.where(known, values, 0.0) - row[:-1])
        taught = sealed(np.vstack((mean, count)))
        return Curve((*self.rows[:bar], taught, *self.rows[bar + 1 :]))

    def means(self, bar: int) -> tuple[Floats, Bools]:
        """Means (q, n) at a bar of the day, and whose (n,) are of enough sessions."""
        row = self.rows[bar]
        return row[:-1], row[-1] >= LEAST

    def scaled(self, quantity: int, factor: Floats) -> Curve:
        """The means of one quantity times a factor (n,)."""
        scale = np.ones((len(self.rows[0]), 1)) * np.ones(len(factor))
        scale[quantity] = factor
        return Curve(tuple(sealed(row * scale) for row in self.rows))
