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
    """Rows (b, q + 1, n), one for each bar of the day: q means, and of how many sessions they are.

    It is taught once a session, when that has ended: a bar's row is next read a session later.
    """

    rows: Floats

    @classmethod
    def empty(cls, bars: int, quantities: int, n: int) -> Curve:
        return cls(sealed(np.zeros((bars, quantities + 1, n))))

    def learn(self, values: Floats, known: Bools) -> Curve:
        """Fold a session's finite values (k, q, n) of its first k bars, where known (k, n)."""
        taught = self.rows.copy()
        told, before = taught[: len(values)], self.rows[: len(values)]
        np.add(before[:, -1], known, out=told[:, -1])
        share = known / np.minimum(np.maximum(told[:, -1], 1.0), MEMORY)
        np.add(before[:, :-1], share[:, None] * (values - before[:, :-1]), out=told[:, :-1])
        return Curve(sealed(taught))

    def means(self, bar: int) -> tuple[Floats, Bools]:
        """Means (q, n) at a bar of the day, and whose (n,) are of enough sessions."""
        row = self.rows[bar]
        return row[:-1], row[-1] >= LEAST

    def scaled(self, quantity: int, factor: Floats) -> Curve:
        """The means of one quantity times a factor (n,)."""
        scaled = self.rows.copy()
        scaled[:, quantity] *= factor
        return Curve(sealed(scaled))
