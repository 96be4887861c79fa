"""What a name without an estimate of its own takes over from its sector, or from all names.

It counts as a typical member: the median variance, the mean β, and the correlations that the mean
of the lenders' scaled returns would have, the rest of its variance being its own. So the matrix
stays positive semidefinite, whoever borrows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.arrays import Bools, Floats, Ints
from ..core.reasons import Code
from ..core.seen import Codes

LEAST_LENDERS = 5
"""Sound names of a sector under which all names lend instead."""
TYPICAL_VARIANCE = 0.001**2
"""Variance of a bar where no name at all is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Loan:
    """Who borrows (m,) indices, from which pool each (m,), and the pools (p, n) of lenders."""

    names: Ints
    pool: Ints
    pools: Bools
    code: Codes

    def filled(self, values: Floats, *, by_median: bool = False) -> Floats:
        """`values` (n,) with the lenders' mean, or median, where a name borrows."""
        out = values.copy()
        for p, lenders in enumerate(self.pools):
            if lenders.any():
                lent = np.median(values[lenders]) if by_median else values[lenders].mean()
                out[self.names[self.pool == p]] = lent
        return out

    def rows(self, values: Floats) -> Floats:
        """Mean rows (m, k) of `values` (n, k) over each borrower's lenders; zero without any."""
        counts = np.maximum(self.pools.sum(axis=1), 1)
        means: Floats = (self.pools @ values) / counts[:, None]
        return means[self.pool]

    def correlation(self, matrix: Floats) -> Floats:
        """A correlation (n, n) with each borrower as a typical member of its pool."""
        if not len(self.names):
            return matrix
        out = matrix.copy()
        rows = self.rows(matrix)
        out[self.names, :] = rows
        out[:, self.names] = rows.T
        # Two borrowers are to each other as the means of their lenders are.
        out[np.ix_(self.names, self.names)] = self.rows(np.ascontiguousarray(rows.T)).T
        out = (out + out.T) / 2.0
        out.flat[:: len(out) + 1] = 1.0
        return out

    def loadings(self, found: Floats) -> Floats:
        """Factor loadings (n, k) with each borrower's the mean of its lenders'."""
        out = found.copy()
        if len(self.names):
            out[self.names] = self.rows(found)
        return out


def lend(group: Ints, sound: Bools) -> Loan:
    """Match every name (n,) that is not sound with the sound names of its sector, or with all."""
    names = np.flatnonzero(~sound)
    sectors = [
        g
        for g in np.unique(group[names]).tolist()
        if g >= 0 and (sound & (group == g)).sum() >= LEAST_LENDERS
    ]
    pools = np.array([sound, *(sound & (group == g) for g in sectors)])
    number = {g: p + 1 for p, g in enumerate(sectors)}
    pool = np.array([number.get(g, 0) for g in group[names].tolist()], dtype=np.int64)
    code = np.zeros(len(group), dtype=np.int16)
    told = np.where(pool > 0, Code.RISK_FROM_SECTOR.number, Code.RISK_FROM_ALL.number)
    code[names] = told
    return Loan(names, pool, pools, code)
