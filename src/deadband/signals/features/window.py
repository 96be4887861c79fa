"""Sums over the last w bars that never drift: no number is ever subtracted.

A running sum that adds the newest bar and takes the oldest away keeps the rounding of every bar it
ever saw: after a spike has left the window, what remains is wrong by the spike's last bits. Two
stacks of partial sums need no subtraction. `older` holds sums from a bar to the end of the older
half, `newest` the sum of the bars since; their sum is the window's. Once in w bars the younger half
becomes the older one, so a bar costs O(1) rows on average. Numbers are ≥ 0 here, so every sum is
within w roundings of the exact one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.arrays import Floats, sealed


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Sum of the last `bars` rows, each (q, n) and ≥ 0; rows before the first are zero."""

    bars: int
    newest: Floats
    rows: tuple[Floats, ...] = ()
    older: tuple[Floats, ...] = ()

    @classmethod
    def empty(cls, bars: int, shape: tuple[int, int]) -> Window:
        return cls(bars, sealed(np.zeros(shape)))

    def push(self, row: Floats) -> Window:
        """Take in the newest row and let go of the one that falls out."""
        rows = (*self.rows, row)
        if len(rows) == self.bars:
            return Window(self.bars, sealed(np.zeros_like(row)), (), _sums_to_the_end(rows))
        return Window(self.bars, sealed(self.newest + row), rows, self.older[1:])

    def times(self, factor: Floats) -> Window:
        """Every row multiplied by a factor (q, n)."""
        rows = tuple(sealed(row * factor) for row in self.rows)
        older = tuple(sealed(row * factor) for row in self.older)
        return Window(self.bars, sealed(self.newest * factor), rows, older)

    @property
    def sum(self) -> Floats:
        """The window's sum (q, n)."""
        return self.older[0] + self.newest if self.older else self.newest


def _sums_to_the_end(rows: tuple[Floats, ...]) -> tuple[Floats, ...]:
    """For each row the sum of it and all after it, oldest first."""
    sums = np.array(rows[::-1]).cumsum(axis=0)
    return tuple(sealed(sums)[::-1])
